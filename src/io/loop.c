#include "io/loop.h"

#include <sys/epoll.h>
#include <sys/queue.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/conn.h"

#define LOOP_EVENTS 256 /* taken from the kernel at once */

static const struct loop_budget default_budget = {
	.stanzas = 256,
	.ms = 4,
	.handshakes = 8,
	.slice_bytes = 16384,
	.slice_stanzas = 32,
};

struct loop_source {
	struct loop *loop;
	int fd;
	void (*ready)(void *arg, uint32_t epoll_events); /* NULL: removed */
	void *arg;
	SLIST_ENTRY(loop_source) link;
};

struct loop {
	int epoll;
	bool stopped, woken;
	struct loop_hooks hooks;
	struct loop_budget budget;
	uint64_t turn;
	uint64_t reading_since; /* clock_now() when this turn's slices began */
	unsigned spent;         /* stanzas of this turn */
	struct timers *timers;
	struct loop_conns *conns;
	/* Removed while the kernel's events may still name them. */
	SLIST_HEAD(, loop_source) removed;
	bool reads_held;
	struct pauses pauses;
};

struct loop *
loop_new(struct err *err)
{
	struct loop *loop;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0) {
		err_errno(err, "epoll_create1");
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	loop = mem_alloc(sizeof(*loop));
	loop->epoll = epoll;
	loop->turn = 1;
	loop->budget = default_budget;
	loop->timers = timers_new();
	loop->conns = conns_new(loop);
	SLIST_INIT(&loop->removed);
	return loop;
}

static void
free_removed(struct loop *loop)
{
	struct loop_source *source;

	while ((source = SLIST_FIRST(&loop->removed)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->removed, link);
		free(source);
	}
}

void
loop_free(struct loop **holder)
{
	struct loop *loop = *holder;

	if (loop == NULL)
		return;
	conns_free(&loop->conns);
	timers_free(&loop->timers);
	free_removed(loop);
	close(loop->epoll);
	free(loop);
	*holder = NULL;
}

void
loop_set_hooks(struct loop *loop, const struct loop_hooks *hooks)
{
	loop->hooks = *hooks;
}

void
loop_set_budget(struct loop *loop, const struct loop_budget *budget)
{
	loop->budget = *budget;
}

const struct loop_budget *
loop_budget(const struct loop *loop)
{
	return &loop->budget;
}

struct loop_conns *
loop_conns(struct loop *loop)
{
	return loop->conns;
}

struct timers *
loop_timers(struct loop *loop)
{
	return loop->timers;
}

void
loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped)
		loop_turn(loop, -1);
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
	loop->woken = true;
}

void
loop_wake(struct loop *loop)
{
	loop->woken = true;
}

uint64_t
loop_turn_number(const struct loop *loop)
{
	return loop->turn;
}

void
loop_spend(struct loop *loop, unsigned stanzas)
{
	loop->spent += stanzas;
}

bool
loop_has_budget(const struct loop *loop)
{
	return loop->spent < loop->budget.stanzas &&
	    clock_now() - loop->reading_since < loop->budget.ms;
}

static int
wait_time(struct loop *loop, int limit)
{
	int due;

	if (loop->woken || conns_are_dirty(loop->conns) ||
	    (!loop->reads_held && conns_are_ready(loop->conns)))
		return 0;
	due = timers_wait(loop->timers);
	if (due < 0 || (limit >= 0 && limit < due))
		return limit;
	return due;
}

static void
take_events(struct loop *loop, int wait_ms)
{
	struct epoll_event events[LOOP_EVENTS];
	struct loop_source *source;
	int count;

	count = epoll_wait(loop->epoll, events, LOOP_EVENTS,
	    wait_time(loop, wait_ms));
	loop->woken = false;
	for (int i = 0; i < count; i++) {
		source = events[i].data.ptr;
		if (source->ready != NULL)
			source->ready(source->arg, events[i].events);
	}
}

static void
read_slices(struct loop *loop)
{
	loop->spent = 0;
	loop->reading_since = clock_now();
	if (!loop->reads_held)
		conns_read(loop->conns);
}

void
loop_hold_reads(struct loop *loop, bool held)
{
	loop->reads_held = held;
	loop_wake(loop);
}

void
loop_turn(struct loop *loop, int wait_ms)
{
	const struct loop_hooks *hooks = &loop->hooks;
	uint64_t committed = loop->turn, began;

	take_events(loop, wait_ms);
	began = clock_micros();
	timers_run(loop->timers);
	read_slices(loop);
	if (hooks->settle != NULL)
		hooks->settle(hooks->arg);
	if (hooks->commit != NULL)
		committed = hooks->commit(hooks->arg, loop->turn);
	loop->turn++;
	conns_flush(loop->conns, committed);
	if (hooks->reap != NULL)
		hooks->reap(hooks->arg);
	conns_reap(loop->conns);
	free_removed(loop);
	pauses_add(&loop->pauses, clock_micros() - began);
}

struct pauses *
loop_pauses(struct loop *loop)
{
	return &loop->pauses;
}

struct loop_source *
loop_watch(struct loop *loop, int fd, uint32_t epoll_events,
    void (*ready)(void *arg, uint32_t epoll_events), void *arg)
{
	struct loop_source *source = mem_alloc(sizeof(*source));
	struct epoll_event event = { .events = epoll_events };

	event.data.ptr = source;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(source);
		return NULL;
	}
	source->loop = loop;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	return source;
}

void
loop_source_events(struct loop_source *source, uint32_t epoll_events)
{
	struct epoll_event event = { .events = epoll_events };

	event.data.ptr = source;
	epoll_ctl(source->loop->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void
loop_unwatch(struct loop_source **holder)
{
	struct loop_source *source = *holder;

	if (source == NULL)
		return;
	epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->ready = NULL;
	SLIST_INSERT_HEAD(&source->loop->removed, source, link);
	*holder = NULL;
}
