#include "core/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "core/directed.h"
#include "core/events.h"
#include "core/features_kept.h"
#include "core/hooks.h"
#include "core/node_roster.h"
#include "core/outbox.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/session_save.h"
#include "core/siblings.h"
#include "core/store.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "xmpp/jid.h"

static void
add_account(struct user *u, const struct account_config *config)
{
	struct account *a = account_new(u, config);

	LIST_INSERT_HEAD(&u->accounts, a, next);
	account_load(a);
	hooks_account_load(a);
}

/* The configuration's order decides which account carries what. */
static void
order_accounts(struct user *u, const struct user_config *config)
{
	const struct account_config *c;
	struct account *a, *last = NULL;

	STAILQ_FOREACH(c, &config->accounts, next) {
		a = user_find_account_by_jid(u, c->jid);
		LIST_REMOVE(a, next);
		if (last == NULL)
			LIST_INSERT_HEAD(&u->accounts, a, next);
		else
			LIST_INSERT_AFTER(last, a, next);
		last = a;
	}
}

/* --- on disk --- */

void
user_touch(struct user *u)
{
	if (u->is_changed)
		return;
	u->is_changed = true;
	LIST_INSERT_HEAD(&u->proxy->changed_users, u, changed_next);
	turn_touch(u->proxy);
}

#define DAY_MS UINT64_C(86400000)

static uint64_t
days_ago(uint64_t days)
{
	uint64_t now = clock_wall();

	return now > days * DAY_MS ? now - days * DAY_MS : 0;
}

/* The lowest number that waits to go up; 0: none does. */
static uint64_t
first_waiting(const struct user *u)
{
	uint64_t first = 0, seq;
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		seq = outbox_first_seq(a->outbox);
		if (seq != 0 && (first == 0 || seq < first))
			first = seq;
	}
	return first;
}

struct history_limits
user_history_limits(const struct user *u)
{
	const struct limits *l = &u->proxy->config->limits;

	return (struct history_limits){ .chats = l->log_entries,
		.chat_bytes = l->log_bytes,
		.rooms = l->room_entries,
		.chats_before = days_ago(l->log_days),
		.rooms_before = days_ago(l->room_days),
		.needed = first_waiting(u) };
}

bool
user_log_failed(struct user *u)
{
	const char *trouble = history_trouble(u->history);
	struct err err;

	if (trouble == NULL)
		return false;
	err_set(&err, "%s", trouble);
	proxy_store_failed(u->proxy, &err);
	return true;
}

void
user_save(struct user *u)
{
	struct buf b = { 0 };
	struct history_limits limits = user_history_limits(u);

	u->is_changed = false;
	if (history_is_over(u->history, &limits))
		u->proxy->upkeep.is_over = true;
	history_pack(u->history, &b);
	reached_pack(&u->reached, &b);
	pack_uint(&b, u->last_device);
	batch_put(&u->proxy->batch, STATE_USER, u->id, NULL, 0, b.data, b.len);
	buf_free(&b);
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct user *user = arg;
	struct unpack u;

	(void)key;
	(void)key_len;
	unpack_init(&u, value, len);
	history_unpack(user->history, &u);
	reached_unpack(&user->reached, &u);
	user->last_device = unpack_uint(&u);
}

void
user_load_state(struct user *u, enum state_kind kind, uint64_t owner,
    void (*fn)(void *arg, const void *key, size_t key_len, const void *value,
	size_t len),
    void *arg)
{
	struct err err = { "" };

	if (store_each(u->proxy->store, kind, owner, fn, arg, &err) == -1)
		proxy_store_failed(u->proxy, &err);
}

void
user_reached(struct user *u, uint64_t seq)
{
	if (reached_has(&u->reached, seq))
		return;
	reached_add(&u->reached, seq);
	user_touch(u);
}

/* --- life --- */

static void
make_memories(struct user *u, const struct limits *limits)
{
	u->notes = recent_new(limits->receipts);
	u->carriers = recent_new(limits->receipts);
	u->sent = recent_new(limits->receipts);
	u->live = recent_new(limits->receipts);
	u->departed = recent_new(limits->receipts);
}

struct user *
user_new(struct proxy *proxy, const struct user_config *config)
{
	struct user *u = mem_alloc(sizeof(*u));
	const struct account_config *account;
	struct err err = { "" };

	u->proxy = proxy;
	u->config = config;
	u->group = proxy_id(proxy);
	u->name = mem_strdup(config->name);
	u->bare = mem_printf("%s@%s", config->name, proxy->config->node);
	LIST_INIT(&u->accounts);
	LIST_INIT(&u->sessions);
	TAILQ_INIT(&u->devices);
	TAILQ_INIT(&u->ended);
	u->id = store_user(proxy->store, u->name, &err);
	if (u->id == 0)
		proxy_store_failed(proxy, &err);
	u->history = history_new(proxy->store, &proxy->batch, u->id);
	make_memories(u, &proxy->config->limits);
	u->blocks = blocklist_new(SIZE_MAX); /* each of them is bounded */
	u->events = events_new(u);
	user_load_state(u, STATE_USER, u->id, load, u);
	u->answered = answered_new(u);
	STAILQ_FOREACH(account, &config->accounts, next)
		add_account(u, account);
	order_accounts(u, config);
	device_load_all(u);
	features_kept_load(u);
	ended_load_all(u);
	session_load_all(u);
	siblings_load(u);
	return u;
}

