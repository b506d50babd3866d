#include "core/fanout.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/form.h"
#include "core/history.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/render.h"
#include "core/session.h"
#include "core/session_sm.h"
#include "core/user.h"

/* A follower that is this far behind in time gets the times with the messages. */
#define LATE_MS 10000
/* So many entries are looked at in a turn, whether they are for it or not. */
#define LOOK 512

static bool
is_late(const struct session *s, const struct entry *e)
{
	if (e->seq == 0 || e->has_delay)
		return false;
	return e->seq < s->live_from || clock_wall() > e->time + LATE_MS;
}

/* Its own archive tells it. */
static bool
is_in_archive(const struct session *s, const struct entry *e)
{
	const struct account *a = user_find_account(s->user, e->account);

	return s->owed_in_archive && e->seq < s->live_from && a != NULL &&
	    session_sees(s, a) && (e->unserved & archive_of(s)) == 0;
}

/* What was put off may be looked up in the log, which lends the entry to us. */
static void
send_entry(struct session *s, struct account *a, struct entry *e,
    enum form form)
{
	struct entry *held = entry_ref(e);

	quiet_flush(s);
	render_send(s, a, held, form, is_late(s, held));
	entry_unref(&held);
}

void
fanout_deliver(struct session *s, struct entry *e)
{
	struct account *a = user_find_account(s->user, e->account);
	const char *reason;
	enum form form = form_of(s, e, &reason);
	const char *quiet = NULL;

	if (form != FORM_NOTHING && (quiet = quiet_takes(s, e)) != NULL)
		reason = quiet;
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "deliver",
		    "seq=%llu peer=%s form=%s reason=\"%s\"",
		    (unsigned long long)e->seq, LOG_Q(e->peer),
		    render_form_name(form), reason);
	if (quiet != NULL)
		return;
	if (form != FORM_NOTHING)
		send_entry(s, a, e, form);
	else if (e->seq != 0 && e->direction == DIR_OUT && e->origin == s->id)
		user_reached(s->user, e->seq);
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

static void
moved(struct session *s, uint64_t before)
{
	if (s->cursor == before || s->closing)
		return;
	session_sm_moved(s);
	if (s->cursor < s->live_from)
		return;
	s->owed_in_archive = false;
	if (s->owed != NULL)
		fanout_forget(s);
}

/* Before it began to follow: the device had it, or others got it. */
static bool
was_got(const struct session *s, uint64_t seq)
{
	uint64_t at = seq - s->owed_from;

	if (s->owed == NULL || seq < s->owed_from || seq >= s->owed_to)
		return false;
	return (s->owed[at / 8] & 1 << at % 8) == 0;
}

/* To the next that it may be for; false: there is none, or no room for it. */
static bool
go_on(struct session *s)
{
	if (!session_has_room(s))
		return false;
	while (was_got(s, s->cursor))
		s->cursor++;
	return s->cursor < history_next(s->user->history);
}

static void
look_at(struct session *s, struct entry *e)
{
	if (was_got(s, e->seq))
		return;
	if (is_in_archive(s, e))
		user_reached(s->user, e->seq);
	else
		fanout_deliver(s, e);
}

static bool
is_shown(struct session *s, const struct entry *e)
{
	const char *reason;

	return !was_got(s, e->seq) && !is_in_archive(s, e) &&
	    form_of(s, e, &reason) != FORM_NOTHING;
}

/*
 * What was put off for an inactive client goes before it, a window at a time. That may
 * look things up in the log, so an entry that was borrowed is gone.
 */
static bool
waits_behind_quiet(struct session *s, const struct entry *e)
{
	if (!s->inactive || !is_shown(s, e))
		return false;
	quiet_flush(s);
	return s->closing || s->missed != NULL;
}

void
fanout_follow(struct session *s)
{
	struct history *h = s->user->history;
	uint64_t before = s->cursor;
	struct entry *e;
	unsigned left = LOOK;

	/* Its timer is that of the next turn. */
	if (!s->following || s->follow_timer.at != 0 || !session_has_room(s))
		return;
	if (s->cursor < history_floor(h) && !skip_lost(s))
		return;
	while (go_on(s)) {
		if (left-- == 0) {
			timer_set(&s->follow_timer, 0);
			break;
		}
		e = history_from(h, s->cursor);
		/* It waits where it is. */
		if (e == NULL && user_log_failed(s->user))
			break;
		if (e == NULL) {
			s->cursor = history_next(h);
			break;
		}
		if (waits_behind_quiet(s, e))
			break;
		if (s->inactive && (e = history_from(h, s->cursor)) == NULL)
			break;
		s->cursor = e->seq + 1;
		look_at(s, e);
	}
	moved(s, before);
}

void
fanout_again(struct session *s, uint64_t seq)
{
	struct entry *e = history_at(s->user->history, seq);

	if (e != NULL)
		fanout_deliver(s, e);
	else
		(void)user_log_failed(s->user);
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
			fanout_deliver(s, e);
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
	user_touch(u);
	/* Who joins a room is told by the room what was said there. */
	if (entry_is_of_room(e))
		user_reached(u, e->seq);
	LIST_FOREACH(s, &u->sessions, next)
		fanout_follow(s);
}
