/*
 * What is announced of an account (stanzas.md, One set of capabilities): one identity,
 * what the proxy itself can do, the union of what its clients can, and the events that
 * its devices ask for, there or not.
 */
#include "mod/caps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "core/account.h"
#include "core/availability.h"
#include "core/device.h"
#include "core/features_kept.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "mod/caps_hash.h"
#include "mod/info.h"
#include "mod/modules.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

/* A client that comes back by then has not gone, for contacts. */
#define HELD_MS UINT64_C(600000)
/* So many sets that were announced are still told to who asks for them. */
#define ANNOUNCED 16
/* So long a feature may be; all of them together have to fit into one stanza. */
#define VAR_BYTES 200

/* A feature of some client, and when it goes; 0: somebody has it. */
struct held {
	UT_hash_handle hh;
	uint64_t until;
	char var[];
};

struct announced {
	TAILQ_ENTRY(announced) next;
	uint64_t number; /* the higher the later */
	char *node;      /* with the hash */
	char *ver, *xml;
};

struct caps {
	struct account *account;
	struct held *held;
	TAILQ_HEAD(announced_list, announced) sets; /* the latest first */
	unsigned count;
	uint64_t version; /* of user->features_version */
	struct timer timer;
};

/* --- what is not taken from clients --- */

static const struct {
	const char *var; /* "x*" by prefix */
	const char *reason;
} refused[] = {
	{ NS_CARBONS, "between a client and its server: ours" },
	{ "urn:xmpp:carbons:rules:*", "the same" },
	{ "urn:xmpp:sm:*", "of a stream, which ends here" },
	{ NS_CSI, "of a stream, which ends here" },
	{ "urn:xmpp:mam:*", "between a client and its archive" },
	{ "urn:xmpp:push:*", "not offered to clients" },
	{ NS_BLOCKING, "between a client and its server" },
	{ "jabber:iq:roster", "between a client and its server" },
	{ "jabber:iq:privacy", "between a client and its server" },
	{ NS_PRIVATE, "between a client and its server" },
	{ NS_REGISTER, "not through the proxy" },
	{ "jabber:iq:auth", "of a stream, which ends here" },
	{ "urn:ietf:params:xml:ns:xmpp-*", "of a stream, which ends here" },
	{ "urn:xmpp:sasl:*", "of a stream, which ends here" },
	{ "urn:xmpp:bind:*", "of a stream, which ends here" },
	{ "urn:xmpp:features:*", "of a stream, which ends here" },
	{ "http://jabber.org/protocol/compress*", "of a stream" },
	{ NS_CAPS "#*", "of servers" },
	/* XEP-0390: no hash of that kind is in our presence. */
	{ NS_CAPS_2 "*", "the proxy announces XEP-0115 alone" },
};

const char *
caps_refusal(const char *var)
{
	if (*var == '\0' || strlen(var) > VAR_BYTES)
		return "empty, or too long";
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (info_matches(refused[i].var, var))
			return refused[i].reason;
	}
	return NULL;
}

/* --- what clients can do --- */

static const struct limits *
limits_of(const struct caps *c)
{
	return &c->account->user->proxy->config->limits;
}

static struct held *
find(const struct caps *c, const char *var)
{
	struct held *h;

	HASH_FIND_STR(c->held, var, h);
	return h;
}

/* NULL: there are too many. */
static struct held *
add(struct caps *c, const char *var)
{
	size_t len = strlen(var);
	struct held *h;

	if (HASH_COUNT(c->held) >= limits_of(c)->caps_features)
		return NULL;
	h = mem_alloc(sizeof(*h) + len + 1);
	memcpy(h->var, var, len);
	HASH_ADD_STR(c->held, var, h);
	return h;
}

static void
drop(struct caps *c, struct held *h)
{
	HASH_DEL(c->held, h);
	free(h);
}

static void
save(const struct caps *c)
{
	struct user *u = c->account->user;
	struct buf key = { 0 }, value = { 0 };
	const struct held *h;

	buf_putc(&key, KEY_ACCOUNT);
	pack_uint(&key, c->account->id);
	pack_uint(&value, c->account->id);
	pack_uint(&value, HASH_COUNT(c->held));
	for (h = c->held; h != NULL; h = h->hh.next)
		pack_string(&value, h->var);
	batch_put(&u->proxy->batch, STATE_CAPS, u->id, key.data, key.len,
	    value.data, value.len);
	turn_touch(u->proxy);
	buf_free(&key);
	buf_free(&value);
}

/* Those of devices count apart; without a device they are the session's. */
static bool
is_of_session(const struct session *s, const char *var)
{
	return (s->device == NULL || !features_is_notify(var)) &&
	    caps_refusal(var) == NULL;
}

/* Whether something is new. */
static bool
hold_session(struct caps *c, const struct session *s)
{
	bool is_new = false;
	const char *var;
	struct held *h;

	for (size_t i = 0; i < features_count(s->features); i++) {
		var = features_at(s->features, i);
		if (!is_of_session(s, var))
			continue;
		if ((h = find(c, var)) == NULL) {
			h = add(c, var);
			is_new = true;
		}
		if (h != NULL)
			h->until = 0;
	}
	return is_new;
}

