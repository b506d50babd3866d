#include "core/event_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "core/user.h"

struct events *
events_new(struct user *u)
{
	struct events *all = mem_alloc(sizeof(*all));

	all->user = u;
	all->last = 1;
	TAILQ_INIT(&all->all);
	return all;
}

/* --- nodes --- */

struct event_node *
event_node_find(const struct events *all, uint64_t account,
    const char *publisher, const char *name)
{
	char *key = mem_printf("%" PRIu64 " %s %s", account, publisher, name);
	struct event_node *n;

	HASH_FIND_STR(all->nodes, key, n);
	free(key);
	return n;
}

static struct event_publisher *
find_publisher(struct events *all, uint64_t account, const char *jid)
{
	char *key = mem_printf("%" PRIu64 " %s", account, jid);
	struct event_publisher *p;
	size_t len = strlen(key);

	HASH_FIND(hh, all->publishers, key, len, p);
	if (p == NULL) {
		p = mem_alloc(sizeof(*p) + len + 1);
		memcpy(p->key, key, len);
		TAILQ_INIT(&p->events);
		HASH_ADD_STR(all->publishers, key, p);
	}
	free(key);
	return p;
}

static struct event_node *
add_node(struct events *all, uint64_t account, const char *publisher,
    const char *name)
{
	char *key = mem_printf("%" PRIu64 " %s %s", account, publisher, name);
	size_t len = strlen(key);
	struct event_node *n = mem_alloc(sizeof(*n) + len + 1);

	memcpy(n->key, key, len);
	free(key);
	n->account = account;
	n->publisher = mem_strdup(publisher);
	n->name = mem_strdup(name);
	n->by = find_publisher(all, account, publisher);
	TAILQ_INIT(&n->events);
	HASH_ADD_STR(all->nodes, key, n);
	return n;
}

static void
drop_node(struct events *all, struct event_node *n)
{
	HASH_DEL(all->nodes, n);
	free(n->publisher);
	free(n->name);
	free(n);
}

const struct event *
event_last(const struct event_node *n)
{
	const struct event *e;

	TAILQ_FOREACH_REVERSE(e, &n->events, event_list, of_node) {
		if (e->kind == EVENT_ITEMS)
			return e;
	}
	return NULL;
}

