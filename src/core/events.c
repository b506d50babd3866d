#include "core/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/table.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/features.h"
#include "core/proxy.h"
#include "core/render.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/user.h"

/* A busy node costs nobody else's. */
#define PER_NODE 16
/* So late an event says when it was. */
#define LATE_MS 10000

struct event {
	TAILQ_ENTRY(event) by_number, of_node;
	struct node *node;
	uint64_t number;
	enum event_kind kind;
	char *item;
	unsigned char hash[SHA1_SIZE];
	struct entry *entry;
};
TAILQ_HEAD(event_list, event);

struct node {
	UT_hash_handle hh;
	struct event_list events; /* the oldest first */
	unsigned count;
	uint64_t account;
	char *publisher, *name;
	char key[];
};

struct events {
	struct user *user;
	struct event_list all; /* the oldest first */
	struct node *nodes;
	size_t count, bytes;
	uint64_t last; /* number; the first event has the second one */
};

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

static struct node *
find_node(const struct events *all, uint64_t account, const char *publisher,
    const char *name)
{
	char *key = mem_printf("%" PRIu64 " %s %s", account, publisher, name);
	struct node *n;

	HASH_FIND_STR(all->nodes, key, n);
	free(key);
	return n;
}

static struct node *
add_node(struct events *all, uint64_t account, const char *publisher,
    const char *name)
{
	char *key = mem_printf("%" PRIu64 " %s %s", account, publisher, name);
	size_t len = strlen(key);
	struct node *n = mem_alloc(sizeof(*n) + len + 1);

	memcpy(n->key, key, len);
	free(key);
	n->account = account;
	n->publisher = mem_strdup(publisher);
	n->name = mem_strdup(name);
	TAILQ_INIT(&n->events);
	HASH_ADD_STR(all->nodes, key, n);
	return n;
}

static void
drop_node(struct events *all, struct node *n)
{
	HASH_DEL(all->nodes, n);
	free(n->publisher);
	free(n->name);
	free(n);
}

/* What a late joiner gets; NULL: all of it was taken back. */
static const struct event *
last_of(const struct node *n)
{
	const struct event *e;

	TAILQ_FOREACH_REVERSE(e, &n->events, event_list, of_node) {
		if (e->kind == EVENT_ITEMS)
			return e;
	}
	return NULL;
}

static struct event *
find_item(const struct node *n, const char *item)
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
unlink_event(struct events *all, struct event *e)
{
	struct node *n = e->node;

	all->count--;
	all->bytes -= size_of(e);
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
	batch_put(&proxy->batch, STATE_EVENT, entry->account, key, sizeof(key),
	    b.data, b.len);
	turn_touch(proxy);
	buf_free(&b);
}

