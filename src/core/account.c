#include "core/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "core/exchange.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/session.h"
#include "core/store.h"
#include "core/upstream.h"
#include "xmpp/jid.h"
#include "xmpp/stanza.h"
#include "xmpp/stream.h"

#define IQ_TICK_MS 1000
/* What a server takes that does not say (design section 9). */
#define STANZA_BYTES 262144

static const struct limits *
limits_of(const struct account *a)
{
	return &a->user->proxy->config->limits;
}

static void
count_own(struct account *a, bool is_answered)
{
	a->asked--;
	a->has_lost = a->has_lost || !is_answered;
	if (a->is_settled || a->has_lost || a->asked > 0)
		return;
	a->is_settled = true;
	account_touch(a, ACCOUNT_SELF);
}

/* To whoever asked: an answer, or an error where answer is NULL. Frees the iq. */
static void
finish_iq(struct account *a, struct iq *iq, struct elem *answer)
{
	struct session *s;

	if (iq->done != NULL) {
		iq->done(a, answer, iq->arg);
		count_own(a, answer != NULL);
	} else if ((s = proxy_find_session(a->user->proxy, iq->session)) !=
	    NULL) {
		/* It may name the session of a command (XEP-0050 3.3). */
		if (answer != NULL && iq->answerer != NULL)
			exchange_note(a, s, iq->answerer, answer);
		session_take_answer(s, a, iq, answer);
	}
	iq_free(&iq);
}

static void
expire_iqs(void *arg)
{
	struct account *a = arg;
	struct iq *iq;

	while ((iq = iq_table_expired(a->iqs, clock_now())) != NULL) {
		log_event(LEVEL_INFO, upstream_log_id(a->upstream),
		    "iq-timeout", "id=%s to=%s", iq->id, LOG_Q(iq->answerer));
		finish_iq(a, iq, NULL);
	}
	if (iq_table_count(a->iqs) > 0)
		timer_set(&a->iq_timer, IQ_TICK_MS);
}

void
account_fail_iqs(struct account *a)
{
	struct iq *iq;

	while ((iq = iq_table_any(a->iqs)) != NULL)
		finish_iq(a, iq, NULL);
}

/* Clients had the time to come back. */
static void
steady_over(void *arg)
{
	account_settle(arg);
	availability_update(arg);
}

void
account_settle(struct account *a)
{
	struct user *u = a->user;

	if (u->config->detached == DETACHED_XA || user_open_sessions(u) > 0 ||
	    a->steady.at != 0)
		upstream_start(a->upstream);
	else
		upstream_finish(a->upstream, "nobody is there");
}

struct account *
account_new(struct user *u, const struct account_config *config)
{
	const struct limits *limits = &u->proxy->config->limits;
	struct account *a = mem_alloc(sizeof(*a));
	const char *domain;
	struct err err = { "" };
	size_t len;

	a->id = store_account(u->proxy->store, u->id, config->jid, &err);
	if (a->id == 0)
		proxy_store_failed(u->proxy, &err);
	a->user = u;
	a->config = config;
	a->jid = config->jid;
	domain = jid_domain(a->jid, &len);
	a->domain = mem_strndup(domain, len);
	a->roster = roster_new(limits->roster_items, limits->roster_removals);
	a->requests = requests_new(limits->roster_items);
	a->blocks = blocklist_new(limits->block_items);
	a->presences = presences_new(limits->presences);
	a->iqs = iq_table_new(limits->iqs_per_account);
	a->outbox = outbox_new(a, limits->outbox_entries);
	a->departed = recent_new(limits->presences);
	a->active = recent_new(limits->receipts);
	a->exchanges = exchanges_new(limits->exchanges);
	a->subscribers = recent_new(limits->receipts);
	a->services = recent_new(limits->disco_items);
	a->fetched = recent_new(limits->caps_features);
	a->fetched_version = UINT64_MAX;
	timer_init(&a->iq_timer, u->proxy->loop, expire_iqs, a);
	timer_init(&a->steady, u->proxy->loop, steady_over, a);
	a->upstream = upstream_new(a);
	return a;
}

