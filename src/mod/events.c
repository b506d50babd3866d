/*
 * Personal events (XEP-0163): those of an account's own and of its contacts go to the
 * sessions that ask for that node (core/events.c). Contacts' come by themselves; what the
 * own account has of a node that somebody asks for is fetched once a stream and process,
 * as a server says the last again only to a resource that comes, and of some nodes
 * (XEP-0402, 0490) not even then.
 */
#include "mod/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/events.h"
#include "core/features.h"
#include "core/incoming.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/user.h"
#include "mod/avatar.h"
#include "mod/info.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* Of a node of the account's own, in account->fetched; HEARD: it came by itself. */
enum { ASKED, HEARD, ANSWERED };

/* --- what an event says --- */

/* The ids of all <item/>s or <retract/>s, with a space between. */
static const char *
ids_of(const struct elem *items, const char *name)
{
	const char *ids = "", *id;

	ELEM_EACH(e, items) {
		if (!elem_is(e, NS_PUBSUB_EVENT, name))
			continue;
		if ((id = elem_attr(e, "id")) == NULL)
			return "";
		ids = *ids == '\0' ?
		    id :
		    arena_printf(items->arena, "%s %s", ids, id);
	}
	return ids;
}

/* Who published, and when, is not what was. */
static void
hash_items(unsigned char hash[SHA1_SIZE], const struct elem *items)
{
	struct buf b = { 0 };

	ELEM_EACH(e, items) {
		if (elem_attr(e, "id") != NULL)
			buf_puts(&b, elem_attr(e, "id"));
		ELEM_EACH(payload, e)
			elem_write(&b, payload, NS_PUBSUB_EVENT);
		buf_putc(&b, '\0');
	}
	sha1(b.data, b.len, hash);
	buf_free(&b);
}

static void
describe_items(struct event_what *what, const struct elem *items)
{
	if (elem_find(items, NS_PUBSUB_EVENT, "item") != NULL) {
		what->kind = EVENT_ITEMS;
		what->item = ids_of(items, "item");
		hash_items(what->hash, items);
	} else if (elem_find(items, NS_PUBSUB_EVENT, "retract") != NULL) {
		what->kind = EVENT_RETRACT;
		what->item = ids_of(items, "retract");
	}
}

static bool
is_one_of(const struct elem *e, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (elem_is(e, NS_PUBSUB_EVENT, *names))
			return true;
	}
	return false;
}

/*
 * XEP-0060 7.1.2.1, 7.2.2.1, 8.2.6, 8.4.2, 8.5.2; false: it is about no node, or about
 * who subscribes to it.
 */
static bool
describe(struct event_what *what, const struct elem *event)
{
	static const char *const all[] = { "purge", "delete", NULL };
	static const char *const known[] = { "items", "purge", "delete",
		"configuration", NULL };
	const struct elem *about = elem_first(event);

	*what = (struct event_what){ .kind = EVENT_PASSING, .item = "" };
	if (about == NULL || !is_one_of(about, known) ||
	    (what->node = elem_attr(about, "node")) == NULL)
		return false;
	if (is_one_of(about, all))
		what->kind = EVENT_NODE;
	else if (strcmp(about->name, "items") == 0)
		describe_items(what, about);
	return true;
}

static const char *
take(struct account *a, const struct route *r, const struct event_what *what)
{
	const struct elem *event = elem_find(r->stanza, NS_PUBSUB_EVENT,
	    "event");
	struct entry *e = incoming_entry(a, r, DIR_IN);

	/* Of a collection one item says nothing of the others. */
	if (strcmp(e->peer, a->jid) == 0 &&
	    !events_is_collection(a, a->jid, what->node))
		recent_set(a->fetched, what->node, HEARD);
	if (what->kind == EVENT_ITEMS && strcmp(e->peer, a->jid) == 0 &&
	    strcmp(what->node, AVATAR_METADATA) == 0)
		avatar_changed(a, elem_first(event));
	/* A service that knows a resource addresses it (XEP-0163 4.3.1). */
	if (e->local == NULL)
		e->local = mem_strdup(a->full);
	return events_take(a, e, what);
}

/* --- made here --- */

/* One item as if it had been published, or NULL: taken back. */
static struct elem *
make_event(struct arena *arena, const char *node, const char *id,
    const struct elem *item)
{
	struct elem *m = elem_new(arena, NS_CLIENT, "message"), *items, *e;

	elem_set(m, "type", "headline");
	items = elem_child(elem_child(m, NS_PUBSUB_EVENT, "event"),
	    NS_PUBSUB_EVENT, "items");
	elem_set(items, "node", node);
	e = elem_child(items, NS_PUBSUB_EVENT,
	    item != NULL ? "item" : "retract");
	elem_set(e, "id", id);
	if (item != NULL)
		ELEM_EACH(payload, item)
			elem_append(e, elem_copy(arena, payload));
	return m;
}

static struct event_what
what_of(const struct elem *m)
{
	struct event_what what;

	(void)describe(&what, elem_first(m));
	return what;
}

