/*
 * In-band registration (XEP-0077): a client that means its account at the proxy
 * would change or delete the real one. Other services' is theirs.
 */
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static const char *
on_register(struct session *s, struct route *r)
{
	session_reply_error(s, r, ERR_NOT_ALLOWED,
	    "accounts are not registered, changed or deleted through the "
	    "proxy");
	return "it would change the real account";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_REGISTER, "*", on_register, IQ_TO_OURS },
	{ TYPE_SET, NS_REGISTER, "*", on_register, IQ_TO_OURS },
	{ 0 },
};

const struct module mod_register = {
	.name = "register",
	.xep = "XEP-0077",
	.hidden = (const char *const[]){ NS_REGISTER, NULL },
	.iqs = iqs,
};
