#include "core/roster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

/* An item that was removed, for those who have not heard of it. */
struct gone {
	TAILQ_ENTRY(gone) next;
	uint64_t change;
	char jid[];
};

struct roster {
	struct roster_item *items;
	TAILQ_HEAD(gone_list, gone) gone; /* by change */
	size_t gone_count, removals;      /* there are, there may be */
	uint64_t floor; /* the last removal that is forgotten */
	const struct roster_keeper *keeper;
	void *keeper_arg;
	size_t max;
	bool known;
	char *ver;
	uint64_t changes;
	const struct roster_item *latest; /* that change's; NULL: a removal's */
	uint64_t digest[2];               /* of all items, in whatever order */
	char own_ver[2 * 16 + 1];
};

/*
 * A number of changes would do only where each were on disk before a client hears of
 * it. This is a sum, so that one more item or less costs no more than itself.
 */
static void
digest(struct roster *r, const struct roster_item *item, bool is_there)
{
	static const uint64_t seeds[][2] = { { 1, 2 }, { 3, 4 } };
	uint64_t hash;

	if (item == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		hash = table_siphash(seeds[i], item->xml, strlen(item->xml));
		r->digest[i] += is_there ? hash : -hash;
	}
}

static void
keep_self(struct roster *r)
{
	if (r->keeper != NULL)
		r->keeper->self(r->keeper_arg);
}

static void
set_changed(struct roster *r)
{
	r->changes++;
	keep_self(r);
}

/* --- what was removed --- */

static struct gone *
gone_find(const struct roster *r, const char *jid)
{
	struct gone *g;

	TAILQ_FOREACH(g, &r->gone, next) {
		if (strcmp(g->jid, jid) == 0)
			return g;
	}
	return NULL;
}

static void
gone_drop(struct roster *r, struct gone *g)
{
	TAILQ_REMOVE(&r->gone, g, next);
	r->gone_count--;
	free(g);
}

static void
gone_forget_oldest(struct roster *r)
{
	struct gone *g = TAILQ_FIRST(&r->gone);

	if (r->keeper != NULL)
		r->keeper->forgotten(r->keeper_arg, g->jid);
	if (g->change > r->floor)
		r->floor = g->change;
	gone_drop(r, g);
}

/* From the store they come in any order. */
static void
gone_insert(struct roster *r, struct gone *g)
{
	struct gone *last = TAILQ_LAST(&r->gone, gone_list);

	while (last != NULL && last->change > g->change)
		last = TAILQ_PREV(last, gone_list, next);
	if (last == NULL)
		TAILQ_INSERT_HEAD(&r->gone, g, next);
	else
		TAILQ_INSERT_AFTER(&r->gone, last, g, next);
	r->gone_count++;
}

static void
gone_add(struct roster *r, const char *jid, uint64_t change)
{
	struct gone *g;
	size_t len = strlen(jid);

	g = mem_alloc(sizeof(*g) + len + 1);
	memcpy(g->jid, jid, len);
	g->change = change;
	gone_insert(r, g);
	if (r->gone_count > r->removals)
		gone_forget_oldest(r);
}

static void
note_removed(struct roster *r, const char *jid)
{
	gone_add(r, jid, r->changes + 1);
	r->latest = NULL;
	set_changed(r);
	if (r->keeper != NULL)
		r->keeper->item(r->keeper_arg, jid, NULL, r->changes);
}

static void
note_changed(struct roster *r, struct roster_item *item)
{
	struct gone *g = gone_find(r, item->jid);

	if (g != NULL)
		gone_drop(r, g);
	set_changed(r);
	r->latest = item;
	item->change = r->changes;
	if (r->keeper != NULL)
		r->keeper->item(r->keeper_arg, item->jid, item->xml,
		    item->change);
}

/* --- life --- */

struct roster *
roster_new(size_t max, size_t removals)
{
	struct roster *r;

	r = mem_alloc(sizeof(*r));
	r->max = max;
	r->removals = removals;
	TAILQ_INIT(&r->gone);
	set_changed(r);
	return r;
}

static void
item_remove(struct roster_item **table, struct roster_item *item)
{
	HASH_DEL(*table, item);
	free(item->jid);
	free(item->xml);
	free(item);
}

static void
items_free(struct roster_item **table)
{
	while (*table != NULL)
		item_remove(table, *table);
}

void
roster_free(struct roster **holder)
{
	struct roster *r = *holder;

	*holder = NULL;
	if (r == NULL)
		return;
	items_free(&r->items);
	while (!TAILQ_EMPTY(&r->gone))
		gone_drop(r, TAILQ_FIRST(&r->gone));
	free(r->ver);
	free(r);
}

