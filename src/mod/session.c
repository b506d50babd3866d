/*
 * Sessions of RFC 3921 section 3: older clients ask for one and wait for the
 * answer. The stream feature is part of the negotiation, xmpp/accept.c.
 */
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static const char *
on_session(struct session *s, struct route *r)
{
	session_reply(s, r, NULL);
	return "there is a session since the resource was bound";
}

static const struct iq_handler iqs[] = {
	{ TYPE_SET, NS_SESSION, "session", on_session,
	    IQ_TO_SELF | IQ_TO_DOMAIN | IQ_TO_ACCOUNT },
	{ 0 },
};

const struct module mod_session = {
	.name = "session",
	.xep = "RFC 3921",
	.iqs = iqs,
};
