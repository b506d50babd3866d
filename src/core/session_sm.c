#include "core/session_sm.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/ended.h"
#include "core/events.h"
#include "core/fanout.h"
#include "core/hooks.h"
#include "core/missed.h"
#include "core/proxy.h"
#include "core/session_save.h"
#include "core/turn.h"
#include "core/user.h"
#include "xmpp/ns.h"

static const struct limits *
limits_of(const struct session *s)
{
	return &s->proxy->config->limits;
}

/* --- acknowledgements --- */

/* Where the device is in the log: all before it is acknowledged. */
static uint64_t
cursor_of(const struct session *s)
{
	uint64_t first = flights_first_entry(&s->flights);

	return first != 0 ? first : s->cursor;
}

static void
note_cursor(struct session *s)
{
	struct device *d = s->device;
	uint64_t cursor = cursor_of(s);

	if (d == NULL || !s->following || cursor <= d->cursor)
		return;
	d->cursor = cursor;
	session_touch(s, CHANGED_DEVICE);
}

void
session_sm_moved(struct session *s)
{
	note_cursor(s);
	if (s->sm_id != NULL)
		session_touch(s, CHANGED_COUNTERS);
}

static void
take_one(struct session *s)
{
	struct flight f = flights_take(&s->flights);

	if (f.seq != 0)
		user_reached(s->user, f.seq);
	flight_fini(&f);
}

static void
go_on(struct session *s)
{
	if (s->closing || s->asleep)
		return;
	missed_flush(s);
	events_follow(s);
	fanout_follow(s);
}

static void
heard(struct session *s, struct heard *h)
{
	if (h->number > s->sm.acked || h->got == h->told)
		return;
	h->got = h->told;
	session_touch(s, CHANGED_SELF);
}

void
session_sm_acknowledged(struct session *s)
{
	const struct flight *f;

	while ((f = flights_first(&s->flights)) != NULL &&
	    f->number <= s->sm.acked)
		take_one(s);
	if (open_iqs_acknowledged(&s->open_iqs, s->sm.acked) +
		open_iqs_acknowledged(&s->refused, s->sm.acked) >
	    0)
		session_touch(s, CHANGED_IQS);
	if (s->events_number <= s->sm.acked)
		s->events_got = s->events_told;
	heard(s, &s->roster_heard);
	heard(s, &s->blocks_heard);
}

static void
acknowledged(struct session *s)
{
	session_sm_acknowledged(s);
	if (s->flights.count == 0)
		timer_stop(&s->ack_timer);
	if (s->sm_id != NULL)
		session_touch(s, CHANGED_COUNTERS);
	note_cursor(s);
	go_on(s);
}

static void
ask(struct session *s)
{
	struct arena *arena;
	struct elem *iq;

	s->asked_at = clock_now();
	timer_set(&s->ack_timer, limits_of(s)->ping_timeout_seconds * 1000);
	if (s->sm.on) {
		s->sm.asked = true;
		stream_send_text(s->stream, "<r xmlns='" NS_SM "'/>");
		return;
	}
	arena = arena_new();
	iq = elem_new(arena, NS_CLIENT, "iq");
	elem_set(iq, "type", "get");
	elem_set(iq, "id", random_id(s->ack_id));
	elem_set(iq, "from", s->bare);
	elem_set(iq, "to", s->full);
	elem_child(iq, NS_PING, "ping");
	stream_send(s->stream, iq);
	s->ack_upto = s->sm.out;
	arena_free(&arena);
}

static bool
is_asked(const struct session *s)
{
	return s->sm.asked || s->ack_id[0] != '\0';
}

/* Of whatever it is: the follower does not come to a halt at the end of its window. */
static bool
has_much(const struct session *s)
{
	return s->flights.entries >= limits_of(s)->ack_stanzas ||
	    s->flights.count >= s->queue_frames / 2 ||
	    s->flights.bytes >= limits_of(s)->queue_bytes_max / 8;
}

