/*
 * Subscriptions (RFC 6121 section 3): requests reach all sessions and wait for one of
 * them; the first answer settles it for all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"
#include "mod/subscription.h"
#include "xmpp/jid.h"
#include "xmpp/xml.h"

#define KEY_SIZE   4096
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

static bool
settled_key(char key[KEY_SIZE], const struct account *a, const char *peer)
{
	int len = snprintf(key, KEY_SIZE, "subscription %" PRIu64 " %.*s",
	    a->id, (int)jid_bare_len(peer), peer);

	return len > 0 && len < KEY_SIZE;
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

static const char *
from_upstream(struct account *a, struct route *r)
{
	struct session *s;
	const char *bare;
	char key[KEY_SIZE];

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->from == NULL)
		return "without a from";
	bare = jid_bare(r->stanza->arena, r->from);
	if (r->type == TYPE_SUBSCRIBE) {
		(void)roster_request_add(a->roster, bare, kept(r->stanza));
		if (settled_key(key, a, bare))
			recent_remove(a->user->receipts, key);
	}
	if (r->type == TYPE_UNSUBSCRIBE)
		(void)roster_request_remove(a->roster, bare);
	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && s->available && session_sees(s, a))
			relay(s, a, r->stanza);
	}
	return "to all sessions";
}

struct telling {
	struct session *session;
	struct account *account;
};

static void
tell(void *arg, const char *bare, const char *xml)
{
	struct telling *t = arg;
	struct arena *arena = arena_new();
	struct elem *presence;

	presence = xml_parse_own(arena, xml, strlen(xml), NS_CLIENT);
	if (presence != NULL) {
		elem_set(presence, "from", bare);
		relay(t->session, t->account, presence);
	}
	arena_free(&arena);
}

void
subscription_tell_open(struct session *s, struct account *a)
{
	struct telling t = { .session = s, .account = a };

	roster_request_each(a->roster, tell, &t);
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
is_settled(struct session *s, struct account *a, const char *bare)
{
	char key[KEY_SIZE];
	uint64_t at;

	return settled_key(key, a, bare) &&
	    recent_get(s->user->receipts, key, &at) &&
	    clock_now() - at < SETTLED_MS;
}

static void
settle(struct session *s, struct account *a, const char *bare)
{
	char key[KEY_SIZE];

	if (roster_request_remove(a->roster, bare) && settled_key(key, a, bare))
		recent_set(s->user->receipts, key, clock_now());
}

static const char *
from_client(struct session *s, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct address_map map;
	struct account *a;
	const char *bare, *reason;
	bool is_answer = r->type == TYPE_SUBSCRIBED ||
	    r->type == TYPE_UNSUBSCRIBED;

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->to == NULL) {
		session_reply_error(s, r, ERR_BAD_REQUEST, "to whom?");
		return "without a to";
	}
	a = session_route(s, arena, r->to, &reason);
	map = account_map_up(a, s);
	bare = jid_bare(arena, address_map(arena, &map, r->to));
	if (!account_is_up(a)) {
		session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT,
		    "the account's server is not connected");
		return "the upstream is away";
	}
	if (is_answer && is_settled(s, a, bare))
		return "another session's answer has settled it";
	address_rewrite(r->stanza, &map);
	elem_set(r->stanza, "to", bare);
	elem_set(r->stanza, "from", NULL);
	if (account_post(a, r->stanza, false) == -1) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "the account's server does not take it");
		return "the server does not take it";
	}
	if (is_answer)
		settle(s, a, bare);
	return "sent up";
}

const struct module mod_subscription = {
	.name = "subscription",
	.xep = "RFC 6121",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.session_resumed = session_resumed,
};
