#include "core/flights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RING_LEAST 8

void
flight_fini(struct flight *f)
{
	blob_unref(&f->bytes);
	mem_free_string(&f->jid);
}

void
flights_fini(struct flights *all)
{
	struct flight f;

	while (all->count > 0) {
		f = flights_take(all);
		flight_fini(&f);
	}
	free(all->ring);
	memset(all, 0, sizeof(*all));
}

static struct flight *
place(const struct flights *all, uint32_t i)
{
	return &all->ring[(all->first + i) & (all->cap - 1)];
}

static void
grow(struct flights *all)
{
	uint32_t cap = all->cap == 0 ? RING_LEAST : all->cap * 2;
	struct flight *ring = mem_array(cap, sizeof(*ring));

	for (uint32_t i = 0; i < all->count; i++)
		ring[i] = *place(all, i);
	free(all->ring);
	all->ring = ring;
	all->cap = cap;
	all->first = 0;
}

void
flights_add(struct flights *all, const struct flight *f)
{
	if (all->count == all->cap)
		grow(all);
	*place(all, all->count++) = *f;
	all->entries += f->seq != 0;
	all->bytes += blob_len(f->bytes);
}

const struct flight *
flights_at(const struct flights *all, uint32_t i)
{
	return i < all->count ? place(all, i) : NULL;
}

struct flight *
flights_last(struct flights *f)
{
	return f->count == 0 ?
	    NULL :
	    &f->ring[(f->first + f->count - 1) & (f->cap - 1)];
}

const struct flight *
flights_first(const struct flights *all)
{
	return flights_at(all, 0);
}

uint64_t
flights_first_entry(const struct flights *all)
{
	if (all->entries == 0)
		return 0;
	for (uint32_t i = 0; i < all->count; i++) {
		if (place(all, i)->seq != 0)
			return place(all, i)->seq;
	}
	return 0;
}

/* An empty ring holds no memory: most streams are idle. */
struct flight
flights_take(struct flights *all)
{
	struct flight f;

	assert(all->count > 0);
	f = *place(all, 0);
	all->first = (all->first + 1) & (all->cap - 1);
	all->entries -= f.seq != 0;
	all->bytes -= blob_len(f.bytes);
	if (--all->count == 0) {
		free(all->ring);
		all->ring = NULL;
		all->cap = all->first = 0;
	}
	return f;
}