void
user_free(struct user **holder)
{
	struct user *u = *holder;
	struct account *a;

	if (u == NULL)
		return;
	while ((a = LIST_FIRST(&u->accounts)) != NULL)
		account_free(&a);
	node_roster_free(u);
	if (u->is_changed)
		LIST_REMOVE(u, changed_next);
	history_free(&u->history);
	reached_fini(&u->reached);
	device_free_all(u);
	features_kept_free(u);
	events_free(&u->events);
	ended_free_all(u);
	answered_free(&u->answered);
	recent_free(&u->notes);
	recent_free(&u->carriers);
	recent_free(&u->sent);
	recent_free(&u->live);
	recent_free(&u->departed);
	archive_prefs_fini(&u->archive_prefs);
	blocklist_free(&u->blocks);
	mem_wipe(u->derived, sizeof(u->derived));
	free(u->name);
	free(u->bare);
	free(u);
	*holder = NULL;
}

struct account *
user_default_account(const struct user *u)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (a->config->is_default)
			return a;
	}
	return LIST_FIRST(&u->accounts);
}

struct account *
user_find_account(const struct user *u, uint64_t id)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (a->id == id)
			return a;
	}
	return NULL;
}

struct account *
user_find_account_by_jid(const struct user *u, const char *bare)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (strcmp(a->jid, bare) == 0)
			return a;
	}
	return NULL;
}

struct session *
user_find_resource(const struct user *u, const char *resource)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (!s->closing && strcmp(s->resource, resource) == 0)
			return s;
	}
	return NULL;
}

struct account *
user_conversation_account(struct user *u, const char *bare)
{
	uint64_t id;

	if (!recent_get(u->carriers, bare, &id)) {
		id = history_account_of(u->history, bare);
		recent_set(u->carriers, bare, id);
	}
	return user_find_account(u, id);
}

unsigned
user_open_sessions(const struct user *u)
{
	struct session *s;
	unsigned count = 0;

	LIST_FOREACH(s, &u->sessions, next)
		count += !s->closing;
	return count;
}

bool
user_is_in_room(const struct user *u, const char *jid)
{
	const struct session *s;
	const struct directed *d;

	LIST_FOREACH(s, &u->sessions, next) {
		d = directed_find_bare(s->directed, jid);
		if (!s->closing && d != NULL && d->is_room)
			return true;
	}
	return false;
}

/* Whether the upstream has to be made anew. */
static bool
account_differs(const struct account_config *a, const struct account_config *b)
{
	return !text_equals(a->password, b->password) ||
	    !text_equals(a->resource, b->resource) ||
	    !text_equals(a->host, b->host) || !text_equals(a->ca, b->ca) ||
	    a->port != b->port || a->tls != b->tls;
}

static const struct account_config *
find_config(const struct user_config *config, const char *jid)
{
	const struct account_config *a;

	STAILQ_FOREACH(a, &config->accounts, next) {
		if (strcmp(a->jid, jid) == 0)
			return a;
	}
	return NULL;
}

static void
drop_account(struct account *a)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->account != a)
			continue;
		session_close(s, STREAM_HOST_GONE,
		    "the account was taken out of the configuration");
		s->account = NULL;
	}
	account_free(&a);
}

static void
reload_accounts(struct user *u, const struct user_config *config)
{
	const struct account_config *now;
	struct account *a, *next;

	for (a = LIST_FIRST(&u->accounts); a != NULL; a = next) {
		next = LIST_NEXT(a, next);
		now = find_config(config, a->jid);
		if (now == NULL) {
			drop_account(a);
			continue;
		}
		if (account_differs(a->config, now)) {
			a->config = now;
			upstream_reset(a->upstream,
			    "the account's configuration changed");
		}
		a->config = now;
		a->jid = now->jid;
	}
	STAILQ_FOREACH(now, &config->accounts, next) {
		if (user_find_account_by_jid(u, now->jid) == NULL)
			add_account(u, now);
	}
	order_accounts(u, config);
}

static void
forget_keys(struct user *u)
{
	struct account *a;

	mem_wipe(u->derived, sizeof(u->derived));
	LIST_FOREACH(a, &u->accounts, next)
		mem_wipe(a->derived, sizeof(a->derived));
}

void
user_reload(struct user *u, const struct user_config *config)
{
	struct account *a;

	if (!text_equals(u->config->password, config->password))
		forget_keys(u);
	u->config = config;
	reload_accounts(u, config);
	LIST_FOREACH(a, &u->accounts, next)
		availability_update(a);
	hooks_user_reloaded(u);
	u->proxy->upkeep.is_over = true; /* maybe: the limits may be others */
	loop_wake(u->proxy->loop);
}
