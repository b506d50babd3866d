#include "core/quiet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/directed.h"
#include "core/events.h"
#include "core/fanout.h"
#include "core/frame.h"
#include "core/missed.h"
#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/ns.h"

/* One of the two: a live message, or a stanza as bytes. */
struct waiting {
	UT_hash_handle hh;
	struct entry *entry;
	struct buf bytes;
	char key[];
};

static size_t
size_of(const struct waiting *w)
{
	return w->entry != NULL ? entry_size(w->entry) : w->bytes.len;
}

static void
drop(struct session *s, struct waiting *w)
{
	s->quiet_bytes -= size_of(w);
	HASH_DEL(s->quiet, w);
	entry_unref(&w->entry);
	buf_free(&w->bytes);
	free(w);
}

size_t
quiet_count(const struct session *s)
{
	return HASH_COUNT(s->quiet);
}

void
quiet_clear(struct session *s)
{
	while (s->quiet != NULL)
		drop(s, s->quiet);
}

static void
send_waiting(struct session *s)
{
	struct waiting *w;

	/* Sending may close the session, which drops nothing here. */
	while ((w = s->quiet) != NULL) {
		if (w->entry != NULL)
			fanout_deliver(s, w->entry);
		else
			session_send_bytes(s, &w->bytes, NULL);
		drop(s, w);
	}
}

void
quiet_flush(struct session *s)
{
	if (!s->inactive || s->closing)
		return;
	s->inactive = false;
	missed_flush(s);
	events_follow(s);
	send_waiting(s);
	s->inactive = true;
}

void
quiet_end(struct session *s)
{
	quiet_flush(s);
	s->inactive = false;
}

/* The latest of its key, behind all others; bounded, and nothing of it is lost. */
static struct waiting *
add(struct session *s, const char *key)
{
	size_t len = strlen(key);
	struct waiting *w;

	HASH_FIND(hh, s->quiet, key, len, w);
	if (w != NULL)
		drop(s, w);
	if (HASH_COUNT(s->quiet) >= s->proxy->config->limits.quiet_stanzas ||
	    s->quiet_bytes >= s->queue_bytes)
		quiet_flush(s);
	w = mem_alloc(sizeof(*w) + len + 1);
	memcpy(w->key, key, len + 1);
	HASH_ADD(hh, s->quiet, key, len, w);
	return w;
}

/* --- events --- */

/* The first thing in it: <items/>, or what became of the node. */
static const struct elem *
event_of(const struct entry *e, struct arena *arena)
{
	const struct elem *message = frame_parse(arena, e->body), *event = NULL;

	if (message != NULL)
		event = elem_find(message, NS_PUBSUB_EVENT, "event");
	return event != NULL ? elem_first(event) : NULL;
}

/* One that is about several things, or none, is like no other. */
static const char *
event_key(const struct session *s, const struct entry *e, struct arena *arena)
{
	const struct elem *what = event_of(e, arena), *item = NULL;

	if (what != NULL && (item = elem_first(what)) != NULL &&
	    elem_next(item) == NULL && elem_attr(item, "id") != NULL)
		return arena_printf(arena, "event %s %s %s", e->peer,
		    elem_attr(what, "node") != NULL ? elem_attr(what, "node") :
						      "",
		    elem_attr(item, "id"));
	return arena_printf(arena, "event %" PRIu64, s->quiet_events);
}

static void
put_off(struct session *s, struct entry *e)
{
	struct arena *arena = arena_new();
	struct waiting *w;

	s->quiet_events++;
	w = add(s, event_key(s, e, arena));
	w->entry = entry_ref(e);
	s->quiet_bytes += size_of(w);
	arena_free(&arena);
}

const char *
quiet_takes(struct session *s, struct entry *e)
{
	if (!s->inactive || e->class != CLASS_LIVE || e->type == TYPE_ERROR)
		return NULL;
	if (e->is_chat_state)
		return "a chat state, and the client is inactive";
	if (!e->is_event)
		return NULL;
	put_off(s, e);
	return "an event, and the client is inactive: it waits";
}

/* --- presence --- */

/* XEP-0045 7.2.2: not every service says 110 where it should. */
static bool
is_own(const struct session *s, const char *from, const struct elem *presence)
{
	const struct elem *x = elem_find(presence, NS_MUC_USER, "x");

	if (directed_find(s->directed, from) != NULL)
		return x != NULL;
	return x != NULL && directed_has_status(x, "110");
}

bool
quiet_takes_presence(struct session *s, const char *from,
    const struct elem *presence)
{
	enum stanza_type type = stanza_type(presence);
	struct waiting *w;
	char *key;

	if (!s->inactive ||
	    (type != TYPE_AVAILABLE && type != TYPE_UNAVAILABLE) ||
	    is_own(s, from, presence))
		return false;
	key = mem_printf("presence %s", from);
	w = add(s, key);
	free(key);
	elem_write(&w->bytes, presence, NS_CLIENT);
	s->quiet_bytes += size_of(w);
	return true;
}