bool
roster_is_known(const struct roster *r)
{
	return r->known;
}

const char *
roster_ver(const struct roster *r)
{
	return r->ver;
}

const char *
roster_own_ver(struct roster *r)
{
	snprintf(r->own_ver, sizeof(r->own_ver), "%016" PRIx64 "%016" PRIx64,
	    r->digest[0], r->digest[1]);
	return r->own_ver;
}

void
roster_set_ver(struct roster *r, const char *ver)
{
	char *old = r->ver;

	r->ver = mem_strdup(ver);
	if (!text_equals(old, ver))
		keep_self(r);
	free(old);
}

static struct roster_item *
find(struct roster_item *table, const char *jid)
{
	struct roster_item *item;

	HASH_FIND_STR(table, jid, item);
	return item;
}

enum subscription
roster_subscription(const char *s)
{
	if (text_equals(s, "both"))
		return SUB_BOTH;
	if (text_equals(s, "from"))
		return SUB_FROM;
	if (text_equals(s, "to"))
		return SUB_TO;
	return SUB_NONE;
}

/* NULL, and a line in the log, where it names no JID. */
static const char *
item_jid(const struct elem *e)
{
	const char *raw = elem_attr(e, "jid"), *jid = NULL;
	struct err err = { "no jid" };

	if (raw != NULL)
		jid = jid_prep(e->arena, raw, &err);
	if (jid == NULL)
		log_event(LEVEL_WARN, "roster", "item-skipped",
		    "jid=%s reason=%s", LOG_Q(raw), LOG_Q(err.text));
	return jid;
}

static bool
is_removal(const struct elem *e)
{
	return text_equals(elem_attr(e, "subscription"), "remove");
}

/* Adds or replaces; an item keeps its place. False where it was the same. */
static bool
item_set(struct roster_item **table, const char *jid, const char *xml,
    enum subscription subscription)
{
	struct roster_item *item = find(*table, jid);

	if (item == NULL) {
		item = mem_alloc(sizeof(*item));
		item->jid = mem_strdup(jid);
		HASH_ADD_KEYPTR(hh, *table, item->jid, strlen(item->jid), item);
	} else if (strcmp(item->xml, xml) == 0) {
		return false;
	}
	free(item->xml);
	item->xml = mem_strdup(xml);
	item->subscription = subscription;
	return true;
}

static bool
item_put(struct roster_item **table, const char *jid, const struct elem *e)
{
	struct buf xml = { 0 };
	bool differs;

	elem_write(&xml, e, NS_ROSTER);
	differs = item_set(table, jid, xml.data,
	    roster_subscription(elem_attr(e, "subscription")));
	buf_free(&xml);
	return differs;
}

/* Builds a table of a whole roster. -1 and NULL: more than max. */
static int
load_items(struct roster_item **table, const struct elem *query, size_t max)
{
	const char *jid;

	*table = NULL;
	ELEM_EACH(e, query) {
		if (!elem_is(e, NS_ROSTER, "item") || is_removal(e))
			continue;
		if ((jid = item_jid(e)) == NULL)
			continue;
		item_put(table, jid, e);
		if (HASH_COUNT(*table) > max) {
			items_free(table);
			return -1;
		}
	}
	return 0;
}

/* Items that did not change keep the number of their change. */
static void
compare(struct roster *r, struct roster_item *old, struct roster_item *now)
{
	struct roster_item *item, *other;

	for (item = old; item != NULL; item = item->hh.next) {
		if (find(now, item->jid) == NULL)
			note_removed(r, item->jid);
	}
	for (item = now; item != NULL; item = item->hh.next) {
		other = find(old, item->jid);
		if (other != NULL && strcmp(item->xml, other->xml) == 0)
			item->change = other->change;
		else
			note_changed(r, item);
	}
}

int
roster_load(struct roster *r, const struct elem *query)
{
	struct roster_item *items, *item;

	if (load_items(&items, query, r->max) < 0)
		return -1;
	r->known = true;
	r->latest = NULL;
	compare(r, r->items, items);
	items_free(&r->items);
	r->items = items;
	memset(r->digest, 0, sizeof(r->digest));
	for (item = items; item != NULL; item = item->hh.next)
		digest(r, item, true);
	roster_set_ver(r, elem_attr(query, "ver"));
	keep_self(r);
	return 0;
}

static bool
put(struct roster *r, const char *jid, const struct elem *e)
{
	bool differs;

	digest(r, find(r->items, jid), false);
	differs = item_put(&r->items, jid, e);
	digest(r, find(r->items, jid), true);
	return differs;
}

