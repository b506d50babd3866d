/*
 * The roster (RFC 6121 section 2): gets are answered from the cache, with versions;
 * sets go up; pushes go to all that asked. In node view it is the default account's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/frame.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define WAIT_MS 30000 /* until the account has been up once */

static struct account *
roster_of(const struct session *s)
{
	return s->account != NULL ? s->account : user_default_account(s->user);
}

/* In account view the server's version, in node view our own. */
static const char *
version_for(const struct session *s, const struct account *a)
{
	const char *ver = s->account != NULL ? roster_ver(a->roster) : NULL;

	return ver != NULL ? ver : roster_own_ver(a->roster);
}

/* How far it is told now, and with which stanza (session_sm.c). */
static void
told(struct session *s, const struct account *a)
{
	s->roster_told = roster_changes(a->roster);
	s->roster_number = s->asleep ? UINT64_MAX : s->sm.out;
	if (s->sm_id == NULL)
		s->roster_got = s->roster_told;
	else
		session_touch(s, CHANGED_SELF);
}

/* --- gets --- */

static void
send_roster(struct session *s, const char *id, const char *known_ver)
{
	struct account *a = roster_of(s);
	struct buf b = { 0 };
	const char *ver = version_for(s, a);

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
		roster_write(a->roster, &b);
		buf_puts(&b, "</query></iq>");
	}
	session_send_bytes(s, &b, id);
	told(s, a);
	buf_free(&b);
}

static void
stop_waiting(struct session *s)
{
	timer_stop(&s->roster_timer);
	mem_free_string(&s->roster_get_id);
	mem_free_string(&s->roster_get_ver);
}

static void
waited_too_long(void *arg)
{
	struct session *s = arg;
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "get");
	elem_set(iq, "id", s->roster_get_id);
	session_reply_error(s, &(struct route){ .stanza = iq },
	    ERR_REMOTE_SERVER_TIMEOUT,
	    upstream_trouble(roster_of(s)->upstream));
	stop_waiting(s);
	arena_free(&arena);
}

static const char *
on_get(struct session *s, struct route *r)
{
	const char *ver = elem_attr(elem_first(r->stanza), "ver");

	s->wants_roster = true;
	session_touch(s, CHANGED_SELF);
	if (roster_is_known(roster_of(s)->roster)) {
		send_roster(s, r->id, ver);
		return "answered from the cache";
	}
	if (upstream_is_refused(roster_of(s)->upstream)) {
		session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT,
		    upstream_trouble(roster_of(s)->upstream));
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

/* It is never answered empty: where it is not known there is an error. */
static void
answer_waiting(struct account *a)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->roster_get_id == NULL || roster_of(s) != a)
			continue;
		if (roster_is_known(a->roster)) {
			send_roster(s, s->roster_get_id, s->roster_get_ver);
			stop_waiting(s);
		} else {
			waited_too_long(s);
		}
	}
}

static const char *
on_set(struct session *s, struct route *r)
{
	return account_forward_iq(roster_of(s), s, r);
}

/* --- what the server tells --- */

static bool
wants_pushes(const struct session *s, const struct account *a)
{
	return !s->closing && !s->asleep && s->wants_roster &&
	    roster_of(s) == a;
}

struct pushing {
	struct session *session;
	struct account *account;
};

/* xml as it stands in jabber:iq:roster; NULL: it was removed. */
static void
push_item(void *arg, const char *jid, const char *xml)
{
	struct pushing *p = arg;
	struct session *s = p->session;
	struct buf b = { 0 };
	char id[RANDOM_ID_SIZE];

	frame_head(&b,
	    &(struct frame_head){ .name = "iq",
		.from = s->bare,
		.to = s->full,
		.type = "set",
		.id = random_id(id) });
	buf_puts(&b, "><query xmlns='" NS_ROSTER "'");
	frame_attr(&b, "ver", version_for(s, p->account));
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

/* All that changed after that; a session that is asleep is told when it wakes. */
static void
push_since(struct session *s, struct account *a, uint64_t change)
{
	struct pushing p = { s, a };

	roster_each_since(a->roster, change, push_item, &p);
	told(s, a);
}

/* The server pushes what was there already, too: it is passed on. */
static void
push_one(struct account *a, const char *jid, const char *xml)
{
	struct session *s;
	struct pushing p = { .account = a };

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!wants_pushes(s, a))
			continue;
		p.session = s;
		push_item(&p, jid, xml);
		told(s, a);
	}
}

/* A request that was answered elsewhere is open no more. */
static void
settle_request(void *arg, const struct roster_item *item)
{
	struct account *a = arg;

	if (item->subscription == SUB_FROM || item->subscription == SUB_BOTH)
		(void)roster_request_remove(a->roster, item->jid);
}

static const char *
on_push(struct account *a, struct route *r)
{
	struct elem *query = elem_first(r->stanza);
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
	roster_each(a->roster, settle_request, a);
	elem_write(&xml, elem_first(query), NS_ROSTER);
	push_one(a, NULL, xml.data);
	buf_free(&xml);
	return "a push, passed on";
}

