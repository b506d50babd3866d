/*
 * The loop. One pass is a turn: wait, read within budgets, commit once, then
 * flush. Only the flush writes to sockets; everything else marks.
 *
 *   wait for events; timers; answers of workers; other sources
 *   slices of ready connections (conn.h), round robin by group
 *   hooks.settle(), hooks.commit(), flush of dirty connections, hooks.reap()
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/pauses.h"
#include "io/timer.h"

struct loop;

struct loop_hooks {
	/* After the reads: queue what followers are behind with, ... */
	void (*settle)(void *arg);
	/*
	 * Make what was taken in up to this turn durable. Returns the last turn
	 * that is; frames of later turns stay in their queues. Whoever learns
	 * between turns that more is durable calls loop_wake(). NULL: all is.
	 */
	uint64_t (*commit)(void *arg, uint64_t turn);
	/* Free what is marked; nobody is inside a callback. */
	void (*reap)(void *arg);
	void *arg;
};

/*
 * Nothing is read from connections while held (hooks.commit() fails): bytes wait in
 * the kernel. Timers run, and what is committed is flushed.
 */
void loop_hold_reads(struct loop *, bool held);

/* Budgets of one turn, and those of one slice of a connection. */
struct loop_budget {
	unsigned stanzas;       /* 256 */
	unsigned ms;            /* 4 */
	unsigned handshakes;    /* 8 */
	unsigned slice_bytes;   /* 16384 */
	unsigned slice_stanzas; /* 32 */
};

/* Ignores SIGPIPE for the process: OpenSSL writes with write(). */
struct loop *loop_new(struct err *);
/*
 * What connections are left are thrown away; sources are their owners' to drop.
 */
void loop_free(struct loop **);
void loop_set_hooks(struct loop *, const struct loop_hooks *);   /* copied */
void loop_set_budget(struct loop *, const struct loop_budget *); /* copied */
const struct loop_budget *loop_budget(const struct loop *);

/* Runs turns until loop_stop(). */
void loop_run(struct loop *);
void loop_stop(struct loop *);
/*
 * One turn; waits at most `wait_ms` (0: polls, -1: no limit). Tests drive it.
 */
void loop_turn(struct loop *, int wait_ms);
/*
 * The turn that what is queued now belongs to. The next one begins with the
 * commit, so what flush and reap cause waits for the commit after that.
 */
uint64_t loop_turn_number(const struct loop *);
/* The next turn comes without waiting. Of the loop's thread alone. */
void loop_wake(struct loop *);
/* A stanza was handled; counts against the turn's budget. */
void loop_spend(struct loop *, unsigned stanzas);
bool loop_has_budget(const struct loop *);

/*
 * A file descriptor: listener, DNS, signals. Level triggered, unless EPOLLET is
 * among the events. The callback may remove any source. The descriptor stays
 * the caller's, who unwatches first and closes then. NULL (errno says why)
 * where the kernel watches no more.
 */
struct loop_source;
struct loop_source *loop_watch(struct loop *, int fd, uint32_t epoll_events,
    void (*ready)(void *arg, uint32_t epoll_events), void *arg);
void loop_source_events(struct loop_source *, uint32_t epoll_events);
void loop_unwatch(struct loop_source **);

/* How long the turns took, but for waiting; the owner may clear it. */
struct pauses *loop_pauses(struct loop *);

/* The parts that conn.c and timer.c hang their things on; nobody else's. */
struct loop_conns;
struct timers;
struct loop_conns *loop_conns(struct loop *);
struct timers *loop_timers(struct loop *);

#endif