static int
push_item(struct roster *r, const struct elem *e, const char *jid)
{
	struct roster_item *known = find(r->items, jid);

	if (is_removal(e)) {
		(void)roster_drop(r, jid);
		return 0;
	}
	if (known == NULL && HASH_COUNT(r->items) >= r->max)
		return -1;
	if (put(r, jid, e))
		note_changed(r, find(r->items, jid));
	return 0;
}

int
roster_push(struct roster *r, const struct elem *query)
{
	const struct elem *item = elem_find(query, NS_ROSTER, "item");
	const char *jid, *ver = elem_attr(query, "ver");

	/* Exactly one (RFC 6121 2.1.6). */
	if (item == NULL || elem_next(item) != NULL)
		return -1;
	if ((jid = item_jid(item)) == NULL || push_item(r, item, jid) < 0)
		return -1;
	if (ver != NULL)
		roster_set_ver(r, ver);
	return 0;
}

bool
roster_put(struct roster *r, const char *jid, const char *xml,
    enum subscription subscription)
{
	bool differs;

	digest(r, find(r->items, jid), false);
	differs = item_set(&r->items, jid, xml, subscription);
	digest(r, find(r->items, jid), true);
	if (!differs)
		return false;
	note_changed(r, find(r->items, jid));
	return true;
}

bool
roster_drop(struct roster *r, const char *jid)
{
	struct roster_item *known = find(r->items, jid);

	if (known == NULL)
		return false;
	note_removed(r, jid);
	digest(r, known, false);
	item_remove(&r->items, known);
	return true;
}

const struct roster_item *
roster_find(const struct roster *r, const char *jid)
{
	return find(r->items, jid);
}

size_t
roster_count(const struct roster *r)
{
	return HASH_COUNT(r->items);
}

void
roster_write(const struct roster *r, struct buf *out)
{
	const struct roster_item *item;

	for (item = r->items; item != NULL; item = item->hh.next)
		buf_puts(out, item->xml);
}

static enum subscription
subscription_of(const struct roster *r, const char *bare)
{
	const struct roster_item *item = find(r->items, bare);

	return item == NULL ? SUB_NONE : item->subscription;
}

void
roster_each(const struct roster *r,
    void (*fn)(void *arg, const struct roster_item *), void *arg)
{
	struct roster_item *item, *tmp;

	HASH_ITER(hh, r->items, item, tmp)
		fn(arg, item);
}

bool
roster_sees_us(const struct roster *r, const char *bare)
{
	enum subscription s = subscription_of(r, bare);

	return s == SUB_FROM || s == SUB_BOTH;
}

/* --- for what is kept on disk --- */

void
roster_set_keeper(struct roster *r, const struct roster_keeper *keeper,
    void *arg)
{
	r->keeper = keeper;
	r->keeper_arg = arg;
}

void
roster_restore_item(struct roster *r, const char *jid, const char *xml,
    uint64_t change)
{
	struct arena *arena;
	struct elem *e;

	if (xml == NULL) {
		gone_add(r, jid, change);
		return;
	}
	arena = arena_new();
	e = xml_parse_own(arena, xml, strlen(xml), NS_ROSTER);
	if (e != NULL && put(r, jid, e))
		find(r->items, jid)->change = change;
	arena_free(&arena);
}

void
roster_pack(const struct roster *r, struct buf *b)
{
	pack_uint(b, r->known);
	pack_string(b, r->ver);
	pack_uint(b, r->changes);
	pack_uint(b, r->floor);
}

void
roster_unpack(struct roster *r, struct unpack *u)
{
	bool known = unpack_uint(u) != 0;
	char *ver = unpack_string(u);
	uint64_t changes = unpack_uint(u), floor = unpack_uint(u);

	if (!unpack_is_good(u)) {
		free(ver);
		return;
	}
	r->known = known;
	free(r->ver);
	r->ver = ver;
	r->changes = changes;
	r->floor = floor;
}

uint64_t
roster_changes(const struct roster *r)
{
	return r->changes;
}

bool
roster_can_tell(const struct roster *r, uint64_t change)
{
	return change >= r->floor && change <= r->changes;
}

void
roster_each_since(const struct roster *r, uint64_t change,
    void (*fn)(void *arg, const char *jid, const char *xml), void *arg)
{
	const struct roster_item *item;
	const struct gone *g;

	/* As it is after each push, for each session. */
	if (r->latest != NULL && change + 1 == r->changes) {
		fn(arg, r->latest->jid, r->latest->xml);
		return;
	}
	for (item = r->items; item != NULL; item = item->hh.next) {
		if (item->change > change)
			fn(arg, item->jid, item->xml);
	}
	TAILQ_FOREACH(g, &r->gone, next) {
		if (g->change > change)
			fn(arg, g->jid, NULL);
	}
}
