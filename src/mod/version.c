/* Software version (XEP-0092); the operating system is nobody's business. */
#include "base/version.h"
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static struct elem *
version(struct arena *arena)
{
	struct elem *query = elem_new(arena, NS_VERSION, "query");

	elem_add_text(elem_child(query, NS_VERSION, "name"), XMPPROXY_NAME);
	elem_add_text(elem_child(query, NS_VERSION, "version"),
	    XMPPROXY_VERSION);
	return query;
}

static const char *
on_version(struct session *s, struct route *r)
{
	session_reply(s, r, version(r->stanza->arena));
	return "a client asked for the version";
}

static const char *
on_peer_version(struct account *a, struct route *r)
{
	struct elem *answer = stanza_result(r->stanza);

	elem_append(answer, version(r->stanza->arena));
	account_answer(a, answer);
	return "a peer asked for the version";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_VERSION, "query", on_version, IQ_TO_NODE },
	{ 0 },
};

static const struct peer_iq_handler peer_iqs[] = {
	{ TYPE_GET, NS_VERSION, "query", on_peer_version, false },
	{ 0 },
};

const struct module mod_version = {
	.name = "version",
	.xep = "XEP-0092",
	.peer_features = (const char *const[]){ NS_VERSION, NULL },
	.iqs = iqs,
	.peer_iqs = peer_iqs,
};