void
account_free(struct account **holder)
{
	struct account *a = *holder;

	if (a == NULL)
		return;
	/* What is open is told while the account is still whole. */
	if (!a->user->proxy->is_abandoned)
		upstream_stop(a->upstream, "the account is gone");
	/* What they hold is whoever's who asked. */
	account_fail_iqs(a);
	hooks_account_free(a);
	upstream_free(&a->upstream);
	timer_stop(&a->iq_timer);
	timer_stop(&a->steady);
	if (a->changed != 0)
		LIST_REMOVE(a, changed_next);
	iq_table_free(&a->iqs);
	outbox_free(&a->outbox);
	roster_free(&a->roster);
	requests_free(&a->requests);
	blocklist_free(&a->blocks);
	presences_free(&a->presences);
	recent_free(&a->departed);
	recent_free(&a->active);
	exchanges_free(&a->exchanges);
	recent_free(&a->subscribers);
	recent_free(&a->services);
	recent_free(&a->fetched);
	LIST_REMOVE(a, next);
	free(a->full);
	free(a->domain);
	free(a->presence_sent);
	free(a->photo);
	free(a->last_stanza_id);
	free(a->gap_after);
	archive_prefs_fini(&a->archive_prefs);
	free(a->own_info);
	free(a->domain_info);
	mem_wipe(a->derived, sizeof(a->derived));
	free(a);
	*holder = NULL;
}

bool
account_is_up(const struct account *a)
{
	return upstream_is_up(a->upstream);
}

struct address_map
account_map_down(const struct account *a, const struct session *s)
{
	return (struct address_map){ .bare_from = a->jid,
		.full_from = a->full,
		.bare_to = s->bare,
		.full_to = s->full };
}

struct address_map
account_map_up(const struct account *a, const struct session *s)
{
	return (struct address_map){ .bare_from = s->bare,
		.full_from = s->full,
		.bare_to = a->jid,
		.full_to = a->full };
}

static bool
has_room(const struct account *a)
{
	struct conn *conn = stream_conn(upstream_stream(a->upstream));

	return conn_queued_bytes(conn) < limits_of(a)->upstream_queue_bytes;
}

bool
account_takes(const struct account *a, size_t bytes)
{
	return bytes <= (a->max_bytes != 0 ? a->max_bytes : STANZA_BYTES);
}

/* Too long for the server: the stanza is lost rather than the stream. */
static int
put(struct account *a, const struct elem *stanza, bool is_late)
{
	struct buf bytes = { 0 };
	int rc = -1;

	if (!account_is_up(a))
		return -1;
	elem_write(&bytes, stanza, NS_CLIENT);
	if (!is_late && !has_room(a)) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream), "not-sent",
		    "stanza=%s reason=\"the server does not read\"",
		    stanza->name);
	} else if (account_takes(a, bytes.len)) {
		stream_send_frame(upstream_stream(a->upstream), bytes.data,
		    bytes.len, NULL, NULL);
		rc = 0;
	} else {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream), "not-sent",
		    "stanza=%s bytes=%zu reason=\"too long\"", stanza->name,
		    bytes.len);
	}
	buf_free(&bytes);
	return rc;
}

int
account_send(struct account *a, const struct elem *stanza)
{
	return put(a, stanza, false);
}

int
account_send_late(struct account *a, const struct elem *stanza)
{
	if (account_is_up(a) || !a->is_ready)
		return put(a, stanza, true);
	outbox_add_stanza(a->outbox, stanza, true);
	return 0;
}

int
account_post(struct account *a, const struct elem *stanza, bool of_stream)
{
	struct buf bytes = { 0 };
	bool fits;

	if (!account_is_up(a) && !upstream_may_resume(a->upstream))
		return -1;
	elem_write(&bytes, stanza, NS_CLIENT);
	fits = account_takes(a, bytes.len) && !outbox_is_full(a->outbox) &&
	    (!account_is_up(a) || has_room(a));
	buf_free(&bytes);
	if (!fits)
		return -1;
	outbox_add_stanza(a->outbox, stanza, of_stream);
	account_pump(a);
	return 0;
}

