#include "core/batch.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/pack.h"

/* How a change begins. Numbers on disk. */
enum { CHANGE_PUT = 1, CHANGE_DELETE = 2 };

#define ENTRIES_LEAST 16

void
batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
}

void
batch_fini(struct batch *b)
{
	batch_clear(b);
	free(b->entries);
	buf_free(&b->record);
	batch_init(b);
}

bool
batch_is_empty(const struct batch *b)
{
	return b->count == 0 && b->record.len == 0;
}

void
batch_append(struct batch *b, uint64_t user, struct entry *e)
{
	assert(user > 0 && e->seq > 0);
	if (b->count == b->cap) {
		b->cap = b->cap == 0 ? ENTRIES_LEAST : b->cap * 2;
		b->entries = mem_grow(b->entries, b->cap * sizeof(*b->entries));
	}
	b->entries[b->count].user = user;
	b->entries[b->count++].entry = entry_ref(e);
	e->is_pending = true;
	b->urgent = true;
}

static void
add_change(struct batch *b, unsigned op, enum state_kind kind, uint64_t owner,
    const void *key, size_t key_len)
{
	pack_uint(&b->record, op);
	pack_uint(&b->record, kind);
	pack_uint(&b->record, owner);
	pack_bytes(&b->record, key, key_len);
}

void
batch_put(struct batch *b, enum state_kind kind, uint64_t owner,
    const void *key, size_t key_len, const void *value, size_t len)
{
	add_change(b, CHANGE_PUT, kind, owner, key, key_len);
	pack_bytes(&b->record, value, len);
}

void
batch_delete(struct batch *b, enum state_kind kind, uint64_t owner,
    const void *key, size_t key_len)
{
	add_change(b, CHANGE_DELETE, kind, owner, key, key_len);
}

void
batch_clear(struct batch *b)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		b->entries[i].entry->is_pending = false;
		entry_unref(&b->entries[i].entry);
	}
	b->count = 0;
	buf_clear(&b->record);
	b->urgent = false;
}

bool
batch_next_change(const void *record, size_t len, size_t *at,
    struct change *out)
{
	struct unpack u;
	uint64_t op, kind;

	*out = (struct change){ 0 };
	if (*at >= len)
		return false;
	unpack_init(&u, (const char *)record + *at, len - *at);
	op = unpack_uint(&u);
	kind = unpack_uint(&u);
	out->owner = unpack_uint(&u);
	out->key = unpack_bytes(&u, &out->key_len);
	if (op == CHANGE_PUT)
		out->value = unpack_bytes(&u, &out->len);
	if (!unpack_is_good(&u) || kind == 0 || kind > INT_MAX ||
	    (op != CHANGE_PUT && op != CHANGE_DELETE))
		return false;
	out->kind = (enum state_kind)kind;
	*at = len - (size_t)(u.end - u.at);
	return true;
}
