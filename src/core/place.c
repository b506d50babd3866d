#include "core/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/frame.h"
#include "core/history.h"
#include "core/user.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

struct wanted {
	const char *peer; /* a bare JID: whatever the resource is */
	const char *id;
	uint64_t seq;
};

char *
place_conversation(const struct account *a, const char *peer)
{
	if (!jid_is_bare(peer) && user_is_in_room(a->user, peer))
		return mem_strdup(peer);
	return mem_strndup(peer, jid_bare_len(peer));
}

static bool
is_of(const struct wanted *w, const struct entry *e)
{
	return jid_is_bare(w->peer) || strcmp(w->peer, e->peer) == 0;
}

/* --- by the room's stanza-id --- */

/* Where the bytes are not there at all nothing has to be parsed. */
static bool
has_bytes(const struct entry *e, const char *id)
{
	struct buf escaped = { 0 };
	bool has;

	elem_escape(&escaped, id);
	has = memmem(blob_data(e->body), blob_len(e->body), escaped.data,
		  escaped.len) != NULL;
	buf_free(&escaped);
	return has;
}

static bool
has_room_id(const struct elem *message, const struct wanted *w)
{
	ELEM_EACH(e, message) {
		if (elem_is(e, NS_SID, "stanza-id") &&
		    text_equals(elem_attr(e, "id"), w->id) &&
		    text_equals(elem_attr(e, "by"), w->peer))
			return true;
	}
	return false;
}

static bool
is_room_id(void *arg, const struct entry *e)
{
	const struct wanted *w = arg;
	struct arena *arena;
	struct elem *message;
	bool is;

	if (e->type != TYPE_GROUPCHAT || !has_bytes(e, w->id))
		return false;
	arena = arena_new();
	message = frame_parse(arena, e->body);
	is = message != NULL && has_room_id(message, w);
	arena_free(&arena);
	return is;
}

struct entry *
place_find_room_id(const struct account *a, const char *room, const char *id)
{
	struct wanted w = { .peer = room, .id = id };

	return history_look(a->user->history, a->id, room, is_room_id, &w);
}

/* --- by the message's id --- */

static bool
is_message(void *arg, const struct entry *e)
{
	const struct wanted *w = arg;

	return e->direction != DIR_OUT && text_equals(e->id, w->id) &&
	    is_of(w, e);
}

static const struct entry *
find_message(const struct account *a, const char *conversation, const char *id)
{
	struct wanted w = { .peer = conversation, .id = id };
	struct history *h = a->user->history;
	const struct entry *e;

	e = history_find(h, a->id, DIR_IN, conversation, id);
	if (e != NULL && is_of(&w, e))
		return e;
	if (jid_is_bare(conversation) && user_is_in_room(a->user, conversation))
		e = place_find_room_id(a, conversation, id);
	else
		e = NULL;
	return e != NULL ? e :
			   history_look(h, a->id, conversation, is_message, &w);
}

uint64_t
place_of_message(const struct account *a, const char *peer, const char *id)
{
	char *conversation = place_conversation(a, peer);
	const struct entry *e = find_message(a, conversation, id);

	free(conversation);
	return e != NULL ? e->seq : 0;
}

/* --- by the server's stanza-id --- */

static bool
is_stanza_id(void *arg, const struct entry *e)
{
	const struct wanted *w = arg;

	return text_equals(e->stanza_id, w->id) && is_of(w, e);
}

struct entry *
place_find_stanza_id(const struct account *a, const char *peer, const char *id)
{
	struct wanted w = { .peer = peer, .id = id };

	return history_look(a->user->history, a->id, peer, is_stanza_id, &w);
}

static bool
is_named(void *arg, const struct entry *e)
{
	const struct wanted *w = arg;

	return e->seq <= w->seq && e->stanza_id != NULL && is_of(w, e);
}

struct entry *
place_find_named(const struct account *a, const char *peer, uint64_t seq)
{
	struct wanted w = { .peer = peer, .seq = seq };

	return history_look(a->user->history, a->id, peer, is_named, &w);
}
