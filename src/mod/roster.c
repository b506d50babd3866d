/*
 * The roster (RFC 6121 section 2): gets are answered from the cache, with versions;
 * sets go up; pushes go to all that asked. In node view it is the default account's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/frame.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"
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
	session_send_frame(s, b.data, b.len, NULL, NULL);
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

/* One item, to all sessions that asked; xml as it stands in jabber:iq:roster. */
static void
push_item(struct account *a, const char *xml)
{
	struct session *s;
	struct buf b = { 0 };
	char id[RANDOM_ID_SIZE];

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->closing || !s->wants_roster || roster_of(s) != a)
			continue;
		buf_clear(&b);
		frame_head(&b,
		    &(struct frame_head){ .name = "iq",
			.from = s->bare,
			.to = s->full,
			.type = "set",
			.id = random_id(id) });
		buf_puts(&b, "><query xmlns='" NS_ROSTER "'");
		frame_attr(&b, "ver", version_for(s, a));
		buf_printf(&b, ">%s</query></iq>", xml);
		session_send_frame(s, b.data, b.len, NULL, NULL);
	}
	buf_free(&b);
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
	push_item(a, xml.data);
	buf_free(&xml);
	return "a push, passed on";
}

/* What changed while the link was down, as items to push. */
struct difference {
	struct buf *items; /* NUL-ended strings in a row */
	const struct roster *other;
};

static void
note_changed(void *arg, const struct roster_item *item)
{
	struct difference *d = arg;
	const struct roster_item *old = roster_find(d->other, item->jid);

	if (old == NULL || strcmp(old->xml, item->xml) != 0)
		buf_add(d->items, item->xml, strlen(item->xml) + 1);
}

static void
note_removed(void *arg, const struct roster_item *item)
{
	struct difference *d = arg;

	if (roster_find(d->other, item->jid) != NULL)
		return;
	buf_puts(d->items, "<item subscription='remove'");
	frame_attr(d->items, "jid", item->jid);
	buf_puts(d->items, "/>");
	buf_putc(d->items, '\0');
}

static void
push_all(struct account *a, const struct buf *items)
{
	for (size_t at = 0; at < items->len; at += strlen(items->data + at) + 1)
		push_item(a, items->data + at);
}

/* One that is too large changes nothing. */
static void
load(struct account *a, const struct elem *query)
{
	struct roster *now = roster_new(
	    a->user->proxy->config->limits.roster_items);
	struct buf items = { 0 };
	struct difference d = { .items = &items, .other = a->roster };

	if (roster_load(now, query) == -1) {
		log_event(LEVEL_ERROR, upstream_log_id(a->upstream),
		    "roster-too-large", "account=%s", a->jid);
		roster_free(&now);
		return;
	}
	if (roster_is_known(a->roster)) {
		roster_each(now, note_changed, &d);
		d.other = now;
		roster_each(a->roster, note_removed, &d);
	}
	(void)roster_load(a->roster, query);
	roster_each(a->roster, settle_request, a);
	push_all(a, &items);
	buf_free(&items);
	roster_free(&now);
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

static void
session_bound(struct session *s)
{
	timer_init(&s->roster_timer, s->proxy->loop, waited_too_long, s);
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
	.session_bound = session_bound,
	.session_gone = stop_waiting,
};