static void
mark_all(struct caps *c, uint64_t until)
{
	struct held *h;

	for (h = c->held; h != NULL; h = h->hh.next) {
		if (h->until == 0)
			h->until = until;
	}
}

static bool
drop_expired(struct caps *c)
{
	struct held *h, *tmp;
	uint64_t now = clock_now(), first = 0;
	bool dropped = false;

	HASH_ITER(hh, c->held, h, tmp) {
		if (h->until != 0 && h->until <= now) {
			drop(c, h);
			dropped = true;
		} else if (h->until != 0 && (first == 0 || h->until < first)) {
			first = h->until;
		}
	}
	if (first != 0)
		timer_set(&c->timer, first - now);
	else
		timer_stop(&c->timer);
	return dropped;
}

static void
hold(struct caps *c)
{
	const struct session *s;
	bool changed = false;

	mark_all(c, clock_now() + HELD_MS);
	LIST_FOREACH(s, &c->account->user->sessions, next) {
		if (!s->closing && session_sees(s, c->account))
			changed = hold_session(c, s) || changed;
	}
	if (drop_expired(c) || changed)
		save(c);
}

/* --- what is announced --- */

static bool
is_device_of(const struct device *d, const struct account *a)
{
	return d->view == 0 || d->view == a->id;
}

struct list {
	const char **at;
	size_t count;
};

static void
list_add(struct list *l, const char *var)
{
	l->at = mem_grow(l->at, (l->count + 1) * sizeof(*l->at));
	l->at[l->count++] = var;
}

/* Each once, whatever the number of devices that ask for it. */
static struct features *
of_devices(const struct caps *c)
{
	const struct device *d;
	struct list l = { 0 };
	struct features *all;
	const char *var;

	TAILQ_FOREACH(d, &c->account->user->devices, next) {
		if (!is_device_of(d, c->account))
			continue;
		for (size_t i = 0; i < features_count(d->notify); i++) {
			var = features_at(d->notify, i);
			if (caps_refusal(var) == NULL)
				list_add(&l, var);
		}
	}
	all = features_new(l.at, l.count);
	free(l.at);
	return all;
}

static struct elem *
make(const struct caps *c, struct arena *arena)
{
	struct list l = { 0 };
	const struct held *h;
	struct features *notify = of_devices(c), *all;
	struct elem *query;

	for (h = c->held; h != NULL; h = h->hh.next)
		list_add(&l, h->var);
	for (size_t i = 0; i < features_count(notify); i++) {
		if (l.count < limits_of(c)->caps_features)
			list_add(&l, features_at(notify, i));
	}
	all = features_new(l.at, l.count);
	query = info_for_peers(arena, c->account->user->proxy->modules, all);
	features_unref(&all);
	features_unref(&notify);
	free(l.at);
	return query;
}

static void
key_of_set(struct buf *key, const struct caps *c, const struct announced *set)
{
	buf_putc(key, KEY_SET);
	pack_uint(key, c->account->id);
	buf_puts(key, set->ver);
}

/* Who saw the presence may ask after a restart, too. */
static void
save_set(const struct caps *c, const struct announced *set)
{
	struct user *u = c->account->user;
	struct buf key = { 0 }, value = { 0 };

	key_of_set(&key, c, set);
	pack_uint(&value, c->account->id);
	pack_uint(&value, set->number);
	pack_string(&value, set->ver);
	pack_string(&value, set->xml);
	batch_put(&u->proxy->batch, STATE_CAPS, u->id, key.data, key.len,
	    value.data, value.len);
	turn_touch(u->proxy);
	buf_free(&key);
	buf_free(&value);
}

static void
unsave_set(const struct caps *c, const struct announced *set)
{
	struct user *u = c->account->user;
	struct buf key = { 0 };

	key_of_set(&key, c, set);
	batch_delete(&u->proxy->batch, STATE_CAPS, u->id, key.data, key.len);
	turn_touch(u->proxy);
	buf_free(&key);
}

static void
free_set(struct caps *c, struct announced *set)
{
	TAILQ_REMOVE(&c->sets, set, next);
	c->count--;
	free(set->node);
	free(set->ver);
	free(set->xml);
	free(set);
}

static struct announced *
find_set(const struct caps *c, const char *node)
{
	struct announced *set;

	TAILQ_FOREACH(set, &c->sets, next) {
		if (strcmp(set->node, node) == 0)
			return set;
	}
	return NULL;
}

/* Takes the strings. */
static void
add_set(struct caps *c, uint64_t number, char *ver, char *xml)
{
	struct announced *set = mem_alloc(sizeof(*set)), *later;

	set->number = number;
	set->node = mem_printf(CAPS_NODE "#%s", ver);
	set->ver = ver;
	set->xml = xml;
	later = TAILQ_LAST(&c->sets, announced_list);
	while (later != NULL && later->number < number)
		later = TAILQ_PREV(later, announced_list, next);
	if (later != NULL)
		TAILQ_INSERT_AFTER(&c->sets, later, set, next);
	else
		TAILQ_INSERT_HEAD(&c->sets, set, next);
	c->count++;
}