/* Takes the entry; the number is higher than that of all of the account. */
static struct event *
add(struct events *all, struct node *n, uint64_t number,
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

/* The one that was just added stays. */
static void
keep_limits(struct events *all, const struct node *n)
{
	const struct limits *l = &all->user->proxy->config->limits;

	while (n->count > PER_NODE)
		drop_event(all, TAILQ_FIRST(&n->events));
	while (all->count > 1 &&
	    (all->count > l->events || all->bytes > l->event_bytes))
		drop_event(all, TAILQ_FIRST(&all->all));
}

/* What it stands for now is said by this one. */
static void
drop_replaced(struct events *all, struct node *n, const struct event_what *what)
{
	struct event *e;

	if (what->kind == EVENT_NODE) {
		while (n->count > 1)
			drop_event(all, TAILQ_FIRST(&n->events));
		return;
	}
	e = find_item(n, what->item);
	if (e != TAILQ_LAST(&n->events, event_list))
		drop_event(all, e);
}

static void
keep(struct events *all, struct entry *entry, const struct event_what *what)
{
	struct node *n;
	struct event *e;

	n = find_node(all, entry->account, entry->peer, what->node);
	if (n == NULL)
		n = add_node(all, entry->account, entry->peer, what->node);
	e = add(all, n, all->last + 1, what, entry);
	save(all, e);
	drop_replaced(all, n, what);
	keep_limits(all, n);
}

/* --- who gets it --- */

static bool
is_own(const struct account *a, const char *publisher)
{
	return strcmp(a->jid, publisher) == 0;
}

/* PEP 4.1: who has the publisher's presence has the events. */
static bool
has_presence_of(const struct account *a, const char *publisher)
{
	const struct roster_item *item = roster_find(a->roster, publisher);

	return item != NULL &&
	    (item->subscription == SUB_TO || item->subscription == SUB_BOTH);
}

/* XEP-0060 6.1: for a node that is open to all no presence is needed. */
static bool
has_subscribed(const struct session *s, const struct account *a,
    const char *publisher, const char *node)
{
	char *key = mem_printf("%s %s", publisher, node);
	uint64_t id = 0;

	(void)recent_get(a->subscribers, key, &id);
	free(key);
	return id == s->id;
}

/*
 * Of the own events those of the default account alone reach node view: two lists of
 * devices under one JID would be rewritten by clients for ever.
 */
static bool
may_see(const struct session *s, const struct account *a, const char *publisher)
{
	if (!session_sees(s, a))
		return false;
	return s->account != NULL || !is_own(a, publisher) ||
	    a == user_default_account(s->user);
}

static bool
asks_for(const struct session *s, const struct account *a,
    const char *publisher, const char *node)
{
	if (!may_see(s, a, publisher))
		return false;
	return features_wants(s->features, node) ||
	    has_subscribed(s, a, publisher, node);
}

/* Node view hears of a contact of two accounts through the one that was first. */
static bool
came_before(const struct session *s, const struct event *e)
{
	const struct node *n;
	const struct event *other;
	const struct account *a;

	if (s->account != NULL)
		return false;
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (a->id == e->node->account)
			continue;
		n = find_node(s->user->events, a->id, e->node->publisher,
		    e->node->name);
		other = n != NULL ? find_item(n, e->item) : NULL;
		if (other != NULL && other->number < e->number &&
		    other->kind == e->kind &&
		    memcmp(other->hash, e->hash, sizeof(e->hash)) == 0)
			return true;
	}
	return false;
}

/* It was there before the session was. */
static bool
is_old(const struct session *s, const struct event *e)
{
	return e->number <= s->events_joined;
}

static bool
is_for(const struct session *s, const struct account *a, const struct event *e)
{
	const struct node *n = e->node;

	if (!asks_for(s, a, n->publisher, n->name))
		return false;
	if (is_old(s, e) &&
	    (e != last_of(n) || features_wants(s->events_had, n->name)))
		return false;
	if (!is_own(a, n->publisher) && !has_presence_of(a, n->publisher))
		return false;
	return !came_before(s, e);
}

static void
send_event(struct session *s, struct account *a, struct entry *entry, bool is_late)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "deliver",
		    "peer=%s form=event reason=\"it asks for that node\"",
		    LOG_Q(entry->peer));
	render_send(s, a, entry, FORM_PLAIN, is_late && !entry->has_delay);
}

static void
look_at(struct session *s, const struct event *e)
{
	struct account *a = user_find_account(s->user, e->node->account);

	if (a == NULL || !is_for(s, a, e))
		return;
	send_event(s, a, e->entry,
	    is_old(s, e) || clock_wall() > e->entry->time + LATE_MS);
	s->events_number = s->sm.out;
}

/* Mostly there are few behind it. */
static struct event *
first_after(const struct events *all, uint64_t number)
{
	struct event *e = TAILQ_LAST(&all->all, event_list), *first = NULL;

	while (e != NULL && e->number > number) {
		first = e;
		e = TAILQ_PREV(e, event_list, by_number);
	}
	return first;
}