/* At most one question is out: at 16 entries, or after a while (Numbering 9). */
static void
want_ack(struct session *s)
{
	if (is_asked(s) || s->flights.count == 0 || s->stream == NULL)
		return;
	if (has_much(s))
		ask(s);
	else if (s->ack_timer.at == 0)
		timer_set(&s->ack_timer, limits_of(s)->ack_seconds * 1000);
}

static void
answered(struct session *s)
{
	s->sm.asked = false;
	s->ack_id[0] = '\0';
	timer_stop(&s->ack_timer);
	acknowledged(s);
	if (!s->closing)
		want_ack(s);
}

bool
session_sm_take_pong(struct session *s, const char *id)
{
	if (s->ack_id[0] == '\0' || !text_equals(id, s->ack_id))
		return false;
	s->sm.acked = s->ack_upto;
	answered(s);
	return true;
}

/*
 * Nobody answers. A client that says other things and no more is one that does not
 * answer pings, against RFC 6120 8.2.3; there is no better sign of it to be had. As long
 * as the question is in the queue it is not asked yet.
 */
static void
ack_due(void *arg)
{
	struct session *s = arg;
	bool has_spoken, is_written;

	if (s->stream == NULL)
		return;
	if (!is_asked(s)) {
		ask(s);
		return;
	}
	has_spoken = conn_last_read(stream_conn(s->stream)) >= s->asked_at;
	is_written = conn_queued_bytes(stream_conn(s->stream)) == 0;
	if (is_written && !has_spoken) {
		session_lose(s, "no acknowledgement came");
	} else if (is_written && !s->sm.on &&
	    conn_unacknowledged_bytes(stream_conn(s->stream)) == 0) {
		s->sm.acked = s->ack_upto;
		answered(s);
	} else {
		s->asked_at = clock_now();
		timer_set(&s->ack_timer,
		    limits_of(s)->ping_timeout_seconds * 1000);
	}
}

void
session_sm_said_goodbye(struct session *s)
{
	const struct flight *f;
	uint64_t written;

	if (s->sm.on || s->stream == NULL)
		return;
	written = stream_frames_written(s->stream);
	while ((f = flights_first(&s->flights)) != NULL && f->frame <= written)
		take_one(s);
	note_cursor(s);
}

/* --- what is sent --- */

/* Without resumption nothing but entries of the log is ever asked for again. */
static bool
is_worth_keeping(const struct session *s, const struct flight *f)
{
	return f->seq != 0 || s->sm_id != NULL;
}

void
session_sm_sent(struct session *s, struct flight *f)
{
	f->number = s->sm.out;
	f->frame = conn_frames_sent(stream_conn(s->stream));
	if (!is_worth_keeping(s, f)) {
		flight_fini(f);
		return;
	}
	flights_add(&s->flights, f);
	if (s->sm_id != NULL && f->seq != 0) {
		session_touch(s, CHANGED_COUNTERS);
		turn_urge(s->proxy);
	}
	want_ack(s);
}

/*
 * Too much of what no log holds: a client that never acknowledges, or is off too long.
 * What is there counts, not the one that comes: it may be as large as all of it.
 */
static bool
has_room(struct session *s)
{
	if (s->flights.bytes <= limits_of(s)->queue_bytes_max &&
	    (!s->asleep || s->flights.count < s->queue_frames * 4))
		return true;
	session_close(s, STREAM_RESOURCE_CONSTRAINT,
	    "does not acknowledge what is sent to it");
	return false;
}

/* false: it is closed, and took nothing. */
static bool
send_kept(struct session *s, struct flight *f)
{
	/* Told apart, for open_iqs_renumber(). */
	f->number = FLIGHT_UNSENT - s->flights.count;
	if (s->closing || !has_room(s))
		return false;
	if (s->asleep)
		return true;
	stream_send_frame(s->stream, NULL, 0, f->bytes, NULL);
	f->number = s->sm.out;
	f->frame = conn_frames_sent(stream_conn(s->stream));
	return true;
}

static void
keep(struct session *s, struct flight *f)
{
	flights_add(&s->flights, f);
	*f = (struct flight){ 0 };
	want_ack(s);
}

