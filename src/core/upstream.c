#include "core/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/trusts.h"
#include "upstream_impl.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

#define DIAL_BUSY_MS 100   /* too many dials at once: ask again */
#define STEADY_MS    60000 /* up for so long: backoff starts anew */

static const struct limits *
limits_of(const struct upstream *u)
{
	return &u->proxy->config->limits;
}

void
upstream_set_state(struct upstream *u, enum upstream_state state)
{
	if (u->state == UPSTREAM_DIALLING || u->state == UPSTREAM_NEGOTIATING)
		u->proxy->dials_open--;
	u->state = state;
	if (state == UPSTREAM_DIALLING || state == UPSTREAM_NEGOTIATING)
		u->proxy->dials_open++;
}

/* Lets go of whatever is open, without a callback. */
static void
drop(struct upstream *u)
{
	u->proxy->env.dial_free(&u->dial);
	connect_free(&u->connect);
	stream_abort(&u->stream);
	timer_stop(&u->keepalive);
	u->salting = 0;
}

void
upstream_set_trouble(struct upstream *u, const char *why)
{
	free(u->trouble);
	u->trouble = mem_strdup(why);
}

/* The account is told that what it had is gone. */
static void
leave_up(struct upstream *u)
{
	upstream_set_state(u, UPSTREAM_OFF);
	account_lost(u->account);
	if (clock_now() - u->up_at >= STEADY_MS)
		u->attempts = 0;
}

void
upstream_lose(struct upstream *u)
{
	if (u->state == UPSTREAM_UP && upstream_sm_suspend(u))
		upstream_set_state(u, UPSTREAM_OFF);
	else if (u->state == UPSTREAM_UP)
		leave_up(u);
	drop(u);
}

/* --- once it is up --- */

static void
up_stanza(void *arg, struct elem *stanza)
{
	struct upstream *u = arg;

	if (upstream_sm_take(u, stanza))
		return;
	route_upstream(u->account, stanza);
	upstream_sm_handled(u, stanza);
}

void
upstream_pump(struct upstream *u)
{
	outbox_pump(u->account->outbox, u->stream, &u->sm.out,
	    limits_of(u)->upstream_queue_bytes);
	upstream_sm_want_ack(u);
}

static void
up_drained(void *arg)
{
	struct upstream *u = arg;

	account_pump(u->account);
	availability_update(u->account);
}

static void
up_closed(void *arg, const char *cond, const char *reason)
{
	struct upstream *u = arg;
	char why[256];

	snprintf(why, sizeof(why), "%s%s%s", cond != NULL ? cond : "",
	    cond != NULL ? ": " : "", reason);
	if (cond != NULL || stream_was_closed(u->stream))
		upstream_sm_forget(u);
	if (text_equals(cond, "conflict"))
		upstream_conflicted(u, why);
	else if (text_equals(cond, "see-other-host") && u->is_secure)
		upstream_sent_on(u, reason);
	else
		upstream_retry_later(u, why);
}

static const struct stream_events up_events = {
	.stanza = up_stanza,
	.drained = up_drained,
	.closed = up_closed,
};

/* --- negotiation --- */

/* XEP-0478; 0 where the server does not say. */
static uint64_t
max_bytes_of(const struct elem *features)
{
	const struct elem *l = elem_find(features, NS_STREAM_LIMITS, "limits");
	const char *text = NULL;
	uint64_t bytes;

	if (l != NULL)
		text = elem_child_text(l, NS_STREAM_LIMITS, "max-bytes");
	return text != NULL && text_to_uint(text, 1, UINT32_MAX, &bytes) ?
	    bytes :
	    0;
}

