#include "core/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/events.h"
#include "core/fanout.h"
#include "core/features.h"
#include "core/missed.h"
#include "core/peers.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/route.h"
#include "core/session_sm.h"
#include "core/stand_in.h"
#include "core/turn.h"
#include "xmpp/ns.h"

static const struct limits *
limits_of(const struct session *s)
{
	return &s->proxy->config->limits;
}

/* --- alive or not --- */

static uint64_t
bytes_written(const struct session *s)
{
	const struct conn *conn = stream_conn(s->stream);

	return conn_bytes_out(conn) - conn_queued_bytes(conn);
}

static void
ping(struct session *s)
{
	struct arena *arena = arena_new();

	session_push(s, "get", elem_new(arena, NS_PING, "ping"));
	s->pinged = true;
	s->pinged_at = clock_now();
	s->pinged_bytes = bytes_written(s);
	arena_free(&arena);
}

/* We do not read its answer: as long as it takes what we send it is there. */
static void
excuse(struct session *s, uint64_t now)
{
	uint64_t written = bytes_written(s);

	if (!s->paused || written == s->pinged_bytes)
		return;
	s->pinged_at = now;
	s->pinged_bytes = written;
}

static void
keep_alive(void *arg)
{
	struct session *s = arg;
	uint64_t now = clock_now(), next, due;
	uint64_t idle = limits_of(s)->idle_seconds * 1000;
	uint64_t patience = limits_of(s)->ping_timeout_seconds * 1000;
	uint64_t read = conn_last_read(stream_conn(s->stream));

	session_expire_requests(s);
	if (s->closing)
		return;
	if (s->pinged && read >= s->pinged_at)
		s->pinged = false;
	if (s->pinged && now - s->pinged_at >= patience)
		excuse(s, now);
	if (s->pinged && now - s->pinged_at >= patience) {
		session_lose(s, "no answer to a ping");
		return;
	}
	if (!s->pinged && now - read >= idle)
		ping(s);
	if (s->closing)
		return;
	next = s->pinged ? s->pinged_at + patience - now : read + idle - now;
	due = iq_table_deadline(s->asked);
	if (due != 0 && next > due - now)
		next = due - now;
	timer_set(&s->alive, next);
}

/* --- life --- */

/* What it counts as handled is saved with all that it did: in one batch. */
static void
on_stanza(void *arg, struct elem *stanza)
{
	struct session *s = arg;
	bool counts = s->sm.on && stanza_kind(stanza) != STANZA_NONE;

	if (session_sm_nonza(s, stanza))
		return;
	route_client(s, stanza);
	if (!counts)
		return;
	s->sm.in++;
	session_touch(s, CHANGED_COUNTERS);
}

/* What it answered to a ping meanwhile is still to be read. */
static void
resume_reading(struct session *s)
{
	if (!s->paused)
		return;
	s->paused = false;
	s->pinged_at = clock_now();
	conn_pause(stream_conn(s->stream), false);
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	resume_reading(s);
	missed_flush(s);
	events_follow(s);
	fanout_follow(s);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct session *s = arg;

	bool is_lost = cond == NULL && !stream_was_closed(s->stream);

	log_event(LEVEL_INFO, s->log_id, "session-ended",
	    "condition=%s reason=%s", cond != NULL ? cond : "-", LOG_Q(reason));
	if (is_lost) {
		session_lose(s, reason);
		return;
	}
	session_sm_said_goodbye(s);
	stream_close(&s->stream);
	session_close(s, -1, reason);
}

static const struct stream_events session_events = {
	.stanza = on_stanza,
	.drained = on_drained,
	.closed = on_closed,
};

struct session *
session_make(struct user *u, uint64_t id, struct account *view,
    const char *resource)
{
	struct session *s = mem_alloc(sizeof(*s));

	s->proxy = u->proxy;
	s->user = u;
	s->id = id;
	s->account = view;
	s->bare = mem_strdup(view != NULL ? view->jid : u->bare);
	s->full = mem_printf("%s/%s", s->bare, resource);
	s->resource = s->full + strlen(s->bare) + 1;
	proxy_id_name(s->log_id, sizeof(s->log_id), 's', s->id);
	s->presence_arena = arena_new_small();
	s->queue_frames = limits_of(s)->queue_frames;
	s->queue_bytes = limits_of(s)->queue_bytes;
	s->asked = iq_table_new(limits_of(s)->iqs_per_session);
	timer_init(&s->alive, u->proxy->loop, keep_alive, s);
	timer_init(&s->stand_in_timer, u->proxy->loop, stand_in_expired, s);
	timer_init(&s->follow_timer, u->proxy->loop, playback_due, s);
	session_sm_init(s);
	LIST_INSERT_HEAD(&u->sessions, s, next);
	u->session_count++;
	HASH_ADD(hh, u->proxy->sessions, id, sizeof(s->id), s);
	return s;
}

struct session *
session_new(struct user *u, struct account *view, const char *resource,
    const char *peer)
{
	struct session *s;

	s = session_make(u, proxy_id(u->proxy), view, resource);
	s->peer = mem_strdup(peer);
	u->proxy->sessions_open++;
	return s;
}

void
session_attach(struct session *s, struct stream *stream)
{
	struct conn *conn = stream_conn(stream);
	const struct limits *limits = limits_of(s);

	s->stream = stream;
	stream_set_owner(stream, &session_events, s);
	stream_set_sm(stream, &s->sm);
	conn_set_id(conn, s->log_id);
	conn_set_group(conn, s->user->group);
	conn_set_rate(conn, limits->read_rate, limits->read_burst);
	conn_set_window(conn, s->queue_frames, s->queue_bytes);
	s->pinged = false;
	timer_set(&s->alive, limits->idle_seconds * 1000);
}

