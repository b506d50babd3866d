#include "core/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/event_list.h"
#include "core/features.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/render.h"
#include "core/session.h"
#include "core/user.h"
#include "xmpp/ns.h"

/* So late an event says when it was. */
#define LATE_MS 10000

/* --- who gets it --- */

static bool
is_own(const struct account *a, const char *publisher)
{
	return strcmp(a->jid, publisher) == 0;
}

/* PEP 4.1: who has the publisher's presence has the events. */
static bool
has_presence_of(const struct account *a, const char *publisher)
{
	const struct roster_item *item = roster_find(a->roster, publisher);

	return item != NULL &&
	    (item->subscription == SUB_TO || item->subscription == SUB_BOTH);
}

static bool
keeps_those_of(const struct account *a, const char *publisher)
{
	return is_own(a, publisher) || has_presence_of(a, publisher);
}

/* XEP-0060 6.1: for a node that is open to all no presence is needed. */
static bool
has_subscribed(const struct session *s, const struct account *a,
    const char *publisher, const char *node)
{
	char *key;
	uint64_t id = 0;

	if (recent_count(a->subscribers) == 0)
		return false;
	key = mem_printf("%s %s", publisher, node);
	(void)recent_get(a->subscribers, key, &id);
	free(key);
	return id == s->id;
}

/*
 * Of the own events those of the default account alone reach node view: two lists of
 * devices under one JID would be rewritten by clients for ever.
 */
static bool
may_see(const struct session *s, const struct account *a, const char *publisher)
{
	if (!session_sees(s, a) || account_has_blocked(a, publisher))
		return false;
	return s->account != NULL || !is_own(a, publisher) ||
	    a == user_default_account(s->user);
}

static bool
asks_for(const struct session *s, const struct account *a,
    const char *publisher, const char *node)
{
	if (!may_see(s, a, publisher))
		return false;
	return features_wants(s->features, node) ||
	    has_subscribed(s, a, publisher, node);
}

/*
 * Node view hears of a contact of two accounts through the one that was first, unless the
 * other one said something else meanwhile: what is late there was told as if it were new.
 */
static bool
came_before(const struct session *s, const struct event *e)
{
	const struct event_node *n;
	const struct event *other;
	const struct account *a;

	if (s->account != NULL)
		return false;
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (a->id == e->node->account ||
		    !may_see(s, a, e->node->publisher) ||
		    !keeps_those_of(a, e->node->publisher))
			continue;
		n = event_node_find(s->user->events, a->id, e->node->publisher,
		    e->node->name);
		other = n != NULL ? event_find(n, e->item) : NULL;
		if (other != NULL && other->number < e->number &&
		    other->number > e->replaced && event_says_same(other, e))
			return true;
	}
	return false;
}

/* It was there before the session was. */
static bool
is_old(const struct session *s, const struct event *e)
{
	return e->number <= s->events_joined;
}

/* Of what was there: all that still waited for it, and the last of what is new to it. */
static bool
is_owed(const struct session *s, const struct event *e)
{
	if (features_wants(s->events_had, e->node->name))
		return e->number > s->events_had_told;
	return e == event_last(e->node);
}

static bool
is_for(const struct session *s, const struct account *a, const struct event *e)
{
	const struct event_node *n = e->node;

	if (!asks_for(s, a, n->publisher, n->name) ||
	    !keeps_those_of(a, n->publisher))
		return false;
	if (is_old(s, e) && !is_owed(s, e))
		return false;
	return !came_before(s, e);
}

static void
send_event(struct session *s, struct account *a, struct entry *entry,
    bool is_late)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "deliver",
		    "peer=%s form=event reason=\"it asks for that node\"",
		    LOG_Q(entry->peer));
	render_send(s, a, entry, FORM_PLAIN, is_late && !entry->has_delay);
}

static void
look_at(struct session *s, const struct event *e)
{
	struct account *a = user_find_account(s->user, e->node->account);

	if (a == NULL || !is_for(s, a, e))
		return;
	send_event(s, a, e->entry,
	    is_old(s, e) || clock_wall() > e->entry->time + LATE_MS);
	s->events_number = s->sm.out;
}

void
events_follow(struct session *s)
{
	const struct events *all = s->user->events;
	const struct event *e;

	/* An inactive client is given the latest when something comes that matters. */
	if (s->closing || s->asleep || s->inactive || !s->available)
		return;
	if (s->events_told == 0)
		s->events_joined = all->last;
	e = event_after(all, s->events_told);
	for (; e != NULL; e = TAILQ_NEXT(e, by_number)) {
		if (!session_has_room(s))
			return;
		s->events_told = e->number;
		look_at(s, e);
		if (s->closing)
			return;
	}
	s->events_told = all->last;
	features_unref(&s->events_had);
}

