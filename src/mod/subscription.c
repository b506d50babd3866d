/*
 * Subscriptions (RFC 6121 section 3): requests reach all sessions and wait for one of
 * them; the first answer settles it for all.
 */
#include <string.h>

#include "base/clock.h"
#include "core/account.h"
#include "core/account_set.h"
#include "core/answered.h"
#include "core/node_roster.h"
#include "core/session.h"
#include "core/user.h"
#include "mod/modules.h"
#include "mod/subscription.h"
#include "xmpp/jid.h"
#include "xmpp/xml.h"

#define KEPT_BYTES 4096
#define SETTLED_MS 60000 /* so long another session's answer is a late one */

static void
relay(struct session *s, struct account *a, const struct elem *presence)
{
	struct arena *arena = presence->arena;
	struct elem *copy = elem_copy(arena, presence);
	struct address_map map = account_map_down(a, s);

	address_rewrite(copy, &map);
	elem_set(copy, "from",
	    session_view_of(s, a, arena, elem_attr(presence, "from")));
	elem_set(copy, "to", s->bare);
	session_send(s, copy);
}

/* --- from upstream --- */

static bool
is_about_subscription(enum stanza_type type)
{
	return type == TYPE_SUBSCRIBE || type == TYPE_SUBSCRIBED ||
	    type == TYPE_UNSUBSCRIBE || type == TYPE_UNSUBSCRIBED;
}

/* Strangers can send these: one that is long is kept without what it says. */
static struct elem *
kept(struct elem *request)
{
	struct elem *bare = elem_new(request->arena, NS_CLIENT, "presence");
	struct buf xml = { 0 };
	bool is_long;

	elem_write(&xml, request, NS_CLIENT);
	is_long = xml.len > KEPT_BYTES;
	buf_free(&xml);
	if (!is_long)
		return request;
	elem_set(bare, "type", "subscribe");
	return bare;
}

/*
 * In node view a request that came through several accounts is one. Of somebody who is
 * blocked none is shown.
 */
static bool
is_open_at(const struct account *a, struct arena *arena, const char *view)
{
	const char *jid = node_jid_up(a, arena, view);

	return jid != NULL && requests_is_open(a->requests, jid) &&
	    !account_has_blocked(a, jid);
}

static bool
is_open_elsewhere(const struct account *a, struct arena *arena,
    const char *bare)
{
	const char *view = node_jid_down(a, arena, bare);
	const struct account *other;

	LIST_FOREACH(other, &a->user->accounts, next) {
		if (other != a && is_open_at(other, arena, view))
			return true;
	}
	return false;
}

/* The request is there already, or still. */
static bool
is_told_by_another(const struct account *a, const struct route *r,
    const char *bare)
{
	return (r->type == TYPE_SUBSCRIBE || r->type == TYPE_UNSUBSCRIBE) &&
	    is_open_elsewhere(a, r->stanza->arena, bare);
}

static void
note(struct account *a, const struct route *r, const char *bare)
{
	if (r->type == TYPE_SUBSCRIBE) {
		(void)requests_add(a->requests, bare, kept(r->stanza));
		answered_forget(a, ANSWERED_REQUEST, bare, NULL);
	}
	if (r->type == TYPE_UNSUBSCRIBE)
		(void)requests_remove(a->requests, bare);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	struct session *s;
	const char *bare;
	bool is_told;

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->from == NULL)
		return "without a from";
	bare = jid_bare(r->stanza->arena, r->from);
	is_told = is_told_by_another(a, r, bare);
	note(a, r, bare);
	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && s->available && session_sees(s, a) &&
		    (s->account != NULL || !is_told))
			relay(s, a, r->stanza);
	}
	return "to all sessions";
}

struct telling {
	struct session *session;
	struct account *account;
};

/* In node view the first account's, in the configuration's order. */
static bool
is_shown(const struct telling *t, struct arena *arena, const char *bare)
{
	const char *view = node_jid_down(t->account, arena, bare);
	const struct account *a;

	if (t->session->account != NULL)
		return true;
	LIST_FOREACH(a, &t->session->user->accounts, next) {
		if (is_open_at(a, arena, view))
			return a == t->account;
	}
	return true;
}

