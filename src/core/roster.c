#include "core/roster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

struct request {
	char *xml;
	UT_hash_handle hh;
	char bare[];
};

/* Both tables keep the order in which their members were added. */
struct roster {
	struct roster_item *items;
	struct request *requests;
	size_t max;
	bool known;
	char *ver;
	char boot[RANDOM_ID_SIZE];
	uint64_t changes;
	char own_ver[RANDOM_ID_SIZE + 24];
};

static void
set_changed(struct roster *r)
{
	snprintf(r->own_ver, sizeof(r->own_ver), "%s-%" PRIu64, r->boot,
	    ++r->changes);
}

struct roster *
roster_new(size_t max)
{
	struct roster *r;

	r = mem_alloc(sizeof(*r));
	r->max = max;
	random_id(r->boot);
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

static void
request_remove(struct roster *r, struct request *q)
{
	HASH_DEL(r->requests, q);
	free(q->xml);
	free(q);
}

void
roster_free(struct roster **holder)
{
	struct roster *r = *holder;

	*holder = NULL;
	if (r == NULL)
		return;
	items_free(&r->items);
	while (r->requests != NULL)
		request_remove(r, r->requests);
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
roster_own_ver(const struct roster *r)
{
	return r->own_ver;
}

void
roster_set_ver(struct roster *r, const char *ver)
{
	char *old = r->ver;

	r->ver = mem_strdup(ver);
	free(old);
}

static struct roster_item *
find(struct roster_item *table, const char *jid)
{
	struct roster_item *item;

	HASH_FIND_STR(table, jid, item);
	return item;
}

/* What is missing or unknown counts as none (RFC 6121 2.1.2.5). */
static enum subscription
parse_subscription(const char *s)
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
item_put(struct roster_item **table, const char *jid, const struct elem *e)
{
	struct roster_item *item;
	struct buf xml = { 0 };

	elem_write(&xml, e, NS_ROSTER);
	if ((item = find(*table, jid)) == NULL) {
		item = mem_alloc(sizeof(*item));
		item->jid = mem_strdup(jid);
		HASH_ADD_KEYPTR(hh, *table, item->jid, strlen(item->jid), item);
	} else if (strcmp(item->xml, xml.data) == 0) {
		buf_free(&xml);
		return false;
	}
	free(item->xml);
	item->xml = buf_take(&xml);
	item->subscription = parse_subscription(elem_attr(e, "subscription"));
	return true;
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

static bool
is_same(struct roster_item *a, struct roster_item *b)
{
	const struct roster_item *item, *other;

	if (HASH_COUNT(a) != HASH_COUNT(b))
		return false;
	for (item = a; item != NULL; item = item->hh.next) {
		other = find(b, item->jid);
		if (other == NULL || strcmp(item->xml, other->xml) != 0)
			return false;
	}
	return true;
}

int
roster_load(struct roster *r, const struct elem *query)
{
	struct roster_item *items;

	if (load_items(&items, query, r->max) < 0)
		return -1;
	if (!is_same(r->items, items))
		set_changed(r);
	items_free(&r->items);
	r->items = items;
	r->known = true;
	roster_set_ver(r, elem_attr(query, "ver"));
	return 0;
}

static int
push_item(struct roster *r, const struct elem *e, const char *jid)
{
	struct roster_item *known = find(r->items, jid);

	if (is_removal(e)) {
		if (known != NULL) {
			item_remove(&r->items, known);
			set_changed(r);
		}
		return 0;
	}
	if (known == NULL && HASH_COUNT(r->items) >= r->max)
		return -1;
	if (item_put(&r->items, jid, e))
		set_changed(r);
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

static struct request *
request_find(const struct roster *r, const char *bare)
{
	struct request *q;

	HASH_FIND(hh, r->requests, bare, strlen(bare), q);
	return q;
}

static struct request *
request_make(struct roster *r, const char *bare)
{
	struct request *q;
	size_t len = strlen(bare);

	if ((q = request_find(r, bare)) != NULL)
		return q;
	if (HASH_COUNT(r->requests) >= r->max)
		return NULL;
	q = mem_alloc(sizeof(*q) + len + 1);
	memcpy(q->bare, bare, len);
	HASH_ADD(hh, r->requests, bare, len, q);
	return q;
}

bool
roster_request_add(struct roster *r, const char *bare,
    const struct elem *presence)
{
	struct request *q;
	struct buf xml = { 0 };

	if ((q = request_make(r, bare)) == NULL)
		return false;
	elem_write(&xml, presence, NS_CLIENT);
	free(q->xml);
	q->xml = buf_take(&xml);
	return true;
}

bool
roster_request_remove(struct roster *r, const char *bare)
{
	struct request *q;

	if ((q = request_find(r, bare)) == NULL)
		return false;
	request_remove(r, q);
	return true;
}

void
roster_request_each(const struct roster *r,
    void (*fn)(void *arg, const char *bare, const char *xml), void *arg)
{
	struct request *q, *next;

	HASH_ITER(hh, r->requests, q, next)
		fn(arg, q->bare, q->xml);
}
