/*
 * The roster (RFC 6121 section 2): gets are answered from the cache, with versions;
 * pushes go to all that asked. In node view it is that of all accounts
 * (node_roster.h). Sets are roster_set.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/frame.h"
#include "core/node_roster.h"
#include "core/proxy.h"
#include "core/roster_save.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/modules.h"
#include "mod/roster_set.h"
#include "xmpp/jid.h"

#define WAIT_MS 30000 /* until the account has been up once */

static struct roster *
roster_of(const struct session *s)
{
	return s->account != NULL ? s->account->roster : node_roster(s->user);
}

/* In account view the server's version, in node view our own. */
static const char *
version_for(const struct session *s)
{
	const char *ver = NULL;

	if (s->account != NULL)
		ver = roster_ver(s->account->roster);
	return ver != NULL ? ver : roster_own_ver(roster_of(s));
}

static void
told(struct session *s)
{
	session_told(s, &s->roster_heard, roster_changes(roster_of(s)));
}

/* --- gets --- */

static void
send_roster(struct session *s, const char *id, const char *known_ver)
{
	struct buf b = { 0 };
	const char *ver = version_for(s);

	frame_head(&b,
	    &(struct frame_head){ .name = "iq",
		.from = s->bare,
		.to = s->full,
		.type = "result",
		.id = id });
	if (text_equals(ver, known_ver)) {
		buf_puts(&b, "/>");
	} else {
		buf_puts(&b, "><query xmlns='" NS_ROSTER "'");
		frame_attr(&b, "ver", ver);
		buf_putc(&b, '>');
		roster_write(roster_of(s), &b);
		buf_puts(&b, "</query></iq>");
	}
	session_send_bytes(s, &b, id);
	told(s);
	buf_free(&b);
}

static void
stop_waiting(struct session *s)
{
	timer_stop(&s->roster_timer);
	mem_free_string(&s->roster_get_id);
	mem_free_string(&s->roster_get_ver);
}

static bool
is_known(const struct session *s)
{
	if (s->account != NULL)
		return roster_is_known(s->account->roster);
	return node_roster_is_known(s->user);
}

/* In node view all that will be known soon is waited for. */
static bool
is_complete(const struct session *s)
{
	return is_known(s) &&
	    (s->account != NULL || !node_roster_is_awaited(s->user));
}

/* Why none is known, where no server will be tried soon; else NULL. */
static const char *
refusal(const struct session *s)
{
	const struct account *a;
	const char *why = NULL;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a))
			continue;
		if (!upstream_is_refused(a->upstream))
			return NULL;
		if (why == NULL)
			why = upstream_trouble(a->upstream);
	}
	return why;
}

static void
answer_error(struct session *s)
{
	const struct account *a = s->account != NULL ?
	    s->account :
	    user_default_account(s->user);
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "get");
	elem_set(iq, "id", s->roster_get_id);
	session_reply_error(s, &(struct route){ .stanza = iq },
	    ERR_REMOTE_SERVER_TIMEOUT, upstream_trouble(a->upstream));
	arena_free(&arena);
}

/* It is never answered empty: where none is known there is an error. */
static void
end_wait(struct session *s)
{
	if (is_known(s))
		send_roster(s, s->roster_get_id, s->roster_get_ver);
	else
		answer_error(s);
	stop_waiting(s);
}

static void
waited_too_long(void *arg)
{
	end_wait(arg);
}

static const char *
on_get(struct session *s, struct route *r)
{
	const char *ver = elem_attr(elem_first(r->stanza), "ver"), *why;

	s->wants_roster = true;
	session_touch(s, CHANGED_SELF);
	if (is_complete(s)) {
		send_roster(s, r->id, ver);
		return "answered from the cache";
	}
	if (!is_known(s) && (why = refusal(s)) != NULL) {
		session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT, why);
		return "the account's server refuses us";
	}
	if (s->roster_get_id != NULL) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "one request for the roster waits already");
		return "another one waits already";
	}
	s->roster_get_id = mem_strdup(r->id);
	s->roster_get_ver = mem_strdup(ver);
	timer_init(&s->roster_timer, s->proxy->loop, waited_too_long, s);
	timer_set(&s->roster_timer, WAIT_MS);
	return "waits until the account has been up once";
}