/* One that is too large changes nothing. */
static void
load(struct account *a, const struct elem *query)
{
	struct session *s;

	if (roster_load(a->roster, query) == -1) {
		log_event(LEVEL_ERROR, upstream_log_id(a->upstream),
		    "roster-too-large", "account=%s", a->jid);
		return;
	}
	roster_each(a->roster, settle_request, a);
	LIST_FOREACH(s, &a->user->sessions, next) {
		/* Those that have had it once. */
		if (wants_pushes(s, a) && s->roster_told != 0)
			push_since(s, a, s->roster_told);
	}
}

static void
got_roster(struct account *a, struct elem *answer, void *arg)
{
	struct elem *query;

	(void)arg;
	if (answer == NULL || stanza_type(answer) != TYPE_RESULT) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream), "no-roster",
		    "account=%s condition=%s", a->jid,
		    LOG_Q(answer != NULL ? stanza_error_cond(answer) : NULL));
		if (answer != NULL)
			answer_waiting(a);
		return;
	}
	/* Without a query: what we have is what there is (RFC 6121 2.6.3). */
	query = elem_find(answer, NS_ROSTER, "query");
	if (query != NULL)
		load(a, query);
	answer_waiting(a);
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
	(void)account_ask(a, iq, NULL, got_roster, NULL);
	arena_free(&arena);
}

/*
 * Those of the meantime; after a restart those too whose push was lost. Without one it
 * was sent again.
 */
static void
session_resumed(struct session *s, bool restarted)
{
	struct account *a = roster_of(s);

	if (restarted)
		timer_init(&s->roster_timer, s->proxy->loop, waited_too_long,
		    s);
	if (wants_pushes(s, a))
		push_since(s, a, restarted ? s->roster_got : s->roster_told);
}

/* --- on disk --- */

static void
put(struct account *a, enum state_kind kind, const char *key,
    const struct buf *value)
{
	struct proxy *p = a->user->proxy;

	if (value != NULL)
		batch_put(&p->batch, kind, a->id, key, strlen(key), value->data,
		    value->len);
	else
		batch_delete(&p->batch, kind, a->id, key, strlen(key));
	turn_touch(p);
}

static void
keep_item(void *arg, const char *jid, const char *xml, uint64_t change)
{
	struct buf b = { 0 };

	pack_uint(&b, change);
	pack_string(&b, xml);
	put(arg, STATE_ROSTER, jid, &b);
	buf_free(&b);
}

static void
keep_no_more(void *arg, const char *jid)
{
	put(arg, STATE_ROSTER, jid, NULL);
}

static void
keep_self(void *arg)
{
	struct account *a = arg;
	struct buf b = { 0 };

	roster_pack(a->roster, &b);
	put(a, STATE_ROSTER, "", &b);
	buf_free(&b);
}

static void
keep_request(void *arg, const char *bare, const char *xml)
{
	struct buf b = { 0 };

	if (xml == NULL) {
		put(arg, STATE_REQUEST, bare, NULL);
		return;
	}
	pack_string(&b, xml);
	put(arg, STATE_REQUEST, bare, &b);
	buf_free(&b);
}

static const struct roster_keeper keeper = {
	.item = keep_item,
	.forgotten = keep_no_more,
	.self = keep_self,
	.request = keep_request,
};

static void
load_item(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	char *jid = mem_strndup(key, key_len), *xml = NULL;
	struct unpack u;
	uint64_t change;

	unpack_init(&u, value, len);
	if (key_len == 0) {
		roster_unpack(a->roster, &u);
	} else {
		change = unpack_uint(&u);
		xml = unpack_string(&u);
		if (unpack_is_good(&u))
			roster_restore_item(a->roster, jid, xml, change);
	}
	free(jid);
	free(xml);
}

static void
load_request(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	char *bare = mem_strndup(key, key_len), *xml;
	struct unpack u;

	unpack_init(&u, value, len);
	if ((xml = unpack_string(&u)) != NULL)
		roster_restore_request(a->roster, bare, xml);
	free(bare);
	free(xml);
}

static void
load_account(struct account *a)
{
	user_load_state(a->user, STATE_ROSTER, a->id, load_item, a);
	user_load_state(a->user, STATE_REQUEST, a->id, load_request, a);
	roster_set_keeper(a->roster, &keeper, a);
}

const struct module mod_roster = {
	.name = "roster",
	.xep = "RFC 6121",
	.stream_feature = "<ver xmlns='" NS_ROSTERVER "'/>",
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_ROSTER, "query",
						on_get, IQ_TO_SELF },
	    { TYPE_SET, NS_ROSTER, "query", on_set, IQ_TO_SELF }, { 0 } },
	.peer_iqs =
	    (const struct peer_iq_handler[]){
		{ TYPE_SET, NS_ROSTER, "query", on_push, true }, { 0 } },
	.upstream_up = upstream_up,
	.session_resumed = session_resumed,
	.account_load = load_account,
	.session_gone = stop_waiting,
	.session_free = stop_waiting,
};
