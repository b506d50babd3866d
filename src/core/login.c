#include "core/login.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/device.h"
#include "core/ended.h"
#include "core/peers.h"
#include "core/session.h"
#include "core/session_sm.h"
#include "core/stand_in.h"
#include "core/turn.h"
#include "core/user.h"
#include "login_impl.h"
#include "xmpp/jid.h"

/* Longer than a check takes: names cannot be told by the time of a refusal. */
#define REFUSAL_MS 300

#define LINGERING_MAX  64 /* while somebody is refused */
#define REFUSED_LOG_MS 1000

static const struct limits *
limits_of(const struct login *l)
{
	return &l->proxy->config->limits;
}

void
login_free(struct login **holder)
{
	struct login *l = *holder;
	struct session *s;

	accept_free(&l->accept);
	login_cancel_check(l);
	s = proxy_find_session(l->proxy, l->session);
	if (s != NULL && s->stream == NULL && !s->asleep)
		session_close(s, -1, "the connection ended while binding");
	if (!l->is_handed_over)
		peers_remove(l->proxy->peers, l->peer);
	HASH_DEL(l->proxy->logins, l);
	l->proxy->logins_open--;
	free(l->peer);
	free(l->domain);
	free(l->name);
	free(l->tried);
	free(l);
	*holder = NULL;
}

void
login_shut_down(struct login *l)
{
	accept_fail(&l->accept, STREAM_SYSTEM_SHUTDOWN, NULL);
	login_free(&l);
}

/* --- what the negotiation asks --- */

static bool
serves(void *arg, const char *domain)
{
	struct login *l = arg;

	return proxy_serves(l->proxy, domain);
}

static bool
may_try(void *arg)
{
	struct login *l = arg;
	const struct limits *limits = limits_of(l);
	char key[PEERS_KEY_SIZE];

	peers_key(l->peer, key);
	return throttle_allows(l->proxy->by_address, key,
	    limits->failures_per_address, limits->failure_seconds * 1000);
}

static void
failed(void *arg, const char *name, const char *why)
{
	struct login *l = arg;
	uint64_t window = limits_of(l)->failure_seconds * 1000;
	char key[PEERS_KEY_SIZE];

	/* A channel binding that we lack is no guess at a password. */
	if (l->tried != NULL) {
		peers_key(l->peer, key);
		throttle_failed(l->proxy->by_address, key, window);
		throttle_failed(l->proxy->by_name, l->tried, window);
	}
	mem_free_string(&l->tried);
	log_event(LEVEL_WARN, l->log_id, "login-failed",
	    "name=%s peer=%s reason=%s", LOG_Q(name), l->peer, LOG_Q(why));
}

static bool
authorize(void *arg, const char *domain, const char *name, const char *authzid)
{
	struct login *l = arg;
	struct arena *arena = arena_new();
	struct account *view;
	struct user *u = proxy_find_login(l->proxy, domain, name, &view);
	const char *jid;
	bool good = u != NULL;

	if (good && authzid != NULL && *authzid != '\0') {
		jid = jid_prep(arena, authzid, NULL);
		good = text_equals(jid, view != NULL ? view->jid : u->bare);
	}
	if (good) {
		free(l->domain);
		free(l->name);
		l->domain = mem_strdup(domain);
		l->name = mem_strdup(name);
	}
	arena_free(&arena);
	return good;
}

/* Used by an upstream that the view shows, or by a device directly on its server. */
static bool
is_taken_upstream(const struct user *u, const struct account *view,
    const char *resource)
{
	struct arena *arena = arena_new();
	struct account *a;
	const char *full;
	bool taken = false;

	LIST_FOREACH(a, &u->accounts, next) {
		if (view != NULL && a != view)
			continue;
		full = jid_with_resource(arena, a->jid, resource);
		taken = taken || text_equals(full, a->full) ||
		    presences_find(a->presences, full) != NULL;
	}
	arena_free(&arena);
	return taken;
}

/*
 * The resource that is bound: the one asked for, unless somebody outside of us or
 * of the view has it. An older session of the same view goes (RFC 6120 7.7.2.2).
 */
