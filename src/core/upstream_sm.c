/*
 * Stream management towards servers (XEP-0198), and pings in its place: what we sent
 * is the server's once it has said so; a stream whose link is lost goes on.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/proxy.h"
#include "core/session_sm.h"
#include "core/store.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "upstream_impl.h"
#include "xmpp/ns.h"

/* What a server keeps a stream for that does not say. */
#define SM_MAX_SECONDS 300

static const struct limits *
limits_of(const struct upstream *u)
{
	return &u->proxy->config->limits;
}

uint64_t
upstream_sent(const struct upstream *u)
{
	return u->sm.out;
}

/* --- acknowledgements --- */

static void
ask(struct upstream *u)
{
	struct arena *arena;
	struct elem *iq;

	u->asked_at = clock_now();
	timer_set(&u->ack_timer, limits_of(u)->ping_timeout_seconds * 1000);
	if (u->sm.on) {
		u->sm.asked = true;
		stream_send_text(u->stream, "<r xmlns='" NS_SM "'/>");
		return;
	}
	arena = arena_new();
	iq = elem_new(arena, NS_CLIENT, "iq");
	elem_set(iq, "type", "get");
	elem_set(iq, "id", random_id(u->ack_id));
	elem_set(iq, "to", u->account->domain);
	elem_child(iq, NS_PING, "ping");
	stream_send(u->stream, iq);
	u->ack_upto = u->sm.out;
	arena_free(&arena);
}

static bool
is_asked(const struct upstream *u)
{
	return u->sm.asked || u->ack_id[0] != '\0';
}

void
upstream_sm_want_ack(struct upstream *u)
{
	size_t count;

	if (u->stream == NULL || is_asked(u) || u->is_enabling)
		return;
	/* The outbox is gone through for it, so it comes last. */
	if ((count = outbox_unacknowledged(u->account->outbox)) == 0)
		return;
	if (count >= limits_of(u)->ack_stanzas ||
	    outbox_is_full(u->account->outbox))
		ask(u);
	else if (u->ack_timer.at == 0)
		timer_set(&u->ack_timer, limits_of(u)->ack_seconds * 1000);
}

bool
upstream_sm_ask_now(struct upstream *u)
{
	if (u->stream == NULL || u->is_enabling ||
	    outbox_unacknowledged(u->account->outbox) == 0)
		return false;
	if (!is_asked(u))
		ask(u);
	return true;
}

static void
acknowledged(struct upstream *u)
{
	u->sm.asked = false;
	u->ack_id[0] = '\0';
	timer_stop(&u->ack_timer);
	outbox_acknowledge(u->account->outbox, u->sm.acked);
	account_touch(u->account, ACCOUNT_COUNTERS);
	if (u->finish != NULL)
		upstream_finish(u, u->finish);
	else
		upstream_sm_want_ack(u);
}

bool
upstream_is_enabling(const struct upstream *u)
{
	return u->is_enabling;
}

static void
enabling_is_over(struct upstream *u)
{
	u->is_enabling = false;
	timer_stop(&u->ack_timer);
	if (!u->account->gap_open)
		account_ready(u->account);
}

/* Anything read since is a sign of life; the answer is still to come. */
static void
ack_due(void *arg)
{
	struct upstream *u = arg;

	if (u->stream == NULL)
		return;
	if (u->is_enabling) {
		enabling_is_over(u);
		return;
	}
	if (!is_asked(u)) {
		ask(u);
		return;
	}
	if (u->finish != NULL) {
		upstream_stop(u, u->finish);
		return;
	}
	if (!u->proxy->is_full &&
	    conn_last_read(stream_conn(u->stream)) < u->asked_at &&
	    conn_queued_bytes(stream_conn(u->stream)) == 0) {
		upstream_retry_later(u,
		    "the server does not acknowledge what it is sent");
		return;
	}
	u->asked_at = clock_now();
	timer_set(&u->ack_timer, limits_of(u)->ping_timeout_seconds * 1000);
}

/* --- nonzas --- */

