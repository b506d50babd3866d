#include "core/fanout.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/proxy.h"
#include "core/render.h"
#include "core/session.h"
#include "xmpp/jid.h"

/* A follower that is this far behind in time gets the times with the messages. */
#define LATE_MS 10000
/* Most clients switch carbons on just before their first presence. */
#define PRESENCE_MS 5000

/* --- who gets what --- */

static enum form
form_in_room(struct session *s, const struct entry *e, const char **reason)
{
	const struct directed *d = directed_find_bare(s->directed, e->peer);

	*reason = "it is in that room";
	if (d != NULL)
		return FORM_PLAIN;
	*reason = "it is not in that room";
	return FORM_NOTHING;
}

static enum form
form_outgoing(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "its own message";
	if (e->origin == s->id)
		return FORM_NOTHING;
	/* XEP-0280 6.1: only clients that are there can answer. */
	*reason = "it is not in that room";
	if (e->is_room_private && user_is_in_room(s->user, e->peer) &&
	    directed_find_bare(s->directed, e->peer) == NULL)
		return FORM_NOTHING;
	*reason = "not eligible for carbons";
	if (!e->is_eligible || e->type == TYPE_GROUPCHAT)
		return FORM_NOTHING;
	*reason = "carbons are on";
	if (s->carbons)
		return FORM_SENT;
	*reason = "no carbons, and nothing that a note could say";
	if (!s->available || (!e->has_body && !e->is_encrypted))
		return FORM_NOTHING;
	*reason = "no carbons, and mirror=\"off\"";
	if (s->user->config->mirror == MIRROR_OFF)
		return FORM_NOTHING;
	*reason = "no carbons";
	return FORM_NOTE;
}

static enum form
form_error(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "it sent what the error answers";
	if (e->origin == s->id)
		return FORM_PLAIN;
	*reason = "it had a copy of what the error answers";
	if (s->carbons && e->is_eligible)
		return FORM_RECEIVED;
	*reason = "it knows nothing of what the error answers";
	return FORM_NOTHING;
}

static enum form
form_copy(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "carbons are on";
	if (s->carbons && e->is_eligible)
		return FORM_RECEIVED;
	*reason = "not available, and no carbons of such a message";
	return FORM_NOTHING;
}

static enum form
form_incoming(struct session *s, const struct entry *e, const char **reason)
{
	bool takes = s->available && s->priority >= 0;

	if (e->type == TYPE_GROUPCHAT)
		return form_in_room(s, e, reason);
	if (e->type == TYPE_ERROR)
		return form_error(s, e, reason);
	if (e->is_room_private && user_is_in_room(s->user, e->peer))
		return form_in_room(s, e, reason);
	*reason = "available";
	if (takes || (e->is_event && s->available))
		return FORM_PLAIN;
	*reason = "a headline or event, and not available";
	if (e->type == TYPE_HEADLINE || e->is_event)
		return FORM_NOTHING;
	return form_copy(s, e, reason);
}

/*
 * A private message is for one session as long as that is there; if that went without
 * it, it is what reached nobody.
 */
static bool
is_for_another(const struct session *s, const struct entry *e)
{
	const struct session *only;

	if (e->only == 0 || e->only == s->id)
		return false;
	only = proxy_find_session(s->proxy, e->only);
	return e->seq == 0 || e->reached || (only != NULL && !only->closing);
}

/* Before it began to follow: it gets only what nobody had got by then. */
static bool
was_got(const struct session *s, const struct entry *e)
{
	uint64_t at = e->seq - s->owed_from;

	if (e->seq == 0 || e->seq >= s->live_from || s->owed == NULL)
		return false;
	return (s->owed[at / 8] & 1 << at % 8) == 0;
}

enum form
fanout_form(struct session *s, const struct entry *e, const char **reason)
{
	const struct account *a = user_find_account(s->user, e->account);

	*reason = "not an account that it sees";
	if (a == NULL || !session_sees(s, a))
		return FORM_NOTHING;
	*reason = "for another session";
	if (is_for_another(s, e))
		return FORM_NOTHING;
	*reason = "a session has got it already";
	if (was_got(s, e))
		return FORM_NOTHING;
	switch (e->direction) {
	case DIR_OUT:
		return form_outgoing(s, e, reason);
	case DIR_BESIDE:
		*reason = "carbons are on";
		if (s->carbons)
			return FORM_RECEIVED;
		/* FALLTHROUGH */
	case DIR_IN:
		break;
	}
	return form_incoming(s, e, reason);
}

/* --- what was got --- */

static void
reach(struct user *u, uint64_t seq)
{
	struct entry *e = history_at(u->history, seq);

	if (e != NULL)
		e->reached = true;
	while (
	    (e = history_at(u->history, u->reached + 1)) != NULL && e->reached)
		u->reached++;
}

void
fanout_settle(struct session *s)
{
	uint64_t written;

	if (s->stream == NULL)
		return;
	written = stream_frames_written(s->stream);
	while (s->ring_count > 0 && s->ring[s->ring_first].frame <= written) {
		reach(s->user, s->ring[s->ring_first].seq);
		s->ring_first = (s->ring_first + 1) % s->ring_size;
		s->ring_count--;
	}
	if (s->ring_count == 0 && s->ring != NULL) {
		free(s->ring);
		s->ring = NULL;
		s->ring_first = 0;
	}
}

