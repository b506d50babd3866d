#include "core/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/batch.h"
#include "history_impl.h"

#define TAIL_ENTRIES 64 /* of the end, in memory */
#define TAIL_BYTES   65536
#define PAGE         32 /* entries that a follower reads at once */
#define TRIM         64 /* entries deleted at once */

/* --- pages --- */

void
history_page_add(struct page *p, struct entry *e)
{
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 8 : p->cap * 2;
		p->entries = mem_grow(p->entries, p->cap * sizeof(*p->entries));
	}
	p->entries[p->count++] = e;
}

void
history_page_clear(struct page *p)
{
	for (size_t i = 0; i < p->count; i++)
		entry_unref(&p->entries[i]);
	free(p->entries);
	memset(p, 0, sizeof(*p));
}

/* The first from that number on; NULL: none in the page. */
static struct entry *
page_from(const struct page *p, uint64_t seq)
{
	size_t low = 0, high = p->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (p->entries[middle]->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->count ? p->entries[low] : NULL;
}

/* --- life --- */

struct history *
history_new(struct store *store, struct batch *batch, uint64_t user)
{
	struct history *h;

	h = mem_alloc(sizeof(*h));
	h->store = store;
	h->batch = batch;
	h->user = user;
	h->next = store_last(store, user) + 1;
	h->chats.from = h->rooms.from = 1;
	h->tail.from = h->tail.to = h->next;
	return h;
}

void
history_free(struct history **holder)
{
	struct history *h = *holder;

	*holder = NULL;
	if (h == NULL)
		return;
	history_page_clear(&h->tail);
	history_page_clear(&h->read);
	free(h->keys);
	free(h->trouble);
	free(h);
}

void
history_pack(const struct history *h, struct buf *b)
{
	pack_uint(b, h->next);
	pack_uint(b, h->max_late);
	pack_uint(b, h->stamp);
	for (int i = 0; i < 2; i++) {
		const struct kept *k = i == 0 ? &h->chats : &h->rooms;

		pack_uint(b, k->count);
		pack_uint(b, k->bytes);
		pack_uint(b, k->from);
	}
}

void
history_unpack(struct history *h, struct unpack *u)
{
	uint64_t next = unpack_uint(u);

	h->max_late = unpack_uint(u);
	if (h->max_late > ENTRY_LATE_MS)
		h->max_late = ENTRY_LATE_MS;
	h->stamp = unpack_uint(u);
	for (int i = 0; i < 2; i++) {
		struct kept *k = i == 0 ? &h->chats : &h->rooms;

		k->count = unpack_uint(u);
		k->bytes = unpack_uint(u);
		k->from = unpack_uint(u);
	}
	/* A number is never given twice, though its entry is deleted. */
	if (next > h->next)
		h->next = h->tail.from = h->tail.to = next;
}

/* --- appending --- */

/* What is not committed is in memory alone. */
static void
shorten_tail(struct history *h)
{
	struct page *t = &h->tail;
	size_t n = 0;

	while (n < t->count && !t->entries[n]->is_pending &&
	    (t->count - n > TAIL_ENTRIES || h->tail_bytes > TAIL_BYTES)) {
		h->tail_bytes -= entry_size(t->entries[n]);
		entry_unref(&t->entries[n]);
		n++;
	}
	if (n == 0)
		return;
	t->count -= n;
	memmove(t->entries, t->entries + n, t->count * sizeof(*t->entries));
	t->from = t->count > 0 ? t->entries[0]->seq : t->to;
}

static struct kept *
kept_of(struct history *h, const struct entry *e)
{
	return entry_is_of_room(e) ? &h->rooms : &h->chats;
}

static void
count(struct history *h, const struct entry *e)
{
	struct kept *k = kept_of(h, e);
	uint64_t when = entry_when(e);

	if (k->count == 0)
		k->from = e->seq;
	k->count++;
	k->bytes += blob_len(e->body);
	if (e->stamp > when && e->stamp - when > h->max_late)
		h->max_late = e->stamp - when;
}

void
history_append(struct history *h, struct entry *e)
{
	assert(e->seq == 0);
	shorten_tail(h);
	/* The wall clock may be set back; nothing was sent later than now. */
	if (e->stamp < h->stamp)
		e->stamp = h->stamp;
	h->stamp = e->stamp;
	if (e->time > e->stamp)
		e->time = e->stamp;
	e->seq = h->next++;
	count(h, e);
	history_page_add(&h->tail, e);
	h->tail.to = h->next;
	h->tail_bytes += entry_size(e);
	history_note_key(h, e);
	batch_append(h->batch, h->user, e);
}

uint64_t
history_next(const struct history *h)
{
	return h->next;
}

static uint64_t
kept_from(const struct history *h, const struct kept *k)
{
	return k->count == 0 ? h->next : k->from;
}

uint64_t
history_floor(const struct history *h)
{
	uint64_t chats = kept_from(h, &h->chats),
		 rooms = kept_from(h, &h->rooms);

	return chats < rooms ? chats : rooms;
}

uint64_t
history_count(const struct history *h, enum rooms rooms)
{
	return rooms == ROOMS_ONLY ? h->rooms.count : h->chats.count;
}

uint64_t
history_tail(const struct history *h)
{
	return h->tail.from;
}

uint64_t
history_kept(const struct history *h)
{
	return h->chats.count + h->rooms.count;
}

uint64_t
history_max_late(const struct history *h)
{
	return h->max_late;
}

/* --- reading --- */

static bool
read_one(void *arg, struct entry *e)
{
	history_page_add(arg, entry_ref(e));
	return true;
}

/* From that number up to the tail, a page of it. */
static void
read_page(struct history *h, uint64_t seq)
{
	struct store_query q = { .user = h->user,
		.from = seq,
		.to = h->tail.from,
		.limit = PAGE };
	struct err err = { "" };
	struct page *p = &h->read;

	history_page_clear(p);
	p->from = p->to = seq;
	mem_free_string(&h->trouble);
	if (store_read(h->store, &q, read_one, p, &err) == -1) {
		history_page_clear(p);
		h->trouble = mem_strdup(err.text);
		return;
	}
	p->to = p->count < PAGE ? h->tail.from :
				  p->entries[p->count - 1]->seq + 1;
}

struct entry *
history_from(struct history *h, uint64_t seq)
{
	struct entry *e;

	if (seq < history_floor(h))
		seq = history_floor(h);
	if (seq >= h->tail.from) {
		mem_free_string(&h->trouble);
		history_page_clear(&h->read);
		return page_from(&h->tail, seq);
	}
	if (seq < h->read.from || seq >= h->read.to)
		read_page(h, seq);
	if ((e = page_from(&h->read, seq)) != NULL || h->trouble != NULL)
		return e;
	return page_from(&h->tail, h->tail.from);
}

const char *
history_trouble(const struct history *h)
{
	return h->trouble;
}

struct entry *
history_at(struct history *h, uint64_t seq)
{
	struct entry *e = history_from(h, seq);

	return e != NULL && e->seq == seq ? e : NULL;
}

/* --- retention --- */

static bool
is_over(const struct kept *k, uint64_t count, uint64_t bytes)
{
	/* The newest stays whatever its size: followers have yet to take it. */
	return k->count > 1 && (k->count > count || k->bytes > bytes);
}

bool
history_is_over(const struct history *h, const struct history_limits *l)
{
	return is_over(&h->chats, l->chats, l->chat_bytes) ||
	    is_over(&h->rooms, l->rooms, l->chat_bytes);
}

/* false: it got no further. */
static bool
trim(struct history *h, struct kept *k, struct store_trim *what)
{
	struct store_trimmed gone = { 0 };
	struct err err = { "" };
	uint64_t from = k->from;

	what->user = h->user;
	what->from = k->from;
	if (what->max == 0)
		return false;
	if (store_trim(h->store, what, &gone, &err) == -1) {
		log_event(LEVEL_ERROR, "store", "not-trimmed", "reason=%s",
		    LOG_Q(err.text));
		return false;
	}
	k->from = gone.from;
	k->count -= gone.count < k->count ? gone.count : k->count;
	k->bytes -= gone.bytes < k->bytes ? gone.bytes : k->bytes;
	return gone.count > 0 || gone.from > from;
}

/* By count and size, then by age; the entries of the tail are committed by then. */
static bool
trim_kind(struct history *h, struct kept *k, enum rooms rooms, uint64_t count,
    uint64_t bytes, uint64_t before, uint64_t needed)
{
	struct store_trim what = { .rooms = rooms,
		.before = UINT64_MAX,
		.below = needed };
	bool more;

	if (k->count > count)
		what.max = k->count - count < TRIM ?
		    (unsigned)(k->count - count) :
		    TRIM;
	else if (is_over(k, count, bytes))
		what.max = 1;
	more = trim(h, k, &what) && is_over(k, count, bytes);
	what.max = TRIM;
	what.before = before;
	return (k->count > 0 && before > 0 && trim(h, k, &what)) || more;
}

/* What the store has deleted is not in memory either. */
static void
forget_trimmed(struct history *h)
{
	struct page *t = &h->tail;
	struct entry *e;
	size_t n = 0;

	history_page_clear(&h->read);
	for (size_t i = 0; i < t->count; i++) {
		e = t->entries[i];
		if (e->seq >= kept_of(h, e)->from) {
			t->entries[n++] = e;
			continue;
		}
		h->tail_bytes -= entry_size(e);
		entry_unref(&e);
	}
	t->count = n;
	if (t->from < history_floor(h))
		t->from = history_floor(h);
}

bool
history_trim(struct history *h, const struct history_limits *l)
{
	bool more;

	more = trim_kind(h, &h->chats, ROOMS_NOT, l->chats, l->chat_bytes,
	    l->chats_before, l->needed);
	more = trim_kind(h, &h->rooms, ROOMS_ONLY, l->rooms, l->chat_bytes,
		   l->rooms_before, l->needed) ||
	    more;
	forget_trimmed(h);
	return more;
}
