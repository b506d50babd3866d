/*
 * Delivery receipts (XEP-0184) and displayed markers (XEP-0333) of N clients made
 * one: the first receipt goes up, markers only move forward.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/account.h"
#include "core/sent.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define KEY_SIZE 4096

/* Whether the marker goes beyond the last one; what is not in the log does. */
static bool
moves_forward(struct account *a, const char *peer, const char *id)
{
	struct user *u = a->user;
	const struct entry *e;
	char key[KEY_SIZE];
	uint64_t last = 0;

	e = history_find(u->history, a->id, DIR_IN, peer, id);
	if (e == NULL)
		return true;
	snprintf(key, sizeof(key), "%" PRIu64 " %.*s", a->id,
	    (int)jid_bare_len(peer), peer);
	if (recent_get(u->displayed, key, &last) && e->seq <= last)
		return false;
	recent_set(u->displayed, key, e->seq);
	return true;
}

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
	if (displayed != NULL && !moves_forward(a, r->to, displayed))
		return "the marker does not move forward";
	return NULL;
}

const struct module mod_receipts = {
	.name = "receipts",
	.xep = "XEP-0184, XEP-0333",
	.from_client = from_client,
};
