/*
 * What came while there was no stream (custody.md, "Upstream resumption that fails"):
 * before presence goes up on a new one, the server's archive (XEP-0313) is asked for
 * what it has after the last that we know. And once more behind presence: what the
 * server got between the two is for nobody, and Prosody does not give what it stored to
 * a client that has asked its archive. What it sends by itself meanwhile stands in the
 * archive behind that, so it is held back until the last answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/archive.h"
#include "core/fanout.h"
#include "core/history.h"
#include "core/incoming.h"
#include "core/invitation.h"
#include "core/outbox.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/sent.h"
#include "core/upstream.h"
#include "mod/held.h"
#include "mod/info.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define PAGE       "1000" /* less where the server says so */
#define BACK_MS    300000 /* by time: so far before we were last there */
#define KNOWN_MAX  10000  /* messages that may come once more */
#define LOOK_MAX   100000 /* entries of the log that are looked at for those */
#define KNOWN_LAST 100    /* entries looked at before the last that has an id */
#define KEY_SIZE   4096
#define KNOWN_MS   600000

struct gap {
	char queryid[RANDOM_ID_SIZE];
	uint64_t asked_at;
	unsigned pages, found;
	uint64_t learnt; /* of the log, all before that */
	/* What a server stored for us to be off comes by itself as well. */
	struct recent *known;
	/* Came by itself while the archive is asked; NULL: nothing has to wait. */
	struct held *held;
	struct timer forget;
};

static const struct limits *
limits_of(const struct account *a)
{
	return &a->user->proxy->config->limits;
}

static void
forget(void *arg)
{
	struct account *a = arg;
	struct gap *g = a->gap;

	timer_stop(&g->forget);
	recent_free(&g->known);
	held_free(&g->held);
	free(g);
	a->gap = NULL;
}

/* --- ids --- */

/*
 * What is in the outbox stands in the log before what the server will put behind that
 * id; so may what it has acknowledged while what came before is still on its way.
 */
static uint64_t
first_behind(const struct account *a)
{
	uint64_t seq = outbox_first_seq(a->outbox);

	if (seq == 0)
		seq = history_next(a->user->history);
	return a->replay_seq != 0 && a->replay_seq < seq ? a->replay_seq : seq;
}

static void
note_last(struct account *a, const char *id)
{
	char *old = a->last_stanza_id;

	a->last_stanza_id = mem_strdup(id);
	free(old);
	a->last_seq = first_behind(a);
	account_touch(a, ACCOUNT_COUNTERS);
}

static bool
is_known(const struct account *a, const char *id)
{
	return a->gap != NULL && recent_get(a->gap->known, id, NULL);
}

/* What we sent has no id of the archive's; the server keeps ours. */
static bool
sent_key(char key[KEY_SIZE], const char *peer, const char *id)
{
	int len;

	len = snprintf(key, KEY_SIZE, "%.*s %s", (int)jid_bare_len(peer), peer,
	    id);
	return len > 0 && len < KEY_SIZE;
}

static void
learn(struct gap *g, const struct entry *e)
{
	char key[KEY_SIZE];

	if (e->stanza_id != NULL)
		recent_set(g->known, e->stanza_id, 1);
	if (e->direction == DIR_OUT && e->id != NULL &&
	    sent_key(key, e->peer, e->id))
		recent_set(g->known, key, 1);
}

/* All since the last id, which is where the archive is asked from; then what is new. */
static void
learn_last(struct account *a, struct gap *g)
{
	struct history *h = a->user->history;
	uint64_t seq = a->gap_seq, next = history_next(h);
	struct entry *e;

	seq = seq > KNOWN_LAST ? seq - KNOWN_LAST : 1;
	if (next > LOOK_MAX && seq < next - LOOK_MAX)
		seq = next - LOOK_MAX;
	if (seq < g->learnt)
		seq = g->learnt;
	for (; (e = history_from(h, seq)) != NULL; seq = e->seq + 1) {
		/* What we send can wait for long before it is in the archive. */
		if (e->account == a->id &&
		    (e->direction == DIR_OUT || e->seq + KNOWN_MAX >= next))
			learn(g, e);
	}
	g->learnt = next;
	(void)user_log_failed(a->user);
}

