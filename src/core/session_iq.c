#include "base/clock.h"
#include "base/random.h"
#include "core/account.h"
#include "core/exchange.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/session_sm.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* --- what is asked of it, and what it asked --- */

/* Whoever asked hears that nobody will answer. */
static void
fail_asked(struct session *s, struct iq *iq)
{
	struct account *a = user_find_account(s->user, iq->account);
	struct session *asker = proxy_find_session(s->proxy, iq->session);
	struct arena *arena;
	struct elem *request, *error;

	if (iq->answered != NULL) {
		iq->answered(s, NULL);
		iq_free(&iq);
		return;
	}
	arena = arena_new();
	request = elem_new(arena, NS_CLIENT, "iq");
	elem_set(request, "type", "get");
	elem_set(request, "id", iq->asked_id);
	elem_set(request, "from", iq->asker);
	error = stanza_error(request, ERR_SERVICE_UNAVAILABLE, NULL);
	if (asker != NULL)
		session_take_answer(asker, NULL, iq, error);
	else if (a != NULL)
		account_answer(a, error);
	arena_free(&arena);
	iq_free(&iq);
}

/* What it asked of accounts holds no places any more. */
static void
forget_requests(struct session *s)
{
	struct account *a;
	struct iq *iq;

	LIST_FOREACH(a, &s->user->accounts, next) {
		while ((iq = iq_table_any_of(a->iqs, s->id)) != NULL)
			iq_free(&iq);
	}
}

void
session_fail_requests(struct session *s)
{
	struct iq *iq;

	while ((iq = iq_table_any(s->asked)) != NULL)
		fail_asked(s, iq);
}

void
session_end_requests(struct session *s)
{
	session_fail_requests(s);
	forget_requests(s);
}

/*
 * All of them are written whenever one changes. Those that wait for an answer have a
 * limit; so many more have one that may be on its way, as of what waits for a sleeper.
 */
static bool
has_room_to_ask(struct session *s)
{
	if (s->open_iqs.count + s->refused.count <
	    s->proxy->config->limits.iqs_per_session + s->queue_frames * 4)
		return true;
	session_close(s, STREAM_RESOURCE_CONSTRAINT,
	    "does not acknowledge the answers to its requests");
	return false;
}

bool
session_open_request(struct session *s, const struct route *r)
{
	if (s->sm_id == NULL)
		return true;
	if (!has_room_to_ask(s))
		return false;
	open_iqs_add(&s->open_iqs, r->id, elem_attr(r->stanza, "to"));
	session_touch(s, CHANGED_IQS);
	return true;
}

void
session_expire_requests(struct session *s)
{
	struct iq *iq;

	while ((iq = iq_table_expired(s->asked, clock_now())) != NULL)
		fail_asked(s, iq);
}

static int
ask(struct session *s, struct iq *proto, struct elem *request)
{
	struct iq *iq;

	proto->deadline = clock_now() +
	    s->proxy->config->limits.iq_seconds * 1000;
	if (s->asleep || s->closing)
		return -1;
	if ((iq = iq_table_add(s->asked, proto)) == NULL)
		return -1;
	elem_set(request, "id", iq->id);
	elem_set(request, "to", s->full);
	/* Sending may close it, and that stops the timer. */
	if (s->alive.at > iq_table_deadline(s->asked))
		timer_set(&s->alive, iq_table_deadline(s->asked) - clock_now());
	session_send(s, request);
	return 0;
}

int
session_ask(struct session *s, struct account *a, struct route *r)
{
	struct address_map map = account_map_down(a, s);
	struct iq proto = { .asked_id = (char *)r->id,
		.account = a->id,
		.asker = (char *)elem_attr(r->stanza, "from") };

	address_rewrite(r->stanza, &map);
	return ask(s, &proto, r->stanza);
}

int
session_ask_for(struct session *s, struct session *asker, struct route *r)
{
	struct iq proto = { .asked_id = (char *)r->id,
		.session = asker->id,
		.asked_to = (char *)elem_attr(r->stanza, "to") };

	return ask(s, &proto, r->stanza);
}

int
session_query(struct session *s, struct elem *iq,
    void (*answered)(struct session *, struct elem *answer))
{
	struct iq proto = { .answered = answered };

	elem_set(iq, "from", s->bare);
	return ask(s, &proto, iq);
}