/* Each is a thing of its own, and may be replaced alone. When it was is kept. */
static const char *
take_each(struct account *a, const struct route *r, const struct elem *items)
{
	const struct elem *delay = elem_find(r->stanza, NS_DELAY, "delay");
	struct arena *arena = r->stanza->arena;
	const char *reason = NULL;
	struct route one = *r;
	struct event_what what;

	ELEM_EACH(e, items) {
		one.stanza = make_event(arena, elem_attr(items, "node"),
		    elem_attr(e, "id"),
		    elem_is(e, NS_PUBSUB_EVENT, "item") ? e : NULL);
		if (delay != NULL)
			elem_append(one.stanza, elem_copy(arena, delay));
		what = what_of(one.stanza);
		reason = take(a, &one, &what);
	}
	return reason;
}

/* --- from upstream --- */

/* From the bare JID of somebody. */
static bool
is_personal(const struct route *r)
{
	return r->kind == STANZA_MESSAGE && r->type != TYPE_ERROR &&
	    (r->from == NULL ||
		(jid_is_bare(r->from) && !jid_is_domain(r->from)));
}

/* All of them with an id, and nothing else: then they are as good as several events. */
static bool
has_several(const struct elem *items)
{
	unsigned count = 0;

	ELEM_EACH(e, items) {
		if (elem_attr(e, "id") == NULL ||
		    (!elem_is(e, NS_PUBSUB_EVENT, "item") &&
			!elem_is(e, NS_PUBSUB_EVENT, "retract")))
			return false;
		count++;
	}
	return count > 1;
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	const char *publisher = r->from != NULL ? r->from : a->jid;
	const struct elem *event;
	struct event_what what;

	if (!is_personal(r))
		return NULL;
	event = elem_find(r->stanza, NS_PUBSUB_EVENT, "event");
	/* One that has something to be kept is a message. */
	if (event == NULL || !describe(&what, event) ||
	    message_class(r->stanza, NULL) != CLASS_LIVE)
		return NULL;
	if ((what.kind == EVENT_ITEMS || what.kind == EVENT_RETRACT) &&
	    events_is_collection(a, publisher, what.node) &&
	    has_several(elem_first(event)))
		return take_each(a, r, elem_first(event));
	return take(a, r, &what);
}

/* --- fetching --- */

static void
say(struct account *a, struct elem *m)
{
	struct route r = { .stanza = m,
		.kind = STANZA_MESSAGE,
		.type = TYPE_HEADLINE,
		.from = a->jid };

	(void)hooks_from_upstream(a, &r);
}

static bool
has_item(const struct elem *items, const char *id)
{
	ELEM_EACH(e, items) {
		if (text_equals(elem_attr(e, "id"), id))
			return true;
	}
	return false;
}

static bool
is_news(const struct account *a, uint64_t began, const char *id,
    const struct elem *m)
{
	struct event_what what = what_of(m);

	return !events_came_after(a, began, what.node, id) &&
	    !events_know_own(a, &what);
}

/* The latest were asked for; a service may give fewer, and says so (XEP-0060 6.5.4). */
static bool
is_all(const struct elem *items, size_t count)
{
	const struct elem *set = elem_find(items->parent, NS_RSM, "set");
	const char *text = NULL;
	uint64_t there;

	if (set != NULL)
		text = elem_child_text(set, NS_RSM, "count");
	if (text != NULL && text_to_uint(text, 0, UINT64_MAX, &there))
		return there <= count;
	return count < EVENTS_PER_COLLECTION;
}

/*
 * What came by itself since it was asked for is newer. What is news is found out before
 * anything is said: that may take the place of what is known.
 */
static void
take_collection(struct account *a, struct arena *arena, const char *node,
    const struct elem *items)
{
	struct elem *news[2 * EVENTS_PER_COLLECTION];
	const char *known[EVENTS_PER_COLLECTION], *id;
	uint64_t began = a->fetch_began;
	size_t i, said = 0, count = 0, n;

	n = events_own_items(a, began, node, known);
	for (i = 0; i < n; i++)
		known[i] = arena_strdup(arena, known[i]);
	ELEM_EACH(e, items) {
		if (count++ == EVENTS_PER_COLLECTION)
			break;
		if ((id = elem_attr(e, "id")) == NULL)
			continue;
		news[said] = make_event(arena, node, id, e);
		if (is_news(a, began, id, news[said]))
			said++;
	}
	if (!is_all(items, count))
		n = 0;
	for (i = 0; i < n; i++) {
		if (!has_item(items, known[i]))
			news[said++] = make_event(arena, node, known[i], NULL);
	}
	for (i = 0; i < said; i++)
		say(a, news[i]);
}

static void
take_last(struct account *a, struct arena *arena, const char *node,
    const struct elem *items)
{
	const struct elem *last = NULL;
	uint64_t state = ASKED;

	/* Meanwhile it may have come by itself, and be newer. */
	(void)recent_get(a->fetched, node, &state);
	if (state == HEARD)
		return;
	ELEM_EACH(e, items)
		last = e;
	if (last != NULL)
		say(a, make_event(arena, node, elem_attr(last, "id"), last));
	else
		events_drop_own(a, node);
}