void
events_follow(struct session *s)
{
	const struct events *all = s->user->events;
	const struct event *e;

	if (s->closing || s->asleep || !s->available)
		return;
	if (s->events_told == 0)
		s->events_joined = all->last;
	e = first_after(all, s->events_told);
	for (; e != NULL; e = TAILQ_NEXT(e, by_number)) {
		if (!session_has_room(s))
			return;
		s->events_told = e->number;
		look_at(s, e);
		if (s->closing)
			return;
	}
	s->events_told = all->last;
	features_unref(&s->events_had);
}

void
events_features_changed(struct session *s, struct features *before)
{
	/* In the midst of the first ones it begins anew. */
	if (s->events_told >= s->events_joined && s->events_told != 0) {
		features_unref(&s->events_had);
		s->events_had = features_ref(before);
	}
	s->events_told = 0;
}

void
events_rewind(struct session *s)
{
	features_unref(&s->events_had);
	s->events_told = s->events_got = 0;
}

void
events_restore(struct session *s, uint64_t got)
{
	struct events *all = s->user->events;

	s->events_told = s->events_got = got;
	/* The last ones may have been dropped. */
	if (got > all->last)
		all->last = got;
}

/* --- what comes --- */

/* To those that are there, now or never. */
static void
pass(struct account *a, struct entry *entry, const struct event_what *what)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->available && session_has_room(s) &&
		    asks_for(s, a, entry->peer, what->node))
			send_event(s, a, entry, false);
	}
}

static bool
is_worth_keeping(const struct account *a, const struct entry *entry,
    const struct event_what *what)
{
	uint64_t most = a->user->proxy->config->limits.event_bytes;

	return what->kind != EVENT_PASSING &&
	    entry_size(entry) <= most / PER_NODE &&
	    (is_own(a, entry->peer) || has_presence_of(a, entry->peer));
}

/*
 * A server says again what was last, on a new stream or to a new resource. Then it is the
 * last: whatever came after it was taken back where we did not see it.
 */
static bool
is_known(const struct account *a, const struct entry *entry,
    const struct event_what *what)
{
	struct node *n;
	struct event *e;

	n = find_node(a->user->events, a->id, entry->peer, what->node);
	e = n != NULL ? find_item(n, what->item) : NULL;
	if (e == NULL || *e->item == '\0' || e->kind != EVENT_ITEMS ||
	    what->kind != EVENT_ITEMS ||
	    memcmp(e->hash, what->hash, sizeof(e->hash)) != 0)
		return false;
	TAILQ_REMOVE(&n->events, e, of_node);
	TAILQ_INSERT_TAIL(&n->events, e, of_node);
	return true;
}

const char *
events_take(struct account *a, struct entry *entry,
    const struct event_what *what)
{
	struct session *s;

	if (!is_worth_keeping(a, entry, what)) {
		pass(a, entry, what);
		entry_unref(&entry);
		return "an event that is not kept, to those that ask for it";
	}
	if (is_known(a, entry, what)) {
		entry_unref(&entry);
		return "an event that is known";
	}
	keep(a->user->events, entry, what);
	LIST_FOREACH(s, &a->user->sessions, next)
		events_follow(s);
	return "an event, to those that ask for it";
}

bool
events_has_own(const struct account *a, const char *node)
{
	return find_node(a->user->events, a->id, a->jid, node) != NULL;
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
	struct node *n;
	const void *hash;
	size_t len;

	what.kind = (enum event_kind)unpack_uint(v);
	hash = unpack_bytes(v, &len);
	if (len == sizeof(what.hash))
		memcpy(what.hash, hash, len);
	entry = unpack_entry(a, v);
	if (!unpack_is_good(v) || entry->peer == NULL || name == NULL ||
	    item == NULL) {
		entry_unref(&entry);
	} else {
		n = find_node(all, a->id, entry->peer, name);
		if (n == NULL)
			n = add_node(all, a->id, entry->peer, name);
		add(all, n, number, &what, entry);
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
