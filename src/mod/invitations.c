/*
 * Invitations to rooms (XEP-0045 7.8.2, XEP-0249) of N clients: the first decline goes
 * up, and none once a client has joined. Which of several invitations to one room are
 * shown is the clients' own matter (XEP-0249 4): they differ in what they say.
 */
#include <string.h>

#include "base/text.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/incoming.h"
#include "core/invitation.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

/* --- from upstream --- */

static const char *
take_invitation(struct account *a, struct route *r)
{
	struct route copy = *r;
	struct entry *e;
	bool is_repeated;

	copy.stanza = elem_copy(r->stanza->arena, r->stanza);
	e = incoming_entry(a, &copy, DIR_IN);
	is_repeated = invitation_is_repeated(a, e);
	entry_unref(&e);
	if (is_repeated)
		return "the same invitation came already";
	invitation_came(a, r->from, r->stanza);
	return NULL;
}

static bool
is_own_presence(const struct account *a, const struct route *r,
    const struct elem *x)
{
	const struct session *s;
	const struct directed *d;

	LIST_FOREACH(s, &a->user->sessions, next) {
		d = directed_find_bare(s->directed, r->from);
		if (d != NULL && d->is_room && d->account == a->id)
			return directed_is_self(d, x, r->from);
	}
	return false;
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	const struct elem *x;

	if (r->from == NULL)
		return NULL;
	if (r->kind == STANZA_MESSAGE)
		return invitation_room(r->stanza, r->from) != NULL ?
		    take_invitation(a, r) :
		    NULL;
	if (r->kind == STANZA_PRESENCE && r->type == TYPE_AVAILABLE &&
	    (x = elem_find(r->stanza, NS_MUC_USER, "x")) != NULL &&
	    is_own_presence(a, r, x))
		invitation_joined(a, jid_bare(r->stanza->arena, r->from));
	return NULL;
}

/* --- from a client --- */

static bool
is_join(const struct route *r)
{
	return r->kind == STANZA_PRESENCE && r->type == TYPE_AVAILABLE &&
	    elem_find(r->stanza, NS_MUC, "x") != NULL;
}

/*
 * The user is there, was, or has it among the contacts: which account that is, nobody
 * can change by inviting another one.
 */
static bool
is_familiar(struct user *u, const char *room)
{
	const struct account *a;

	if (user_is_in_room(u, room) ||
	    user_conversation_account(u, room) != NULL)
		return true;
	LIST_FOREACH(a, &u->accounts, next) {
		if (roster_find(a->roster, room) != NULL)
			return true;
	}
	return false;
}

/* In node view: as whoever was invited. */
static void
join(struct session *s, struct route *r)
{
	const char *room = jid_bare(r->stanza->arena, r->to);
	struct account *a;

	if (s->account != NULL || is_familiar(s->user, room))
		return;
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (r->account == NULL && invitation_is_known(a, room))
			r->account = a;
	}
}

/* In node view: for the first account whose invitation is not settled. */
static const char *
decline(struct session *s, struct route *r)
{
	const char *room = jid_bare(r->stanza->arena, r->to), *why = NULL;
	struct account *a;

	if (s->account != NULL)
		return invitation_late(s->account, r->to, r->stanza);
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!invitation_is_known(a, room))
			continue;
		why = invitation_late(a, r->to, r->stanza);
		r->account = a;
		if (why == NULL)
			return NULL;
	}
	if (r->account != NULL)
		return why;
	a = session_route(s, r->stanza->arena, r->to, &why);
	return invitation_late(a, r->to, r->stanza);
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->to != NULL && is_join(r))
		join(s, r);
	if (r->to == NULL || r->kind != STANZA_MESSAGE ||
	    invitation_decline(r->stanza) == NULL)
		return NULL;
	return decline(s, r);
}

const struct module mod_invitations = {
	.name = "invitations",
	.xep = "XEP-0045, XEP-0249",
	.from_client = from_client,
	.from_upstream = from_upstream,
};
