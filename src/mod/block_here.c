/*
 * Blocking (XEP-0191 3.3) where an account's server does not do it: what comes from
 * somebody blocked ends here, what goes there is refused, and our presence is withdrawn
 * as far as a client can. The server sends it to all contacts whenever it changes, so it
 * is withdrawn again behind that; and it answers probes itself.
 */
#include <string.h>

#include "base/text.h"
#include "core/account.h"
#include "core/availability.h"
#include "core/directed.h"
#include "core/session.h"
#include "mod/blocking.h"
#include "mod/directed.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

/* --- what comes --- */

/*
 * An error for what a room or a service sends would change things there, and headlines
 * have none (RFC 6121 8.5).
 */
static bool
may_answer(const struct route *r)
{
	if (r->kind == STANZA_IQ)
		return r->type == TYPE_GET || r->type == TYPE_SET;
	return r->kind == STANZA_MESSAGE &&
	    (r->type == TYPE_CHAT || r->type == TYPE_NORMAL);
}

/* The server had it before, or has it from after it was blocked. */
static bool
is_result_to_hide(const struct account *a, const struct route *r)
{
	const struct elem *result = NULL, *forwarded = NULL, *m = NULL;
	const struct blocked *b;
	const char *from;

	if (r->kind == STANZA_MESSAGE && account_is_own(a, r->from))
		result = message_archive_result(r->stanza);
	if (result != NULL)
		forwarded = elem_find(result, NS_FORWARD, "forwarded");
	if (forwarded != NULL)
		m = elem_find(forwarded, NS_CLIENT, "message");
	if ((from = stanza_jid(m, "from")) == NULL || !account_blocks(a, from))
		return false;
	b = blocklist_match(a->blocks, from, false);
	return b != NULL && stanza_delay(forwarded) >= b->since;
}

/* Presence is kept, for when it is unblocked; nobody is told: relay.h. */
static bool
is_current_presence(const struct route *r)
{
	return r->kind == STANZA_PRESENCE &&
	    (r->type == TYPE_AVAILABLE || r->type == TYPE_UNAVAILABLE);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	if (is_result_to_hide(a, r))
		return "of the archive, from somebody who is blocked";
	if (r->from == NULL || is_current_presence(r) ||
	    !account_blocks(a, r->from))
		return NULL;
	if (!may_answer(r))
		return "from somebody who is blocked";
	account_answer(a,
	    stanza_error(r->stanza, ERR_SERVICE_UNAVAILABLE, NULL));
	return "from somebody who is blocked: refused";
}

/* --- what goes --- */

/* As in the XEP's example, which says cancel. */
static void
refuse(struct session *s, struct route *r)
{
	struct elem *answer = stanza_error(r->stanza, ERR_NOT_ACCEPTABLE,
	    "you have blocked this address");
	struct elem *error = elem_find(answer, NS_CLIENT, "error");

	elem_set(error, "type", "cancel");
	elem_child(error, NS_BLOCKING_ERROR, "blocked");
	session_refuse_with(s, r, answer);
}

/*
 * By the account that would carry it, mostly by none. What its server would refuse is
 * refused here, too: no other client is to be told of it first.
 */
static bool
is_blocked(struct session *s, struct arena *arena, const char *to)
{
	struct account *a;
	const char *reason;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) && account_has_blocked(a, to))
			break;
	}
	if (a == NULL)
		return false;
	return account_has_blocked(session_route(s, arena, to, &reason), to);
}

/* To leave a room says nothing to whom we are off for already. */
static const char *
from_client(struct session *s, struct route *r)
{
	if (r->to == NULL || jid_same_bare(r->to, s->bare) ||
	    (r->kind == STANZA_PRESENCE && r->type == TYPE_UNAVAILABLE) ||
	    !is_blocked(s, r->stanza->arena, r->to))
		return NULL;
	if (stanza_may_fail(r->stanza))
		refuse(s, r);
	return "to somebody who is blocked";
}

/* --- presence --- */

struct hiding {
	struct account *account;
	const char *jid; /* blocked, or not any more; NULL: all that are */
	bool is_blocked;
};

static bool
is_domain_of(const char *jid, const char *other)
{
	size_t len;
	const char *domain = jid_domain(other, &len);

	return jid_is_domain(jid) && strlen(jid) == len &&
	    memcmp(jid, domain, len) == 0;
}

/* Whether what is blocked means that contact, or a resource of it. */
static bool
is_about(const struct hiding *h, const char *contact)
{
	return h->jid == NULL || jid_same_bare(h->jid, contact) ||
	    is_domain_of(h->jid, contact);
}

static void
send_presence(struct account *a, const char *to, bool is_blocked)
{
	struct arena *arena = arena_new();
	struct elem *p;

	if (is_blocked) {
		p = elem_new(arena, NS_CLIENT, "presence");
		elem_set(p, "type", "unavailable");
	} else {
		p = availability_presence(a, arena);
	}
	elem_set(p, "to", to);
	(void)account_post(a, p, true);
	arena_free(&arena);
}

/* Only those may be told that see our presence. */
static void
tell_contact(void *arg, const struct roster_item *item)
{
	const struct hiding *h = arg;
	const char *to = item->jid;

	if (item->subscription != SUB_FROM && item->subscription != SUB_BOTH)
		return;
	if (!is_about(h, item->jid))
		return;
	if (h->jid != NULL && !jid_is_bare(h->jid))
		to = h->jid;
	if (account_blocks(h->account, to) == h->is_blocked)
		send_presence(h->account, to, h->is_blocked);
}

static void
tell_contacts(struct hiding *h)
{
	if (h->account->presence_sent != NULL)
		roster_each(h->account->roster, tell_contact, h);
}

/* Rooms, and whoever else was told by a client that it is there. */
static void
leave_blocked(struct account *a)
{
	struct directed *d, *tmp;
	struct session *s;
	struct arena *arena = arena_new();
	const char *target;

	LIST_FOREACH(s, &a->user->sessions, next) {
		HASH_ITER(hh, s->directed, d, tmp) {
			if (d->account != a->id ||
			    !account_blocks(a, d->target))
				continue;
			target = arena_strdup(arena, d->target);
			send_presence(a, target, true);
			directed_refused(a, target);
		}
	}
	arena_free(&arena);
}

void
block_here_hide(struct account *a, const char *jid)
{
	struct hiding h = { a, jid, true };

	tell_contacts(&h);
	leave_blocked(a);
}

void
block_here_hide_all(struct account *a)
{
	if (blocklist_count(a->blocks) > 0)
		block_here_hide(a, NULL);
}

void
block_here_show(struct account *a, const char *jid)
{
	struct hiding h = { a, jid, false };

	tell_contacts(&h);
}

/* It went to all contacts. */
static void
presence_sent(struct account *a)
{
	struct hiding h = { a, NULL, true };

	if (blocklist_place(a->blocks) == BLOCKS_HERE &&
	    blocklist_count(a->blocks) > 0)
		tell_contacts(&h);
}

const struct module mod_block_here = {
	.name = "blocked-here",
	.xep = "XEP-0191",
	.from_upstream = from_upstream,
	.from_client = from_client,
	.presence_sent = presence_sent,
};
