#include "core/blocklist.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "xmpp/jid.h"

#define GONE_MAX \
	256 /* that are blocked no more, for those who have not heard */

/* The table keeps the order of the last change. */
struct blocklist {
	struct blocked *items;
	size_t max, count, gone, wishes;
	enum block_place place;
	uint64_t changes, forgotten, cleared;
	const struct blocklist_keeper *keeper;
	void *keeper_arg;
};

/* --- life --- */

struct blocklist *
blocklist_new(size_t max)
{
	struct blocklist *l = mem_alloc(sizeof(*l));

	l->max = max;
	return l;
}

void
blocklist_free(struct blocklist **holder)
{
	struct blocklist *l = *holder;
	struct blocked *b, *tmp;

	*holder = NULL;
	if (l == NULL)
		return;
	HASH_ITER(hh, l->items, b, tmp) {
		HASH_DEL(l->items, b);
		free(b);
	}
	free(l);
}

/* In the order of the changes, whatever that of the disk is. */
static int
by_change(const struct blocked *a, const struct blocked *b)
{
	return a->change < b->change ? -1 : a->change > b->change;
}

void
blocklist_set_keeper(struct blocklist *l, const struct blocklist_keeper *keeper,
    void *arg)
{
	l->keeper = keeper;
	l->keeper_arg = arg;
	HASH_SORT(l->items, by_change);
}

bool
blocklist_is_kept(const struct blocklist *l)
{
	return l->keeper != NULL;
}

static void
keep_self(struct blocklist *l)
{
	if (l->keeper != NULL)
		l->keeper->self(l->keeper_arg);
}

static void
keep(struct blocklist *l, const struct blocked *b)
{
	if (l->keeper != NULL)
		l->keeper->item(l->keeper_arg, b);
}

/* --- the table --- */

static struct blocked *
find_len(const struct blocklist *l, const char *jid, size_t len)
{
	struct blocked *b;

	HASH_FIND(hh, l->items, jid, len, b);
	return b;
}

static struct blocked *
find(const struct blocklist *l, const char *jid)
{
	return find_len(l, jid, strlen(jid));
}

/* Into the counts, or with -1 out of them. */
static void
count(struct blocklist *l, const struct blocked *b, int n)
{
	l->count += (size_t)(b->is_blocked ? n : 0);
	l->wishes += (size_t)(b->wish != WISH_NONE ? n : 0);
	l->gone += (size_t)(!b->is_blocked && b->wish == WISH_NONE ? n : 0);
}

static void
drop(struct blocklist *l, struct blocked *b)
{
	count(l, b, -1);
	if (b->change > l->forgotten) {
		l->forgotten = b->change;
		keep_self(l);
	}
	if (l->keeper != NULL)
		l->keeper->forgotten(l->keeper_arg, b->jid);
	HASH_DEL(l->items, b);
	free(b);
}

/* The first is the one that changed longest ago. */
static void
forget_oldest(struct blocklist *l)
{
	struct blocked *b, *tmp;

	if (l->gone <= GONE_MAX)
		return;
	HASH_ITER(hh, l->items, b, tmp) {
		if (b->is_blocked || b->wish != WISH_NONE)
			continue;
		drop(l, b);
		return;
	}
}

static struct blocked *
make(struct blocklist *l, const char *jid)
{
	size_t len = strlen(jid);
	struct blocked *b = find(l, jid);

	if (b != NULL)
		return b;
	b = mem_alloc(sizeof(*b) + len + 1);
	memcpy(b->jid, jid, len + 1);
	HASH_ADD(hh, l->items, jid, len, b);
	l->gone++;
	return b;
}

/* It goes to the end of the table. */
static void
set(struct blocklist *l, struct blocked *b, bool is_blocked)
{
	count(l, b, -1);
	b->is_blocked = is_blocked;
	count(l, b, 1);
	b->since = is_blocked ? clock_wall() : 0;
	b->change = ++l->changes;
	HASH_DEL(l->items, b);
	HASH_ADD(hh, l->items, jid, strlen(b->jid), b);
	keep(l, b);
	keep_self(l);
	forget_oldest(l);
}

static bool
is_blocked(const struct blocked *b)
{
	return b != NULL && b->is_blocked;
}

bool
blocklist_has(const struct blocklist *l, const char *jid)
{
	return is_blocked(find(l, jid));
}

bool
blocklist_has_room(const struct blocklist *l, size_t count)
{
	return HASH_COUNT(l->items) - l->gone + count <= l->max;
}

bool
blocklist_add(struct blocklist *l, const char *jid)
{
	if (blocklist_has(l, jid) || l->count >= l->max)
		return false;
	set(l, make(l, jid), true);
	return true;
}

bool
blocklist_remove(struct blocklist *l, const char *jid)
{
	struct blocked *b = find(l, jid);

	if (!is_blocked(b))
		return false;
	set(l, b, false);
	return true;
}

/* Those that are not among them any more. */
static void
remove_others(struct blocklist *l, struct blocklist *wanted)
{
	struct blocked **all = mem_array(l->count, sizeof(*all));
	struct blocked *b, *tmp;
	size_t n = 0;

	/* What is set moves in the table, and others may go. */
	HASH_ITER(hh, l->items, b, tmp) {
		if (b->is_blocked && find(wanted, b->jid) == NULL)
			all[n++] = b;
	}
	for (size_t i = 0; i < n; i++)
		set(l, all[i], false);
	free(all);
}