static void
take_answer(struct account *a, const char *node, const struct elem *answer)
{
	const struct elem *pubsub, *items = NULL;
	struct arena *arena = answer->arena;

	if (stanza_type(answer) == TYPE_RESULT &&
	    (pubsub = elem_find(answer, NS_PUBSUB, "pubsub")) != NULL)
		items = elem_find(pubsub, NS_PUBSUB, "items");
	else if (text_equals(stanza_error_cond(answer), "item-not-found"))
		items = elem_child(elem_new(arena, NS_PUBSUB, "pubsub"),
		    NS_PUBSUB, "items");
	if (items == NULL)
		return;
	if (events_is_collection(a, a->jid, node))
		take_collection(a, arena, node, items);
	else
		take_last(a, arena, node, items);
}

static void
fetched(struct account *a, struct elem *answer, void *arg)
{
	char *node = arg;

	if (answer != NULL) {
		take_answer(a, node, answer);
		recent_set(a->fetched, node, ANSWERED);
	}
	/* Not before: what is said above may bring us to ask for the next. */
	a->is_fetching = false;
	free(node);
	if (answer != NULL)
		events_fetch(a->user);
}

static void
fetch(struct account *a, const char *node)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *items;
	char *copy = mem_strdup(node);

	elem_set(iq, "type", "get");
	items = elem_child(elem_child(iq, NS_PUBSUB, "pubsub"), NS_PUBSUB,
	    "items");
	elem_set(items, "node", node);
	elem_set(items, "max_items",
	    arena_printf(arena, "%d",
		events_is_collection(a, a->jid, node) ? EVENTS_PER_COLLECTION :
							1));
	a->fetch_began = events_last(a->user);
	a->is_fetching = account_ask(a, iq, a->jid, fetched, copy) == 0;
	if (a->is_fetching)
		recent_set(a->fetched, node, ASKED);
	else
		free(copy);
	arena_free(&arena);
}

/* What it asks for, and nobody knows what it is now; NULL: nothing. */
static char *
missing_node(const struct account *a, const struct session *s)
{
	const char *var;
	char *node;

	for (size_t i = 0; i < features_count(s->features); i++) {
		var = features_at(s->features, i);
		if (!features_is_notify(var))
			continue;
		node = mem_strndup(var, strlen(var) - strlen(FEATURES_NOTIFY));
		if (!recent_get(a->fetched, node, NULL))
			return node;
		free(node);
	}
	return NULL;
}

/* Whose own events the session sees. */
static bool
is_account_of(const struct account *a, const struct session *s)
{
	return s->account == a ||
	    (s->account == NULL && user_default_account(s->user) == a);
}

/* What is forgotten to have been fetched would be fetched for ever. */
static bool
may_fetch(const struct account *a)
{
	return recent_count(a->fetched) <
	    a->user->proxy->config->limits.caps_features &&
	    info_says_identity(a->own_info, "pubsub", "pep");
}

/* NULL: there is no more to ask for. */
static char *
next_node(const struct account *a)
{
	const struct session *s;
	char *node;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && is_account_of(a, s) &&
		    (node = missing_node(a, s)) != NULL)
			return node;
	}
	return NULL;
}

static void
note_fetched(struct account *a, bool all)
{
	if (a->has_fetched == all)
		return;
	a->has_fetched = all;
	account_touch(a, ACCOUNT_SELF);
}

static void
fetch_next(struct account *a)
{
	char *node;

	if (a->is_fetching || a->fetched_version == a->user->features_version ||
	    !account_is_up(a) || !a->is_ready || a->own_info == NULL)
		return;
	node = may_fetch(a) ? next_node(a) : NULL;
	note_fetched(a, node == NULL);
	if (node != NULL)
		fetch(a, node);
	else
		a->fetched_version = a->user->features_version;
	free(node);
}

void
events_fetch(struct user *u)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next)
		fetch_next(a);
}

/* The server tells the last of what is announced by itself, and nobody knows when. */
static void
upstream_up(struct account *a)
{
	recent_free(&a->fetched);
	a->fetched = recent_new(a->user->proxy->config->limits.caps_features);
	a->is_fetching = false;
	a->fetched_version = UINT64_MAX;
	a->has_fetched = false;
}

static void
find_unanswered(void *arg, const char *node, uint64_t state)
{
	if (state == ASKED)
		*(const char **)arg = node;
}

/* What was open is lost, with the request or with the process that asked. */
static void
upstream_resumed(struct account *a)
{
	const char *node;

	if (a->has_fetched || a->is_fetching)
		return;
	do {
		node = NULL;
		recent_each(a->fetched, find_unanswered, &node);
		if (node != NULL)
			recent_remove(a->fetched, node);
	} while (node != NULL);
	fetch_next(a);
}

const struct module mod_events = {
	.name = "events",
	.xep = "XEP-0163",
	.from_upstream = from_upstream,
	.upstream_up = upstream_up,
	.upstream_ready = fetch_next,
	.upstream_resumed = upstream_resumed,
	.account_load = events_load,
	.account_free = events_forget,
};