static const char *
settle_resource(struct user *u, const struct account *view, const char *asked,
    char made[RANDOM_ID_SIZE], struct session **old)
{
	*old = NULL;
	if (asked == NULL && u->config->resource != NULL &&
	    user_find_resource(u, u->config->resource) == NULL)
		asked = u->config->resource;
	if (asked == NULL || is_taken_upstream(u, view, asked))
		return random_id(made);
	if ((*old = user_find_resource(u, asked)) == NULL)
		return asked;
	if ((*old)->account == view)
		return asked;
	*old = NULL;
	return random_id(made);
}

/* The older one goes when the new one is there: somebody always is. */
static struct session *
new_session(struct login *l, struct user *u, struct account *view,
    const char *resource, const char *asked, struct session *old)
{
	struct session *s;

	if (user_open_sessions(u) - (old != NULL) >=
		limits_of(l)->sessions_per_user &&
	    !session_end_sleeper(u))
		return NULL;
	s = session_new(u, view, resource, l->peer);
	l->session = s->id;
	l->is_handed_over = true;
	if (asked != NULL)
		s->device = device_of(u, view != NULL ? view->id : 0, asked);
	if (old == NULL)
		return s;
	stand_in_begin(s, old);
	session_close(old, STREAM_CONFLICT,
	    "a new session has bound this resource");
	return s;
}

static const char *
bind_resource(void *arg, const char *asked, enum error_cond *cond)
{
	struct login *l = arg;
	struct arena *arena = arena_new();
	struct account *view;
	struct user *u = proxy_find_login(l->proxy, l->domain, l->name, &view);
	struct session *s = NULL, *old;
	const char *resource;
	char made[RANDOM_ID_SIZE];

	*cond = ERR_NOT_ALLOWED;
	if (u == NULL)
		goto out;
	*cond = ERR_BAD_REQUEST;
	if (asked != NULL &&
	    (asked = jid_prep_resource(arena, asked, NULL)) == NULL)
		goto out;
	resource = settle_resource(u, view, asked, made, &old);
	*cond = ERR_RESOURCE_CONSTRAINT;
	s = new_session(l, u, view, resource, asked, old);
out:
	arena_free(&arena);
	return s != NULL ? s->full : NULL;
}

static struct session *
find_stream(struct user *u, const struct account *view, const char *sm_id)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (!s->closing && s->account == view &&
		    text_equals(s->sm_id, sm_id))
			return s;
	}
	return NULL;
}

/* Only of the same user and view (custody.md, Numbering 7). */
static enum accept_resume
resume(void *arg, const char *previd, uint32_t h,
    struct accept_refusal *refusal)
{
	struct login *l = arg;
	struct account *view;
	struct user *u = proxy_find_login(l->proxy, l->domain, l->name, &view);
	struct session *s;
	enum accept_resume result;
	uint64_t in;

	if (u == NULL)
		return ACCEPT_NOT_RESUMED;
	if ((s = find_stream(u, view, previd)) != NULL) {
		result = session_sm_check(s, h, refusal);
		/* Else it has a connection of its own, or none. */
		if (result == ACCEPT_RESUMED)
			l->session = s->id;
		l->resume_h = h;
		return result;
	}
	refusal->has_h = ended_take(u, view != NULL ? view->id : 0, previd, h,
	    &in);
	refusal->h = refusal->has_h ? (uint32_t)in : 0;
	turn_urge(l->proxy);
	return ACCEPT_NOT_RESUMED;
}

static void
resumed(void *arg, struct stream *stream)
{
	struct login *l = arg;
	struct session *s = proxy_find_session(l->proxy, l->session);

	l->is_handed_over = true;
	session_sm_resume(s, stream, l->resume_h, l->peer);
	login_free(&l);
}

static void
ready(void *arg, struct stream *stream)
{
	struct login *l = arg;
	struct session *s = proxy_find_session(l->proxy, l->session);

	if (s == NULL || s->closing)
		stream_close(&stream);
	else
		session_start(s, stream);
	login_free(&l);
}

