/* Chat states (XEP-0085) of N clients: those of the one that is active there. */
#include <string.h>

#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

/* Somebody else of the user's sessions is the one last active with that peer. */
static bool
is_elsewhere(struct session *s, const char *to)
{
	const char *reason;
	struct account *a;
	struct session *other;
	struct arena *arena = arena_new();
	uint64_t id;
	bool known;

	a = session_route(s, arena, to, &reason);
	known = recent_get(a->active, jid_bare(arena, to), &id);
	arena_free(&arena);
	if (!known || id == s->id)
		return false;
	other = proxy_find_session(s->proxy, id);
	return other != NULL && !other->closing;
}

static void
remove_gone(struct elem *message)
{
	struct elem *gone = elem_find(message, NS_CHATSTATES, "gone");

	if (gone != NULL)
		elem_remove(gone);
}

static const char *
from_client(struct session *s, struct route *r)
{
	const char *state;

	if (r->kind != STANZA_MESSAGE || r->to == NULL)
		return NULL;
	state = message_lone_chat_state(r->stanza);
	if (state == NULL) {
		remove_gone(r->stanza);
		return NULL;
	}
	if (strcmp(state, "gone") == 0)
		return "the user is not gone while others are there";
	if (strcmp(state, "composing") == 0 || strcmp(state, "active") == 0)
		return NULL;
	return is_elsewhere(s, r->to) ?
	    "another session is the one active there" :
	    NULL;
}

const struct module mod_chat_states = {
	.name = "chat-states",
	.xep = "XEP-0085",
	.from_client = from_client,
};
