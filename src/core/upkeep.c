#include "core/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/bounce.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/store.h"
#include "core/upstream.h"
#include "core/user.h"
#include "io/conn.h"
#include "xmpp/stream.h"

#define TICK_MS 1000
/* Redo records that may wait, and how many are folded in a slice. */
#define UNFOLDED 64
#define FOLD     64
/* Logs are trimmed for so long in a slice: all users may be over a new limit. */
#define TRIM_US 2000
/* A stream that said nothing for so long rests; some of the users each tick. */
#define REST_MS    5000
#define REST_TICKS 5
/* What so many streams gave back is taken from the heap, now and then. */
#define FREED      64
#define TRIM_TICKS 10

static void
fold(struct proxy *p)
{
	struct err err = { "" };
	unsigned left;

	if (store_unfolded(p->store) < UNFOLDED)
		return;
	if (store_fold(p->store, FOLD, &left, &err) == -1)
		log_event(LEVEL_ERROR, "store", "not-folded", "reason=%s",
		    LOG_Q(err.text));
}

/* --- retention --- */

static void
trim(struct proxy *p)
{
	struct user *u, *tmp;
	struct history_limits l;
	uint64_t began = clock_micros();

	if (!p->upkeep.is_over)
		return;
	p->upkeep.is_over = false;
	HASH_ITER(hh, p->users, u, tmp) {
		l = user_history_limits(u);
		if (!history_is_over(u->history, &l))
			continue;
		if (clock_micros() - began > TRIM_US) {
			p->upkeep.is_over = true;
			break;
		}
		p->upkeep.is_over |= history_trim(u->history, &l);
		user_touch(u);
	}
	if (p->upkeep.is_over)
		loop_wake(p->loop);
}

/* The one with the next number; from the first on again behind the last. */
static struct user *
next_user(const struct proxy *p)
{
	struct user *u, *tmp, *next = NULL, *first = NULL;

	HASH_ITER(hh, p->users, u, tmp) {
		if (first == NULL || u->id < first->id)
			first = u;
		if (u->id >= p->upkeep.trim_user &&
		    (next == NULL || u->id < next->id))
			next = u;
	}
	return next != NULL ? next : first;
}

/* By age, one user after the other. */
static void
trim_by_age(struct proxy *p)
{
	struct user *u = next_user(p);
	struct history_limits l;
	uint64_t kept;

	if (u == NULL)
		return;
	l = user_history_limits(u);
	kept = history_kept(u->history);
	p->upkeep.trim_user = u->id + 1;
	if (history_trim(u->history, &l))
		p->upkeep.trim_user = u->id;
	if (history_kept(u->history) != kept)
		user_touch(u);
}

/* --- checkpoints --- */

static void
do_checkpoint(void *proxy)
{
	struct proxy *p = proxy;

	store_checkpoint(p->store);
}

static void
checkpoint_done(void *proxy)
{
	struct proxy *p = proxy;

	p->upkeep.is_checkpointing = false;
}

static void
checkpoint(struct proxy *p)
{
	if (p->upkeep.is_checkpointing || p->stopping ||
	    !store_wants_checkpoint(p->store))
		return;
	p->upkeep.is_checkpointing = p->env.work(p->env.arg, do_checkpoint,
					 checkpoint_done, p) == 0;
}

/* --- the disk --- */

static void
pause_upstreams(struct proxy *p, bool paused)
{
	struct user *u, *tmp;
	struct account *a;

	HASH_ITER(hh, p->users, u, tmp) {
		LIST_FOREACH(a, &u->accounts, next)
			upstream_pause(a->upstream, paused);
	}
}

/* The room that is kept free is for changed state. */
static void
look_at_disk(struct proxy *p)
{
	uint64_t bytes = store_free_bytes(p->store);
	bool is_full = bytes < p->config->limits.store_reserve;

	if (is_full == p->is_full)
		return;
	p->is_full = is_full;
	log_event(is_full ? LEVEL_ERROR : LEVEL_WARN, "store",
	    is_full ? "disk-full" : "disk-free", "bytes=%llu",
	    (unsigned long long)bytes);
	pause_upstreams(p, is_full);
}

/* --- outboxes --- */

static void
expire_outboxes(struct proxy *p)
{
	uint64_t ms = p->config->limits.outbox_seconds * 1000;
	uint64_t now = clock_wall();
	struct user *u, *tmp;
	struct account *a;

	HASH_ITER(hh, p->users, u, tmp) {
		LIST_FOREACH(a, &u->accounts, next)
			bounce_expired(a, now > ms ? now - ms : 0);
	}
}

/* --- memory --- */

static void
rest(struct proxy *p, struct stream *s)
{
	struct conn *c = s == NULL ? NULL : stream_conn(s);

	if (c != NULL && clock_now() - conn_last_read(c) >= REST_MS &&
	    stream_rest(s))
		p->upkeep.freed++;
}

static void
rest_streams(struct proxy *p)
{
	unsigned turn = p->upkeep.ticks % REST_TICKS;
	struct user *u, *tmp;
	struct account *a;
	struct session *s;

	HASH_ITER(hh, p->users, u, tmp) {
		if (u->id % REST_TICKS != turn)
			continue;
		LIST_FOREACH(a, &u->accounts, next)
			rest(p, upstream_stream(a->upstream));
		LIST_FOREACH(s, &u->sessions, next)
			rest(p, s->stream);
	}
}

static void
trim_memory(struct proxy *p)
{
	if (p->upkeep.freed < FREED || p->upkeep.ticks % TRIM_TICKS != 0)
		return;
	p->upkeep.freed = 0;
	mem_trim();
}

/* --- --- */

static void
tick(void *arg)
{
	struct proxy *p = arg;

	look_at_disk(p);
	p->upkeep.ticks++;
	rest_streams(p);
	trim_memory(p);
	expire_outboxes(p);
	trim_by_age(p);
	timer_set(&p->upkeep.timer, TICK_MS);
}

void
upkeep_slice(struct proxy *p)
{
	if (p->turn.retry_ms != 0 || p->is_failed)
		return;
	fold(p);
	trim(p);
	checkpoint(p);
}

void
upkeep_init(struct proxy *p)
{
	timer_init(&p->upkeep.timer, p->loop, tick, p);
	timer_set(&p->upkeep.timer, TICK_MS);
}

void
upkeep_fini(struct proxy *p)
{
	timer_stop(&p->upkeep.timer);
}