/* --- asking --- */

/* What it has never said is found out by asking. */
static bool
may_have_archive(const struct account *a)
{
	return a->own_info == NULL || info_says_feature(a->own_info, NS_MAM);
}

static void
add_field(struct elem *x, const char *var, const char *value)
{
	struct elem *field = elem_child(x, NS_DATA, "field");

	elem_set(field, "var", var);
	elem_add_text(elem_child(field, NS_DATA, "value"), value);
}

static struct elem *
make_query(struct account *a, struct arena *arena)
{
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *query, *x, *set;
	char stamp[TEXT_STAMP_SIZE];

	elem_set(iq, "type", "set");
	query = elem_child(iq, NS_MAM, "query");
	elem_set(query, "queryid", random_id(a->gap->queryid));
	if (a->gap_after == NULL) {
		x = elem_child(query, NS_DATA, "x");
		elem_set(x, "type", "submit");
		add_field(x, "FORM_TYPE", NS_MAM);
		add_field(x, "start", text_stamp(stamp, a->gap_start));
	}
	set = elem_child(query, NS_RSM, "set");
	elem_add_text(elem_child(set, NS_RSM, "max"), PAGE);
	if (a->gap_after != NULL)
		elem_add_text(elem_child(set, NS_RSM, "after"), a->gap_after);
	return iq;
}

static void on_answer(struct account *, struct elem *, void *);

/* Where it goes on, whatever becomes of the stream and of us; start 0: it is closed. */
static void
move_on(struct account *a, const char *after, uint64_t start)
{
	char *old = a->gap_after;

	a->gap_after = mem_strdup(after);
	a->gap_start = start;
	free(old);
	account_touch(a, ACCOUNT_COUNTERS);
}

/* Those that the archive had as well are known by now. Nothing more is held. */
static void
release_held(struct account *a)
{
	struct held *held = a->gap->held;
	struct arena *arena = arena_new();
	struct elem *stanza;

	a->gap->held = NULL;
	while (held != NULL && (stanza = held_take(held, arena)) != NULL) {
		route_upstream(a, stanza);
		arena_reset(arena);
	}
	held_free(&held);
	arena_free(&arena);
}

static void
finish(struct account *a, const char *why)
{
	struct gap *g = a->gap;

	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "gap-closed",
	    "account=%s messages=%u reason=\"%s\"", a->jid, g->found, why);
	timer_set(&g->forget, KNOWN_MS);
	move_on(a, NULL, 0);
	release_held(a);
	if (!a->is_ready)
		account_ready(a);
}

static bool
is_asking(const struct account *a)
{
	return a->gap != NULL && a->gap_start != 0 &&
	    (a->gap_open || a->is_ready);
}

static void
ask(struct account *a)
{
	struct arena *arena = arena_new();
	int rc;

	a->gap->asked_at = clock_now();
	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "gap-asked",
	    "account=%s after=%s", a->jid, LOG_Q(a->gap_after));
	rc = account_ask(a, make_query(a, arena), NULL, on_answer, NULL);
	arena_free(&arena);
	if (rc == -1)
		finish(a, "the server cannot be asked");
}

/* The last id is too old for it, or it was none of this archive's. */
static void
ask_by_time(struct account *a)
{
	move_on(a, NULL, a->gap_start);
	ask(a);
}

/* That was all before presence: upstream_ready() goes on; or all. */
static void
last_page(struct account *a, const char *last)
{
	if (last != NULL)
		move_on(a, last, a->gap_start);
	if (a->is_ready)
		finish(a, "all is known");
	else
		account_ready(a);
}

