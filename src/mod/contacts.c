/*
 * Presence of contacts (RFC 6121 section 4): cached, and shown to all sessions, late
 * joiners included; in node view that of all accounts as one (node_presence.h).
 */
#include "mod/contacts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/frame.h"
#include "core/node_presence.h"
#include "core/node_roster.h"
#include "core/quiet.h"
#include "core/relay.h"
#include "core/session.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/directed.h"
#include "mod/modules.h"
#include "mod/presence_kept.h"
#include "xmpp/jid.h"

#define KEPT_BYTES 65536 /* of a contact's presence */

/* --- to one session --- */

struct telling {
	struct session *session;
	struct account *account;
};

/* In node view each full JID once, whatever the number of accounts that see it. */
static bool
is_shown(const struct telling *t, const struct presence *p)
{
	struct user *u = t->session->user;
	struct arena *arena;
	bool is;

	if (t->session->account != NULL)
		return true;
	arena = arena_new();
	is = node_shown(u, arena, node_jid_down(t->account, arena, p->from))
		 .account == t->account;
	arena_free(&arena);
	return is;
}

static void
tell_one(void *arg, const struct presence *p)
{
	struct telling *t = arg;

	if (is_shown(t, p))
		relay_presence(t->session, t->account, p);
}

void
contacts_tell(struct session *s)
{
	struct telling t = { .session = s };
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a))
			continue;
		t.account = a;
		presences_each(a->presences, NULL, tell_one, &t);
	}
}

/* A probe is answered from the cache. */
static const char *
on_probe(struct session *s, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	const char *bare = jid_bare(arena, r->to), *jid;
	struct telling t = { .session = s };
	struct account *a;
	bool is_seen = false;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a) ||
		    (jid = session_name_at(s, a, arena, bare)) == NULL ||
		    !presences_has_bare(a->presences, jid))
			continue;
		is_seen = true;
		t.account = a;
		presences_each(a->presences, jid, tell_one, &t);
	}
	if (!is_seen)
		relay_now(s, user_default_account(s->user)->id, bare);
	return "answered from the cache";
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->kind != STANZA_PRESENCE || r->type != TYPE_PROBE ||
	    r->to == NULL)
		return NULL;
	return on_probe(s, r);
}

/* --- from upstream --- */

static bool
is_contact(const struct account *a, const char *from)
{
	char *bare = mem_strndup(from, jid_bare_len(from));
	bool is = jid_same_bare(from, a->jid) ||
	    roster_find(a->roster, bare) != NULL;

	free(bare);
	return is;
}

/* By directed presence, which another account can have carried. */
static bool
is_there(const struct session *s, const struct account *a, const char *from)
{
	const struct directed *d = directed_find_bare(s->directed, from);

	return !s->closing && d != NULL && d->account == a->id;
}

/* Where sessions are by directed presence, others have no business. */
static bool
is_directed_there(const struct account *a, const char *from)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (is_there(s, a, from))
			return true;
	}
	return false;
}

/* To those in that view, of an account or, NULL, of the node. */
static void
spread(struct account *a, const struct account *view, const struct presence *p,
    void (*tell)(struct session *, struct account *, const struct presence *))
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && s->available && s->account == view)
			tell(s, a, p);
	}
}

/* Who is off to one account that does not reach it can be there to another. */
static bool
another_sees(const struct account *a, struct arena *arena, const char *bare)
{
	const struct account *other;
	const char *jid;

	LIST_FOREACH(other, &a->user->accounts, next) {
		jid = node_jid_up(other, arena, bare);
		if (jid != NULL && presences_has_bare(other->presences, jid))
			return true;
	}
	return false;
}

/*
 * Of somebody whom no account saw before either, the first that is there and has the
 * contact speaks: that a contact is off is told by each of them at a login.
 */
static bool
speaks_for(const struct account *a, struct arena *arena, const char *view)
{
	const char *bare = jid_bare(arena, view);
	const struct account *first;

	if (jid_is_bare(view) && another_sees(a, arena, bare))
		return false;
	LIST_FOREACH(first, &a->user->accounts, next) {
		if (first == a ||
		    (account_is_up(first) &&
			node_roster_item(first, arena, bare) != NULL))
			return first == a;
	}
	return true;
}

/* To sessions in node view, what the account's word changes there. */
static void
settle_node(struct account *a, const struct node_before *before,
    const struct presence *p,
    void (*tell)(struct session *, struct account *, const struct presence *))
{
	struct arena *arena = arena_new();
	struct node_shown now = node_shown(a->user, arena, before->view);

	if (!node_is_news(before, a, &now))
		;
	else if (now.presence != NULL)
		spread(now.account, NULL, now.presence, relay_presence);
	else if (before->account != NULL || speaks_for(a, arena, before->view))
		spread(a, NULL, p, tell);
	arena_free(&arena);
}

/* What a room says of somebody who left is more than that: passed on as it is. */
static void
spread_as_it_is(struct account *a, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct session *s;
	struct elem *copy;
	struct address_map map;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!is_there(s, a, r->from))
			continue;
		map = account_map_down(a, s);
		copy = elem_copy(arena, r->stanza);
		address_rewrite(copy, &map);
		elem_set(copy, "to", s->full);
		if (!quiet_takes_presence(s, r->from, copy))
			session_send(s, copy);
	}
}