bool
event_says_same(const struct event *a, const struct event *b)
{
	return a->kind == b->kind &&
	    memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

struct event *
event_find(const struct event_node *n, const char *item)
{
	struct event *e;

	TAILQ_FOREACH(e, &n->events, of_node) {
		if (strcmp(e->item, item) == 0)
			return e;
	}
	return NULL;
}

/* --- keeping --- */

static size_t
size_of(const struct event *e)
{
	return sizeof(*e) + strlen(e->item) + entry_size(e->entry);
}

static void
unlink_from_publisher(struct events *all, struct event *e)
{
	struct event_publisher *p = e->node->by;

	TAILQ_REMOVE(&p->events, e, of_publisher);
	p->bytes -= size_of(e);
	if (--p->count > 0)
		return;
	HASH_DEL(all->publishers, p);
	free(p);
}

static void
unlink_event(struct events *all, struct event *e)
{
	struct event_node *n = e->node;

	all->count--;
	all->bytes -= size_of(e);
	unlink_from_publisher(all, e);
	TAILQ_REMOVE(&all->all, e, by_number);
	TAILQ_REMOVE(&n->events, e, of_node);
	if (--n->count == 0)
		drop_node(all, n);
	entry_unref(&e->entry);
	free(e->item);
	free(e);
}

/* In the order of their numbers, so that they are read in it. */
static void
key_of(unsigned char key[8], uint64_t number)
{
	for (int i = 0; i < 8; i++)
		key[i] = (unsigned char)(number >> (56 - 8 * i));
}

static void
drop_event(struct events *all, struct event *e)
{
	struct proxy *proxy = all->user->proxy;
	unsigned char key[8];

	key_of(key, e->number);
	batch_delete(&proxy->batch, STATE_EVENT, e->entry->account, key,
	    sizeof(key));
	turn_touch(proxy);
	unlink_event(all, e);
}

static void
save(struct events *all, const struct event *e)
{
	struct proxy *proxy = all->user->proxy;
	const struct entry *entry = e->entry;
	struct buf b = { 0 };
	unsigned char key[8];

	key_of(key, e->number);
	pack_string(&b, e->node->name);
	pack_string(&b, e->item);
	pack_uint(&b, e->kind);
	pack_bytes(&b, e->hash, sizeof(e->hash));
	pack_string(&b, entry->peer);
	pack_string(&b, entry->local);
	pack_uint(&b, entry->type);
	pack_string(&b, entry->id);
	pack_string(&b, entry->lang);
	pack_uint(&b, entry->time);
	pack_uint(&b, entry->has_delay);
	pack_uint(&b, entry->addresses);
	pack_bytes(&b, blob_data(entry->body), blob_len(entry->body));
	pack_uint(&b, e->replaced);
	batch_put(&proxy->batch, STATE_EVENT, entry->account, key, sizeof(key),
	    b.data, b.len);
	turn_touch(proxy);
	buf_free(&b);
}

/* Takes the entry; the number is higher than that of all of the account. */
static struct event *
add(struct events *all, struct event_node *n, uint64_t number,
    const struct event_what *what, struct entry *entry)
{
	struct event *e = mem_alloc(sizeof(*e)), *before;

	e->node = n;
	e->number = number;
	e->kind = what->kind;
	e->item = mem_strdup(what->item);
	memcpy(e->hash, what->hash, sizeof(e->hash));
	e->entry = entry;
	n->count++;
	all->count++;
	all->bytes += size_of(e);
	TAILQ_INSERT_TAIL(&n->events, e, of_node);
	n->by->count++;
	n->by->bytes += size_of(e);
	TAILQ_INSERT_TAIL(&n->by->events, e, of_publisher);
	before = TAILQ_LAST(&all->all, event_list);
	while (before != NULL && before->number > number)
		before = TAILQ_PREV(before, event_list, by_number);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&all->all, before, e, by_number);
	else
		TAILQ_INSERT_HEAD(&all->all, e, by_number);
	if (number > all->last)
		all->last = number;
	return e;
}

/* One of a publisher who has much of it, else the oldest. */
static struct event *
first_to_go(struct events *all, const struct event_publisher *by)
{
	const struct limits *l = &all->user->proxy->config->limits;

	return by->count > l->events / EVENTS_SHARE ||
		by->bytes > l->event_bytes / EVENTS_SHARE ?
	    TAILQ_FIRST(&by->events) :
	    TAILQ_FIRST(&all->all);
}

/* The one that was just added stays. */
static void
keep_limits(struct events *all, const struct event_node *n, unsigned most)
{
	const struct limits *l = &all->user->proxy->config->limits;

	while (n->count > most)
		drop_event(all, TAILQ_FIRST(&n->events));
	while (all->count > 1 &&
	    (all->count > l->events || all->bytes > l->event_bytes))
		drop_event(all, first_to_go(all, n->by));
}

static void
replace(struct events *all, struct event *e, struct event *before)
{
	uint64_t number = event_says_same(e, before) ? before->replaced :
						       before->number;

	if (number > e->replaced)
		e->replaced = number;
	drop_event(all, before);
}

/* What it stands for now is said by this one. */
static void
drop_replaced(struct events *all, struct event_node *n, struct event *e)
{
	struct event *before;

	if (e->kind == EVENT_NODE) {
		while (n->count > 1)
			replace(all, e, TAILQ_FIRST(&n->events));
		return;
	}
	before = event_find(n, e->item);
	if (before != e)
		replace(all, e, before);
}

