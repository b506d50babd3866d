/* The proxy's surroundings: a dialler that reaches fake servers, and a worker. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rig/rig.h"
#include "rig/wire.h"

struct rig_dial {
	LIST_ENTRY(rig_dial) next;
	struct rig *rig;
	const struct dial_events *events;
	void *arg;
	struct timer timer;
	char *domain;
	bool is_tried;
};

struct job {
	STAILQ_ENTRY(job) next;
	void (*work)(void *);
	void (*done)(void *);
	void *job;
};

/* Accounts that share a domain share its fate. */
static bool
is_reachable(const struct rig_dial *d)
{
	const struct rig_server *s;

	STAILQ_FOREACH(s, &d->rig->servers, next) {
		if (!s->is_down &&
		    strcmp(strchr(s->jid, '@') + 1, d->domain) == 0)
			return true;
	}
	return false;
}

static void
try(void *arg)
{
	struct rig_dial *d = arg;
	struct transport *ours, *theirs;

	d->rig->activity++;
	if (d->is_tried || !is_reachable(d)) {
		d->events->failed(d->arg, "nobody listens there");
		return;
	}
	d->is_tried = true;
	wire_new(d->rig->cut, &d->rig->activity, &theirs, &ours);
	rig_server_accept(d->rig, ours);
	d->events->connected(d->arg, theirs, false, "server [127.0.0.1]:5222");
}

static struct dial *
fake_dial_new(void *arg, const struct dial_target *target,
    const struct dial_events *events, void *events_arg)
{
	struct rig *rig = arg;
	struct rig_dial *d = mem_alloc(sizeof(*d));

	d->rig = rig;
	d->domain = mem_strdup(target->domain);
	d->events = events;
	d->arg = events_arg;
	timer_init(&d->timer, rig->loop, try, d);
	timer_set(&d->timer, 0);
	LIST_INSERT_HEAD(&rig->dials, d, next);
	return (struct dial *)d;
}

static void
fake_dial_next(struct dial *dial, const char *reason)
{
	struct rig_dial *d = (struct rig_dial *)dial;

	(void)reason;
	timer_set(&d->timer, 0);
}

static void
fake_dial_free(struct dial **holder)
{
	struct rig_dial *d = (struct rig_dial *)*holder;

	if (d == NULL)
		return;
	timer_stop(&d->timer);
	LIST_REMOVE(d, next);
	free(d->domain);
	free(d);
	*holder = NULL;
}

static int
fake_work(void *arg, void (*work)(void *), void (*done)(void *), void *job)
{
	struct rig *rig = arg;
	struct job *j = mem_alloc(sizeof(*j));

	j->work = work;
	j->done = done;
	j->job = job;
	STAILQ_INSERT_TAIL(&rig->jobs, j, next);
	return 0;
}

struct proxy_env
rig_env(struct rig *rig)
{
	return (struct proxy_env){
		.dial_new = fake_dial_new,
		.dial_next = fake_dial_next,
		.dial_free = fake_dial_free,
		.work = fake_work,
		.arg = rig,
	};
}

void
rig_env_run_jobs(struct rig *rig)
{
	struct job *j;

	while ((j = STAILQ_FIRST(&rig->jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&rig->jobs, next);
		rig->activity++;
		j->work(j->job);
		j->done(j->job);
		free(j);
	}
}