int
blocklist_replace(struct blocklist *l, const char *const *jids, size_t count)
{
	struct blocklist *wanted;

	if (count > l->max)
		return -1;
	wanted = blocklist_new(count);
	for (size_t i = 0; i < count; i++)
		(void)make(wanted, jids[i]);
	remove_others(l, wanted);
	blocklist_free(&wanted);
	for (size_t i = 0; i < count; i++)
		(void)blocklist_add(l, jids[i]);
	return 0;
}

void
blocklist_note_cleared(struct blocklist *l)
{
	l->cleared = l->changes;
}

bool
blocklist_was_cleared(const struct blocklist *l)
{
	return l->count == 0 && l->cleared == l->changes;
}

size_t
blocklist_count(const struct blocklist *l)
{
	return l->count;
}

void
blocklist_each(const struct blocklist *l,
    void (*fn)(void *arg, const struct blocked *), void *arg)
{
	struct blocked *b, *tmp;

	HASH_ITER(hh, l->items, b, tmp)
		fn(arg, b);
}

const char **
blocklist_jids(const struct blocklist *l)
{
	const char **jids = mem_array(l->count, sizeof(*jids));
	struct blocked *b, *tmp;
	size_t n = 0;

	HASH_ITER(hh, l->items, b, tmp) {
		if (b->is_blocked)
			jids[n++] = b->jid;
	}
	return jids;
}

/* --- wishes --- */

static void
set_wish(struct blocklist *l, struct blocked *b, enum block_wish wish)
{
	count(l, b, -1);
	b->wish = wish;
	count(l, b, 1);
	keep(l, b);
}

bool
blocklist_wish(struct blocklist *l, const char *jid, enum block_wish wish)
{
	struct blocked *b = find(l, jid);

	if ((b == NULL || (!b->is_blocked && b->wish == WISH_NONE)) &&
	    !blocklist_has_room(l, 1))
		return false;
	b = make(l, jid);
	if (b->is_blocked != (wish == WISH_BLOCK))
		set(l, b, wish == WISH_BLOCK);
	set_wish(l, b, wish);
	return true;
}

void
blocklist_forget_wish(struct blocklist *l, const char *jid)
{
	struct blocked *b = find(l, jid);

	if (b != NULL && b->wish != WISH_NONE)
		set_wish(l, b, WISH_NONE);
}

/* --- matching --- */

static const struct blocked *
match_len(const struct blocklist *l, const char *jid, size_t len, bool wished)
{
	const struct blocked *b = find_len(l, jid, len);

	if (b == NULL || !b->is_blocked || (wished && b->wish != WISH_BLOCK))
		return NULL;
	return b;
}

const struct blocked *
blocklist_match(const struct blocklist *l, const char *jid, bool wished)
{
	const struct blocked *b;
	size_t bare = jid_bare_len(jid), domain;
	const char *at = jid_domain(jid, &domain);

	if (l->count == 0 || (wished && l->wishes == 0))
		return NULL;
	if ((b = match_len(l, jid, strlen(jid), wished)) != NULL ||
	    (b = match_len(l, jid, bare, wished)) != NULL)
		return b;
	return match_len(l, at, domain, wished);
}

/* --- changes --- */

enum block_place
blocklist_place(const struct blocklist *l)
{
	return l->place;
}

void
blocklist_set_place(struct blocklist *l, enum block_place place)
{
	if (l->place == place)
		return;
	l->place = place;
	keep_self(l);
}

uint64_t
blocklist_changes(const struct blocklist *l)
{
	return l->changes;
}

bool
blocklist_knows_since(const struct blocklist *l, uint64_t change)
{
	return change >= l->forgotten;
}

/* --- on disk --- */

void
blocklist_pack_item(const struct blocked *b, struct buf *out)
{
	pack_uint(out, b->is_blocked);
	pack_uint(out, b->wish);
	pack_uint(out, b->change);
	pack_uint(out, b->since);
}

void
blocklist_restore(struct blocklist *l, const char *jid, struct unpack *u)
{
	bool blocked = unpack_uint(u) != 0;
	enum block_wish wish = (enum block_wish)unpack_uint(u);
	uint64_t change = unpack_uint(u), since = unpack_uint(u);
	struct blocked *b;

	if (!unpack_is_good(u) || wish > WISH_UNBLOCK)
		return;
	b = make(l, jid);
	count(l, b, -1);
	b->is_blocked = blocked;
	b->wish = wish;
	b->change = change;
	b->since = since;
	count(l, b, 1);
}

void
blocklist_pack(const struct blocklist *l, struct buf *out)
{
	pack_uint(out, l->place);
	pack_uint(out, l->changes);
	pack_uint(out, l->forgotten);
}

void
blocklist_unpack(struct blocklist *l, struct unpack *u)
{
	uint64_t place = unpack_uint(u);
	uint64_t changes = unpack_uint(u), forgotten = unpack_uint(u);

	if (!unpack_is_good(u) || place > BLOCKS_HERE)
		return;
	l->place = (enum block_place)place;
	l->changes = changes;
	l->forgotten = forgotten;
}