void
upstream_take_stream(struct upstream *u, struct stream *stream,
    const struct elem *features)
{
	struct account *a = u->account;

	u->stream = stream;
	u->is_secure = stream_is_secure(stream);
	stream_set_owner(stream, &up_events, u);
	stream_set_sm(stream, &u->sm);
	connect_free(&u->connect);
	u->proxy->env.dial_free(&u->dial);
	upstream_set_state(u, UPSTREAM_UP);
	upstream_set_trouble(u, "");
	u->up_at = clock_now();
	u->refusals = 0;
	u->hops = 0;
	u->pinged = false;
	a->max_bytes = max_bytes_of(features);
	a->csi_offered = elem_find(features, NS_CSI, "csi") != NULL;
	a->csi_inactive = false;
	conn_set_window(stream_conn(stream), limits_of(u)->queue_frames,
	    limits_of(u)->upstream_queue_bytes);
	conn_set_group(stream_conn(stream), u->proxy_group);
	upstream_pause(u, u->proxy->is_full);
	timer_set(&u->keepalive, limits_of(u)->ping_seconds * 1000);
}

static void
negotiated(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	struct upstream *u = arg;
	struct account *a = u->account;

	free(a->full);
	a->full = mem_strdup(full);
	a->was_up = true;
	a->has_rosterver = elem_find(features, NS_ROSTERVER, "ver") != NULL;
	log_event(LEVEL_INFO, u->log_id, "upstream-up", "account=%s jid=%s",
	    a->jid, full);
	upstream_sm_start(u, features);
	upstream_take_stream(u, stream, features);
	upstream_sm_enable(u);
	account_touch(a, ACCOUNT_COUNTERS);
	account_begin(a);
}

static void
negotiation_failed(void *arg, enum connect_failure failure, const char *text)
{
	struct upstream *u = arg;
	char *why = mem_strdup(text); /* text goes with the connect */

	connect_free(&u->connect);
	log_event(LEVEL_WARN, u->log_id, "upstream-failed",
	    "account=%s reason=%s", u->account->jid, LOG_Q(why));
	switch (failure) {
	case CONNECT_LOST:
	case CONNECT_TLS:
		upstream_set_state(u, UPSTREAM_DIALLING);
		u->proxy->env.dial_next(u->dial, why);
		break;
	case CONNECT_REFUSED:
		upstream_refused(u, why);
		break;
	case CONNECT_CONFLICT:
		upstream_conflicted(u, why);
		break;
	case CONNECT_ELSEWHERE:
		upstream_sent_on(u, why);
		break;
	case CONNECT_PASSING:
	case CONNECT_NO_MECHANISM:
		upstream_retry_later(u, why);
		break;
	}
	free(why);
}

static const struct connect_events connect_events = {
	.salted = upstream_want_salted,
	.ready = negotiated,
	.resumed = upstream_sm_resumed,
	.not_resumed = upstream_sm_not_resumed,
	.failed = negotiation_failed,
};

static void
negotiate(struct upstream *u, struct transport *transport, bool direct)
{
	const struct account_config *config = u->account->config;
	const struct limits *limits = limits_of(u);
	struct arena *arena = arena_new();
	struct connect_options options = {
		.domain = u->account->domain,
		.domain_ascii = u->domain_ascii,
		.password = config->password,
		.resource = u->server_resource ? NULL : config->resource,
		.tls = direct                    ? CONNECT_DIRECT :
		    config->tls == CONFIG_NO_TLS ? CONNECT_PLAIN :
						   CONNECT_STARTTLS,
		.trust = u->trust,
		.limits = { .stanza_bytes = limits->upstream_stanza_bytes,
		    .depth = limits->stanza_depth,
		    .attrs = limits->stanza_attributes,
		    .elems = limits->stanza_elements },
		.tls_ms = limits->tls_seconds * 1000,
		.total_ms = limits->auth_seconds * 1000,
	};

	if (u->is_suspended) {
		options.resume_id = u->sm_id;
		options.resume_h = sm_h(&u->sm);
	}
	options.name = arena_strndup(arena, config->jid,
	    strcspn(config->jid, "@"));
	upstream_set_state(u, UPSTREAM_NEGOTIATING);
	u->connect = connect_new(u->proxy->loop,
	    conn_new(u->proxy->loop, transport, u->log_id, NULL, NULL),
	    &options, &connect_events, u);
	arena_free(&arena);
}

