#include "core/node_roster.h"

#include <string.h>

#include "base/text.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/roster_save.h"
#include "core/upstream.h"
#include "core/user.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

/* --- names --- */

static const char *
with_bare(struct arena *arena, const char *bare, const char *jid)
{
	return jid_is_bare(jid) ?
	    bare :
	    jid_with_resource(arena, bare, jid_resource(jid));
}

const char *
node_jid_down(const struct account *a, struct arena *arena, const char *jid)
{
	if (!jid_same_bare(jid, a->jid))
		return jid;
	return with_bare(arena, a->user->bare, jid);
}

const char *
node_jid_up(const struct account *a, struct arena *arena, const char *view)
{
	if (jid_same_bare(view, a->jid))
		return NULL;
	if (!jid_same_bare(view, a->user->bare))
		return view;
	return with_bare(arena, a->jid, view);
}

const struct roster_item *
node_roster_item(const struct account *a, struct arena *arena, const char *view)
{
	const char *jid = node_jid_up(a, arena, view);

	return jid != NULL ? roster_find(a->roster, jid) : NULL;
}

/* --- two items made one --- */

static bool
has_group(const struct elem *item, const char *name)
{
	ELEM_EACH(e, item) {
		if (elem_is(e, NS_ROSTER, "group") &&
		    strcmp(elem_text(e), name) == 0)
			return true;
	}
	return false;
}

static void
join_groups(struct elem *into, const struct elem *other)
{
	ELEM_EACH(e, other) {
		if (elem_is(e, NS_ROSTER, "group") &&
		    !has_group(into, elem_text(e)))
			elem_append(into, elem_copy(into->arena, e));
	}
}

static const char *
subscription_name(enum subscription s)
{
	static const char *const names[] = { [SUB_NONE] = "none",
		[SUB_TO] = "to",
		[SUB_FROM] = "from",
		[SUB_BOTH] = "both" };

	return names[s];
}

static bool
is_empty(const char *text)
{
	return text == NULL || *text == '\0';
}

static bool
is_true(const char *text)
{
	return text_equals(text, "true") || text_equals(text, "1");
}

/* `ask` says that `to` is asked for, which another account may have already. */
static void
join_subscription(struct elem *into, const struct elem *other)
{
	unsigned bits = roster_subscription(elem_attr(into, "subscription")) |
	    roster_subscription(elem_attr(other, "subscription"));

	elem_set(into, "subscription",
	    subscription_name((enum subscription)bits));
	if (bits & SUB_TO)
		elem_set(into, "ask", NULL);
	else if (elem_attr(into, "ask") == NULL)
		elem_set(into, "ask", elem_attr(other, "ask"));
	if (is_true(elem_attr(other, "approved")))
		elem_set(into, "approved", "true");
}

void
node_roster_join(struct elem *into, const struct elem *other)
{
	if (is_empty(elem_attr(into, "name")))
		elem_set(into, "name", elem_attr(other, "name"));
	join_subscription(into, other);
	join_groups(into, other);
}

/* --- all of them --- */

/* The item as bytes; NULL: no account has it. */
static const char *
merged(const struct user *u, struct arena *arena, const char *jid,
    enum subscription *subscription)
{
	const struct account *a;
	const struct roster_item *item;
	struct elem *all = NULL, *one;
	struct buf xml = { 0 };
	const char *bytes;

	LIST_FOREACH(a, &u->accounts, next) {
		if ((item = node_roster_item(a, arena, jid)) == NULL)
			continue;
		one = xml_parse_own(arena, item->xml, strlen(item->xml),
		    NS_ROSTER);
		if (all == NULL)
			all = one;
		else if (one != NULL)
			node_roster_join(all, one);
	}
	if (all == NULL)
		return NULL;
	elem_set(all, "jid", jid);
	*subscription = roster_subscription(elem_attr(all, "subscription"));
	elem_write(&xml, all, NS_ROSTER);
	bytes = arena_strdup(arena, xml.data);
	buf_free(&xml);
	return bytes;
}

/* The item of the only account that has it needs no work. */
static const struct roster_item *
only_item(const struct user *u, struct arena *arena, const char *jid)
{
	const struct account *a;
	const struct roster_item *item, *only = NULL;

	if (jid_same_bare(jid, u->bare))
		return NULL;
	LIST_FOREACH(a, &u->accounts, next) {
		if ((item = node_roster_item(a, arena, jid)) == NULL)
			continue;
		if (only != NULL)
			return NULL;
		only = item;
	}
	return only;
}

/* jid may be that of an item which goes with this. */
static bool
update(struct user *u, const char *jid)
{
	struct arena *arena = arena_new();
	const struct roster_item *only = only_item(u, arena, jid);
	enum subscription subscription = SUB_NONE;
	const char *xml;
	bool differs;

	if (only != NULL)
		differs = roster_put(u->roster, jid, only->xml,
		    only->subscription);
	else if ((xml = merged(u, arena, jid, &subscription)) != NULL)
		differs = roster_put(u->roster, jid, xml, subscription);
	else
		differs = roster_drop(u->roster, jid);
	arena_free(&arena);
	return differs;
}

static void
update_one(void *arg, const struct roster_item *item)
{
	(void)update(arg, item->jid);
}

static void
update_of(void *arg, const char *jid, const char *xml)
{
	struct account *a = arg;
	struct arena *arena = arena_new();

	(void)xml;
	(void)update(a->user, node_jid_down(a, arena, jid));
	arena_free(&arena);
}

void
node_roster_rebuild(struct user *u)
{
	struct account *a;

	if (u->roster == NULL)
		return;
	roster_each(u->roster, update_one, u);
	LIST_FOREACH(a, &u->accounts, next)
		roster_each_since(a->roster, 0, update_of, a);
}

struct roster *
node_roster(struct user *u)
{
	if (u->roster != NULL)
		return u->roster;
	/* What the accounts have is bounded by theirs. */
	u->roster = roster_new(SIZE_MAX,
	    u->proxy->config->limits.roster_removals);
	roster_save_node(u);
	node_roster_rebuild(u);
	return u->roster;
}

bool
node_roster_follow(struct account *a, uint64_t since)
{
	struct user *u = a->user;
	uint64_t before;

	if (u->roster == NULL)
		return false;
	before = roster_changes(u->roster);
	if (roster_can_tell(a->roster, since))
		roster_each_since(a->roster, since, update_of, a);
	else
		node_roster_rebuild(u);
	return roster_changes(u->roster) != before;
}

void
node_roster_free(struct user *u)
{
	roster_free(&u->roster);
}

/* --- what is known --- */

bool
node_roster_is_known(const struct user *u)
{
	const struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (roster_is_known(a->roster))
			return true;
	}
	return false;
}

bool
node_roster_is_awaited(const struct user *u)
{
	const struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (!roster_is_known(a->roster) &&
		    (a->asks_roster || upstream_is_trying(a->upstream)))
			return true;
	}
	return false;
}