static void
next_page(struct account *a, const struct elem *fin)
{
	const struct elem *set = elem_find(fin, NS_RSM, "set");
	const char *last = NULL;

	if (set != NULL)
		last = elem_child_text(set, NS_RSM, "last");
	if (text_equals(elem_attr(fin, "complete"), "true") || last == NULL) {
		last_page(a, last);
		return;
	}
	if (++a->gap->pages >= limits_of(a)->gap_pages) {
		finish(a, "too many pages");
		return;
	}
	move_on(a, last, a->gap_start);
	ask(a);
}

/* With a link, on a stream that goes on: account_begin() asks again. */
static bool
was_lost(const struct account *a)
{
	return clock_now() - a->gap->asked_at < limits_of(a)->iq_seconds * 1000;
}

static void
on_answer(struct account *a, struct elem *answer, void *arg)
{
	const struct elem *fin = NULL;

	(void)arg;
	if (!is_asking(a) || !account_is_up(a))
		return;
	if (answer != NULL)
		fin = elem_find(answer, NS_MAM, "fin");
	if (answer == NULL && was_lost(a))
		return;
	if (fin != NULL)
		next_page(a, fin);
	else if (answer != NULL && a->gap_after != NULL &&
	    text_equals(stanza_error_cond(answer), "item-not-found"))
		ask_by_time(a);
	else
		finish(a, "the server does not say");
}

/* --- results --- */

static bool
is_logged(struct account *a, const struct entry *e)
{
	struct history *h = a->user->history;
	char key[KEY_SIZE];

	if (e->direction == DIR_OUT && e->id != NULL &&
	    sent_key(key, e->peer, e->id) &&
	    recent_get(a->gap->known, key, NULL))
		return true;
	/* A copy of what another device sent or got may have come by itself. */
	if (e->direction == DIR_OUT)
		return history_find_same(h, e, DIR_OUT) != NULL;
	return history_find_same(h, e, DIR_IN) != NULL ||
	    history_find_same(h, e, DIR_BESIDE) != NULL;
}

static const char *
take(struct account *a, struct route *inner, const char *id, uint64_t stamp)
{
	bool is_ours = jid_same_bare(inner->from, a->jid);
	bool is_out = is_ours && !jid_same_bare(inner->to, a->jid);
	struct entry *e;

	if (is_ours && inner->id != NULL)
		outbox_close(a->outbox, inner->to, inner->id);
	if (is_known(a, id))
		return "known by its id";
	if (account_blocks(a, inner->from))
		return "from somebody who is blocked";
	recent_set(a->gap->known, id, 1);
	e = incoming_entry(a, inner, is_out ? DIR_OUT : DIR_IN);
	if (e->class == CLASS_LIVE || is_logged(a, e)) {
		entry_unref(&e);
		return "known, or nothing that is kept";
	}
	if (stamp != 0)
		e->time = stamp;
	free(e->stanza_id);
	e->stanza_id = mem_strdup(id);
	a->gap->found++;
	if (is_out)
		sent_remember_answers(a, inner->to, inner->stanza);
	else
		invitation_came(a, inner->from, inner->stanza);
	fanout(a->user, e);
	return "what came while there was no stream";
}

static const char *
on_result(struct account *a, const struct elem *result)
{
	const char *id = elem_attr(result, "id"), *from, *to;
	struct elem *forwarded = elem_find(result, NS_FORWARD, "forwarded");
	struct elem *m = NULL;
	struct route inner = { .kind = STANZA_MESSAGE };

	if (forwarded != NULL)
		m = elem_find(forwarded, NS_CLIENT, "message");
	if (id == NULL || m == NULL)
		return "a result without a message";
	from = elem_attr(m, "from");
	to = elem_attr(m, "to");
	inner.stanza = m;
	inner.type = stanza_type(m);
	inner.id = elem_attr(m, "id");
	inner.from = jid_prep(m->arena, from != NULL ? from : a->jid, NULL);
	inner.to = jid_prep(m->arena, to != NULL ? to : a->jid, NULL);
	note_last(a, id);
	if (inner.from == NULL || inner.to == NULL)
		return "a result with addresses that are none";
	return take(a, &inner, id, stanza_delay(forwarded));
}

