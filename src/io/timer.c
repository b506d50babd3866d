#include "io/timer.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/loop.h"

/* A binary heap; a timer's slot is its index plus one, 0 outside of it. */
struct timers {
	struct timer **heap;
	uint32_t count, cap;
	uint64_t order; /* counts armings: the order among equal times */
};

struct timers *
timers_new(void)
{
	return mem_alloc(sizeof(struct timers));
}

void
timers_free(struct timers **holder)
{
	struct timers *s = *holder;

	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		s->heap[i]->slot = 0;
	free(s->heap);
	free(s);
	*holder = NULL;
}

static bool
is_before(const struct timer *a, const struct timer *b)
{
	if (a->armed != b->armed)
		return a->armed < b->armed;
	return a->order < b->order;
}

static void
place(struct timers *s, uint32_t i, struct timer *t)
{
	s->heap[i] = t;
	t->slot = i + 1;
}

static void
sift(struct timers *s, struct timer *t)
{
	uint32_t i = t->slot - 1, child;

	for (; i > 0 && is_before(t, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		place(s, i, s->heap[(i - 1) / 2]);
	for (; (child = 2 * i + 1) < s->count; i = child) {
		if (child + 1 < s->count &&
		    is_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!is_before(s->heap[child], t))
			break;
		place(s, i, s->heap[child]);
	}
	place(s, i, t);
}

static void
arm(struct timers *s, struct timer *t)
{
	if (t->slot == 0) {
		if (s->count == s->cap) {
			s->cap = s->cap ? s->cap * 2 : 64;
			s->heap = mem_grow(s->heap, s->cap * sizeof(*s->heap));
		}
		place(s, s->count++, t);
	}
	t->armed = t->at;
	t->order = s->order++;
	sift(s, t);
}

static void
disarm(struct timers *s, struct timer *t)
{
	struct timer *last = s->heap[--s->count];

	if (last != t) {
		place(s, t->slot - 1, last);
		sift(s, last);
	}
	t->slot = 0;
}

void
timer_init(struct timer *t, struct loop *loop, void (*due)(void *), void *arg)
{
	*t = (struct timer){ .loop = loop, .due = due, .arg = arg };
}

void
timer_set(struct timer *t, uint64_t in_ms)
{
	uint64_t at = clock_now() + in_ms;

	t->at = at > 0 ? at : 1;
	if (t->slot == 0 || t->armed > t->at)
		arm(loop_timers(t->loop), t);
}

void
timer_stop(struct timer *t)
{
	t->at = 0;
	if (t->slot != 0)
		disarm(loop_timers(t->loop), t);
}

/* What a due() sets is armed after `limit` and waits for the next turn. */
void
timers_run(struct timers *s)
{
	uint64_t now = clock_now(), limit = s->order;
	struct timer *t;

	while (s->count > 0 && (t = s->heap[0])->armed <= now &&
	    t->order < limit) {
		if (t->at > now) {
			arm(s, t);
			continue;
		}
		disarm(s, t);
		t->at = 0;
		t->due(t->arg);
	}
}

int
timers_wait(struct timers *s)
{
	uint64_t now = clock_now(), at;

	if (s->count == 0)
		return -1;
	if ((at = s->heap[0]->armed) <= now)
		return 0;
	return at - now > INT_MAX ? INT_MAX : (int)(at - now);
}
