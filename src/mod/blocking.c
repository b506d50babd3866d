/*
 * Blocking (XEP-0191): requests go up; the server's pushes reach the sessions that
 * asked for the list.
 */
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"

static const char *
on_get(struct session *s, struct route *r)
{
	(void)r;
	s->wants_blocks = true;
	session_touch(s, CHANGED_SELF);
	return NULL;
}

/* It was asked for the pushes that follow. */
static void
got_list(struct account *a, struct elem *answer, void *arg)
{
	(void)a;
	(void)answer;
	(void)arg;
}

static const char *
on_push(struct account *a, struct route *r)
{
	struct elem *copy;
	struct address_map map;
	struct session *s;

	account_answer(a, stanza_result(r->stanza));
	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->closing || !s->wants_blocks || !session_sees(s, a))
			continue;
		map = account_map_down(a, s);
		copy = elem_copy(r->stanza->arena, r->stanza);
		address_rewrite(copy, &map);
		session_push(s, "set", elem_first(copy));
	}
	return "a push of the block list, passed on";
}

/* The server pushes to streams that asked, and each is a new one (XEP-0191 3.2). */
static void
upstream_up(struct account *a)
{
	struct arena *arena;
	struct elem *iq;
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && s->wants_blocks && session_sees(s, a))
			break;
	}
	if (s == NULL)
		return;
	arena = arena_new();
	iq = elem_new(arena, NS_CLIENT, "iq");
	elem_set(iq, "type", "get");
	elem_child(iq, NS_BLOCKING, "blocklist");
	(void)account_ask(a, iq, NULL, got_list, NULL);
	arena_free(&arena);
}

const struct module mod_blocking = {
	.name = "blocking",
	.upstream_up = upstream_up,
	.xep = "XEP-0191",
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_BLOCKING,
						"blocklist", on_get,
						IQ_TO_SELF },
	    { 0 } },
	.peer_iqs = (const struct peer_iq_handler[]){ { TYPE_SET, NS_BLOCKING,
							  "block", on_push,
							  true },
	    { TYPE_SET, NS_BLOCKING, "unblock", on_push, true }, { 0 } },
};
