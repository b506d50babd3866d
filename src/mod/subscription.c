/*
 * Subscriptions (RFC 6121 section 3): requests reach all sessions and wait for one of
 * them; the first answer settles it for all.
 */
#include <string.h>

#include "base/clock.h"
#include "core/account.h"
#include "core/session.h"
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

static const char *
from_upstream(struct account *a, struct route *r)
{
	struct session *s;
	const char *bare;

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->from == NULL)
		return "without a from";
	bare = jid_bare(r->stanza->arena, r->from);
	if (r->type == TYPE_SUBSCRIBE) {
		(void)roster_request_add(a->roster, bare, kept(r->stanza));
		answered_forget(a, ANSWERED_REQUEST, bare, NULL);
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

static const char settled[] = "another session's answer has settled it";

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
	if (roster_request_remove(a->roster, bare))
		answered_set(a, ANSWERED_REQUEST, bare, NULL, clock_wall());
}

static const char *
send_up(struct session *s, struct account *a, struct route *r, bool is_answer)
{
	struct address_map map = account_map_up(a, s);
	struct elem *copy = elem_copy(r->stanza->arena, r->stanza);
	const char *bare = jid_bare(copy->arena,
	    address_map(copy->arena, &map, r->to));

	if (!account_is_up(a)) {
		session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT,
		    "the account's server is not connected");
		return "the upstream is away";
	}
	if (is_answer && is_settled(a, bare))
		return settled;
	address_rewrite(copy, &map);
	elem_set(copy, "to", bare);
	elem_set(copy, "from", NULL);
	if (account_post(a, copy, false) == -1) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "the account's server does not take it");
		return "the server does not take it";
	}
	if (is_answer)
		settle(a, bare);
	return "sent up";
}

/*
 * In node view: to whichever account was asked, and to all of them, since the client
 * cannot tell one request from the other. NULL: none was.
 */
static const char *
answer_all(struct session *s, struct route *r)
{
	const char *bare = jid_bare(r->stanza->arena, r->to), *reason = NULL;
	struct account *a;
	bool was_settled = false;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (roster_request_is_open(a->roster, bare))
			reason = send_up(s, a, r, true);
		else if (is_settled(a, bare))
			was_settled = true;
	}
	return reason == NULL && was_settled ? settled : reason;
}

static const char *
from_client(struct session *s, struct route *r)
{
	const char *reason;
	bool is_answer = r->type == TYPE_SUBSCRIBED ||
	    r->type == TYPE_UNSUBSCRIBED;

	if (r->kind != STANZA_PRESENCE || !is_about_subscription(r->type))
		return NULL;
	if (r->to == NULL) {
		session_reply_error(s, r, ERR_BAD_REQUEST, "to whom?");
		return "without a to";
	}
	if (is_answer && s->account == NULL &&
	    (reason = answer_all(s, r)) != NULL)
		return reason;
	return send_up(s, session_route(s, r->stanza->arena, r->to, &reason), r,
	    is_answer);
}

const struct module mod_subscription = {
	.name = "subscription",
	.xep = "RFC 6121",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.session_resumed = session_resumed,
};