static void
closed(void *arg, const char *reason)
{
	struct login *l = arg;

	log_event(LEVEL_INFO, l->log_id, "login-ended", "peer=%s reason=%s",
	    l->peer, LOG_Q(reason));
	login_free(&l);
}

static const struct accept_host host = {
	.serves = serves,
	.salt = login_salt,
	.may_try = may_try,
	.check = login_check,
	.authorize = authorize,
	.failed = failed,
	.bind = bind_resource,
	.resume = resume,
	.ready = ready,
	.resumed = resumed,
	.closed = closed,
};

/* --- the start --- */

static const char *
refusal(const struct proxy *p, const char *peer)
{
	const struct limits *limits = &p->config->limits;
	unsigned lingering = conns_lingering(loop_conns(p->loop));

	if (p->stopping)
		return "the proxy is shutting down";
	if (p->logins_open + p->sessions_open + lingering >=
	    limits->connections)
		return "too many connections";
	if (p->logins_open >= limits->logins_open)
		return "too many connections that have not logged in";
	if (peers_count(p->peers, peer) >= limits->connections_per_address)
		return "too many connections from this address";
	return NULL;
}

/* A flood of them does not flood the log. */
static void
log_refusal(struct proxy *p, const char *peer, const char *why)
{
	uint64_t now = clock_now();

	p->refused++;
	if (p->refused_at != 0 && now - p->refused_at < REFUSED_LOG_MS)
		return;
	log_event(LEVEL_WARN, "proxy", "refused",
	    "peer=%s count=%u reason=\"%s\"", peer, p->refused, why);
	p->refused = 0;
	p->refused_at = now;
}

/* It may be a flood: only so many hear why. Before TLS nobody could. */
static void
refuse(struct proxy *p, struct transport *transport, enum accept_tls tls,
    const char *why)
{
	static const struct xml_limits unread;
	static const struct stream_events none;
	struct stream *stream;

	if (tls == ACCEPT_DIRECT ||
	    conns_lingering(loop_conns(p->loop)) >= LINGERING_MAX) {
		transport->ops->free(transport);
		return;
	}
	stream = stream_new(STREAM_SERVER,
	    conn_new(p->loop, transport, "refused", NULL, NULL), &unread, &none,
	    NULL);
	stream_fail(&stream, STREAM_RESOURCE_CONSTRAINT, why);
}

static struct login *
login_new(struct proxy *p, const char *peer)
{
	struct login *l = mem_alloc(sizeof(*l));

	l->proxy = p;
	l->id = proxy_id(p);
	l->peer = mem_strdup(peer);
	proxy_id_name(l->log_id, sizeof(l->log_id), 'c', l->id);
	HASH_ADD(hh, p->logins, id, sizeof(l->id), l);
	p->logins_open++;
	peers_add(p->peers, peer);
	return l;
}

static void
negotiate(struct login *l, struct transport *transport, enum accept_tls tls)
{
	struct proxy *p = l->proxy;
	const struct limits *limits = limits_of(l);
	struct accept_options options = {
		.tls = tls,
		.certs = p->certs,
		.limits = { .stanza_bytes = limits->login_bytes,
		    .depth = limits->stanza_depth,
		    .attrs = limits->stanza_attributes,
		    .elems = limits->stanza_elements },
		.auth_ms = limits->auth_seconds * 1000,
		.tls_ms = limits->tls_seconds * 1000,
		.refusal_ms = REFUSAL_MS,
		.tries = limits->login_tries,
		.features = p->stream_features,
	};

	options.bound_limits = options.limits;
	options.bound_limits.stanza_bytes = limits->stanza_bytes;
	l->accept = accept_new(p->loop,
	    conn_new(p->loop, transport, l->log_id, NULL, NULL), &options,
	    &host, l);
}

void
login_start(struct proxy *p, struct transport *transport, const char *peer,
    enum accept_tls tls)
{
	const char *why = refusal(p, peer);
	struct login *l;

	if (why != NULL) {
		log_refusal(p, peer, why);
		refuse(p, transport, tls, why);
		return;
	}
	l = login_new(p, peer);
	negotiate(l, transport, tls);
	log_event(LEVEL_INFO, l->log_id, "accepted", "peer=%s", peer);
}
