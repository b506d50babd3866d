/*
 * Directed presence (RFC 6121 4.6), rooms included: counted per target over all
 * sessions; the last one's leave goes up. It is in the outbox's order, so that a stream
 * that goes on loses none, and is sent again on a new one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"
#include "mod/directed.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/xml.h"

#define KEPT_BYTES 8192 /* of what is sent again on a new stream */

static bool
is_elsewhere(const struct session *s, const char *target, uint64_t account)
{
	const struct session *other;
	const struct directed *d;

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (other == s || other->closing)
			continue;
		d = directed_find(other->directed, target);
		if (d != NULL && d->account == account)
			return true;
	}
	return false;
}

static void
send_unavailable(struct account *a, const char *target)
{
	struct arena *arena = arena_new();
	struct elem *p = elem_new(arena, NS_CLIENT, "presence");

	elem_set(p, "type", "unavailable");
	elem_set(p, "to", target);
	if (account_post(a, p, true) == -1)
		(void)account_send_late(a, p);
	arena_free(&arena);
}

/* To be told oneself that one has left, where the room does not say so. */
static void
answer_leave(struct session *s, const char *as_asked)
{
	struct arena *arena = arena_new();
	struct elem *p = elem_new(arena, NS_CLIENT, "presence"), *x;

	elem_set(p, "type", "unavailable");
	elem_set(p, "from", as_asked);
	elem_set(p, "to", s->full);
	x = elem_child(p, NS_MUC_USER, "x");
	elem_set(elem_child(x, NS_MUC_USER, "item"), "role", "none");
	elem_set(elem_child(x, NS_MUC_USER, "status"), "code", "110");
	session_send(s, p);
	arena_free(&arena);
}

/* The room that it is in, under whatever nick: a new one is no new target. */
static struct directed *
find_room(struct session *s, const char *target)
{
	struct directed *d = directed_find(s->directed, target);

	if (d == NULL)
		d = directed_find_bare(s->directed, target);
	return d != NULL && d->is_room ? d : NULL;
}

static const char *
refuse(struct session *s, struct route *r, const char *why)
{
	session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT, why);
	return why;
}

/* With the capabilities that are ours now, whatever the client's are, or ours were. */
static void
put_caps(struct account *a, struct elem *presence)
{
	static const char *const of[] = { NS_CAPS, NS_CAPS_2 };
	struct elem *caps;

	for (int i = 0; i < 2; i++) {
		if ((caps = elem_find(presence, of[i], "c")) != NULL)
			elem_remove(caps);
	}
	hooks_decorate_presence(a, presence);
}

static const char *
on_available(struct session *s, struct account *a, struct route *r,
    const char *target)
{
	struct buf xml = { 0 };
	bool is_room = elem_find(r->stanza, NS_MUC, "x") != NULL;
	bool is_new = directed_find(s->directed, target) == NULL;
	bool fits;

	put_caps(a, r->stanza);
	elem_write(&xml, r->stanza, NS_CLIENT);
	fits = find_room(s, target) != NULL ||
	    directed_add(&s->directed, target, a->id, is_room,
		xml.len <= KEPT_BYTES ? xml.data : NULL,
		s->proxy->config->limits.directed_presences);
	buf_free(&xml);
	if (!fits)
		return refuse(s, r, "directed presence to too many");
	session_touch(s, CHANGED_SELF);
	if (account_post(a, r->stanza, true) == 0)
		return "sent up";
	if (!account_is_up(a) && !upstream_may_resume(a->upstream))
		return "goes up on the next stream";
	if (is_new)
		directed_remove(&s->directed, target);
	return refuse(s, r, "the account's server does not take it");
}

/* Of one that was there it goes up in any case, but then without its words. */
static const char *
leave(struct account *a, const struct route *r, const char *target,
    bool was_there)
{
	if (account_post(a, r->stanza, true) == 0)
		return "the last one to leave: sent up";
	if (!was_there)
		return "the account's server does not take it";
	send_unavailable(a, target);
	return "the last one to leave: sent up without its words";
}

static const char *
on_unavailable(struct session *s, struct account *a, struct route *r,
    const char *target)
{
	struct directed *room = find_room(s, target);
	bool is_room = room != NULL, was_there;

	if (is_room)
		target = arena_strdup(r->stanza->arena, room->target);
	was_there = directed_remove(&s->directed, target);
	session_touch(s, CHANGED_SELF);
	if (!is_elsewhere(s, target, a->id))
		return leave(a, r, target, was_there);
	if (is_room)
		answer_leave(s, elem_attr(r->stanza, "to"));
	return "others of the user are still there";
}

static const char *
beside(struct session *s, struct route *r)
{
	struct session *other;

	if (jid_is_bare(r->to))
		return "to oneself";
	other = user_find_resource(s->user, jid_resource(r->to));
	if (other == NULL || !session_is_sibling(s, other))
		return "to a session that is not there";
	session_translate(s, other, r->stanza);
	elem_set(r->stanza, "from",
	    jid_with_resource(r->stanza->arena, other->bare, s->resource));
	elem_set(r->stanza, "to", other->full);
	session_send(other, r->stanza);
	return "to another session";
}