/* What is in the archive is not lost with us while that is asked. */
static bool
hold(struct account *a, const struct route *r)
{
	if (a->gap == NULL || a->gap->held == NULL)
		return false;
	if (held_add(a->gap->held, r->stanza, limits_of(a)->gap_bytes))
		return true;
	log_event(LEVEL_WARN, upstream_log_id(a->upstream), "gap-overtaken",
	    "account=%s reason=\"too much waits for the archive\"", a->jid);
	release_held(a);
	return false;
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	const struct elem *result;
	const char *id;

	if (r->kind != STANZA_MESSAGE || r->type == TYPE_ERROR)
		return NULL;
	result = message_archive_result(r->stanza);
	if (result != NULL) {
		if (!is_asking(a) ||
		    !text_equals(elem_attr(result, "queryid"),
			a->gap->queryid) ||
		    (r->from != NULL && strcmp(r->from, a->jid) != 0))
			return NULL;
		return on_result(a, result);
	}
	if ((id = archive_stanza_id(a, r->stanza)) == NULL)
		return NULL;
	if (is_known(a, id))
		return "it is in the log already";
	if (hold(a, r))
		return "held back until the archive has answered";
	note_last(a, id);
	if (a->gap != NULL)
		recent_set(a->gap->known, id, 1);
	return NULL;
}

/* --- when --- */

/*
 * Behind the last id that we have; but what we sent and nobody acknowledged may stand
 * before it.
 */
static void
begin(struct account *a)
{
	const char *after = a->last_stanza_id;
	uint64_t time = a->last_time, first = outbox_first_seq(a->outbox);

	a->gap_seq = a->last_seq;
	(void)outbox_first_sent(a->outbox, &after, &a->gap_seq, &time);
	if (first != 0 && first < a->gap_seq)
		a->gap_seq = first;
	if (time > a->last_time)
		time = a->last_time;
	move_on(a, after, time > BACK_MS ? time - BACK_MS : 1);
}

/* On a stream that went on nothing is missed. */
static bool
is_missing(const struct account *a)
{
	return (!a->is_ready || a->gap_start != 0) && may_have_archive(a);
}

/* What was held for an answer that is lost waits for the next. */
static void
renew(struct account *a)
{
	struct gap *g = mem_alloc(sizeof(*g));

	if (a->gap != NULL) {
		g->held = a->gap->held;
		a->gap->held = NULL;
		forget(a);
	}
	if (g->held == NULL)
		g->held = held_new();
	g->known = recent_new(4 * KNOWN_MAX);
	timer_init(&g->forget, a->user->proxy->loop, forget, a);
	a->gap = g;
}

static void
upstream_up(struct account *a)
{
	if (a->last_time == 0) {
		a->last_time = clock_wall();
		account_touch(a, ACCOUNT_COUNTERS);
		return;
	}
	if (!is_missing(a)) {
		if (a->gap != NULL) {
			release_held(a);
			forget(a);
		}
		return;
	}
	renew(a);
	if (a->gap_start == 0)
		begin(a);
	learn_last(a, a->gap);
	a->gap_open = !a->is_ready;
	ask(a);
}

static void
upstream_ready(struct account *a)
{
	if (a->gap == NULL || a->gap_start == 0)
		return;
	learn_last(a, a->gap);
	ask(a);
}

static void
account_free_gap(struct account *a)
{
	if (a->gap != NULL)
		forget(a);
}

const struct module mod_gap = {
	.name = "gap",
	.xep = "XEP-0313",
	.from_upstream = from_upstream,
	.upstream_up = upstream_up,
	.upstream_ready = upstream_ready,
	.account_free = account_free_gap,
};
