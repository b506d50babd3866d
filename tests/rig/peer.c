#include "rig/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rig/rig.h"
#include "rig/wire.h"
#include "xmpp/ns.h"

void
peer_init(struct peer *p, struct rig *rig, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->rig = rig;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->arena = arena_new();
	STAILQ_INIT(&p->queue);
	managed_init(&p->managed);
}

static void
forget_words(struct peer *p)
{
	p->was_closed = false;
	mem_free_string(&p->cond);
	mem_free_string(&p->reason);
}

void
peer_fini(struct peer *p)
{
	peer_drain(p);
	peer_cut(p);
	forget_words(p);
	managed_reset(&p->managed);
	mem_free_string(&p->full);
	arena_free(&p->arena);
}

static void
on_stanza(void *arg, struct elem *stanza)
{
	struct peer *p = arg;
	struct received *r;

	rig_trace(p->rig, p->name, "<", stanza);
	if (managed_take(p, stanza))
		return;
	if (p->answer != NULL && p->answer(p, stanza))
		return;
	r = arena_alloc(p->arena, sizeof(*r));
	r->stanza = elem_copy(p->arena, stanza);
	STAILQ_INSERT_TAIL(&p->queue, r, next);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct peer *p = arg;

	forget_words(p);
	p->was_closed = true;
	p->cond = mem_strdup(cond);
	p->reason = mem_strdup(reason);
	managed_lost(&p->managed, stream_was_closed(p->stream));
	stream_close(&p->stream);
	p->wire = NULL;
}

static const struct stream_events events = {
	.stanza = on_stanza,
	.closed = on_closed,
};

void
peer_take_stream(struct peer *p, struct stream *stream, const char *full)
{
	char *bound = mem_strdup(full);

	stream_abort(&p->stream);
	forget_words(p);
	p->stream = stream;
	stream_set_owner(stream, &events, p);
	mem_free_string(&p->full);
	p->full = bound;
}

int
peer_send(struct peer *p, const char *xml)
{
	if (p->stream == NULL && !managed_waits(&p->managed))
		return -1;
	if (p->stream != NULL)
		stream_send_text(p->stream, xml);
	managed_sent(p, xml);
	return 0;
}

void
peer_send_elem(struct peer *p, const struct elem *e)
{
	struct buf b = { 0 };

	elem_write(&b, e, NS_CLIENT);
	rig_trace_text(p->rig, p->name, ">", b.data);
	(void)peer_send(p, b.data);
	buf_free(&b);
}

void
peer_close_with(struct peer *p, const char *error_xml)
{
	managed_end(p);
	if (p->stream != NULL && error_xml != NULL)
		stream_send_text(p->stream, error_xml);
	stream_close(&p->stream);
	p->wire = NULL;
}

void
peer_close(struct peer *p)
{
	peer_close_with(p, NULL);
}

void
peer_cut(struct peer *p)
{
	if (p->stream != NULL)
		managed_lost(&p->managed, false);
	stream_abort(&p->stream);
	p->wire = NULL;
}

void
peer_stall(struct peer *p, size_t room)
{
	if (p->stream == NULL)
		return;
	conn_pause(stream_conn(p->stream), room > 0);
	wire_set_room(p->wire, room);
}

struct elem *
peer_next(struct peer *p)
{
	struct received *r = STAILQ_FIRST(&p->queue);

	return r != NULL ? r->stanza : NULL;
}

void
peer_drop(struct peer *p, const struct elem *stanza)
{
	struct received *r;

	STAILQ_FOREACH(r, &p->queue, next) {
		if (r->stanza == stanza)
			break;
	}
	if (r != NULL)
		STAILQ_REMOVE(&p->queue, r, received, next);
}

void
peer_drain(struct peer *p)
{
	STAILQ_INIT(&p->queue);
}