void
account_post_first(struct account *a, const struct elem *stanza)
{
	outbox_add_first(a->outbox, stanza);
}

void
account_pump(struct account *a)
{
	if (account_is_up(a) && a->is_ready)
		upstream_pump(a->upstream);
}

void
account_ready(struct account *a)
{
	a->gap_open = false;
	/* What is sent before that could not be resumed. */
	if (upstream_is_enabling(a->upstream))
		return;
	a->is_ready = true;
	account_touch(a, ACCOUNT_SELF);
	hooks_upstream_ready(a);
	account_pump(a);
}

void
account_lost(struct account *a)
{
	free(a->presence_sent);
	a->presence_sent = NULL;
	if (a->is_ready)
		a->last_time = clock_wall();
	a->is_ready = a->gap_open = false;
	a->replay_seq = 0;
	outbox_rewind(a->outbox, true);
	account_touch(a, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	account_fail_iqs(a);
	hooks_upstream_down(a);
}

/* Requests that did not arrive have no answer; nor are they sent again. */
static void
fail_lost_iqs(struct account *a, uint64_t acked)
{
	size_t count = 0, max = iq_table_count(a->iqs);
	struct iq **lost = mem_alloc((max + 1) * sizeof(struct iq *));

	/* All of them first: who hears of one may ask for something else. */
	while ((lost[count] = iq_table_above(a->iqs, acked)) != NULL)
		count++;
	for (size_t i = 0; i < count; i++)
		finish_iq(a, lost[i], NULL);
	free(lost);
}

void
account_begin(struct account *a)
{
	a->is_settled = a->has_lost = false;
	account_touch(a, ACCOUNT_SELF);
	hooks_upstream_up(a);
	if (!a->gap_open && !a->is_ready)
		account_ready(a);
}

void
account_resumed(struct account *a, uint64_t acked)
{
	if (a->replay_seq == 0)
		a->replay_seq = outbox_first_seq(a->outbox);
	outbox_acknowledge(a->outbox, acked);
	outbox_rewind(a->outbox, false);
	fail_lost_iqs(a, acked);
	if (a->presence_number > acked) {
		free(a->presence_sent);
		a->presence_sent = NULL;
	}
	account_touch(a, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	if (!a->is_settled && (a->has_lost || a->asked == 0))
		account_begin(a);
	availability_update(a);
	hooks_upstream_resumed(a);
	account_pump(a);
}

/* An answer that nobody can get any more is no loss; from is the server's to set. */
void
account_answer(struct account *a, struct elem *answer)
{
	elem_set(answer, "from", NULL);
	(void)account_send(a, answer);
}

static struct iq *
open_iq(struct account *a, struct iq *proto)
{
	struct iq *iq;

	proto->deadline = clock_now() + limits_of(a)->iq_seconds * 1000;
	/* A tick that is due is not put off by more requests. */
	if ((iq = iq_table_add(a->iqs, proto)) != NULL && a->iq_timer.at == 0)
		timer_set(&a->iq_timer, IQ_TICK_MS);
	return iq;
}

int
account_ask(struct account *a, struct elem *stanza, const char *to,
    void (*done)(struct account *, struct elem *answer, void *arg), void *arg)
{
	struct iq proto = { .done = done, .arg = arg, .answerer = (char *)to };
	struct iq *iq;

	if (!account_is_up(a) || (iq = open_iq(a, &proto)) == NULL)
		return -1;
	elem_set(stanza, "id", iq->id);
	elem_set(stanza, "to", to);
	if (account_send(a, stanza) == 0) {
		iq->number = upstream_sent(a->upstream);
		a->asked++;
		return 0;
	}
	iq_table_take(a->iqs, iq);
	iq_free(&iq);
	return -1;
}

static const char *
why_not_up(const struct account *a, const struct session *s,
    enum error_cond *cond)
{
	if (!account_is_up(a)) {
		*cond = ERR_REMOTE_SERVER_TIMEOUT;
		return "the account's server is not connected";
	}
	*cond = ERR_RESOURCE_CONSTRAINT;
	if (!has_room(a))
		return "too much waits for the account's server";
	if (iq_table_count_of(a->iqs, s->id) >= limits_of(a)->iqs_per_session)
		return "too many open requests";
	return NULL;
}

/* Back as it came, with an error. */
static const char *
refuse_long(struct account *a, struct session *s, struct route *r,
    struct iq *iq)
{
	iq_table_take(a->iqs, iq);
	elem_set(r->stanza, "id", r->id);
	elem_set(r->stanza, "to", iq->asked_to);
	iq_free(&iq);
	route_bounce(s, r, ERR_POLICY_VIOLATION, ACCOUNT_TOO_LONG);
	return ACCOUNT_TOO_LONG;
}

const char *
account_forward_iq(struct account *a, struct session *s, struct route *r)
{
	struct address_map map = account_map_up(a, s);
	struct arena *arena = r->stanza->arena;
	struct iq proto = { .session = s->id, .asked_id = (char *)r->id };
	struct iq *iq;
	enum error_cond cond;
	const char *why = why_not_up(a, s, &cond);

	if (r->to != NULL)
		proto.answerer = (char *)address_map(arena, &map, r->to);
	proto.asked_to = (char *)elem_attr(r->stanza, "to");
	if (why == NULL && (iq = open_iq(a, &proto)) == NULL)
		why = "too many open requests of the account";
	if (why != NULL) {
		route_bounce(s, r, cond, why);
		return why;
	}
	address_rewrite(r->stanza, &map);
	elem_set(r->stanza, "id", iq->id);
	elem_set(r->stanza, "from", NULL);
	if (r->to != NULL)
		elem_set(r->stanza, "to", proto.answerer);
	if (r->type == TYPE_SET && r->to != NULL) {
		exchange_touch(a, s, r->to);
		exchange_note(a, s, r->to, r->stanza);
	}
	if (account_send(a, r->stanza) == 0) {
		iq->number = upstream_sent(a->upstream);
		return "sent up";
	}
	return refuse_long(a, s, r, iq);
}

static bool
is_self(const struct account *a, const char *jid)
{
	return jid_same_bare(jid, a->jid) || jid_same_bare(jid, a->domain);
}

bool
account_has_blocked(const struct account *a, const char *jid)
{
	return !is_self(a, jid) &&
	    blocklist_match(a->blocks, jid, false) != NULL;
}

bool
account_blocks(const struct account *a, const char *jid)
{
	bool here = blocklist_place(a->blocks) == BLOCKS_HERE;

	return !is_self(a, jid) &&
	    blocklist_match(a->blocks, jid, !here) != NULL;
}

bool
account_is_own(const struct account *a, const char *from)
{
	return from == NULL || strcmp(from, a->jid) == 0 ||
	    text_equals(from, a->full) || strcmp(from, a->domain) == 0;
}

/* An answer counts only from whom it was asked of (RFC 6120 8.1.2.1, 10.3.3). */
static bool
is_answerer(const struct account *a, const struct iq *iq, const char *from)
{
	if (iq->answerer == NULL || strcmp(iq->answerer, a->jid) == 0)
		return account_is_own(a, from);
	return text_equals(iq->answerer, from);
}

const char *
account_take_answer(struct account *a, struct route *r)
{
	struct iq *iq = r->id ? iq_table_find(a->iqs, r->id) : NULL;

	if (iq == NULL)
		return "an answer to nothing that was asked";
	if (!is_answerer(a, iq, r->from)) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "spoofed-answer", "from=%s expected=%s", LOG_Q(r->from),
		    LOG_Q(iq->answerer));
		return "an answer from somebody who was not asked";
	}
	iq_table_take(a->iqs, iq);
	finish_iq(a, iq, r->stanza);
	return "answered";
}
