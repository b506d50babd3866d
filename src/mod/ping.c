/* Pings (XEP-0199): each link is its own, so each end is answered here. */
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static const char *
on_ping(struct session *s, struct route *r)
{
	session_reply(s, r, NULL);
	return "a ping";
}

static const char *
on_peer_ping(struct account *a, struct route *r)
{
	account_answer(a, stanza_result(r->stanza));
	return "a ping";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_PING, "ping", on_ping, IQ_TO_ANY },
	{ 0 },
};

static const struct peer_iq_handler peer_iqs[] = {
	{ TYPE_GET, NS_PING, "ping", on_peer_ping, false },
	{ 0 },
};

const struct module mod_ping = {
	.name = "ping",
	.xep = "XEP-0199",
	.features = (const char *const[]){ NS_PING, NULL },
	.peer_features = (const char *const[]){ NS_PING, NULL },
	.iqs = iqs,
	.peer_iqs = peer_iqs,
};
