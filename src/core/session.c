#include "core/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/fanout.h"
#include "core/missed.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/stand_in.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

#define ASKED_TICK_MS 1000

static const struct limits *
limits_of(const struct session *s)
{
	return &s->proxy->config->limits;
}

/* --- requests of peers that this client was given --- */

/* Whoever asked hears that nobody will answer. */
static void
fail_asked(struct session *s, struct iq *iq)
{
	struct account *a = user_find_account(s->user, iq->account);
	struct session *asker = proxy_find_session(s->proxy, iq->session);
	struct arena *arena = arena_new();
	struct elem *request = elem_new(arena, NS_CLIENT, "iq"), *error;

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

static void
fail_all_asked(struct session *s)
{
	struct iq *iq;

	while ((iq = iq_table_any(s->asked)) != NULL)
		fail_asked(s, iq);
}

static int
ask(struct session *s, struct iq *proto, struct elem *request)
{
	struct iq *iq;

	proto->deadline = clock_now() + limits_of(s)->iq_seconds * 1000;
	if ((iq = iq_table_add(s->asked, proto)) == NULL)
		return -1;
	elem_set(request, "id", iq->id);
	elem_set(request, "to", s->full);
	/* Sending may close it, and that stops the timer. */
	timer_set(&s->alive, ASKED_TICK_MS);
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

/* Back to the peer, in the account's terms. */
static void
answer_peer(struct session *s, const struct iq *iq, struct elem *answer)
{
	struct account *a = user_find_account(s->user, iq->account);
	struct address_map map;

	if (a == NULL)
		return;
	map = account_map_up(a, s);
	address_rewrite(answer, &map);
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

	if (iq == NULL)
		return "an answer to nothing that was asked of it";
	iq_table_take(s->asked, iq);
	if (iq->session == 0)
		answer_peer(s, iq, r->stanza);
	else if ((asker = proxy_find_session(s->proxy, iq->session)) != NULL)
		session_take_answer(asker, NULL, iq, r->stanza);
	iq_free(&iq);
	return "answered whoever asked";
}

/* --- alive or not --- */

static void
ping(struct session *s)
{
	struct arena *arena = arena_new();

	session_push(s, "get", elem_new(arena, NS_PING, "ping"));
	s->pinged = true;
	s->pinged_at = clock_now();
	arena_free(&arena);
}

static void
keep_alive(void *arg)
{
	struct session *s = arg;
	uint64_t now = clock_now(), next;
	uint64_t idle = limits_of(s)->idle_seconds * 1000;
	uint64_t patience = limits_of(s)->ping_timeout_seconds * 1000;
	uint64_t read = conn_last_read(stream_conn(s->stream));
	struct iq *iq;

	while ((iq = iq_table_expired(s->asked, now)) != NULL)
		fail_asked(s, iq);
	if (s->closing)
		return;
	if (s->pinged && read >= s->pinged_at)
		s->pinged = false;
	if (s->pinged && now - s->pinged_at >= patience) {
		session_close(s, STREAM_CONNECTION_TIMEOUT,
		    "no answer to a ping");
		return;
	}
	if (!s->pinged && now - read >= idle)
		ping(s);
	if (s->closing)
		return;
	next = s->pinged ? s->pinged_at + patience - now : read + idle - now;
	if (iq_table_count(s->asked) > 0 && next > ASKED_TICK_MS)
		next = ASKED_TICK_MS;
	timer_set(&s->alive, next);
}

/* --- life --- */

static void
on_stanza(void *arg, struct elem *stanza)
{
	route_client(arg, stanza);
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	missed_flush(s);
	fanout_follow(s);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct session *s = arg;

	log_event(LEVEL_INFO, s->log_id, "session-ended",
	    "condition=%s reason=%s", cond != NULL ? cond : "-", LOG_Q(reason));
	fanout_settle(s);
	stream_close(&s->stream);
	session_close(s, -1, reason);
}

static const struct stream_events session_events = {
	.stanza = on_stanza,
	.drained = on_drained,
	.closed = on_closed,
};

struct session *
session_new(struct user *u, struct account *view, const char *resource,
    const char *peer)
{
	struct session *s = mem_alloc(sizeof(*s));

	s->proxy = u->proxy;
	s->user = u;
	s->id = proxy_id(u->proxy);
	s->account = view;
	s->bare = mem_strdup(view != NULL ? view->jid : u->bare);
	s->full = mem_printf("%s/%s", s->bare, resource);
	s->resource = s->full + strlen(s->bare) + 1;
	s->peer = mem_strdup(peer);
	snprintf(s->log_id, sizeof(s->log_id), "s%llu",
	    (unsigned long long)s->id);
	s->presence_arena = arena_new();
	s->ring_size = limits_of(s)->queue_frames;
	s->queue_bytes = limits_of(s)->queue_bytes;
	s->asked = iq_table_new(limits_of(s)->iqs_per_session);
	timer_init(&s->alive, u->proxy->loop, keep_alive, s);
	timer_init(&s->stand_in_timer, u->proxy->loop, stand_in_expired, s);
	timer_init(&s->follow_timer, u->proxy->loop, fanout_start_due, s);
	LIST_INSERT_HEAD(&u->sessions, s, next);
	u->session_count++;
	u->proxy->sessions_open++;
	HASH_ADD(hh, u->proxy->sessions, id, sizeof(s->id), s);
	return s;
}

void
session_start(struct session *s, struct stream *stream)
{
	struct conn *conn = stream_conn(stream);
	const struct limits *limits = limits_of(s);

	s->stream = stream;
	stream_set_owner(stream, &session_events, s);
	conn_set_id(conn, s->log_id);
	conn_set_group(conn, s->user->group);
	conn_set_rate(conn, limits->read_rate, limits->read_burst);
	conn_set_window(conn, s->ring_size, s->queue_bytes);
	timer_set(&s->alive, limits->idle_seconds * 1000);
	log_event(LEVEL_INFO, s->log_id, "session-start",
	    "user=%s jid=%s view=%s peer=%s", s->user->name, LOG_Q(s->full),
	    s->account != NULL ? "account" : "node", s->peer);
	hooks_session_bound(s);
}

void
session_close(struct session *s, int cond, const char *reason)
{
	if (s->closing)
		return;
	fanout_settle(s);
	s->closing = true;
	LIST_INSERT_HEAD(&s->proxy->closing, s, closing_next);
	timer_stop(&s->alive);
	timer_stop(&s->follow_timer);
	fail_all_asked(s);
	forget_requests(s);
	hooks_session_gone(s);
	s->available = false;
	if (cond >= 0 && s->stream != NULL)
		stream_fail(&s->stream, (enum stream_cond)cond, reason);
	else
		stream_close(&s->stream);
	log_event(LEVEL_INFO, s->log_id, "session-closed",
	    "user=%s jid=%s reason=%s", s->user->name, LOG_Q(s->full),
	    LOG_Q(reason));
	loop_wake(s->proxy->loop);
}

void
session_free(struct session **holder)
{
	struct session *s = *holder;

	hooks_session_free(s);
	timer_stop(&s->alive);
	timer_stop(&s->follow_timer);
	timer_stop(&s->stand_in_timer);
	HASH_DEL(s->proxy->sessions, s);
	LIST_REMOVE(s, next);
	s->user->session_count--;
	s->proxy->sessions_open--;
	directed_clear(&s->directed);
	missed_clear(s);
	fanout_forget(s);
	iq_table_free(&s->asked);
	arena_free(&s->presence_arena);
	free(s->ring);
	free(s->bare);
	free(s->full);
	free(s->peer);
	free(s);
	*holder = NULL;
}

/* --- sending --- */

/* What cannot be held back (IQs) has a limit of its own: then the session goes. */
static bool
may_queue(struct session *s)
{
	if (s->closing || s->stream == NULL)
		return false;
	if (conn_queued_bytes(stream_conn(s->stream)) <=
	    limits_of(s)->queue_bytes_max)
		return true;
	session_close(s, STREAM_RESOURCE_CONSTRAINT,
	    "does not read what is sent to it");
	return false;
}

void
session_send(struct session *s, const struct elem *stanza)
{
	if (may_queue(s))
		stream_send(s->stream, stanza);
}

void
session_send_frame(struct session *s, const char *head, size_t len,
    struct blob *body, const char *tail)
{
	if (may_queue(s))
		stream_send_frame(s->stream, head, len, body, tail);
}

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

void
session_reply_error(struct session *s, const struct route *r,
    enum error_cond cond, const char *text)
{
	struct elem *error = stanza_error(r->stanza, cond, text);

	if (elem_attr(r->stanza, "to") == NULL)
		elem_set(error, "from", s->bare);
	elem_set(error, "to", s->full);
	session_send(s, error);
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

bool
session_has_room(const struct session *s)
{
	const struct conn *conn;

	if (s->closing || s->stream == NULL)
		return false;
	conn = stream_conn(s->stream);
	return conn_queued_frames(conn) < s->ring_size &&
	    conn_queued_bytes(conn) < s->queue_bytes;
}

/* --- the view --- */

bool
session_sees(const struct session *s, const struct account *a)
{
	return s->account == NULL || s->account == a;
}

bool
session_is_sibling(const struct session *s, const struct session *other)
{
	return s->account == NULL || other->account == NULL ||
	    s->account == other->account;
}

const char *
session_domain(const struct session *s)
{
	size_t len;

	return jid_domain(s->bare, &len);
}

const char *
session_view_of(struct session *s, struct account *a, struct arena *arena,
    const char *jid)
{
	struct address_map map;

	if (!jid_same_bare(jid, a->jid))
		return jid;
	map = account_map_down(a, s);
	return address_map(arena, &map, jid);
}

/* The account in which a session of the user is with that JID, if any. */
static struct account *
directed_account(struct user *u, const char *to)
{
	struct session *s;
	struct directed *d;

	LIST_FOREACH(s, &u->sessions, next) {
		if ((d = directed_find_bare(s->directed, to)) != NULL)
			return user_find_account(u, d->account);
	}
	return NULL;
}

static struct account *
roster_account(struct user *u, struct arena *arena, const char *to)
{
	char *bare = jid_bare(arena, to);
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (roster_find(a->roster, bare) != NULL)
			return a;
	}
	return NULL;
}

static struct account *
domain_account(struct user *u, const char *to)
{
	struct account *a;
	size_t len;
	const char *domain = jid_domain(to, &len);

	LIST_FOREACH(a, &u->accounts, next) {
		if (strlen(a->domain) == len &&
		    memcmp(a->domain, domain, len) == 0)
			return a;
	}
	return NULL;
}

static struct account *
exchange_account(struct user *u, struct arena *arena, const char *to)
{
	uint64_t id;

	if (!recent_get(u->carriers, jid_bare(arena, to), &id))
		return NULL;
	return user_find_account(u, id);
}

struct account *
session_route(struct session *s, struct arena *arena, const char *to,
    const char **reason)
{
	struct user *u = s->user;
	struct account *a;

	*reason = "the view's account";
	if (s->account != NULL)
		return s->account;
	*reason = "no address";
	if (to == NULL || jid_same_bare(to, s->bare))
		return user_default_account(u);
	*reason = "directed presence is there";
	if ((a = directed_account(u, to)) != NULL)
		return a;
	*reason = "it last exchanged a message with the peer";
	if ((a = exchange_account(u, arena, to)) != NULL)
		return a;
	*reason = "its roster has the peer";
	if ((a = roster_account(u, arena, to)) != NULL)
		return a;
	*reason = "its domain is the peer's";
	if ((a = domain_account(u, to)) != NULL)
		return a;
	*reason = "the default account";
	return user_default_account(u);
}