void
event_keep(struct events *all, struct entry *entry,
    const struct event_what *what, unsigned most)
{
	struct event_node *n;
	struct event *e;

	n = event_node_find(all, entry->account, entry->peer, what->node);
	if (n == NULL)
		n = add_node(all, entry->account, entry->peer, what->node);
	e = add(all, n, all->last + 1, what, entry);
	drop_replaced(all, n, e);
	save(all, e);
	keep_limits(all, n, most);
}

const struct event *
event_after(const struct events *all, uint64_t number)
{
	const struct event *e = TAILQ_LAST(&all->all, event_list),
			   *first = NULL;

	while (e != NULL && e->number > number) {
		first = e;
		e = TAILQ_PREV(e, event_list, by_number);
	}
	return first;
}

void
events_drop_own(struct account *a, const char *node)
{
	struct events *all = a->user->events;
	struct event_node *n = event_node_find(all, a->id, a->jid, node);
	struct event *e = n != NULL ? TAILQ_FIRST(&n->events) : NULL, *next;

	/* The node goes with its last one. */
	for (; e != NULL; e = next) {
		next = TAILQ_NEXT(e, of_node);
		if (e->kind == EVENT_ITEMS)
			drop_event(all, e);
	}
}

/* --- from disk --- */

static struct entry *
unpack_entry(const struct account *a, struct unpack *v)
{
	struct entry *entry = entry_new();
	const void *bytes;
	size_t len;

	entry->account = a->id;
	entry->class = CLASS_LIVE;
	entry->is_event = true;
	entry->peer = unpack_string(v);
	entry->local = unpack_string(v);
	entry->type = (enum stanza_type)unpack_uint(v);
	entry->id = unpack_string(v);
	entry->lang = unpack_string(v);
	entry->time = unpack_uint(v);
	entry->has_delay = unpack_uint(v) != 0;
	entry->addresses = (unsigned)unpack_uint(v);
	bytes = unpack_bytes(v, &len);
	entry->body = blob_new(bytes, len);
	return entry;
}

static void
unpack_event(struct account *a, uint64_t number, struct unpack *v)
{
	struct events *all = a->user->events;
	char *name = unpack_string(v), *item = unpack_string(v);
	struct event_what what = { .node = name, .item = item };
	struct entry *entry;
	struct event_node *n;
	uint64_t replaced;
	const void *hash;
	size_t len;

	what.kind = (enum event_kind)unpack_uint(v);
	hash = unpack_bytes(v, &len);
	if (len == sizeof(what.hash))
		memcpy(what.hash, hash, len);
	entry = unpack_entry(a, v);
	replaced = unpack_uint(v);
	if (!unpack_is_good(v) || entry->peer == NULL || name == NULL ||
	    item == NULL) {
		entry_unref(&entry);
	} else {
		n = event_node_find(all, a->id, entry->peer, name);
		if (n == NULL)
			n = add_node(all, a->id, entry->peer, name);
		add(all, n, number, &what, entry)->replaced = replaced;
	}
	free(name);
	free(item);
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	const unsigned char *bytes = key;
	uint64_t number = 0;
	struct unpack v;

	for (size_t i = 0; i < key_len; i++)
		number = number << 8 | bytes[i];
	unpack_init(&v, value, len);
	unpack_event(arg, number, &v);
}

void
events_load(struct account *a)
{
	user_load_state(a->user, STATE_EVENT, a->id, load, a);
}

void
events_forget(struct account *a)
{
	struct events *all = a->user->events;
	struct event *e, *next;

	for (e = TAILQ_FIRST(&all->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, by_number);
		if (e->node->account == a->id)
			unlink_event(all, e);
	}
}

void
events_free(struct events **holder)
{
	struct events *all = *holder;
	struct event *e;

	if (all == NULL)
		return;
	while ((e = TAILQ_FIRST(&all->all)) != NULL)
		unlink_event(all, e);
	free(all);
	*holder = NULL;
}
