#include "core/proxy_listen.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/proxy.h"
#include "xmpp/jid.h"

struct proxy_listener {
	LIST_ENTRY(proxy_listener) next;
	struct proxy *proxy;
	struct listener *listener;
	char *address;
	uint16_t port;
	enum config_tls tls;
};

static void
accepted(void *arg, struct transport *transport, const char *peer)
{
	static const enum accept_tls kinds[] = {
		[CONFIG_TLS_ANY] = ACCEPT_STARTTLS,
		[CONFIG_STARTTLS] = ACCEPT_STARTTLS,
		[CONFIG_DIRECT] = ACCEPT_DIRECT,
		[CONFIG_NO_TLS] = ACCEPT_PLAIN,
	};
	struct proxy_listener *l = arg;

	proxy_accept(l->proxy, transport, peer, kinds[l->tls]);
}

static void
listener_free(struct proxy_listener *l)
{
	LIST_REMOVE(l, next);
	listen_free(&l->listener);
	free(l->address);
	free(l);
}

static struct proxy_listener *
find(const struct listeners *all, const struct listen_config *c)
{
	struct proxy_listener *l;

	LIST_FOREACH(l, all, next) {
		if (l->port == c->port && strcmp(l->address, c->address) == 0)
			return l;
	}
	return NULL;
}

static struct proxy_listener *
open_one(struct proxy *p, const struct listen_config *c, struct err *err)
{
	struct proxy_listener *l = mem_alloc(sizeof(*l));

	l->proxy = p;
	l->port = c->port;
	l->listener = listen_new(p->loop, c->address, c->port, accepted, l,
	    err);
	if (l->listener == NULL) {
		free(l);
		return NULL;
	}
	l->address = mem_strdup(c->address);
	log_event(LEVEL_INFO, "proxy", "listening", "address=%s port=%u",
	    c->address, c->port);
	return l;
}

/* New ones are opened before anything is closed, so that a failure changes nothing. */
static int
open_new(struct proxy *p, const struct listeners *have,
    const struct config *config, struct listeners *fresh, struct err *err)
{
	const struct listen_config *c;
	struct proxy_listener *l;

	STAILQ_FOREACH(c, &config->listens, next) {
		if (find(have, c) != NULL)
			continue;
		if ((l = open_one(p, c, err)) == NULL)
			return -1;
		l->tls = c->tls;
		LIST_INSERT_HEAD(fresh, l, next);
	}
	return 0;
}

static void
close_all(struct listeners *all)
{
	struct proxy_listener *l;

	while ((l = LIST_FIRST(all)) != NULL)
		listener_free(l);
}

static const struct listen_config *
find_config(const struct config *config, const struct proxy_listener *l)
{
	const struct listen_config *c;

	STAILQ_FOREACH(c, &config->listens, next) {
		if (l->port == c->port && strcmp(l->address, c->address) == 0)
			return c;
	}
	return NULL;
}

/* What stays may change its kind; the rest goes. */
static void
settle_old(struct listeners *all, const struct config *config)
{
	const struct listen_config *c;
	struct proxy_listener *l, *next;

	for (l = LIST_FIRST(all); l != NULL; l = next) {
		next = LIST_NEXT(l, next);
		if ((c = find_config(config, l)) != NULL)
			l->tls = c->tls;
		else
			listener_free(l);
	}
}

/* It is to go, and another address is to have its port. */
static bool
is_in_the_way(const struct config *config, const struct proxy_listener *l)
{
	const struct listen_config *c;

	if (find_config(config, l) != NULL)
		return false;
	STAILQ_FOREACH(c, &config->listens, next) {
		if (l->port == c->port)
			return true;
	}
	return false;
}

/* How many did. */
static unsigned
give_way(struct listeners *all, const struct config *config)
{
	struct proxy_listener *l;
	unsigned count = 0;

	LIST_FOREACH(l, all, next) {
		if (!is_in_the_way(config, l))
			continue;
		listen_free(&l->listener);
		count++;
	}
	return count;
}

