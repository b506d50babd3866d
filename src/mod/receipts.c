/*
 * Delivery receipts (XEP-0184) and displayed markers (XEP-0333) of N clients made
 * one: the first receipt goes up, markers only move forward.
 */
#include "core/account.h"
#include "core/sent.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

static const char *
from_client(struct session *s, struct route *r)
{
	const char *receipt, *displayed, *reason;
	struct account *a;

	if (r->kind != STANZA_MESSAGE || r->to == NULL ||
	    message_has_body(r->stanza))
		return NULL;
	receipt = message_receipt_id(r->stanza);
	displayed = message_displayed_id(r->stanza);
	if (receipt == NULL && displayed == NULL)
		return NULL;
	a = session_route(s, r->stanza->arena, r->to, &reason);
	if (receipt != NULL && !sent_receipt_is_first(a, r->to, receipt))
		return "another session's receipt went up already";
	if (displayed != NULL && !sent_marker_is_forward(a, r->to, displayed))
		return "the marker does not move forward";
	return NULL;
}

const struct module mod_receipts = {
	.name = "receipts",
	.xep = "XEP-0184, XEP-0333",
	.from_client = from_client,
};
