#include "core/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/account.h"
#include "core/bounce.h"
#include "core/proxy.h"
#include "core/store.h"
#include "core/upstream.h"
#include "core/user.h"

#define TICK_MS 1000
/* Redo records that may wait, and how many are folded in a slice. */
#define UNFOLDED 64
#define FOLD     64

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

	if (!p->upkeep.is_over)
		return;
	p->upkeep.is_over = false;
	HASH_ITER(hh, p->users, u, tmp) {
		l = user_history_limits(u);
		if (!history_is_over(u->history, &l))
			continue;
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

/* --- --- */

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

static void
tick(void *arg)
{
	struct proxy *p = arg;

	look_at_disk(p);
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