/* After all nothing changes. */
static void
take_back(struct listeners *all)
{
	struct proxy_listener *l, *next;
	struct err err;

	for (l = LIST_FIRST(all); l != NULL; l = next) {
		next = LIST_NEXT(l, next);
		if (l->listener != NULL)
			continue;
		l->listener = listen_new(l->proxy->loop, l->address, l->port,
		    accepted, l, &err);
		if (l->listener != NULL)
			continue;
		log_event(LEVEL_ERROR, "proxy", "listener-lost", "reason=%s",
		    LOG_Q(err.text));
		listener_free(l);
	}
}

/* An address and all addresses have no room for each other at one port. */
static int
open_all(struct proxy *p, const struct config *config, struct listeners *fresh,
    struct err *err)
{
	struct listeners *have = &p->listeners;

	if (open_new(p, have, config, fresh, err) == 0)
		return 0;
	close_all(fresh);
	if (give_way(have, config) == 0)
		return -1;
	if (open_new(p, have, config, fresh, err) == 0)
		return 0;
	close_all(fresh);
	take_back(have);
	return -1;
}

/* --- certificates --- */

/* A file beside the store, or beside proxy.xml where the store is in memory. */
static char *
beside_store(const struct config *config, const char *name)
{
	const char *base = strcmp(config->store, ":memory:") == 0 ?
	    config->path :
	    config->store;
	const char *slash = strrchr(base, '/');

	return mem_printf("%.*s/%s", (int)(slash - base), base, name);
}

/* The node and the accounts' domains, in ASCII; the caller frees the array alone. */
static size_t
list_domains(const struct config *config, struct arena *arena,
    const char ***out)
{
	const struct user_config *u;
	const struct account_config *a;
	size_t count = 1, n = 0, len;

	STAILQ_FOREACH(u, &config->users, next)
		STAILQ_FOREACH(a, &u->accounts, next)
			count++;
	*out = mem_array(count, sizeof(char *));
	(*out)[n++] = jid_domain_to_ascii(arena, config->node, NULL);
	STAILQ_FOREACH(u, &config->users, next) {
		STAILQ_FOREACH(a, &u->accounts, next) {
			(*out)[n++] = jid_domain_to_ascii(arena,
			    jid_domain(a->jid, &len), NULL);
		}
	}
	return n;
}

static int
add_self_signed(struct tls_certs *certs, const struct config *config,
    struct err *err)
{
	struct arena *arena = arena_new();
	char *chain = beside_store(config, "xmpproxy-selfsigned.crt");
	char *key = beside_store(config, "xmpproxy-selfsigned.key");
	const char **domains;
	size_t count = list_domains(config, arena, &domains);
	int rc;

	rc = tls_make_self_signed(chain, key, domains, count, err);
	if (rc == 0)
		rc = tls_certs_add(certs, NULL, chain, key, err);
	if (rc == 0)
		log_event(LEVEL_WARN, "proxy", "self-signed",
		    "chain=%s reason=\"no default certificate is configured\"",
		    chain);
	free(domains);
	free(chain);
	free(key);
	arena_free(&arena);
	return rc;
}

static struct tls_certs *
load_certs(const struct config *config, struct err *err)
{
	const struct certificate_config *c;
	struct tls_certs *certs = tls_certs_new(err);
	bool has_default = false;

	if (certs == NULL)
		return NULL;
	STAILQ_FOREACH(c, &config->certificates, next) {
		has_default = has_default || c->domain == NULL;
		if (tls_certs_add(certs, c->domain, c->chain, c->key, err) ==
		    -1)
			goto fail;
	}
	if (!has_default && add_self_signed(certs, config, err) == -1)
		goto fail;
	return certs;
fail:
	tls_certs_unref(&certs);
	return NULL;
}

int
proxy_relisten(struct proxy *p, const struct config *config, struct err *err)
{
	struct listeners fresh = LIST_HEAD_INITIALIZER(fresh);
	struct listeners *have = &p->listeners;
	struct proxy_listener *l;
	struct tls_certs *certs = load_certs(config, err);

	if (certs == NULL)
		return -1;
	if (open_all(p, config, &fresh, err) == -1) {
		tls_certs_unref(&certs);
		return -1;
	}
	settle_old(have, config);
	while ((l = LIST_FIRST(&fresh)) != NULL) {
		LIST_REMOVE(l, next);
		LIST_INSERT_HEAD(have, l, next);
	}
	tls_certs_unref(&p->certs);
	p->certs = certs;
	return 0;
}

void
proxy_unlisten(struct proxy *p)
{
	close_all(&p->listeners);
}
