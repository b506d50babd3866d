#include "core/playback.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/device.h"
#include "core/fanout.h"
#include "core/history.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/user.h"

/* A client that nobody knows asks the archive by then, or it never does. */
#define UNKNOWN_MS 5000
/* Most clients switch carbons on just before or after their first presence. */
#define CARBONS_MS  10000
#define PRESENCE_MS 5000

static const struct limits *
limits_of(const struct session *s)
{
	return &s->proxy->config->limits;
}

static bool
is_known(const struct session *s)
{
	return s->device != NULL && s->device->has_started;
}

/* --- what reached nobody --- */

static bool
is_in_flight(const struct session *s, uint64_t seq)
{
	const struct flight *f;

	if (s->flights.entries == 0)
		return false;
	for (uint32_t i = 0; (f = flights_at(&s->flights, i)) != NULL; i++) {
		if (f->seq == seq)
			return true;
	}
	return false;
}

static bool
is_owed(const struct session *s, uint64_t seq)
{
	return !reached_has(&s->user->reached, seq) && !is_in_flight(s, seq);
}

static uint64_t
first_owed(const struct session *s)
{
	uint64_t next = history_next(s->user->history);
	uint64_t seq = s->user->reached.low + 1;

	if (seq < history_floor(s->user->history))
		seq = history_floor(s->user->history);
	while (seq < next && !is_owed(s, seq))
		seq++;
	return seq;
}

/* Behind what it has looked at: it was to get it, and is still. */
static bool
is_still_owed(const struct session *s, uint64_t seq, uint64_t looked_at)
{
	uint64_t at = seq - s->owed_from;

	if (s->owed == NULL || seq < looked_at || seq < s->owed_from ||
	    seq >= s->owed_to)
		return false;
	return (s->owed[at / 8] & 1 << at % 8) != 0;
}

/*
 * A bit for each entry before live_from that it is to get: those from all_from on, what
 * has reached nobody by now, and what was owed before from looked_at on.
 */
static void
note_owed(struct session *s, uint64_t all_from, uint64_t looked_at)
{
	unsigned char *owed;
	uint64_t at;

	if (s->cursor >= s->live_from) {
		fanout_forget(s);
		return;
	}
	owed = mem_alloc((s->live_from - s->cursor) / 8 + 1);
	for (uint64_t seq = s->cursor; seq < s->live_from; seq++) {
		at = seq - s->cursor;
		if (seq >= all_from || is_owed(s, seq) ||
		    is_still_owed(s, seq, looked_at))
			owed[at / 8] |= (unsigned char)(1 << at % 8);
	}
	fanout_forget(s);
	s->owed = owed;
	s->owed_from = s->cursor;
	s->owed_to = s->live_from;
	session_touch(s, CHANGED_SELF);
}

/* --- beginning --- */

/* What it was told rests on it: it is there, and gets messages from now on. */
static void
urge(struct session *s)
{
	if (s->sm_id != NULL)
		turn_urge(s->proxy);
}

/*
 * own: from there on all is the device's; what is before it is there because it reached
 * nobody. The device keeps its place until it has got what is its own.
 */
static void
begin(struct session *s, uint64_t cursor, uint64_t own)
{
	struct device *d = s->device;

	timer_stop(&s->follow_timer);
	s->held = s->owed_in_archive = false;
	s->following = true;
	s->cursor = cursor;
	s->live_from = history_next(s->user->history);
	if (d != NULL && (!d->has_started || d->cursor < own))
		d->cursor = own;
	if (d != NULL)
		d->has_started = true;
	session_touch(s, CHANGED_SELF | CHANGED_COUNTERS | CHANGED_DEVICE);
	urge(s);
}

static uint64_t
back_from_end(const struct session *s, uint64_t entries)
{
	uint64_t next = history_next(s->user->history);

	return next > entries ? next - entries : 1;
}

/* From where it was, but not further back than is played. */
static void
begin_known(struct session *s)
{
	uint64_t least = back_from_end(s, limits_of(s)->playback_entries);
	uint64_t cursor = s->device->cursor, owed = first_owed(s);

	if (cursor < least)
		cursor = least;
	begin(s, owed < cursor ? owed : cursor, cursor);
	note_owed(s, cursor, s->live_from);
	log_event(LEVEL_INFO, s->log_id, "playback",
	    "from=%llu to=%llu reason=\"a device that is known\"",
	    (unsigned long long)s->cursor, (unsigned long long)s->live_from);
	fanout_follow(s);
}

