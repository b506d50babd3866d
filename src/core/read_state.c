#include "core/read_state.h"

#include <string.h>

#include "base/text.h"
#include "core/account.h"
#include "core/answered.h"
#include "core/archive.h"
#include "core/archive_id.h"
#include "core/place.h"
#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* --- where it stands --- */

static struct elem *
part_of(const struct elem *stanza, const char *ns, const char *outer,
    const char *inner)
{
	const struct elem *e = elem_find(stanza, ns, outer);
	struct elem *part = e != NULL ? elem_find(e, ns, inner) : NULL;

	return part != NULL && text_equals(elem_attr(part, "node"), NS_MDS) ?
	    part :
	    NULL;
}

struct elem *
read_state_event(const struct elem *message)
{
	return part_of(message, NS_PUBSUB_EVENT, "event", "items");
}

struct elem *
read_state_items(const struct elem *iq)
{
	return part_of(iq, NS_PUBSUB, "pubsub", "items");
}

struct elem *
read_state_publish(const struct elem *iq)
{
	return part_of(iq, NS_PUBSUB, "pubsub", "publish");
}

bool
read_state_is_gone(const struct account *a, const char *from,
    const struct elem *message)
{
	return (from == NULL || strcmp(from, a->jid) == 0) &&
	    (part_of(message, NS_PUBSUB_EVENT, "event", "purge") != NULL ||
		part_of(message, NS_PUBSUB_EVENT, "event", "delete") != NULL);
}

bool
read_state_is_own(const struct account *a, const char *from,
    const struct elem *message)
{
	return (from == NULL || strcmp(from, a->jid) == 0) &&
	    read_state_event(message) != NULL;
}

/* --- what it says --- */

static struct elem *
stanza_id_of(const struct elem *item)
{
	const struct elem *displayed = elem_find(item, NS_MDS, "displayed");

	return displayed != NULL ? elem_find(displayed, NS_SID, "stanza-id") :
				   NULL;
}

const char *
read_state_chat(const struct account *a, const struct elem *item)
{
	const char *chat = stanza_jid(item, "id");

	/* A chat with oneself has the account's name, in each view. */
	if (chat != NULL && strcmp(chat, a->user->bare) == 0)
		return a->jid;
	return chat != NULL ? chat : elem_attr(item, "id");
}

/* By the own account, of whatever view; else by a room. */
static bool
is_own(const struct account *a, const char *by)
{
	return text_equals(by, a->jid) || text_equals(by, a->user->bare);
}

/* By our id; of another account too, which node view has in the same chat. */
static struct entry *
find_by_our_id(const struct account *a, const char *chat, const char *id)
{
	const struct user *u = a->user;
	uint64_t seq = id == NULL ?
	    0 :
	    archive_id_seq(store_key(u->proxy->store), u->id, id);
	struct entry *e = seq != 0 ? history_at(u->history, seq) : NULL;

	return e != NULL && jid_same_bare(e->peer, chat) ? e : NULL;
}

/* Where the chat was displayed to as far as we know: most often that is it. */
static struct entry *
find_last(const struct account *a, const char *chat, const char *id)
{
	uint64_t seq;
	struct entry *e;

	if (!answered_get(a, ANSWERED_READ, chat, NULL, &seq))
		return NULL;
	e = history_at(a->user->history, seq);
	return e != NULL && e->account == a->id &&
		text_equals(e->stanza_id, id) ?
	    e :
	    NULL;
}

/* Searching is slow: *searches says how often more that may be done. */
static bool
may_search(unsigned *searches)
{
	if (*searches == 0)
		return false;
	--*searches;
	return true;
}

static struct entry *
find(const struct account *a, const struct elem *item, unsigned *searches)
{
	const struct elem *sid = stanza_id_of(item);
	const char *chat = read_state_chat(a, item);
	const char *by = stanza_jid(sid, "by");
	const char *id = sid != NULL ? elem_attr(sid, "id") : NULL;
	struct entry *e;

	if (chat == NULL || by == NULL || id == NULL)
		return NULL;
	if (!is_own(a, by))
		return jid_same_bare(by, chat) && may_search(searches) ?
		    place_find_room_id(a, by, id) :
		    NULL;
	if ((e = find_by_our_id(a, chat, id)) != NULL ||
	    (e = find_last(a, chat, id)) != NULL)
		return e;
	return may_search(searches) ? place_find_stanza_id(a, chat, id) : NULL;
}

uint64_t
read_state_place(const struct account *a, const struct elem *item,
    unsigned *searches)
{
	const struct entry *e = find(a, item, searches);

	return e != NULL ? e->seq : 0;
}

/* --- between views --- */

/*
 * What was sent has no id of the server's, nor has what it did not archive. The one
 * before it says nearly the same: displayed is all up to there, and what one sent
 * oneself does not count (XEP-0490 5.1).
 */
static const char *
servers_id(const struct account *a, const char *chat, const struct entry *e)
{
	if (e->account != a->id)
		return NULL;
	if (e->stanza_id == NULL)
		e = place_find_named(a, chat, e->seq);
	return e != NULL ? e->stanza_id : NULL;
}

void
read_state_up(struct session *s, struct account *a, struct elem *item)
{
	const char *chat = read_state_chat(a, item), *id = NULL;
	struct elem *sid = stanza_id_of(item);
	const struct entry *e = NULL;

	if (chat == NULL)
		return;
	if (sid != NULL && archive_is_ours(s) &&
	    is_own(a, stanza_jid(sid, "by")))
		e = find_by_our_id(a, chat, elem_attr(sid, "id"));
	if (e != NULL && (id = servers_id(a, chat, e)) != NULL)
		elem_set(sid, "id", id);
	if (strcmp(chat, a->jid) == 0)
		elem_set(item, "id", chat);
}

static void
id_down(struct session *s, struct account *a, struct elem *item,
    unsigned *searches)
{
	struct elem *sid = stanza_id_of(item);
	const struct entry *e;
	char ours[ARCHIVE_ID_SIZE];

	if (sid == NULL || !archive_is_ours(s) ||
	    !is_own(a, stanza_jid(sid, "by")) ||
	    (e = find(a, item, searches)) == NULL)
		return;
	elem_set(sid, "id", archive_id_of(s, e, ours));
}

void
read_state_down(struct session *s, struct account *a, struct elem *part)
{
	unsigned searches = READ_STATE_SEARCHES;

	ELEM_EACH(item, part) {
		id_down(s, a, item, &searches);
		if (text_equals(read_state_chat(a, item), a->jid))
			elem_set(item, "id", s->bare);
	}
}
