/*
 * Delivery receipts (XEP-0184), displayed markers (XEP-0333) and delivery errors of N
 * clients made one: the first receipt goes up, markers only move forward, and what one
 * client could not take is no error where another could.
 */
#include "core/account.h"
#include "core/place.h"
#include "core/sent.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

/* Of several accounts the one in whose log the message came last; NULL: in none. */
static struct account *
account_that_got(struct session *s, struct route *r, const char *id)
{
	struct account *a, *found = NULL;
	uint64_t seq, last = 0;

	LIST_FOREACH(a, &s->user->accounts, next) {
		seq = place_of_message(a, r->to, id);
		if (seq > last) {
			last = seq;
			found = a;
		}
	}
	return found;
}

/* An answer goes back where the question came from. */
static struct account *
carrier(struct session *s, struct route *r, const char *id)
{
	const char *reason;

	if (s->account != NULL)
		return s->account;
	r->account = account_that_got(s, r, id);
	return r->account != NULL ?
	    r->account :
	    session_route(s, r->stanza->arena, r->to, &reason);
}

static void
remove_all(struct elem *message, const char *ns, const char *name)
{
	struct elem *e;

	while ((e = elem_find(message, ns, name)) != NULL)
		elem_remove(e);
}

/* What is left may still be one for another thing, or a chat state. */
static const char *
settle(struct account *a, struct route *r, const char *to, const char *receipt,
    const char *displayed)
{
	const char *why = NULL;

	if (receipt != NULL && !sent_receipt_is_first(a, to, receipt)) {
		remove_all(r->stanza, NS_RECEIPTS, "received");
		remove_all(r->stanza, NS_MARKERS, "received");
		why = "another session's receipt went up already";
	}
	if (displayed != NULL && !sent_marker_is_forward(a, to, displayed)) {
		remove_all(r->stanza, NS_MARKERS, "displayed");
		why = "the marker does not move forward";
	}
	return why != NULL && message_says_nothing(r->stanza) ? why : NULL;
}

static const char *
on_error(struct session *s, struct route *r)
{
	struct account *a;
	struct address_map map;
	const char *to;

	if (r->id == NULL)
		return NULL;
	a = carrier(s, r, r->id);
	map = account_map_up(a, s);
	to = address_map(r->stanza->arena, &map, r->to);
	return sent_error_is_first(a, to, r->id) ?
	    NULL :
	    "another session has answered that message";
}

static const char *
from_client(struct session *s, struct route *r)
{
	const char *receipt, *displayed;
	struct address_map map;
	struct account *a;

	if (r->kind != STANZA_MESSAGE || r->to == NULL)
		return NULL;
	if (r->type == TYPE_ERROR)
		return on_error(s, r);
	receipt = message_receipt_id(r->stanza);
	displayed = message_displayed_id(r->stanza);
	if ((receipt == NULL && displayed == NULL) ||
	    message_has_body(r->stanza))
		return NULL;
	a = carrier(s, r, receipt != NULL ? receipt : displayed);
	map = account_map_up(a, s);
	return settle(a, r, address_map(r->stanza->arena, &map, r->to), receipt,
	    displayed);
}

const struct module mod_receipts = {
	.name = "receipts",
	.xep = "XEP-0184, XEP-0333",
	.from_client = from_client,
};