static void
tell(void *arg, const char *bare, const char *xml)
{
	struct telling *t = arg;
	struct arena *arena = arena_new();
	struct elem *presence;

	presence = xml_parse_own(arena, xml, strlen(xml), NS_CLIENT);
	if (presence != NULL && is_shown(t, arena, bare) &&
	    !account_has_blocked(t->account, bare)) {
		elem_set(presence, "from", bare);
		relay(t->session, t->account, presence);
	}
	arena_free(&arena);
}

void
subscription_tell_open(struct session *s, struct account *a)
{
	struct telling t = { .session = s, .account = a };

	requests_each(a->requests, tell, &t);
}

/* Those that it was sent may have been lost with the process. */
static void
session_resumed(struct session *s, bool restarted)
{
	struct account *a;

	if (!restarted || !s->available)
		return;
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			subscription_tell_open(s, a);
	}
}

/* --- from a client --- */

/* Another session has answered this request a moment ago; a new one is open again. */
static bool
is_settled(struct account *a, const char *bare)
{
	uint64_t at;

	return answered_get(a, ANSWERED_REQUEST, bare, NULL, &at) &&
	    clock_wall() - at < SETTLED_MS;
}

static void
settle(struct account *a, const char *bare)
{
	if (requests_remove(a->requests, bare))
		answered_set(a, ANSWERED_REQUEST, bare, NULL, clock_wall());
}

static bool
is_settled_for(struct session *s, struct arena *arena, const char *bare)
{
	struct account *a;
	const char *jid;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) &&
		    (jid = session_name_at(s, a, arena, bare)) != NULL &&
		    is_settled(a, jid))
			return true;
	}
	return false;
}

static bool
is_answer(const struct route *r)
{
	return r->type == TYPE_SUBSCRIBED || r->type == TYPE_UNSUBSCRIBED;
}

/* Those at which the contact waits for an answer. */
static void
add_asked(struct account_set *to, struct session *s, struct arena *arena,
    const char *bare)
{
	struct account *a;
	const char *jid;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) &&
		    (jid = session_name_at(s, a, arena, bare)) != NULL &&
		    requests_is_open(a->requests, jid))
			account_set_add(to, a);
	}
}

/* None: another session's answer has settled it. */
static struct account_set
find_accounts(struct session *s, const struct route *r, const char *bare)
{
	struct arena *arena = r->stanza->arena;
	struct account_set to = account_set_new(s->user, arena);

	if (is_answer(r))
		add_asked(&to, s, arena, bare);
	account_set_log(&to, s, bare, "the contact waits there");
	if (to.count > 0 || (is_answer(r) && is_settled_for(s, arena, bare)))
		return to;
	if (s->account == NULL && r->type != TYPE_SUBSCRIBE)
		account_set_add_holders(&to, s->user, arena, bare);
	account_set_log(&to, s, bare, "its roster has the contact");
	if (to.count == 0)
		account_set_add(&to, session_carrier(s, arena, bare));
	return to;
}

/* In the account's terms. */
static int
send_up(struct session *s, struct account *a, const struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct address_map map = account_map_up(a, s);
	struct elem *copy = elem_copy(arena, r->stanza);
	const char *bare;

	bare = jid_bare(arena, address_map(arena, &map, r->to));
	address_rewrite(copy, &map);
	elem_set(copy, "to", bare);
	elem_set(copy, "from", NULL);
	if (account_post(a, copy, false) == -1)
		return -1;
	if (is_answer(r))
		settle(a, bare);
	return 0;
}

static const char *
send_all(struct session *s, const struct account_set *to, struct route *r)
{
	const struct account *refused = NULL;

	for (size_t i = 0; i < to->count; i++) {
		if (send_up(s, to->all[i], r) == -1)
			refused = to->all[i];
	}
	if (refused == NULL)
		return "sent up";
	session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
	    arena_printf(r->stanza->arena, "%s: the server does not take it",
		refused->jid));
	return "the server does not take it";
}

static const char *
from_client(struct session *s, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct account_set to;
	const char *why;

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->to == NULL) {
		session_reply_error(s, r, ERR_BAD_REQUEST, "to whom?");
		return "without a to";
	}
	to = find_accounts(s, r, jid_bare(arena, r->to));
	if (to.count == 0)
		return "another session's answer has settled it";
	/* With one that is away half of it would be done. */
	if ((why = account_set_away(&to, arena)) != NULL) {
		session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT, why);
		return "the upstream is away";
	}
	return send_all(s, &to, r);
}

const struct module mod_subscription = {
	.name = "subscription",
	.xep = "RFC 6121",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.session_resumed = session_resumed,
};