static void
begin_unknown(struct session *s)
{
	uint64_t some = back_from_end(s, limits_of(s)->playback_new);
	uint64_t owed = first_owed(s);

	if (s->cursor != 0 && s->cursor < some)
		some = s->cursor;
	begin(s, owed < some ? owed : some, some);
	note_owed(s, some, s->live_from);
	fanout_follow(s);
}

/*
 * What is owed is looked at all the same: the archive may not have it, or be that of
 * another account.
 */
static void
begin_at_end(struct session *s)
{
	uint64_t next = history_next(s->user->history);

	begin(s, first_owed(s), next);
	s->owed_in_archive = s->cursor < next;
	note_owed(s, next, next);
	log_event(LEVEL_INFO, s->log_id, "playback",
	    "reason=\"it reads the archive instead\"%s", "");
	fanout_follow(s);
}

static void
begin_now(struct session *s)
{
	if (is_known(s) && s->device->uses_archive)
		begin_at_end(s);
	else if (is_known(s))
		begin_known(s);
	else
		begin_unknown(s);
}

/* What comes meanwhile is for it as well: the cursor stays where that begins. */
static void
wait_for_it(struct session *s, uint64_t ms)
{
	timer_set(&s->follow_timer, ms);
	if (s->cursor != 0)
		return;
	s->cursor = history_next(s->user->history);
	session_touch(s, CHANGED_SELF | CHANGED_COUNTERS);
	urge(s);
}

static void
hold(struct session *s, uint64_t ms)
{
	s->held = true;
	wait_for_it(s, ms);
}

/* With nothing to play there is nothing to wait for. */
static bool
has_something(const struct session *s)
{
	uint64_t next = history_next(s->user->history);

	if (is_known(s))
		return s->device->cursor < next;
	return first_owed(s) < next || limits_of(s)->playback_new > 0;
}

void
playback_available(struct session *s)
{
	if (s->closing)
		return;
	if (s->following) {
		playback_more(s);
		return;
	}
	if (s->held)
		return;
	if (!has_something(s))
		begin_now(s);
	else if (!is_known(s))
		hold(s, UNKNOWN_MS);
	else if (s->device->uses_carbons && !s->carbons &&
	    !s->device->uses_archive)
		hold(s, CARBONS_MS);
	else
		begin_now(s);
}

void
playback_carbons(struct session *s)
{
	if (s->closing)
		return;
	if (s->device != NULL && !s->device->uses_carbons) {
		s->device->uses_carbons = true;
		session_touch(s, CHANGED_DEVICE);
	}
	if (s->following)
		playback_more(s);
	else if (s->held && is_known(s))
		begin_now(s);
	else if (!s->held && s->follow_timer.at == 0)
		wait_for_it(s, PRESENCE_MS);
}

void
playback_archive(struct session *s)
{
	if (s->closing)
		return;
	if (s->device != NULL && !s->device->uses_archive) {
		s->device->uses_archive = true;
		session_touch(s, CHANGED_DEVICE);
	}
	if (!s->following || (s->cursor < s->live_from && !s->owed_in_archive))
		begin_at_end(s);
}

void
playback_more(struct session *s)
{
	uint64_t first = first_owed(s), looked_at = s->cursor;

	if (s->closing || !s->following || first >= s->cursor)
		return;
	if (s->live_from <= s->cursor) {
		s->live_from = s->cursor;
		s->owed_in_archive = false;
	}
	s->cursor = first;
	note_owed(s, s->live_from, looked_at);
	fanout_follow(s);
}

/* What it waited for is not saved: it waits anew. */
void
playback_resumed(struct session *s)
{
	if (s->closing || s->following || s->held || s->follow_timer.at != 0)
		return;
	if (s->available)
		playback_available(s);
	else if (s->carbons)
		playback_carbons(s);
}

void
playback_due(void *arg)
{
	struct session *s = arg;

	if (s->closing)
		return;
	if (s->following)
		fanout_follow(s);
	else
		begin_now(s);
}