/* is_final: the server has said what there is to say. */
static void
answer_waiting(struct account *a, bool is_final)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->roster_get_id == NULL || !session_sees(s, a))
			continue;
		if (is_complete(s) ||
		    (is_final && !is_known(s) &&
			(s->account != NULL ||
			    !node_roster_is_awaited(s->user))))
			end_wait(s);
	}
}

static void
upstream_failed(struct account *a)
{
	answer_waiting(a, false);
}

/* --- what the server tells --- */

static bool
wants_pushes(const struct session *s, const struct account *a)
{
	return !s->closing && !s->asleep && s->wants_roster &&
	    session_sees(s, a);
}

/* xml as it stands in jabber:iq:roster; NULL: it was removed. */
static void
push_item(void *arg, const char *jid, const char *xml)
{
	struct session *s = arg;
	struct buf b = { 0 };
	char id[RANDOM_ID_SIZE];

	frame_head(&b,
	    &(struct frame_head){ .name = "iq",
		.from = s->bare,
		.to = s->full,
		.type = "set",
		.id = random_id(id) });
	buf_puts(&b, "><query xmlns='" NS_ROSTER "'");
	frame_attr(&b, "ver", version_for(s));
	buf_putc(&b, '>');
	if (xml != NULL) {
		buf_puts(&b, xml);
	} else {
		buf_puts(&b, "<item subscription='remove'");
		frame_attr(&b, "jid", jid);
		buf_puts(&b, "/>");
	}
	buf_puts(&b, "</query></iq>");
	session_send_bytes(s, &b, NULL);
	buf_free(&b);
}

/*
 * All that changed after that; a session that is asleep is told when it wakes. One that
 * would keep a contact who is gone logs in anew.
 */
static void
push_since(struct session *s, uint64_t change)
{
	struct roster *r = roster_of(s);

	if (!roster_can_tell(r, change)) {
		session_close(s, STREAM_RESET,
		    "what changed in the roster is not known any more");
		return;
	}
	if (roster_changes(r) == change)
		return;
	roster_each_since(r, change, push_item, s);
	told(s);
}

/* The server pushes what was there already, too: it is passed on. */
static void
push_one(struct account *a, const char *xml)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->account != a || !wants_pushes(s, a))
			continue;
		push_item(s, NULL, xml);
		told(s);
	}
}

/* Those that have had it once. */
static void
push_changes(struct session *s)
{
	if (s->roster_heard.told != 0)
		push_since(s, s->roster_heard.told);
}

/*
 * What the account's change makes of the roster in node view. What it said of that
 * contact once more is passed on there as well.
 */
static void
push_node(struct account *a, uint64_t since, const char *repeated)
{
	struct user *u = a->user;
	struct arena *arena;
	const struct roster_item *item;
	struct session *s;
	const char *jid;

	if (u->roster == NULL)
		return;
	(void)node_roster_follow(a, since);
	arena = arena_new();
	jid = repeated != NULL ? node_jid_down(a, arena, repeated) : NULL;
	item = jid != NULL ? roster_find(u->roster, jid) : NULL;
	LIST_FOREACH(s, &u->sessions, next) {
		if (s->account != NULL || !wants_pushes(s, a))
			continue;
		push_changes(s);
		if (jid != NULL && s->roster_heard.told != 0)
			push_item(s, jid, item != NULL ? item->xml : NULL);
	}
	arena_free(&arena);
}

/* A request that was answered elsewhere is open no more. */
static void
settle_request(void *arg, const struct roster_item *item)
{
	struct account *a = arg;

	if (item->subscription == SUB_FROM || item->subscription == SUB_BOTH)
		(void)requests_remove(a->requests, item->jid);
}