/* Only contacts' presence is kept, and only what somebody may have written. */
static bool
is_worth_keeping(const struct account *a, const struct presence *p)
{
	return is_contact(a, p->from) && blob_len(p->body) <= KEPT_BYTES;
}

static void
forget(struct account *a, const char *full)
{
	if (presences_remove(a->presences, full))
		presence_kept_put(a, full, NULL);
}

static void
keep(struct account *a, const struct presence *p)
{
	if (!is_worth_keeping(a, p))
		forget(a, p->from);
	else if (presences_set(a->presences, p))
		presence_kept_put(a, p->from, p);
	else
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "presence-not-kept", "from=%s reason=\"too many\"",
		    LOG_Q(p->from));
}

static struct presence
presence_of(const struct account *a, const struct route *r)
{
	return (struct presence){ .from = (char *)r->from,
		.id = (char *)r->id,
		.lang = (char *)elem_lang(r->stanza),
		.body = frame_body(r->stanza),
		.addresses = address_scan(r->stanza, a->jid, a->full),
		.is_hidden = account_has_blocked(a, r->from) };
}

static const char *
on_contact_available(struct account *a, struct route *r)
{
	struct presence p = presence_of(a, r);
	struct node_before before;

	node_before_init(&before, a, p.from);
	keep(a, &p);
	spread(a, a, &p, relay_presence);
	settle_node(a, &before, &p, relay_presence);
	node_before_fini(&before);
	blob_unref(&p.body);
	return "to all sessions";
}

static void
leave(struct account *a, const struct presence *p)
{
	struct node_before before;

	node_before_init(&before, a, p->from);
	forget(a, p->from);
	spread(a, a, p, relay_farewell);
	settle_node(a, &before, p, relay_farewell);
	node_before_fini(&before);
}

static void
gone(void *arg, const struct presence *p)
{
	/* With what is forgotten p goes. */
	struct presence copy = { .from = mem_strdup(p->from) };

	leave(arg, &copy);
	free(copy.from);
}

static const char *
on_contact_unavailable(struct account *a, struct route *r)
{
	struct presence p;

	if (jid_is_bare(r->from) && presences_has_bare(a->presences, r->from)) {
		presences_each(a->presences, r->from, gone, a);
		return "all of the contact's resources are gone";
	}
	p = presence_of(a, r);
	leave(a, &p);
	blob_unref(&p.body);
	return "to all sessions";
}

/* The error is the sessions' that are there; to others the contact is off. */
static const char *
on_error(struct account *a, struct route *r)
{
	struct presence p = { .from = jid_bare(r->stanza->arena, r->from) };

	if (is_directed_there(a, r->from)) {
		spread_as_it_is(a, r);
		directed_refused(a, r->from);
		return "to the sessions that are there";
	}
	if (presences_has_bare(a->presences, p.from))
		presences_each(a->presences, p.from, gone, a);
	else
		leave(a, &p);
	return "an error: the contact is off";
}

static void
tell_all(struct account *a, const char *full)
{
	struct arena *arena = arena_new();
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && s->available && session_sees(s, a))
			relay_now(s, a->id, session_view_of(s, a, arena, full));
	}
	arena_free(&arena);
}

/* A server that blocks says nothing more of them: what is known holds no longer. */
static void
settle_blocked(void *arg, const struct presence *p)
{
	struct account *a = arg;
	bool is_blocked = account_has_blocked(a, p->from);
	char *full;

	if (!is_blocked && !p->is_hidden)
		return;
	full = mem_strdup(p->from);
	if (presences_hide(a->presences, full, is_blocked))
		tell_all(a, full);
	if (is_blocked && !account_blocks(a, full))
		forget(a, full);
	free(full);
}

void
contacts_settle_blocked(struct account *a)
{
	presences_each(a->presences, NULL, settle_blocked, a);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	if (r->kind != STANZA_PRESENCE)
		return NULL;
	if (r->from == NULL || text_equals(r->from, a->full) ||
	    strcmp(r->from, a->jid) == 0)
		return "our own, reflected";
	if (r->type == TYPE_ERROR)
		return on_error(a, r);
	if (r->type != TYPE_AVAILABLE && r->type != TYPE_UNAVAILABLE)
		return "a type that clients have no use for";
	if (!is_contact(a, r->from) && is_directed_there(a, r->from)) {
		spread_as_it_is(a, r);
		if (r->type == TYPE_UNAVAILABLE)
			directed_left(a, r);
		return "to the sessions that are there";
	}
	return r->type == TYPE_AVAILABLE ? on_contact_available(a, r) :
					   on_contact_unavailable(a, r);
}

/* The link is gone: so are all that it told of. */
static void
upstream_down(struct account *a)
{
	presences_each(a->presences, NULL, gone, a);
}

const struct module mod_contacts = {
	.name = "contacts",
	.xep = "RFC 6121",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.upstream_down = upstream_down,
};
