/* Timers: a heap of them, which the loop looks at once a turn. */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include <stdint.h>

struct loop;

/*
 * A timer, owned by whoever embeds it: zero it, timer_init(), set it as often
 * as you like, timer_stop() before its memory goes. Setting it to a later time
 * costs nothing: it is compared on firing, not re-armed.
 */
struct timer {
	struct loop *loop;
	void (*due)(void *arg);
	void *arg;
	uint64_t at;    /* clock_now() ms; 0: not set */
	uint64_t armed; /* where it stands in the heap; timer.c's */
	uint64_t order;
	uint32_t slot;
};
void timer_init(struct timer *, struct loop *, void (*due)(void *), void *arg);
/* Not from inside timers_run() before the next turn, even with 0. */
void timer_set(struct timer *, uint64_t in_ms);
void timer_stop(struct timer *); /* one that is not set is left alone */

/* The loop's side; nobody else calls them. */
struct timers;
struct timers *timers_new(void);
void timers_free(struct timers **);
void timers_run(struct timers *);
/*
 * ms until the next may be due (maybe too early for one set later); -1: none.
 */
int timers_wait(struct timers *);

#endif
