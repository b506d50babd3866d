#include "core/turn.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/session_save.h"
#include "core/store.h"
#include "core/user.h"

#define STATE_MS     200 /* changed state waits so long at most */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 10000

void
turn_touch(struct proxy *p)
{
	if (p->turn.touched_at != 0 || p->is_abandoned)
		return;
	p->turn.touched_at = clock_now();
	timer_set(&p->turn.timer, STATE_MS);
}

void
turn_urge(struct proxy *p)
{
	turn_touch(p);
	p->turn.urgent = true;
}

static bool
is_due(const struct proxy *p)
{
	const struct turn *t = &p->turn;

	if (p->batch.urgent || t->urgent)
		return true;
	if (t->touched_at == 0)
		return false;
	return p->stopping || clock_now() - t->touched_at >= STATE_MS;
}

/* All that changed, in one record. */
static void
save_changed(struct proxy *p)
{
	struct session *s;
	struct user *u;
	struct account *a;

	while ((s = LIST_FIRST(&p->changed_sessions)) != NULL) {
		LIST_REMOVE(s, changed_next);
		session_save(s);
	}
	while ((a = LIST_FIRST(&p->changed_accounts)) != NULL) {
		LIST_REMOVE(a, changed_next);
		account_save(a);
	}
	while ((u = LIST_FIRST(&p->changed_users)) != NULL) {
		LIST_REMOVE(u, changed_next);
		user_save(u);
	}
}

/* Nothing is written and nothing read until it works; then the process gives up. */
static uint64_t
failed(struct proxy *p, const struct err *err)
{
	struct turn *t = &p->turn;

	if (t->retry_ms >= RETRY_MAX_MS)
		p->is_failed = true;
	t->retry_ms = t->retry_ms == 0 ? RETRY_MIN_MS : t->retry_ms * 2;
	if (t->retry_ms > RETRY_MAX_MS)
		t->retry_ms = RETRY_MAX_MS;
	t->retry_at = clock_now() + t->retry_ms;
	loop_hold_reads(p->loop, true);
	timer_set(&t->timer, t->retry_ms);
	log_event(p->is_failed ? LEVEL_CRITICAL : LEVEL_ERROR, "store",
	    "commit-failed", "retry_ms=%llu reason=%s",
	    (unsigned long long)t->retry_ms, LOG_Q(err->text));
	return t->committed;
}

static void
recovered(struct proxy *p)
{
	p->turn.retry_ms = p->turn.retry_at = 0;
	loop_hold_reads(p->loop, false);
	log_event(LEVEL_WARN, "store", "commit-recovered", "%s", "");
}

uint64_t
turn_commit(void *arg, uint64_t turn)
{
	struct proxy *p = arg;
	struct turn *t = &p->turn;
	struct err err = { "" };

	if (t->retry_at != 0 && clock_now() < t->retry_at)
		return t->committed;
	if (!is_due(p)) {
		/* What failed before is still due. */
		return t->committed = turn;
	}
	save_changed(p);
	if (store_commit(p->store, &p->batch, &err) == -1)
		return failed(p, &err);
	if (t->retry_ms != 0)
		recovered(p);
	t->urgent = false;
	t->touched_at = 0;
	timer_stop(&t->timer);
	return t->committed = turn;
}

/* Its work is done by the commit of the turn that it starts. */
static void
due(void *arg)
{
	(void)arg;
}

void
turn_init(struct proxy *p)
{
	batch_init(&p->batch);
	LIST_INIT(&p->changed_sessions);
	LIST_INIT(&p->changed_accounts);
	LIST_INIT(&p->changed_users);
	timer_init(&p->turn.timer, p->loop, due, p);
}

void
turn_fini(struct proxy *p)
{
	timer_stop(&p->turn.timer);
	batch_fini(&p->batch);
}
