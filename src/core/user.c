#include "core/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/availability.h"
#include "core/directed.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"

static void
add_account(struct user *u, const struct account_config *config)
{
	struct account *a = account_new(u, config);

	LIST_INSERT_HEAD(&u->accounts, a, next);
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

struct user *
user_new(struct proxy *proxy, const struct user_config *config)
{
	const struct limits *limits = &proxy->config->limits;
	struct user *u = mem_alloc(sizeof(*u));
	const struct account_config *account;

	u->proxy = proxy;
	u->config = config;
	u->group = proxy_id(proxy);
	u->name = mem_strdup(config->name);
	u->bare = mem_printf("%s@%s", config->name, proxy->config->node);
	LIST_INIT(&u->accounts);
	LIST_INIT(&u->sessions);
	u->history = history_new(limits->log_entries, limits->log_bytes);
	u->receipts = recent_new(limits->receipts);
	u->displayed = recent_new(limits->receipts);
	u->notes = recent_new(limits->receipts);
	u->carriers = recent_new(limits->receipts);
	u->sent = recent_new(limits->receipts);
	u->live = recent_new(limits->receipts);
	STAILQ_FOREACH(account, &config->accounts, next)
		add_account(u, account);
	order_accounts(u, config);
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
	history_free(&u->history);
	recent_free(&u->receipts);
	recent_free(&u->displayed);
	recent_free(&u->notes);
	recent_free(&u->carriers);
	recent_free(&u->sent);
	recent_free(&u->live);
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
	history_set_max(u->history, u->proxy->config->limits.log_entries,
	    u->proxy->config->limits.log_bytes);
}
