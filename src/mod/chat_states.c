/* Chat states (XEP-0085) of N clients: those of the one that is active there. */
#include <string.h>

#include "core/account.h"
#include "core/proxy.h"
#include "core/sent.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

/* Another session of the user, or a device on the server, is the one last active there. */
static bool
is_elsewhere(struct session *s, const struct route *r)
{
	struct arena *arena = r->stanza->arena;
	const char *reason;
	struct account *a = session_route(s, arena, r->to, &reason);
	struct address_map map = account_map_up(a, s);
	struct session *other;
	uint64_t id;

	if (!sent_find_active(a, address_map(arena, &map, r->to), &id) ||
	    id == s->id)
		return false;
	if (id == 0)
		return true;
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
	return is_elsewhere(s, r) ? "another session is the one active there" :
				    NULL;
}

const struct module mod_chat_states = {
	.name = "chat-states",
	.xep = "XEP-0085",
	.from_client = from_client,
};
