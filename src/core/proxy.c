#include "core/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/login.h"
#include "core/peers.h"
#include "core/proxy_listen.h"
#include "core/session.h"
#include "core/session_sm.h"
#include "core/store.h"
#include "core/trusts.h"
#include "core/turn.h"
#include "core/upkeep.h"
#include "core/upstream.h"
#include "login_impl.h"
#include "xmpp/jid.h"

#define THROTTLE_KEYS 10000

static void
reap(void *arg)
{
	struct proxy *p = arg;
	struct session *s;

	while ((s = LIST_FIRST(&p->closing)) != NULL) {
		LIST_REMOVE(s, closing_next);
		session_free(&s);
	}
	upkeep_slice(p);
}

static void
collect_stream_features(struct proxy *p)
{
	size_t count = 0;

	for (const struct module *const *m = p->modules; *m != NULL; m++)
		count += (*m)->stream_feature != NULL;
	p->stream_features = mem_array(count + 1, sizeof(char *));
	count = 0;
	for (const struct module *const *m = p->modules; *m != NULL; m++) {
		if ((*m)->stream_feature != NULL)
			p->stream_features[count++] = (*m)->stream_feature;
	}
}

/* Some stay on while nobody is there; the others wait for a session. */
static void
settle_upstreams(struct user *u)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next)
		account_settle(a);
}

static struct user *
add_user(struct proxy *p, const struct user_config *config)
{
	struct user *u = user_new(p, config);

	HASH_ADD_KEYPTR(hh, p->users, u->name, strlen(u->name), u);
	return u;
}

struct proxy *
proxy_new(struct loop *loop, struct config *config, struct store *store,
    const struct proxy_env *env, const struct module *const *modules)
{
	struct proxy *p = mem_alloc(sizeof(*p));
	struct loop_hooks hooks = { .commit = turn_commit,
		.reap = reap,
		.arg = p };
	const struct user_config *user;

	p->loop = loop;
	p->config = config;
	p->env = *env;
	p->store = store;
	/* Never twice, over all runs: they stand in what is kept. */
	p->next_id = store_run(store) << 32;
	p->modules = modules;
	p->scratch = arena_new();
	p->peers = peers_new();
	p->checks_out = peers_new();
	p->trusts = trusts_new();
	p->by_address = throttle_new(THROTTLE_KEYS);
	p->by_name = throttle_new(THROTTLE_KEYS);
	random_bytes(p->secret, sizeof(p->secret));
	LIST_INIT(&p->closing);
	LIST_INIT(&p->listeners);
	turn_init(p);
	upkeep_init(p);
	collect_stream_features(p);
	loop_set_hooks(loop, &hooks);
	STAILQ_FOREACH(user, &config->users, next)
		settle_upstreams(add_user(p, user));
	return p;
}

static void
close_sessions(struct user *u, int cond, const char *reason)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next)
		session_close(s, cond, reason);
}

/* Streams that can be resumed go on after a restart; the others are told. */
static void
leave_sessions(struct user *u)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (s->sm_id != NULL)
			session_leave(s);
		else
			session_close(s, STREAM_SYSTEM_SHUTDOWN,
			    "the proxy is shutting down");
	}
}

/* Its sessions are told; they are gone when it returns. */
static void
remove_user(struct proxy *p, struct user *u, int cond, const char *reason)
{
	close_sessions(u, cond, reason);
	reap(p);
	HASH_DEL(p->users, u);
	user_free(&u);
}

static void
end_logins(struct proxy *p)
{
	struct login *l, *tmp;

	HASH_ITER(hh, p->logins, l, tmp)
		login_shut_down(l);
}

void
proxy_stop(struct proxy *p)
{
	struct user *u, *tmp;
	struct account *a;

	p->stopping = true;
	proxy_unlisten(p);
	end_logins(p);
	HASH_ITER(hh, p->users, u, tmp) {
		LIST_FOREACH(a, &u->accounts, next)
			upstream_leave(a->upstream,
			    "the proxy is shutting down");
		leave_sessions(u);
	}
}

static void
free_parts(struct proxy *p)
{
	loop_set_hooks(p->loop, &(struct loop_hooks){ 0 });
	upkeep_fini(p);
	turn_fini(p);
	tls_certs_unref(&p->certs);
	trusts_free(&p->trusts);
	throttle_free(&p->by_address);
	throttle_free(&p->by_name);
	peers_free(&p->peers);
	peers_free(&p->checks_out);
	buf_free(&p->head);
	arena_free(&p->scratch);
	mem_wipe(p->secret, sizeof(p->secret));
	free(p->stream_features);
	config_free(&p->config);
	free(p);
}

/* What is left open when the process ends is as it would be after a crash. */
static void
abandon_user(struct proxy *p, struct user *u)
{
	struct session *s;

	while ((s = LIST_FIRST(&u->sessions)) != NULL) {
		stream_abort(&s->stream);
		if (s->closing)
			LIST_REMOVE(s, closing_next);
		session_free(&s);
	}
	HASH_DEL(p->users, u);
	user_free(&u);
}