void
events_features_changed(struct session *s, struct features *before)
{
	/* In the midst of the first ones it begins anew. */
	if (s->events_told >= s->events_joined && s->events_told != 0) {
		features_unref(&s->events_had);
		s->events_had = features_ref(before);
		s->events_had_told = s->events_told;
	}
	s->events_told = 0;
}

void
events_rewind(struct session *s)
{
	features_unref(&s->events_had);
	s->events_told = s->events_got = 0;
}

void
events_restore(struct session *s, uint64_t got)
{
	struct events *all = s->user->events;

	s->events_told = s->events_got = got;
	/* The last ones may have been dropped. */
	if (got > all->last)
		all->last = got;
}

/* --- what comes --- */

bool
events_is_collection(const struct account *a, const char *publisher,
    const char *node)
{
	return is_own(a, publisher) &&
	    (strcmp(node, NS_BOOKMARKS) == 0 || strcmp(node, NS_MDS) == 0);
}

/* To those that are there, now or never. */
static void
pass(struct account *a, struct entry *entry, const struct event_what *what)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->available && session_has_room(s) &&
		    asks_for(s, a, entry->peer, what->node) &&
		    quiet_takes(s, entry) == NULL)
			send_event(s, a, entry, false);
	}
}

static bool
is_worth_keeping(const struct account *a, const struct entry *entry,
    const struct event_what *what)
{
	uint64_t most = a->user->proxy->config->limits.event_bytes;

	return what->kind != EVENT_PASSING &&
	    entry_size(entry) <= most / EVENTS_PER_NODE &&
	    keeps_those_of(a, entry->peer);
}

/*
 * A server says again what was last, on a new stream or to a new resource. Then it is the
 * last: whatever came after it was taken back where we did not see it.
 */
static bool
is_known(const struct account *a, const char *publisher,
    const struct event_what *what)
{
	struct event_node *n;
	struct event *e;

	n = event_node_find(a->user->events, a->id, publisher, what->node);
	e = n != NULL ? event_find(n, what->item) : NULL;
	if (e == NULL || *e->item == '\0' || e->kind != EVENT_ITEMS ||
	    what->kind != EVENT_ITEMS ||
	    memcmp(e->hash, what->hash, sizeof(e->hash)) != 0)
		return false;
	TAILQ_REMOVE(&n->events, e, of_node);
	TAILQ_INSERT_TAIL(&n->events, e, of_node);
	return true;
}

const char *
events_take(struct account *a, struct entry *entry,
    const struct event_what *what)
{
	struct session *s;

	if (!is_worth_keeping(a, entry, what)) {
		pass(a, entry, what);
		entry_unref(&entry);
		return "an event that is not kept, to those that ask for it";
	}
	if (is_known(a, entry->peer, what)) {
		entry_unref(&entry);
		return "an event that is known";
	}
	event_keep(a->user->events, entry, what,
	    events_is_collection(a, entry->peer, what->node) ?
		EVENTS_PER_COLLECTION :
		EVENTS_PER_NODE);
	LIST_FOREACH(s, &a->user->sessions, next)
		events_follow(s);
	return "an event, to those that ask for it";
}

/* --- the account's own --- */

bool
events_know_own(const struct account *a, const struct event_what *what)
{
	return is_known(a, a->jid, what);
}

uint64_t
events_last(const struct user *u)
{
	return u->events->last;
}

static const struct event_node *
find_own(const struct account *a, const char *node)
{
	return event_node_find(a->user->events, a->id, a->jid, node);
}

bool
events_came_after(const struct account *a, uint64_t number, const char *node,
    const char *item)
{
	const struct event_node *n = find_own(a, node);
	const struct event *e;

	if (n == NULL)
		return false;
	TAILQ_FOREACH(e, &n->events, of_node) {
		if (e->number > number &&
		    (e->kind == EVENT_NODE || strcmp(e->item, item) == 0))
			return true;
	}
	return false;
}

size_t
events_own_items(const struct account *a, uint64_t number, const char *node,
    const char *items[EVENTS_PER_COLLECTION])
{
	const struct event_node *n = find_own(a, node);
	const struct event *e;
	size_t count = 0;

	if (n == NULL)
		return 0;
	TAILQ_FOREACH(e, &n->events, of_node) {
		if (e->kind == EVENT_ITEMS && *e->item != '\0' &&
		    e->number <= number && count < EVENTS_PER_COLLECTION)
			items[count++] = e->item;
	}
	return count;
}
