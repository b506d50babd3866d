#include "core/invitation.h"

#include "core/account.h"
#include "core/answered.h"
#include "core/directed.h"
#include "core/history.h"
#include "core/session.h"
#include "core/user.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

static const struct elem *
muc_child(const struct elem *message, const char *name)
{
	const struct elem *x = elem_find(message, NS_MUC_USER, "x");

	return x != NULL ? elem_find(x, NS_MUC_USER, name) : NULL;
}

const char *
invitation_room(const struct elem *message, const char *from)
{
	const struct elem *direct = elem_find(message, NS_CONFERENCE, "x");
	const char *room;

	if (from == NULL || stanza_type(message) == TYPE_ERROR)
		return NULL;
	if (muc_child(message, "invite") != NULL)
		return jid_bare(message->arena, from);
	room = stanza_jid(direct, "jid");
	return room != NULL ? jid_bare(message->arena, room) : NULL;
}

const struct elem *
invitation_decline(const struct elem *message)
{
	return stanza_type(message) == TYPE_ERROR ?
	    NULL :
	    muc_child(message, "decline");
}

/*
 * An inviter is named by whatever JID, and not always by the same resource; only where
 * it is the room's, the resource says who it is (XEP-0045 7.8.2).
 */
static const char *
inviter(const struct elem *e, const char *attr, const char *room)
{
	const char *jid = stanza_jid(e, attr);

	if (jid == NULL)
		return "";
	return jid_same_bare(jid, room) ? jid : jid_bare(e->arena, jid);
}

void
invitation_came(struct account *a, const char *from, const struct elem *message)
{
	const char *room = invitation_room(message, from);
	const struct elem *invite = muc_child(message, "invite");

	if (room == NULL)
		return;
	answered_set(a, ANSWERED_INVITED, room, NULL, 0);
	if (invite != NULL)
		answered_forget(a, ANSWERED_DECLINE, room,
		    inviter(invite, "from", room));
}

void
invitation_declined(struct account *a, const char *to,
    const struct elem *message)
{
	const struct elem *decline = invitation_decline(message);
	const char *room = jid_bare(message->arena, to);

	if (decline != NULL)
		answered_set(a, ANSWERED_DECLINE, room,
		    inviter(decline, "to", room), 0);
}

void
invitation_joined(struct account *a, const char *room)
{
	uint64_t joined;

	if (answered_get(a, ANSWERED_INVITED, room, NULL, &joined) && !joined)
		answered_set(a, ANSWERED_INVITED, room, NULL, 1);
}

bool
invitation_is_known(const struct account *a, const char *room)
{
	return answered_get(a, ANSWERED_INVITED, room, NULL, NULL);
}

static bool
is_in_room(const struct account *a, const char *room)
{
	const struct session *s;
	const struct directed *d;

	LIST_FOREACH(s, &a->user->sessions, next) {
		d = directed_find_bare(s->directed, room);
		if (!s->closing && d != NULL && d->is_room &&
		    d->account == a->id)
			return true;
	}
	return false;
}

const char *
invitation_late(const struct account *a, const char *to,
    const struct elem *message)
{
	const struct elem *decline = invitation_decline(message);
	const char *room = jid_bare(message->arena, to);
	uint64_t joined = 0;

	if (decline == NULL)
		return NULL;
	(void)answered_get(a, ANSWERED_INVITED, room, NULL, &joined);
	if (joined || is_in_room(a, room))
		return "another session has accepted the invitation";
	return answered_get(a, ANSWERED_DECLINE, room,
		   inviter(decline, "to", room), NULL) ?
	    "another session has declined the invitation" :
	    NULL;
}

bool
invitation_is_repeated(const struct account *a, const struct entry *e)
{
	struct history *h = a->user->history;

	return history_find_same(h, e, DIR_IN) != NULL ||
	    history_find_same(h, e, DIR_BESIDE) != NULL;
}