void
proxy_abandon(struct proxy **holder)
{
	struct proxy *p = *holder;
	struct user *u, *tmp;
	struct login *l, *next;

	if (p == NULL)
		return;
	p->is_abandoned = p->stopping = true;
	proxy_unlisten(p);
	HASH_ITER(hh, p->logins, l, next)
		login_free(&l);
	HASH_ITER(hh, p->users, u, tmp)
		abandon_user(p, u);
	free_parts(p);
	*holder = NULL;
}

/* Sessions that may go on are left to the next start, with all that is known. */
void
proxy_free(struct proxy **holder)
{
	struct proxy *p = *holder;

	if (p == NULL)
		return;
	if (!p->stopping)
		proxy_stop(p);
	reap(p);
	(void)turn_commit(p, UINT64_MAX);
	proxy_abandon(holder);
}

void
proxy_store_failed(struct proxy *p, const struct err *err)
{
	log_event(LEVEL_CRITICAL, "store", "not-read", "reason=%s",
	    LOG_Q(err->text));
	p->is_failed = true;
}

static const struct user_config *
find_user_config(const struct config *config, const char *name)
{
	const struct user_config *u;

	STAILQ_FOREACH(u, &config->users, next) {
		if (strcmp(u->name, name) == 0)
			return u;
	}
	return NULL;
}

static void
reload_users(struct proxy *p, const struct config *config)
{
	const struct user_config *now;
	struct user *u, *tmp;

	HASH_ITER(hh, p->users, u, tmp) {
		now = find_user_config(config, u->name);
		if (now == NULL)
			remove_user(p, u, STREAM_NOT_AUTHORIZED,
			    "the user was taken out of the configuration");
		else
			user_reload(u, now);
	}
	STAILQ_FOREACH(now, &config->users, next) {
		if ((u = proxy_find_user(p, now->name)) == NULL)
			u = add_user(p, now);
		settle_upstreams(u);
	}
}

int
proxy_reload(struct proxy *p, struct config *config, struct err *err)
{
	struct config *old = p->config;

	if (p->stopping)
		return err_set(err, "the proxy is shutting down");
	if (strcmp(config->node, p->config->node) != 0)
		return err_set(err,
		    "%s: the node's name cannot change while it runs",
		    config->path);
	if (proxy_relisten(p, config, err) == -1)
		return -1;
	trusts_free(&p->trusts);
	p->trusts = trusts_new();
	p->config = config;
	reload_users(p, config);
	config_free(&old);
	return 0;
}

uint64_t
proxy_id(struct proxy *p)
{
	return ++p->next_id;
}

void
proxy_id_name(char *out, size_t size, char kind, uint64_t id)
{
	snprintf(out, size, "%c%u.%u", kind, (unsigned)(id >> 32),
	    (unsigned)(id & UINT32_MAX));
}

struct user *
proxy_find_user(const struct proxy *p, const char *name)
{
	struct user *u;

	HASH_FIND_STR(p->users, name, u);
	return u;
}

struct session *
proxy_find_session(const struct proxy *p, uint64_t id)
{
	struct session *s;

	HASH_FIND(hh, p->sessions, &id, sizeof(id), s);
	return s;
}

bool
proxy_is_at_node(const struct proxy *p, const char *jid)
{
	size_t len;
	const char *domain = jid_domain(jid, &len), *node = p->config->node;

	return strlen(node) == len && memcmp(node, domain, len) == 0;
}

bool
proxy_serves(const struct proxy *p, const char *domain)
{
	struct user *u, *tmp;
	struct account *a;

	if (strcmp(domain, p->config->node) == 0)
		return true;
	HASH_ITER(hh, p->users, u, tmp) {
		LIST_FOREACH(a, &u->accounts, next) {
			if (strcmp(a->domain, domain) == 0)
				return true;
		}
	}
	return false;
}

struct user *
proxy_find_login(const struct proxy *p, const char *domain, const char *name,
    struct account **view)
{
	struct user *u, *tmp;
	struct account *a;
	size_t len = strlen(name);

	*view = NULL;
	if (strcmp(domain, p->config->node) == 0)
		return proxy_find_user(p, name);
	HASH_ITER(hh, p->users, u, tmp) {
		LIST_FOREACH(a, &u->accounts, next) {
			if (strcmp(a->domain, domain) != 0 ||
			    strncmp(a->jid, name, len) != 0 ||
			    a->jid[len] != '@')
				continue;
			*view = a;
			return u;
		}
	}
	return NULL;
}

void
proxy_accept(struct proxy *p, struct transport *transport, const char *peer,
    enum accept_tls tls)
{
	login_start(p, transport, peer, tls);
}