void
session_sm_send(struct session *s, struct blob *bytes, const char *answers)
{
	struct flight f = { .bytes = bytes };

	if (!send_kept(s, &f)) {
		flight_fini(&f);
		return;
	}
	f.is_answer = answers != NULL &&
	    open_iqs_answered(&s->open_iqs, answers, f.number);
	if (f.is_answer)
		session_touch(s, CHANGED_IQS);
	keep(s, &f);
}

void
session_sm_refused(struct session *s, const char *id)
{
	struct flight *f = flights_last(&s->flights);

	if (s->closing || f == NULL)
		return;
	f->is_answer = open_iqs_answered(&s->refused, id, f->number);
	session_touch(s, CHANGED_IQS | CHANGED_COUNTERS);
	turn_urge(s->proxy);
}

/* --- nonzas --- */

static void
send_failed(struct session *s, const char *cond)
{
	struct buf b = { 0 };

	buf_printf(&b,
	    "<failed xmlns='" NS_SM "'><%s xmlns='" NS_STANZA_ERROR
	    "'/></failed>",
	    cond);
	stream_send_text(s->stream, b.data);
	buf_free(&b);
}

static bool
is_true(const char *value)
{
	return text_equals(value, "true") || text_equals(value, "1");
}

static void
send_enabled(struct session *s)
{
	struct buf b = { 0 };

	buf_puts(&b, "<enabled xmlns='" NS_SM "'");
	if (s->sm_id != NULL)
		buf_printf(&b, " id='%s' resume='true' max='%u'", s->sm_id,
		    s->sm_max);
	buf_puts(&b, "/>");
	stream_send_text(s->stream, b.data);
	buf_free(&b);
}

/* What went before is not counted: it is got with whatever is acknowledged first. */
static void
forget_numbers(struct session *s)
{
	struct flights old = s->flights;
	struct flight f;

	memset(&s->flights, 0, sizeof(s->flights));
	while (old.count > 0) {
		f = flights_take(&old);
		f.number = 0;
		flights_add(&s->flights, &f);
	}
	flights_fini(&old);
	s->ack_id[0] = '\0';
	timer_stop(&s->ack_timer);
}

static void
on_enable(struct session *s, const struct elem *e)
{
	uint64_t most = limits_of(s)->resume_seconds, max = most;
	const char *asked = elem_attr(e, "max");
	char id[RANDOM_ID_SIZE];

	if (s->sm.on) {
		session_close(s, STREAM_POLICY_VIOLATION,
		    "stream management is enabled already");
		return;
	}
	if (asked != NULL && text_to_uint(asked, 1, UINT32_MAX, &max) &&
	    max > most)
		max = most;
	if (is_true(elem_attr(e, "resume")) && most > 0) {
		s->sm_id = mem_strdup(random_id(id));
		s->sm_max = (unsigned)max;
	}
	forget_numbers(s);
	send_enabled(s);
	sm_enable(&s->sm);
	want_ack(s);
	if (s->sm_id == NULL)
		return;
	s->roster_heard.got = s->roster_heard.told;
	s->blocks_heard.got = s->blocks_heard.told;
	s->events_got = s->events_told;
	s->events_number = 0;
	session_touch(s, CHANGED_SELF | CHANGED_COUNTERS);
	turn_urge(s->proxy);
}

static void
on_request(struct session *s)
{
	struct buf b = { 0 };

	if (!s->sm.on) {
		send_failed(s, "unexpected-request");
		return;
	}
	sm_write_ack(&s->sm, &b);
	stream_send_text(s->stream, b.data);
	buf_free(&b);
	turn_urge(s->proxy);
}

static void
too_high(struct session *s, uint32_t h)
{
	struct buf b = { 0 };

	sm_write_too_high(&b, h, (uint32_t)s->sm.out);
	stream_fail_with(&s->stream, STREAM_UNDEFINED_CONDITION, b.data,
	    "more was acknowledged than was sent");
	session_close(s, -1, "acknowledges more than it was sent");
	buf_free(&b);
}

