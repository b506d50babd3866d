/*
 * Last activity (XEP-0012). What we know of the person: a session that is neither
 * away nor gone, a message that was written, and how long a client says that
 * nobody touched it (XEP-0319).
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/account.h"
#include "core/message.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

static bool
is_attended(const struct session *s)
{
	return s->available && s->show != SHOW_AWAY && s->show != SHOW_XA;
}

static bool
has_attended(const struct account *a)
{
	const struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (session_sees(s, a) && is_attended(s))
			return true;
	}
	return false;
}

static void
note(struct session *s, uint64_t at)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) && at > a->active_at)
			a->active_at = at;
	}
}

/* When the person was last at a client that says this of itself. */
static uint64_t
idle_since(const struct elem *presence)
{
	const struct elem *idle = elem_find(presence, NS_IDLE, "idle");
	uint64_t now = clock_now(), wall = clock_wall(), since;

	if (idle == NULL || !text_parse_stamp(elem_attr(idle, "since"), &since))
		return now;
	if (since >= wall)
		return now;
	return wall - since < now ? now - (wall - since) : 0;
}

/* Receipts and the like need nobody there. */
static bool
is_written(const struct elem *message)
{
	return message_has_body(message) || message_is_encrypted(message);
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->kind == STANZA_MESSAGE && is_written(r->stanza))
		note(s, clock_now());
	/* Until now it was attended; from now on it may not be. */
	else if (r->kind == STANZA_PRESENCE && is_attended(s))
		note(s, idle_since(r->stanza));
	return NULL;
}

static void
session_gone(struct session *s)
{
	if (is_attended(s))
		note(s, clock_now());
}

static bool
may_ask(const struct account *a, const struct route *r)
{
	return account_is_own(a, r->from) || jid_same_bare(r->from, a->jid) ||
	    roster_sees_us(a->roster, jid_bare(r->stanza->arena, r->from));
}

static const char *
on_peer_last(struct account *a, struct route *r)
{
	struct elem *answer, *query;
	uint64_t ms = 0;

	if (!may_ask(a, r)) {
		account_answer(a, stanza_error(r->stanza, ERR_FORBIDDEN, NULL));
		return "not subscribed to our presence";
	}
	if (!has_attended(a) && a->active_at == 0) {
		account_answer(a,
		    stanza_error(r->stanza, ERR_SERVICE_UNAVAILABLE, NULL));
		return "nobody was there since the proxy started";
	}
	if (!has_attended(a))
		ms = clock_now() - a->active_at;
	answer = stanza_result(r->stanza);
	query = elem_child(answer, NS_LAST, "query");
	elem_setf(query, "seconds", "%" PRIu64, ms / 1000);
	account_answer(a, answer);
	return "a contact asked";
}

static const struct peer_iq_handler peer_iqs[] = {
	{ TYPE_GET, NS_LAST, "query", on_peer_last, false },
	{ 0 },
};

const struct module mod_last = {
	.name = "last",
	.xep = "XEP-0012",
	.peer_features = (const char *const[]){ NS_LAST, NULL },
	.peer_iqs = peer_iqs,
	.from_client = from_client,
	.session_gone = session_gone,
};