/* The one that is current is in front, whether it was there before or not. */
static void
announce(struct caps *c, const struct elem *query)
{
	struct announced *first = TAILQ_FIRST(&c->sets), *known;
	uint64_t number = first != NULL ? first->number + 1 : 1;
	struct buf ver = { 0 }, xml = { 0 };
	char *node;

	caps_ver(&ver, query);
	elem_write(&xml, query, NULL);
	node = mem_printf(CAPS_NODE "#%s", ver.data);
	known = find_set(c, node);
	if (known == NULL || known != first) {
		if (known != NULL)
			free_set(c, known);
		add_set(c, number, buf_take(&ver), buf_take(&xml));
		save_set(c, TAILQ_FIRST(&c->sets));
	}
	for (; c->count > ANNOUNCED; free_set(c, known)) {
		known = TAILQ_LAST(&c->sets, announced_list);
		unsave_set(c, known);
	}
	free(node);
	buf_free(&ver);
	buf_free(&xml);
}

static void
make_anew(struct caps *c)
{
	struct arena *arena = arena_new();

	c->version = c->account->user->features_version;
	hold(c);
	announce(c, make(c, arena));
	arena_free(&arena);
}

static void
held_long_enough(void *arg)
{
	struct caps *c = arg;

	make_anew(c);
	availability_update(c->account);
}

static struct caps *
caps_of(struct account *a)
{
	struct caps *c = a->caps;

	if (c != NULL)
		return c;
	c = a->caps = mem_alloc(sizeof(*c));
	c->account = a;
	TAILQ_INIT(&c->sets);
	timer_init(&c->timer, a->user->proxy->loop, held_long_enough, c);
	return c;
}

/* As it is now. */
static const struct announced *
current(struct account *a)
{
	struct caps *c = caps_of(a);

	if (TAILQ_EMPTY(&c->sets) || c->version != a->user->features_version)
		make_anew(c);
	return TAILQ_FIRST(&c->sets);
}

void
caps_refresh(struct account *a)
{
	(void)current(a);
}

struct elem *
caps_info(struct account *a, struct arena *arena, const char *node)
{
	const struct announced *now = current(a), *set;
	struct elem *query;

	set = node != NULL ? find_set(a->caps, node) : now;
	if (set == NULL)
		return NULL;
	query = xml_parse_own(arena, set->xml, strlen(set->xml), NULL);
	elem_set(query, "node", node);
	return query;
}

static void
decorate_presence(struct account *a, struct elem *presence)
{
	struct elem *c = elem_child(presence, NS_CAPS, "c");

	elem_set(c, "hash", "sha-1");
	elem_set(c, "node", CAPS_NODE);
	elem_set(c, "ver", current(a)->ver);
}

/* --- over a restart --- */

/* What was announced is, until it is known who comes back. */
static void
load_held(struct caps *c, struct unpack *v)
{
	struct features *f = features_unpack(v);
	const char *var;
	struct held *h;

	for (size_t i = 0; i < features_count(f); i++) {
		var = features_at(f, i);
		if (caps_refusal(var) == NULL && find(c, var) == NULL &&
		    (h = add(c, var)) != NULL)
			h->until = clock_now() + HELD_MS;
	}
	features_unref(&f);
}

static void
load_set(struct caps *c, struct unpack *v)
{
	uint64_t number = unpack_uint(v);
	char *ver = unpack_string(v), *xml = unpack_string(v);

	if (unpack_is_good(v) && ver != NULL && xml != NULL) {
		add_set(c, number, ver, xml);
	} else {
		free(ver);
		free(xml);
	}
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	char kind = key_len > 0 ? *(const char *)key : '\0';
	struct caps *c = arg;
	struct unpack v;

	unpack_init(&v, value, len);
	if ((kind != KEY_ACCOUNT && kind != KEY_SET) ||
	    unpack_uint(&v) != c->account->id)
		return;
	if (kind == KEY_ACCOUNT)
		load_held(c, &v);
	else
		load_set(c, &v);
}

/* What is current is to be found out, though sets are known. */
static void
account_load(struct account *a)
{
	struct caps *c = caps_of(a);

	user_load_state(a->user, STATE_CAPS, a->user->id, load, c);
	c->version = a->user->features_version - 1;
}

static void
account_free_caps(struct account *a)
{
	struct caps *c = a->caps;
	struct announced *set;

	if (c == NULL)
		return;
	timer_stop(&c->timer);
	while (c->held != NULL)
		drop(c, c->held);
	while ((set = TAILQ_FIRST(&c->sets)) != NULL)
		free_set(c, set);
	free(c);
	a->caps = NULL;
}

const struct module mod_caps = {
	.name = "caps",
	.xep = "XEP-0115",
	.peer_features = (const char *const[]){ NS_CAPS, NULL },
	.decorate_presence = decorate_presence,
	.account_load = account_load,
	.account_free = account_free_caps,
};
