/*
 * Push notifications (XEP-0357): the server would push whenever the proxy is away,
 * which is not when the client is. Hidden until the proxy pushes by itself.
 */
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static const char *
on_push(struct session *s, struct route *r)
{
	session_reply_error(s, r, ERR_SERVICE_UNAVAILABLE,
	    "the proxy does not push");
	return "push is not offered";
}

static const struct iq_handler iqs[] = {
	{ TYPE_SET, NS_PUSH, "*", on_push, IQ_TO_OURS },
	{ 0 },
};

const struct module mod_push = {
	.name = "push",
	.xep = "XEP-0357",
	.hidden = (const char *const[]){ NS_PUSH, NULL },
	.iqs = iqs,
};