static const char *
from_client(struct session *s, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct address_map map;
	struct account *a;
	const char *target;

	if (r->kind != STANZA_PRESENCE || r->to == NULL ||
	    (r->type != TYPE_AVAILABLE && r->type != TYPE_UNAVAILABLE))
		return NULL;
	if (jid_same_bare(r->to, s->bare))
		return beside(s, r);
	a = r->account;
	if (a == NULL)
		a = session_carrier(s, arena, r->to);
	map = account_map_up(a, s);
	target = address_map(arena, &map, r->to);
	address_rewrite(r->stanza, &map);
	elem_set(r->stanza, "from", NULL);
	if (r->type == TYPE_AVAILABLE)
		return on_available(s, a, r, target);
	return on_unavailable(s, a, r, target);
}

void
directed_refused(struct account *a, const char *target)
{
	struct session *s;
	struct directed *d;

	LIST_FOREACH(s, &a->user->sessions, next) {
		d = directed_find(s->directed, target);
		if (d == NULL || d->account != a->id)
			continue;
		directed_remove(&s->directed, target);
		session_touch(s, CHANGED_SELF);
	}
}

/* --- what a room says of ourselves --- */

/* Not those who leave, or change their nick (XEP-0045 15.6.2). */
static bool
is_thrown_out(const struct elem *x)
{
	static const char *const why[] = { "301", "307", "321", "322", "332",
		"333" };

	if (elem_find(x, NS_MUC_USER, "destroy") != NULL)
		return true;
	for (size_t i = 0; i < sizeof(why) / sizeof(*why); i++) {
		if (directed_has_status(x, why[i]))
			return true;
	}
	return false;
}

/* Where we are after a change of nick (XEP-0045 7.6); NULL: it is none of ours. */
static const char *
new_place(const struct elem *x, const struct route *r)
{
	struct arena *arena = r->stanza->arena;
	const struct elem *item = elem_find(x, NS_MUC_USER, "item");
	const char *nick;

	if (item == NULL || !directed_has_status(x, "110") ||
	    !directed_has_status(x, "303"))
		return NULL;
	if ((nick = elem_attr(item, "nick")) != NULL)
		nick = jid_prep_resource(arena, nick, NULL);
	if (nick == NULL)
		return NULL;
	return jid_with_resource(arena, jid_bare(arena, r->from), nick);
}

void
directed_left(struct account *a, const struct route *r)
{
	const struct elem *x = elem_find(r->stanza, NS_MUC_USER, "x");
	const char *place = x != NULL ? new_place(x, r) : NULL;
	struct session *s;
	struct directed *d;

	if (x == NULL || (place == NULL && !is_thrown_out(x)))
		return;
	LIST_FOREACH(s, &a->user->sessions, next) {
		d = directed_find_bare(s->directed, r->from);
		if (d == NULL || !d->is_room || d->account != a->id ||
		    !directed_is_self(d, x, r->from))
			continue;
		if (place != NULL)
			directed_rename(&s->directed, d, place);
		else
			directed_remove(&s->directed, d->target);
		session_touch(s, CHANGED_SELF);
	}
}

void
directed_leave_all(struct session *s)
{
	struct directed *d, *tmp;
	struct account *a;

	HASH_ITER(hh, s->directed, d, tmp) {
		a = user_find_account(s->user, d->account);
		if (a != NULL && !is_elsewhere(s, d->target, d->account))
			send_unavailable(a, d->target);
	}
	directed_clear(&s->directed);
}

/* Each target once, whatever the number of sessions that are there. */
static void
send_again(struct account *a, const struct directed *d)
{
	struct arena *arena = arena_new();
	struct elem *p;

	p = xml_parse_own(arena, d->xml, strlen(d->xml), NS_CLIENT);
	if (p != NULL) {
		elem_set(p, "to", d->target);
		put_caps(a, p);
		account_post_first(a, p);
	}
	arena_free(&arena);
}

static bool
is_first_there(const struct session *s, const struct directed *d)
{
	const struct session *other;
	const struct directed *same;

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (other == s)
			return true;
		same = directed_find(other->directed, d->target);
		if (!other->closing && same != NULL &&
		    same->account == d->account)
			return false;
	}
	return true;
}

static void
upstream_ready(struct account *a)
{
	struct session *s;
	struct directed *d, *tmp;

	LIST_FOREACH(s, &a->user->sessions, next) {
		HASH_ITER(hh, s->directed, d, tmp) {
			if (!s->closing && d->account == a->id &&
			    d->xml != NULL && is_first_there(s, d))
				send_again(a, d);
		}
	}
}

static struct directed *
find_at(struct session *s, const struct account *a)
{
	struct directed *d, *tmp;

	HASH_ITER(hh, s->directed, d, tmp) {
		if (d->account == a->id)
			return d;
	}
	return NULL;
}

/* To say it may close the session, which leaves all the others. */
static void
drop_one(struct session *s, const struct directed *d)
{
	char *target = mem_strdup(d->target);
	bool is_room = d->is_room;

	(void)directed_remove(&s->directed, target);
	session_touch(s, CHANGED_SELF);
	if (is_room && !s->closing)
		answer_leave(s, target);
	free(target);
}

/* It was taken out of the configuration: nobody is anywhere through it any more. */
static void
drop_account(struct account *a)
{
	struct session *s;
	struct directed *d;

	LIST_FOREACH(s, &a->user->sessions, next) {
		while ((d = find_at(s, a)) != NULL)
			drop_one(s, d);
	}
}

const struct module mod_directed = {
	.name = "directed-presence",
	.xep = "RFC 6121",
	.from_client = from_client,
	.session_gone = directed_leave_all,
	.upstream_ready = upstream_ready,
	.account_free = drop_account,
};