static const char *
on_push(struct account *a, struct route *r)
{
	struct elem *query = elem_first(r->stanza);
	uint64_t before = roster_changes(a->roster);
	const struct roster_item *item;
	const char *jid;
	struct buf xml = { 0 };

	/* RFC 6121 2.1.6: none but the own account may push. */
	if (r->from != NULL && strcmp(r->from, a->jid) != 0)
		return NULL;
	if (roster_push(a->roster, query) == -1) {
		account_answer(a,
		    stanza_error(r->stanza, ERR_BAD_REQUEST,
			"no item, or too many"));
		return "a push that cannot be taken";
	}
	account_answer(a, stanza_result(r->stanza));
	jid = stanza_jid(elem_first(query), "jid");
	if ((item = roster_find(a->roster, jid)) != NULL)
		settle_request(a, item);
	elem_write(&xml, elem_first(query), NS_ROSTER);
	push_one(a, xml.data);
	buf_free(&xml);
	push_node(a, before, roster_changes(a->roster) == before ? jid : NULL);
	return "a push, passed on";
}

/* One that is too large changes nothing. */
static void
load(struct account *a, const struct elem *query)
{
	uint64_t before = roster_changes(a->roster);
	struct session *s;

	if (roster_load(a->roster, query) == -1) {
		log_event(LEVEL_ERROR, upstream_log_id(a->upstream),
		    "roster-too-large", "account=%s", a->jid);
		return;
	}
	roster_each(a->roster, settle_request, a);
	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->account == a && wants_pushes(s, a))
			push_changes(s);
	}
	push_node(a, before, NULL);
}

static void
got_roster(struct account *a, struct elem *answer, void *arg)
{
	struct elem *query;

	(void)arg;
	a->asks_roster = false;
	if (answer == NULL || stanza_type(answer) != TYPE_RESULT) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream), "no-roster",
		    "account=%s condition=%s", a->jid,
		    LOG_Q(answer != NULL ? stanza_error_cond(answer) : NULL));
		answer_waiting(a, answer != NULL);
		return;
	}
	/* Without a query: what we have is what there is (RFC 6121 2.6.3). */
	query = elem_find(answer, NS_ROSTER, "query");
	if (query != NULL)
		load(a, query);
	answer_waiting(a, true);
}

static void
upstream_up(struct account *a)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *query;
	const char *ver = roster_ver(a->roster);

	elem_set(iq, "type", "get");
	query = elem_child(iq, NS_ROSTER, "query");
	if (a->has_rosterver)
		elem_set(query, "ver", ver != NULL ? ver : "");
	a->asks_roster = account_ask(a, iq, NULL, got_roster, NULL) == 0;
	arena_free(&arena);
}

/*
 * Those of the meantime; after a restart those too whose push was lost. Without one it
 * was sent again.
 */
static void
session_resumed(struct session *s, bool restarted)
{
	if (restarted)
		timer_init(&s->roster_timer, s->proxy->loop, waited_too_long,
		    s);
	if (!s->closing && s->wants_roster)
		push_since(s,
		    restarted ? s->roster_heard.got : s->roster_heard.told);
}

/* Those that are asleep are told when they wake. */
static void
user_reloaded(struct user *u)
{
	struct session *s;

	node_roster_rebuild(u);
	LIST_FOREACH(s, &u->sessions, next) {
		if (s->account == NULL && s->wants_roster && !s->closing &&
		    !s->asleep)
			push_changes(s);
	}
}

const struct module mod_roster = {
	.name = "roster",
	.xep = "RFC 6121",
	.stream_feature = "<ver xmlns='" NS_ROSTERVER "'/>",
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_ROSTER, "query",
						on_get, IQ_TO_SELF },
	    { TYPE_SET, NS_ROSTER, "query", roster_set, IQ_TO_SELF }, { 0 } },
	.peer_iqs =
	    (const struct peer_iq_handler[]){
		{ TYPE_SET, NS_ROSTER, "query", on_push, true }, { 0 } },
	.upstream_up = upstream_up,
	.session_resumed = session_resumed,
	.upstream_failed = upstream_failed,
	.user_reloaded = user_reloaded,
	.account_load = roster_save_account,
	.session_gone = stop_waiting,
	.session_free = stop_waiting,
};
