/* Resource binding (RFC 6120 7) happens before there is a session. */
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static const char *
on_bind(struct session *s, struct route *r)
{
	session_reply_error(s, r, ERR_NOT_ALLOWED,
	    "this stream has its resource already");
	return "a second resource on one stream";
}

static const struct iq_handler iqs[] = {
	{ TYPE_SET, NS_BIND, "bind", on_bind,
	    IQ_TO_SELF | IQ_TO_DOMAIN | IQ_TO_ACCOUNT },
	{ 0 },
};

const struct module mod_bind = {
	.name = "bind",
	.xep = "RFC 6120",
	.iqs = iqs,
};