static void
on_ack(struct session *s, const struct elem *e)
{
	uint32_t h;

	if (!s->sm.on || !sm_parse_h(e, &h)) {
		send_failed(s, s->sm.on ? "bad-request" : "unexpected-request");
		return;
	}
	if (!sm_acknowledge(&s->sm, h)) {
		too_high(s, h);
		return;
	}
	answered(s);
}

bool
session_sm_nonza(struct session *s, struct elem *e)
{
	if (!text_equals(e->ns, NS_SM))
		return false;
	if (s->closing)
		return true;
	if (strcmp(e->name, "r") == 0)
		on_request(s);
	else if (strcmp(e->name, "a") == 0)
		on_ack(s, e);
	else if (strcmp(e->name, "enable") == 0)
		on_enable(s, e);
	else
		send_failed(s, "unexpected-request");
	return true;
}

/* --- life --- */

static void
slept_too_long(void *arg)
{
	session_close(arg, -1, "was not resumed in time");
}

void
session_sm_init(struct session *s)
{
	timer_init(&s->ack_timer, s->proxy->loop, ack_due, s);
	timer_init(&s->sleep_timer, s->proxy->loop, slept_too_long, s);
	open_iqs_init(&s->open_iqs);
	open_iqs_init(&s->refused);
}

static void
stop_timers(struct session *s)
{
	timer_stop(&s->ack_timer);
	timer_stop(&s->sleep_timer);
}

void
session_sm_fini(struct session *s)
{
	stop_timers(s);
	flights_fini(&s->flights);
	open_iqs_fini(&s->open_iqs);
	open_iqs_fini(&s->refused);
	mem_free_string(&s->sm_id);
	if (s->changed != 0)
		LIST_REMOVE(s, changed_next);
}

void
session_sm_end(struct session *s)
{
	stop_timers(s);
	note_cursor(s);
	if (s->device != NULL)
		device_save(s->user, s->device);
	if (s->sm_id == NULL || s->proxy->is_abandoned)
		return;
	ended_add(s);
	session_unsave(s);
	/* Nobody is told of its end who could find it alive after a restart. */
	turn_urge(s->proxy);
	mem_free_string(&s->sm_id);
}

/* It has no stream any more, and is still there. */
static void
go_to_sleep(struct session *s)
{
	s->asleep = true;
	s->paused = false;
	s->sm.asked = false;
	timer_stop(&s->alive);
	timer_stop(&s->ack_timer);
}

/* What nobody will answer, and what waits for nobody. */
static void
fall_asleep(struct session *s, const char *reason)
{
	session_detach(s);
	stream_abort(&s->stream);
	go_to_sleep(s);
	timer_set(&s->sleep_timer, (uint64_t)s->sm_max * 1000);
	session_fail_requests(s);
	hooks_session_asleep(s);
	log_event(LEVEL_INFO, s->log_id, "session-asleep",
	    "user=%s jid=%s seconds=%u reason=%s", s->user->name,
	    LOG_Q(s->full), s->sm_max, LOG_Q(reason));
}

void
session_lose(struct session *s, const char *reason)
{
	if (s->closing || s->asleep)
		return;
	if (s->sm_id != NULL)
		fall_asleep(s, reason);
	else
		session_close(s, STREAM_CONNECTION_TIMEOUT, reason);
}

bool
session_end_sleeper(struct user *u)
{
	struct session *s, *first = NULL;

	LIST_FOREACH(s, &u->sessions, next) {
		if (s->asleep && !s->closing &&
		    (first == NULL ||
			s->sleep_timer.at < first->sleep_timer.at))
			first = s;
	}
	if (first == NULL)
		return false;
	session_close(first, -1, "another one takes its place");
	return true;
}

void
session_leave(struct session *s)
{
	if (s->closing || s->sm_id == NULL || s->stream == NULL)
		return;
	session_detach(s);
	stream_leave(&s->stream);
	go_to_sleep(s);
}