static void
on_enabled(struct upstream *u, const struct elem *e)
{
	const char *resume = elem_attr(e, "resume"), *id = elem_attr(e, "id");
	const char *max = elem_attr(e, "max");

	u->sm.on = true;
	u->sm.in = 0;
	/* A ping that is out says nothing that an h does not say better. */
	u->ack_id[0] = '\0';
	timer_stop(&u->ack_timer);
	if ((text_equals(resume, "true") || text_equals(resume, "1")) &&
	    id != NULL && strlen(id) <= SM_ID_MAX) {
		u->sm_id = mem_strdup(id);
		if (max == NULL ||
		    !text_to_uint(max, 1, UINT32_MAX, &u->sm_max))
			u->sm_max = SM_MAX_SECONDS;
	}
	log_event(LEVEL_INFO, u->log_id, "stream-management",
	    "resume=%s seconds=%" PRIu64, u->sm_id != NULL ? "yes" : "no",
	    u->sm_max);
	account_touch(u->account, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	turn_urge(u->proxy);
	enabling_is_over(u);
	upstream_sm_want_ack(u);
}

static void
send_ack(struct upstream *u)
{
	struct buf b = { 0 };

	sm_write_ack(&u->sm, &b);
	stream_send_text(u->stream, b.data);
	buf_free(&b);
	account_touch(u->account, ACCOUNT_COUNTERS);
	turn_urge(u->proxy);
}

static void
too_high(struct upstream *u, uint32_t h)
{
	struct buf b = { 0 };

	sm_write_too_high(&b, h, (uint32_t)u->sm.out);
	stream_fail_with(&u->stream, STREAM_UNDEFINED_CONDITION, b.data,
	    "more was acknowledged than was sent");
	buf_free(&b);
	upstream_sm_forget(u);
	upstream_retry_later(u,
	    "the server acknowledges more than it was sent");
}

static void
on_ack(struct upstream *u, const struct elem *e)
{
	uint64_t before = u->sm.acked;
	uint32_t h;

	if (!u->sm.on || !sm_parse_h(e, &h))
		return;
	if (!sm_acknowledge(&u->sm, h)) {
		too_high(u, h);
		return;
	}
	/* It has handled what came behind <resume/>: all is here that it sent again. */
	if (u->sm.acked != before)
		u->account->replay_seq = 0;
	acknowledged(u);
}

static void
on_nonza(struct upstream *u, const struct elem *e)
{
	if (strcmp(e->name, "r") == 0 && u->sm.on)
		send_ack(u);
	else if (strcmp(e->name, "a") == 0)
		on_ack(u, e);
	else if (strcmp(e->name, "enabled") == 0 && u->is_enabling)
		on_enabled(u, e);
	else if (strcmp(e->name, "failed") == 0 && u->is_enabling)
		enabling_is_over(u);
	else
		log_event(LEVEL_INFO, u->log_id, "stream-management",
		    "element=%s reason=\"not due\"", LOG_Q(e->name));
}

static bool
is_pong(const struct upstream *u, const struct elem *e)
{
	enum stanza_type type = stanza_type(e);

	return u->ack_id[0] != '\0' && stanza_kind(e) == STANZA_IQ &&
	    (type == TYPE_RESULT || type == TYPE_ERROR) &&
	    text_equals(elem_attr(e, "id"), u->ack_id);
}

bool
upstream_sm_take(struct upstream *u, struct elem *e)
{
	if (text_equals(e->ns, NS_SM)) {
		on_nonza(u, e);
		return true;
	}
	if (!is_pong(u, e))
		return false;
	u->sm.acked = u->ack_upto;
	acknowledged(u);
	return true;
}

void
upstream_sm_handled(struct upstream *u, const struct elem *e)
{
	if (!u->sm.on || stanza_kind(e) == STANZA_NONE)
		return;
	u->sm.in++;
	account_touch(u->account, ACCOUNT_COUNTERS);
}

/* --- life --- */

/* One that is being asked for may still go on: the server's clock counts. */
static void
suspended_too_long(void *arg)
{
	struct upstream *u = arg;

	if (u->state == UPSTREAM_NEGOTIATING)
		timer_set(&u->suspended, limits_of(u)->auth_seconds * 1000);
	else
		upstream_sm_not_resumed(u, false, 0);
}

void
upstream_sm_init(struct upstream *u)
{
	timer_init(&u->ack_timer, u->proxy->loop, ack_due, u);
	timer_init(&u->suspended, u->proxy->loop, suspended_too_long, u);
}

static void
clear(struct upstream *u)
{
	timer_stop(&u->ack_timer);
	timer_stop(&u->suspended);
	mem_free_string(&u->sm_id);
	u->sm_max = 0;
	u->is_suspended = u->is_restored = u->is_enabling = false;
	u->ack_id[0] = '\0';
}

void
upstream_sm_fini(struct upstream *u)
{
	clear(u);
}

void
upstream_sm_forget(struct upstream *u)
{
	clear(u);
	account_touch(u->account, ACCOUNT_SELF);
}

void
upstream_sm_start(struct upstream *u, const struct elem *features)
{
	clear(u);
	memset(&u->sm, 0, sizeof(u->sm));
	u->offers_sm = elem_find(features, NS_SM, "sm") != NULL;
}

/* Our own count begins with <enable/>, the server's with <enabled/> (XEP-0198 4). */
void
upstream_sm_enable(struct upstream *u)
{
	if (!u->offers_sm)
		return;
	u->is_enabling = true;
	stream_send_text(u->stream,
	    "<enable xmlns='" NS_SM "' resume='true'/>");
	timer_set(&u->ack_timer, limits_of(u)->ping_timeout_seconds * 1000);
}

bool
upstream_sm_suspend(struct upstream *u)
{
	timer_stop(&u->ack_timer);
	u->sm.asked = false;
	u->ack_id[0] = '\0';
	if (u->sm_id == NULL)
		return false;
	u->is_suspended = true;
	timer_set(&u->suspended, u->sm_max * 1000);
	return true;
}

void
upstream_sm_resumed(void *arg, struct stream *stream, uint32_t h,
    const struct elem *features)
{
	struct upstream *u = arg;
	bool good = sm_resume(&u->sm, h, u->is_restored ? SM_SLACK : 0);

	timer_stop(&u->suspended);
	u->is_suspended = u->is_restored = false;
	upstream_take_stream(u, stream, features);
	if (!good) {
		too_high(u, h);
		return;
	}
	log_event(LEVEL_INFO, u->log_id, "upstream-resumed",
	    "account=%s jid=%s", u->account->jid, u->account->full);
	account_resumed(u->account, u->sm.acked);
	turn_urge(u->proxy);
	upstream_sm_want_ack(u);
}

/* It is as if the link had been lost for good just now. */
void
upstream_sm_not_resumed(void *arg, bool has_h, uint32_t h)
{
	struct upstream *u = arg;

	if (!u->is_suspended)
		return;
	if (has_h && sm_resume(&u->sm, h, u->is_restored ? SM_SLACK : 0))
		outbox_acknowledge(u->account->outbox, u->sm.acked);
	log_event(LEVEL_INFO, u->log_id, "upstream-not-resumed",
	    "account=%s known=%s", u->account->jid, has_h ? "yes" : "no");
	upstream_sm_forget(u);
	account_lost(u->account);
}

/* --- on disk --- */

/* Behind the id is a place that is empty: stores had the server's location there. */
void
upstream_pack(const struct upstream *u, struct buf *b)
{
	pack_string(b, u->sm_id);
	pack_string(b, NULL);
	pack_uint(b, u->sm_max);
}

void
upstream_pack_counters(const struct upstream *u, struct buf *b)
{
	pack_uint(b, u->sm.in);
	pack_uint(b, u->sm.acked);
}

void
upstream_unpack(struct upstream *u, struct unpack *from)
{
	u->sm_id = unpack_string(from);
	free(unpack_string(from));
	u->sm_max = unpack_uint(from);
}

void
upstream_unpack_counters(struct upstream *u, struct unpack *from)
{
	u->sm.in = unpack_uint(from);
	u->sm.out = u->sm.acked = unpack_uint(from);
}

void
upstream_loaded(struct upstream *u)
{
	struct account *a = u->account;

	if (u->sm_id != NULL && store_may_resume(u->proxy->store)) {
		u->sm.on = true;
		u->is_suspended = u->is_restored = true;
		timer_set(&u->suspended, u->sm_max * 1000);
		return;
	}
	clear(u);
	mem_free_string(&a->presence_sent);
	a->is_ready = false;
	outbox_rewind(a->outbox, true);
}