static void
remember(struct session *s, uint64_t seq)
{
	size_t at;

	if (s->closing || s->stream == NULL)
		return;
	if (s->ring == NULL)
		s->ring = mem_array(s->ring_size, sizeof(*s->ring));
	at = (s->ring_first + s->ring_count++) % s->ring_size;
	s->ring[at].seq = seq;
	s->ring[at].frame = conn_frames_sent(stream_conn(s->stream));
}

static bool
has_room(struct session *s)
{
	if (!session_has_room(s))
		return false;
	if (s->ring_count == s->ring_size)
		fanout_settle(s);
	return s->ring_count < s->ring_size;
}

/* --- delivery --- */

static bool
is_late(const struct session *s, const struct entry *e)
{
	if (e->has_delay)
		return false;
	return e->seq < s->live_from || clock_wall() > e->time + LATE_MS;
}

static void
deliver(struct session *s, struct entry *e)
{
	struct account *a = user_find_account(s->user, e->account);
	const char *reason;
	enum form form = fanout_form(s, e, &reason);

	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "deliver",
		    "seq=%llu peer=%s form=%s reason=\"%s\"",
		    (unsigned long long)e->seq, LOG_Q(e->peer),
		    render_form_name(form), reason);
	if (form != FORM_NOTHING)
		render_send(s, a, e, form, e->seq != 0 && is_late(s, e));
	if (e->seq == 0)
		return;
	if (form != FORM_NOTHING)
		remember(s, e->seq);
	else if (e->direction == DIR_OUT && e->origin == s->id)
		reach(s->user, e->seq);
}

/*
 * The log has dropped what the session did not get yet. What came before it was there
 * is lost without a word; a session that fell behind is told, by its end.
 */
static bool
skip_lost(struct session *s)
{
	uint64_t floor = history_floor(s->user->history);

	log_event(LEVEL_WARN, s->log_id, "missed",
	    "entries=%llu reason=\"too far behind the log\"",
	    (unsigned long long)(floor - s->cursor));
	if (floor > s->live_from) {
		session_close(s, STREAM_RESOURCE_CONSTRAINT,
		    "too slow: messages were dropped before they could be "
		    "sent");
		return false;
	}
	s->cursor = floor;
	return true;
}

void
fanout_follow(struct session *s)
{
	struct history *h = s->user->history;

	if (!s->following || !has_room(s))
		return;
	if (s->cursor < history_floor(h) && !skip_lost(s))
		return;
	while (s->cursor < history_next(h) && has_room(s))
		deliver(s, history_at(h, s->cursor++));
	if (s->owed != NULL && s->cursor >= s->live_from)
		fanout_forget(s);
}

void
fanout_forget(struct session *s)
{
	free(s->owed);
	s->owed = NULL;
}

/* Whoever sent a message hears of its error, whether it follows or not. */
static bool
is_error_for(const struct session *s, const struct entry *e)
{
	return e->type == TYPE_ERROR && e->origin == s->id && !s->closing;
}

/* Live messages only reach those that are not behind. */
static void
deliver_live(struct user *u, struct entry *e)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (is_error_for(s, e) ||
		    (s->following && s->cursor == history_next(u->history) &&
			session_has_room(s)))
			deliver(s, e);
	}
}

void
fanout(struct user *u, struct entry *e)
{
	struct session *s;

	if (e->class == CLASS_LIVE) {
		deliver_live(u, e);
		entry_unref(&e);
		return;
	}
	history_append(u->history, e);
	/* Who joins a room is told by the room what was said there. */
	if (e->type == TYPE_GROUPCHAT)
		reach(u, e->seq);
	LIST_FOREACH(s, &u->sessions, next)
		fanout_follow(s);
}

/* The first entry that a session may still wait for. */
static uint64_t
first_waiting(struct user *u)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next)
		fanout_settle(s);
	return u->reached + 1;
}

static bool
is_in_flight(const struct session *s, uint64_t seq)
{
	for (size_t i = 0; i < s->ring_count; i++) {
		if (s->ring[(s->ring_first + i) % s->ring_size].seq == seq)
			return true;
	}
	return false;
}

/* Of what came before now, this much has reached nobody: a bit each. */
static void
note_owed(struct session *s)
{
	const struct entry *e;
	uint64_t at;

	fanout_forget(s);
	if (s->cursor >= s->live_from)
		return;
	s->owed_from = s->cursor;
	s->owed = mem_alloc((s->live_from - s->cursor) / 8 + 1);
	for (uint64_t seq = s->cursor; seq < s->live_from; seq++) {
		e = history_at(s->user->history, seq);
		at = seq - s->owed_from;
		if (e != NULL && !e->reached && !is_in_flight(s, seq))
			s->owed[at / 8] |= (unsigned char)(1 << at % 8);
	}
}

void
fanout_start(struct session *s)
{
	uint64_t first;

	if (s->closing)
		return;
	timer_stop(&s->follow_timer);
	first = first_waiting(s->user);
	if (!s->following) {
		s->following = true;
		s->cursor = first;
		s->live_from = history_next(s->user->history);
	} else if (first < s->cursor) {
		if (s->live_from < s->cursor)
			s->live_from = s->cursor;
		s->cursor = first;
	}
	note_owed(s);
	fanout_follow(s);
}

void
fanout_start_due(void *session)
{
	fanout_start(session);
}

void
fanout_start_later(struct session *s)
{
	if (s->following || s->closing)
		return;
	timer_set(&s->follow_timer, PRESENCE_MS);
}
