#include "core/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "xmpp/jid.h"

#define RING_LEAST 16

/*
 * `older` is the number of the next older entry in the same bucket: a chain
 * from the newest to the oldest, which ends at the first number below the
 * floor. So nothing has to be undone when an entry goes.
 */
struct slot {
	struct entry *entry;
	size_t size; /* as it was counted */
	uint64_t older;
	uint32_t hash;
};

/* The entry n is in ring[n % cap]; cap is a power of two. */
struct history {
	struct slot *ring;
	uint64_t *newest; /* of each bucket; cap of them */
	size_t cap;
	uint64_t floor, next;
	size_t bytes, max_entries, max_bytes;
};

struct history *
history_new(size_t max_entries, size_t max_bytes)
{
	struct history *h;

	h = mem_alloc(sizeof(*h));
	h->floor = h->next = 1;
	h->max_entries = max_entries;
	h->max_bytes = max_bytes;
	return h;
}

static struct slot *
slot_at(const struct history *h, uint64_t seq)
{
	return &h->ring[seq & (h->cap - 1)];
}

static void
drop_oldest(struct history *h)
{
	struct slot *slot = slot_at(h, h->floor++);

	h->bytes -= slot->size;
	entry_unref(&slot->entry);
}

void
history_free(struct history **holder)
{
	struct history *h = *holder;

	*holder = NULL;
	if (h == NULL)
		return;
	while (h->floor < h->next)
		drop_oldest(h);
	free(h->ring);
	free(h->newest);
	free(h);
}

/* The newest stays whatever its size: followers have yet to take it. */
static void
shrink(struct history *h)
{
	while (h->next - h->floor > 1 &&
	    (h->next - h->floor > h->max_entries || h->bytes > h->max_bytes))
		drop_oldest(h);
}

void
history_set_max(struct history *h, size_t max_entries, size_t max_bytes)
{
	h->max_entries = max_entries;
	h->max_bytes = max_bytes;
	shrink(h);
}

static uint32_t
key_hash(uint64_t account, enum direction direction, const char *peer,
    const char *id)
{
	uint64_t numbers[2] = { account, direction };

	return table_hash(numbers, sizeof(numbers)) ^
	    table_hash(peer, jid_bare_len(peer)) * 3 ^
	    table_hash(id, strlen(id)) * 5;
}

static bool
has_key(const struct entry *e)
{
	return e->peer != NULL && e->id != NULL;
}

/* Puts a slot that stands in the ring into its bucket, as the newest. */
static void
link_slot(struct history *h, uint64_t seq)
{
	struct slot *slot = slot_at(h, seq);
	uint64_t *newest = &h->newest[slot->hash & (h->cap - 1)];

	if (!has_key(slot->entry))
		return;
	slot->older = *newest;
	*newest = seq;
}

static void
grow(struct history *h)
{
	struct slot *old = h->ring;
	size_t mask = h->cap - 1;
	uint64_t seq;

	h->cap = h->cap == 0 ? RING_LEAST : h->cap * 2;
	h->ring = mem_array(h->cap, sizeof(*h->ring));
	free(h->newest);
	h->newest = mem_array(h->cap, sizeof(*h->newest));
	for (seq = h->floor; seq < h->next; seq++) {
		*slot_at(h, seq) = old[seq & mask];
		link_slot(h, seq);
	}
	free(old);
}

void
history_append(struct history *h, struct entry *e)
{
	struct slot *slot;

	assert(e->seq == 0);
	if (h->next - h->floor >= h->cap)
		grow(h);
	e->seq = h->next++;
	slot = slot_at(h, e->seq);
	slot->entry = e;
	slot->size = entry_size(e);
	if (has_key(e))
		slot->hash = key_hash(e->account, e->direction, e->peer, e->id);
	link_slot(h, e->seq);
	h->bytes += slot->size;
	shrink(h);
}

uint64_t
history_next(const struct history *h)
{
	return h->next;
}

uint64_t
history_floor(const struct history *h)
{
	return h->floor;
}

struct entry *
history_at(const struct history *h, uint64_t seq)
{
	if (seq < h->floor || seq >= h->next)
		return NULL;
	return slot_at(h, seq)->entry;
}

size_t
history_bytes(const struct history *h)
{
	return h->bytes;
}

static bool
is_that(const struct entry *e, uint64_t account, enum direction direction,
    const char *peer, const char *id)
{
	return e->account == account && e->direction == direction &&
	    strcmp(e->id, id) == 0 && jid_same_bare(e->peer, peer);
}

struct entry *
history_find(const struct history *h, uint64_t account,
    enum direction direction, const char *peer, const char *id)
{
	const struct slot *slot;
	uint64_t seq;
	uint32_t hash;

	if (h->cap == 0)
		return NULL;
	hash = key_hash(account, direction, peer, id);
	seq = h->newest[hash & (h->cap - 1)];
	for (; seq >= h->floor; seq = slot->older) {
		slot = slot_at(h, seq);
		if (slot->hash == hash &&
		    is_that(slot->entry, account, direction, peer, id))
			return slot->entry;
	}
	return NULL;
}
