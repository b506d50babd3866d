#include "core/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"

/*
 * A window is cut into slices, of which the one that has begun and SLICES whole
 * ones before it count: never less than the window, at most one slice more.
 */
#define SLICES 8

struct culprit {
	UT_hash_handle hh;
	uint64_t window_ms; /* by which the slices are cut */
	uint64_t slice;     /* number of the newest since the clock's zero */
	unsigned counts[SLICES + 1]; /* slice n is in n % (SLICES + 1) */
	char key[];
};

/*
 * The table keeps the order in which its members were added: by last failure.
 */
struct throttle {
	struct culprit *culprits;
	size_t max;
};

struct throttle *
throttle_new(size_t keys)
{
	struct throttle *t;

	t = mem_alloc(sizeof(*t));
	t->max = keys;
	return t;
}

static void
forget(struct throttle *t, struct culprit *c)
{
	HASH_DEL(t->culprits, c);
	free(c);
}

void
throttle_free(struct throttle **holder)
{
	struct throttle *t = *holder;

	*holder = NULL;
	if (t == NULL)
		return;
	while (t->culprits != NULL)
		forget(t, t->culprits);
	free(t);
}

static uint64_t
slice_now(uint64_t window_ms)
{
	return clock_now() / (window_ms < SLICES ? 1 : window_ms / SLICES);
}

static unsigned
total(const struct culprit *c)
{
	unsigned sum = 0;
	size_t i;

	for (i = 0; i <= SLICES; i++)
		sum += c->counts[i];
	return sum;
}

/* After a change of the window all that still counts counts as of now. */
static void
cut_anew(struct culprit *c, uint64_t window_ms)
{
	unsigned sum = total(c);

	c->window_ms = window_ms;
	c->slice = slice_now(window_ms);
	memset(c->counts, 0, sizeof(c->counts));
	c->counts[c->slice % (SLICES + 1)] = sum;
}

/* Empties the slices that have begun since the last time. */
static void
advance(struct culprit *c, uint64_t window_ms)
{
	uint64_t now;
	size_t i;

	if (c->window_ms != window_ms)
		cut_anew(c, window_ms);
	now = slice_now(window_ms);
	for (i = 0; i <= SLICES && c->slice < now; i++)
		c->counts[++c->slice % (SLICES + 1)] = 0;
	c->slice = now;
}

static struct culprit *
find(struct throttle *t, const char *key)
{
	struct culprit *c;

	HASH_FIND(hh, t->culprits, key, strlen(key), c);
	return c;
}

bool
throttle_allows(struct throttle *t, const char *key, unsigned max,
    uint64_t window_ms)
{
	struct culprit *c;

	if ((c = find(t, key)) == NULL)
		return max > 0;
	advance(c, window_ms);
	return total(c) < max;
}

static struct culprit *
culprit_new(const char *key, uint64_t window_ms)
{
	struct culprit *c;
	size_t len = strlen(key);

	c = mem_alloc(sizeof(*c) + len + 1);
	memcpy(c->key, key, len);
	c->window_ms = window_ms;
	c->slice = slice_now(window_ms);
	return c;
}

void
throttle_failed(struct throttle *t, const char *key, uint64_t window_ms)
{
	struct culprit *c;

	if (t->max == 0)
		return;
	if ((c = find(t, key)) != NULL) {
		HASH_DEL(t->culprits, c);
		advance(c, window_ms);
	} else {
		if (HASH_COUNT(t->culprits) >= t->max)
			forget(t, t->culprits);
		c = culprit_new(key, window_ms);
	}
	c->counts[c->slice % (SLICES + 1)]++;
	HASH_ADD(hh, t->culprits, key, strlen(c->key), c);
}