static void
connected(void *arg, struct transport *transport, bool direct,
    const char *where)
{
	struct upstream *u = arg;

	log_event(LEVEL_INFO, u->log_id, "upstream-connected",
	    "account=%s where=%s tls=%s", u->account->jid, LOG_Q(where),
	    direct ? "direct" : "starttls");
	negotiate(u, transport, direct);
}

static void
dial_failed(void *arg, const char *reason)
{
	struct upstream *u = arg;

	upstream_retry_later(u, reason);
}

static const struct dial_events dial_events = {
	.connected = connected,
	.failed = dial_failed,
};

static enum dial_tls
dial_kind(enum config_tls tls)
{
	switch (tls) {
	case CONFIG_STARTTLS:
		return DIAL_STARTTLS;
	case CONFIG_DIRECT:
		return DIAL_DIRECT;
	case CONFIG_NO_TLS:
		return DIAL_NONE;
	case CONFIG_TLS_ANY:
		break;
	}
	return DIAL_ANY;
}

/* What is needed besides the address: the domain's ASCII form, and whom to trust. */
static int
prepare(struct upstream *u, struct err *err)
{
	const struct account_config *config = u->account->config;
	struct arena *arena = arena_new();
	const char *ascii;
	int rc = -1;

	tls_trust_unref(&u->trust);
	u->trust = trusts_get(u->proxy->trusts, config->ca, err);
	if (u->trust == NULL)
		goto out;
	if (u->domain_ascii == NULL) {
		ascii = jid_domain_to_ascii(arena, u->account->domain, err);
		if (ascii == NULL)
			goto out;
		u->domain_ascii = mem_strdup(ascii);
	}
	rc = 0;
out:
	arena_free(&arena);
	return rc;
}

static void
dial(void *arg)
{
	struct upstream *u = arg;
	const struct account_config *config = u->account->config;
	struct dial_target target = {
		.host = config->host,
		.port = config->port,
		.tls = dial_kind(config->tls),
		.try_ms = limits_of(u)->connect_seconds * 1000,
		.total_ms = limits_of(u)->connect_seconds * 4000,
	};
	struct err err;

	if (u->proxy->dials_open >= limits_of(u)->dials) {
		upstream_set_state(u, UPSTREAM_WAITING);
		timer_set(&u->retry, DIAL_BUSY_MS);
		return;
	}
	if (prepare(u, &err) == -1) {
		upstream_retry_later(u, err.text);
		return;
	}
	if (u->other_host != NULL) {
		target.host = u->other_host;
		target.port = u->other_port;
	}
	target.domain = u->domain_ascii;
	upstream_set_state(u, UPSTREAM_DIALLING);
	u->dial = u->proxy->env.dial_new(u->proxy->env.arg, &target,
	    &dial_events, u);
	/* A host that another one named is for this try only. */
	free(u->other_host);
	u->other_host = NULL;
}

/* --- from outside --- */

struct upstream *
upstream_new(struct account *a)
{
	struct upstream *u = mem_alloc(sizeof(*u));

	u->account = a;
	u->proxy = a->user->proxy;
	u->id = proxy_id(u->proxy);
	u->proxy_group = a->user->group;
	proxy_id_name(u->log_id, sizeof(u->log_id), 'u', u->id);
	upstream_set_trouble(u, "not connected yet");
	timer_init(&u->retry, u->proxy->loop, dial, u);
	timer_init(&u->keepalive, u->proxy->loop, upstream_keep_alive, u);
	upstream_sm_init(u);
	HASH_ADD(hh, u->proxy->upstreams, id, sizeof(u->id), u);
	return u;
}

/* Says goodbye, behind all that the stream was handed. */
static void
close_stream(struct upstream *u)
{
	bool was_there = u->state == UPSTREAM_UP || u->is_suspended;

	upstream_sm_forget(u);
	if (was_there)
		leave_up(u);
	stream_close(&u->stream);
	drop(u);
	timer_stop(&u->retry);
}

