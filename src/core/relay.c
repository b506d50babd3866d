#include "core/relay.h"

#include "base/mem.h"
#include "core/account.h"
#include "core/frame.h"
#include "core/missed.h"
#include "core/node_presence.h"
#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/jid.h"

/*
 * To a session whose queue is full nothing goes now, and nothing that waits while its
 * client is inactive. What does go is current, and nothing older of that JID is owed any
 * more.
 */
static bool
may_send(struct session *s, uint64_t account, const char *jid, bool waits)
{
	if (s->closing)
		return false;
	if ((waits && s->inactive) || !session_has_room(s)) {
		missed_add(s, account, jid);
		return false;
	}
	missed_remove(s, jid);
	return true;
}

/* jid: as missed.h has it. */
static void
send_presence(struct session *s, const struct frame_head *h, struct blob *body,
    uint64_t account, const char *jid)
{
	struct buf *head = &s->proxy->head;

	buf_clear(head);
	frame_head(head, h);
	buf_putc(head, '>');
	session_send_frame(s, head->data, head->len, body, "</presence>",
	    &(struct flight){ .account = account, .jid = mem_strdup(jid) });
}

static void
send_unavailable(struct session *s, uint64_t account, const char *from)
{
	send_presence(s,
	    &(struct frame_head){ .name = "presence",
		.type = "unavailable",
		.from = from,
		.to = s->full },
	    NULL, account, from);
}

/* Shared, unless own addresses stand in it. */
static struct blob *
body_for(struct session *s, struct account *a, const struct presence *p)
{
	struct address_map map;

	if (p->addresses == 0)
		return blob_ref(p->body);
	map = account_map_down(a, s);
	return frame_body_mapped(s->proxy->scratch, p->body, &map);
}

static void
relay(struct session *s, struct account *a, const struct presence *p,
    const char *type)
{
	struct arena *arena = s->proxy->scratch;
	struct blob *body;
	const char *jid;

	arena_reset(arena);
	jid = session_view_of(s, a, arena, p->from);
	if (!may_send(s, a->id, jid, true))
		return;
	body = body_for(s, a, p);
	send_presence(s,
	    &(struct frame_head){ .name = "presence",
		.type = type,
		.id = p->id,
		.from = jid,
		.to = s->full,
		.lang = p->lang },
	    body, a->id, jid);
	blob_unref(&body);
}

void
relay_presence(struct session *s, struct account *a, const struct presence *p)
{
	if (!account_has_blocked(a, p->from))
		relay(s, a, p, NULL);
}

void
relay_farewell(struct session *s, struct account *a, const struct presence *p)
{
	if (!account_has_blocked(a, p->from))
		relay(s, a, p, "unavailable");
}

static void
send_sibling(struct session *to, struct session *from, const char *jid)
{
	struct elem *copy = elem_copy(to->proxy->scratch, from->presence);
	struct blob *body;

	session_translate(from, to, copy);
	body = frame_body(copy);
	send_presence(to,
	    &(struct frame_head){ .name = "presence",
		.from = jid,
		.to = to->full,
		.lang = elem_lang(from->presence) },
	    body, 0, jid);
	blob_unref(&body);
}

void
relay_sibling(struct session *to, struct session *from)
{
	struct arena *arena = to->proxy->scratch;
	const char *jid;

	arena_reset(arena);
	jid = jid_with_resource(arena, to->bare, from->resource);
	/* Its own is an answer (RFC 6121 4.2.2). */
	if (!may_send(to, 0, jid, to != from))
		return;
	if (from->available)
		send_sibling(to, from, jid);
	else
		send_unavailable(to, 0, jid);
}

static void
sibling_now(struct session *to, const char *jid)
{
	struct session *from;

	from = user_find_resource(to->user, jid_resource(jid));
	if (from != NULL && from->available && session_is_sibling(to, from))
		relay_sibling(to, from);
	else if (may_send(to, 0, jid, true))
		send_unavailable(to, 0, jid);
}

/* What the session's view has of it. */
static struct node_shown
shown_to(struct session *s, const char *jid)
{
	struct arena *arena;
	struct node_shown shown = { .account = s->account };

	if (s->account != NULL) {
		if (!account_has_blocked(s->account, jid))
			shown.presence = presences_find(s->account->presences,
			    jid);
		return shown;
	}
	arena = arena_new();
	shown = node_shown(s->user, arena, jid);
	arena_free(&arena);
	return shown;
}

void
relay_now(struct session *s, uint64_t account, const char *jid)
{
	struct node_shown shown;

	if (account == 0) {
		sibling_now(s, jid);
		return;
	}
	shown = shown_to(s, jid);
	if (shown.presence != NULL)
		relay_presence(s, shown.account, shown.presence);
	else if (may_send(s, account, jid, true))
		send_unavailable(s, account, jid);
}