/* Back to the peer, in the account's terms. */
static void
answer_peer(struct session *s, const struct iq *iq, struct elem *answer)
{
	struct account *a = user_find_account(s->user, iq->account);
	const char *asker = NULL;
	struct address_map map;

	if (a == NULL)
		return;
	if (iq->asker != NULL)
		asker = jid_prep(answer->arena, iq->asker, NULL);
	map = account_map_up(a, s);
	address_rewrite(answer, &map);
	/* Who executes a command names its session (XEP-0050 3.3). */
	if (asker != NULL)
		exchange_note(a, s, asker, answer);
	elem_set(answer, "id", iq->asked_id);
	elem_set(answer, "to", iq->asker);
	elem_set(answer, "from", NULL);
	account_answer(a, answer);
}

const char *
session_take_reply(struct session *s, struct route *r)
{
	struct iq *iq = r->id ? iq_table_find(s->asked, r->id) : NULL;
	struct session *asker;

	if (session_sm_take_pong(s, r->id))
		return "it acknowledges what it was sent";
	if (iq == NULL)
		return "an answer to nothing that was asked of it";
	iq_table_take(s->asked, iq);
	if (iq->answered != NULL) {
		iq->answered(s, r->stanza);
	} else if (iq->session == 0) {
		answer_peer(s, iq, r->stanza);
	} else if ((asker = proxy_find_session(s->proxy, iq->session)) !=
	    NULL) {
		session_translate(s, asker, r->stanza);
		session_take_answer(asker, NULL, iq, r->stanza);
	}
	iq_free(&iq);
	return "answered whoever asked";
}

/* --- answers and pushes --- */

static struct elem *
reply_to(struct session *s, const struct route *r, const char *type)
{
	struct elem *iq = elem_new(r->stanza->arena, NS_CLIENT, "iq");
	const char *to = elem_attr(r->stanza, "to");

	elem_set(iq, "type", type);
	elem_set(iq, "id", r->id);
	elem_set(iq, "from", to != NULL ? to : s->bare);
	elem_set(iq, "to", s->full);
	return iq;
}

void
session_reply(struct session *s, const struct route *r, struct elem *payload)
{
	struct elem *iq = reply_to(s, r, "result");

	if (payload != NULL)
		elem_append(iq, payload);
	session_send(s, iq);
}

static void
send_error(struct session *s, const struct route *r, struct elem *error)
{
	if (elem_attr(r->stanza, "to") == NULL)
		elem_set(error, "from", s->bare);
	elem_set(error, "to", s->full);
	session_send(s, error);
}

void
session_reply_error(struct session *s, const struct route *r,
    enum error_cond cond, const char *text)
{
	send_error(s, r, stanza_error(r->stanza, cond, text));
}

void
session_refuse(struct session *s, const struct route *r, enum error_cond cond,
    const char *text)
{
	session_refuse_with(s, r, stanza_error(r->stanza, cond, text));
}

void
session_refuse_with(struct session *s, const struct route *r,
    struct elem *error)
{
	bool is_kept = s->sm_id != NULL && r->id != NULL &&
	    r->kind == STANZA_MESSAGE;

	if (is_kept && !has_room_to_ask(s))
		return;
	if (is_kept)
		open_iqs_add(&s->refused, r->id, elem_attr(r->stanza, "to"));
	send_error(s, r, error);
	if (is_kept)
		session_sm_refused(s, r->id);
}

void
session_take_answer(struct session *s, struct account *a, const struct iq *iq,
    struct elem *answer)
{
	struct address_map map;
	struct arena *arena;
	struct elem *request;
	struct route r = { 0 };

	if (s->closing)
		return;
	if (answer != NULL) {
		if (a != NULL) {
			map = account_map_down(a, s);
			address_rewrite(answer, &map);
		}
		elem_set(answer, "id", iq->asked_id);
		elem_set(answer, "from",
		    iq->asked_to != NULL ? iq->asked_to : s->bare);
		elem_set(answer, "to", s->full);
		session_send(s, answer);
		return;
	}
	arena = arena_new();
	request = elem_new(arena, NS_CLIENT, "iq");
	elem_set(request, "id", iq->asked_id);
	elem_set(request, "to", iq->asked_to);
	elem_set(request, "type", "get");
	r.stanza = request;
	session_reply_error(s, &r, ERR_REMOTE_SERVER_TIMEOUT,
	    "no answer came in time, or the server is away");
	arena_free(&arena);
}

void
session_push(struct session *s, const char *type, const struct elem *payload)
{
	char id[RANDOM_ID_SIZE];
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", type);
	elem_set(iq, "id", random_id(id));
	elem_set(iq, "from", s->bare);
	elem_set(iq, "to", s->full);
	elem_append(iq, elem_copy(arena, payload));
	session_send(s, iq);
	arena_free(&arena);
}