void
upstream_free(struct upstream **holder)
{
	struct upstream *u = *holder;

	if (u == NULL)
		return;
	if (!u->proxy->is_abandoned)
		close_stream(u);
	drop(u);
	timer_stop(&u->retry);
	upstream_sm_fini(u);
	upstream_set_state(u, UPSTREAM_OFF);
	HASH_DEL(u->proxy->upstreams, u);
	tls_trust_unref(&u->trust);
	mem_wipe(&u->salted, sizeof(u->salted));
	free(u->domain_ascii);
	free(u->other_host);
	free(u->trouble);
	free(u);
	*holder = NULL;
}

void
upstream_start(struct upstream *u)
{
	u->finish = NULL;
	if (u->state != UPSTREAM_OFF || u->proxy->stopping)
		return;
	dial(u);
}

void
upstream_stop(struct upstream *u, const char *reason)
{
	if ((u->state == UPSTREAM_OFF && !u->is_suspended) ||
	    u->state == UPSTREAM_REFUSED)
		return;
	close_stream(u);
	u->finish = NULL;
	upstream_set_state(u, UPSTREAM_OFF);
	upstream_set_trouble(u, reason);
	log_event(LEVEL_INFO, u->log_id, "upstream-off", "account=%s reason=%s",
	    u->account->jid, LOG_Q(reason));
}

void
upstream_finish(struct upstream *u, const char *reason)
{
	u->finish = reason;
	if (!upstream_sm_ask_now(u))
		upstream_stop(u, reason);
}

void
upstream_leave(struct upstream *u, const char *reason)
{
	bool is_kept = u->is_suspended;

	if (u->state == UPSTREAM_UP && upstream_sm_suspend(u)) {
		stream_leave(&u->stream);
		is_kept = true;
	}
	if (!is_kept) {
		upstream_stop(u, reason);
		return;
	}
	drop(u);
	timer_stop(&u->retry);
	upstream_set_state(u, UPSTREAM_OFF);
	log_event(LEVEL_INFO, u->log_id, "upstream-left",
	    "account=%s reason=%s", u->account->jid, LOG_Q(reason));
}

void
upstream_pause(struct upstream *u, bool paused)
{
	if (u->state != UPSTREAM_UP)
		return;
	/* What it answered meanwhile is still to be read. */
	u->pinged_at = u->asked_at = clock_now();
	conn_pause(stream_conn(u->stream), paused);
}

void
upstream_reset(struct upstream *u, const char *reason)
{
	close_stream(u);
	u->finish = NULL;
	upstream_set_state(u, UPSTREAM_OFF);
	upstream_set_trouble(u, reason);
	u->attempts = u->refusals = u->conflicts = u->hops = 0;
	u->server_resource = false;
	mem_free_string(&u->other_host);
	tls_trust_unref(&u->trust);
	mem_wipe(&u->salted, sizeof(u->salted));
}

bool
upstream_is_refused(const struct upstream *u)
{
	return u->state == UPSTREAM_REFUSED ||
	    (u->state == UPSTREAM_WAITING && u->refusals > 0);
}

bool
upstream_has_stopped(const struct upstream *u)
{
	return u->state == UPSTREAM_REFUSED;
}

bool
upstream_is_trying(const struct upstream *u)
{
	return u->state == UPSTREAM_DIALLING ||
	    u->state == UPSTREAM_NEGOTIATING ||
	    (u->state == UPSTREAM_WAITING && u->attempts == 0 &&
		u->refusals == 0);
}

bool
upstream_is_up(const struct upstream *u)
{
	return u->state == UPSTREAM_UP;
}

bool
upstream_may_resume(const struct upstream *u)
{
	return u->is_suspended;
}

struct stream *
upstream_stream(struct upstream *u)
{
	return u->state == UPSTREAM_UP ? u->stream : NULL;
}

const char *
upstream_log_id(const struct upstream *u)
{
	return u->log_id;
}

const char *
upstream_trouble(const struct upstream *u)
{
	return u->trouble;
}
