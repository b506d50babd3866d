#include "core/relay.h"

#include "core/account.h"
#include "core/frame.h"
#include "core/missed.h"
#include "core/session.h"
#include "xmpp/jid.h"

static void
send_presence(struct session *s, const struct frame_head *h, struct blob *body)
{
	struct buf head = { 0 };

	frame_head(&head, h);
	buf_putc(&head, '>');
	session_send_frame(s, head.data, head.len, body, "</presence>");
	buf_free(&head);
}

void
relay_presence(struct session *s, struct account *a, const struct presence *p)
{
	struct arena *arena;

	if (!session_has_room(s)) {
		missed_add(s, a, p->from);
		return;
	}
	arena = arena_new();
	send_presence(s,
	    &(struct frame_head){ .name = "presence",
		.id = p->id,
		.from = session_view_of(s, a, arena, p->from),
		.to = s->full,
		.lang = p->lang },
	    p->body);
	arena_free(&arena);
}

void
relay_unavailable(struct session *s, struct account *a, const char *from)
{
	struct arena *arena;

	if (!session_has_room(s)) {
		missed_add(s, a, from);
		return;
	}
	arena = arena_new();
	send_presence(s,
	    &(struct frame_head){ .name = "presence",
		.type = "unavailable",
		.from = session_view_of(s, a, arena, from),
		.to = s->full },
	    NULL);
	arena_free(&arena);
}

void
relay_sibling(struct session *to, struct session *from)
{
	struct arena *arena = arena_new();
	struct blob *body = NULL;

	if (from->available)
		body = frame_body(from->presence);
	send_presence(to,
	    &(struct frame_head){ .name = "presence",
		.type = from->available ? NULL : "unavailable",
		.from = jid_with_resource(arena, to->bare, from->resource),
		.to = to->full },
	    body);
	blob_unref(&body);
	arena_free(&arena);
}