void
session_detach(struct session *s)
{
	if (s->peer == NULL)
		return;
	peers_remove(s->proxy->peers, s->peer);
	mem_free_string(&s->peer);
	s->proxy->sessions_open--;
	s->proxy->upkeep.freed++;
}

void
session_start(struct session *s, struct stream *stream)
{
	session_attach(s, stream);
	log_event(LEVEL_INFO, s->log_id, "session-start",
	    "user=%s jid=%s view=%s peer=%s", s->user->name, LOG_Q(s->full),
	    s->account != NULL ? "account" : "node", s->peer);
	hooks_session_bound(s);
}

void
session_close(struct session *s, int cond, const char *reason)
{
	if (s->closing)
		return;
	s->closing = true;
	LIST_INSERT_HEAD(&s->proxy->closing, s, closing_next);
	timer_stop(&s->alive);
	timer_stop(&s->follow_timer);
	session_end_requests(s);
	hooks_session_gone(s);
	s->available = false;
	session_sm_end(s);
	if (cond >= 0 && s->stream != NULL)
		stream_fail(&s->stream, (enum stream_cond)cond, reason);
	else
		stream_close(&s->stream);
	log_event(LEVEL_INFO, s->log_id, "session-closed",
	    "user=%s jid=%s reason=%s", s->user->name, LOG_Q(s->full),
	    LOG_Q(reason));
	loop_wake(s->proxy->loop);
}

void
session_free(struct session **holder)
{
	struct session *s = *holder;

	hooks_session_free(s);
	session_detach(s);
	session_sm_fini(s);
	timer_stop(&s->alive);
	timer_stop(&s->follow_timer);
	timer_stop(&s->stand_in_timer);
	HASH_DEL(s->proxy->sessions, s);
	LIST_REMOVE(s, next);
	s->user->session_count--;
	directed_clear(&s->directed);
	missed_clear(s);
	fanout_forget(s);
	features_unref(&s->features);
	features_unref(&s->events_had);
	iq_table_free(&s->asked);
	arena_free(&s->presence_arena);
	free(s->bare);
	free(s->full);
	free(s);
	*holder = NULL;
}

void
session_touch(struct session *s, unsigned what)
{
	if (s->changed == 0)
		LIST_INSERT_HEAD(&s->proxy->changed_sessions, s, changed_next);
	s->changed |= what;
	turn_touch(s->proxy);
}

/* --- sending --- */

/* What cannot be held back (IQs) has a limit of its own: then the session goes. */
static bool
may_queue(struct session *s)
{
	if (s->closing || s->stream == NULL)
		return false;
	if (conn_queued_bytes(stream_conn(s->stream)) <=
	    limits_of(s)->queue_bytes_max)
		return true;
	session_close(s, STREAM_RESOURCE_CONSTRAINT,
	    "does not read what is sent to it");
	return false;
}

static bool
queue_has_room(const struct session *s)
{
	const struct conn *conn = stream_conn(s->stream);

	return conn_queued_frames(conn) < s->queue_frames &&
	    conn_queued_bytes(conn) < s->queue_bytes;
}

/*
 * Below a third of the window it is read again: on_drained(). What is written and not
 * acknowledged does not count: the acknowledgement has to be read.
 */
static void
pause_reading(struct session *s)
{
	if (s->stream == NULL || s->paused || queue_has_room(s))
		return;
	s->paused = true;
	conn_pause(stream_conn(s->stream), true);
}

void
session_send_bytes(struct session *s, const struct buf *b, const char *answers)
{
	struct blob *bytes;

	quiet_flush(s);
	if (s->sm_id == NULL) {
		if (may_queue(s))
			stream_send_frame(s->stream, b->data, b->len, NULL,
			    NULL);
		pause_reading(s);
		return;
	}
	bytes = blob_new(b->data, b->len);
	session_sm_send(s, bytes, answers);
	pause_reading(s);
}

void
session_send(struct session *s, const struct elem *stanza)
{
	struct buf b = { 0 };
	enum stanza_type type = stanza_type(stanza);
	bool is_answer = stanza_kind(stanza) == STANZA_IQ &&
	    (type == TYPE_RESULT || type == TYPE_ERROR);

	if (s->closing)
		return;
	elem_write(&b, stanza, NS_CLIENT);
	session_send_bytes(s, &b, is_answer ? elem_attr(stanza, "id") : NULL);
	buf_free(&b);
}

/* In no log, so its bytes are kept. */
static void
send_live(struct session *s, const char *head, size_t len, struct blob *body,
    const char *tail)
{
	struct buf b = { 0 };

	buf_add(&b, head, len);
	if (body != NULL)
		buf_add(&b, blob_data(body), blob_len(body));
	buf_puts(&b, tail);
	session_sm_send(s, blob_new(b.data, b.len), NULL);
	buf_free(&b);
}

void
session_send_frame(struct session *s, const char *head, size_t len,
    struct blob *body, const char *tail, const struct flight *what)
{
	struct flight f = *what;

	if (f.seq == 0 && f.jid == NULL && s->sm_id != NULL) {
		send_live(s, head, len, body, tail);
		return;
	}
	if (!may_queue(s)) {
		flight_fini(&f);
		return;
	}
	stream_send_frame(s->stream, head, len, body, tail);
	session_sm_sent(s, &f);
}

bool
session_has_room(const struct session *s)
{
	return !s->closing && s->stream != NULL && queue_has_room(s) &&
	    s->flights.count < s->queue_frames;
}

void
session_told(struct session *s, struct heard *h, uint64_t changes)
{
	h->told = changes;
	h->number = s->asleep ? UINT64_MAX : s->sm.out;
	if (s->sm_id == NULL)
		h->got = h->told;
	else
		session_touch(s, CHANGED_SELF);
}
