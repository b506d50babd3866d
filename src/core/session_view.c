/* What a session sees, and which account carries what it sends. */
#include <string.h>

#include "base/log.h"
#include "core/account.h"
#include "core/directed.h"
#include "core/node_roster.h"
#include "core/session.h"
#include "xmpp/jid.h"

bool
session_sees(const struct session *s, const struct account *a)
{
	return s->account == NULL || s->account == a;
}

bool
session_is_sibling(const struct session *s, const struct session *other)
{
	return s->account == NULL || other->account == NULL ||
	    s->account == other->account;
}

const char *
session_domain(const struct session *s)
{
	size_t len;

	return jid_domain(s->bare, &len);
}

const char *
session_view_of(struct session *s, struct account *a, struct arena *arena,
    const char *jid)
{
	struct address_map map;

	if (!jid_same_bare(jid, a->jid))
		return jid;
	map = account_map_down(a, s);
	return address_map(arena, &map, jid);
}

const char *
session_name_at(const struct session *s, const struct account *a,
    struct arena *arena, const char *jid)
{
	return s->account != NULL ? jid : node_jid_up(a, arena, jid);
}

void
session_translate(const struct session *from, const struct session *to,
    struct elem *stanza)
{
	const struct address_map map = { .bare_from = from->bare,
		.bare_to = to->bare };

	address_rewrite(stanza, &map);
}

/* The account in which it is with that JID, else another session of the user. */
static struct account *
directed_account(struct session *s, const char *to)
{
	struct directed *d = directed_find_bare(s->directed, to);
	struct session *other;

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (d == NULL)
			d = directed_find_bare(other->directed, to);
	}
	return d != NULL ? user_find_account(s->user, d->account) : NULL;
}

static struct account *
roster_account(struct user *u, struct arena *arena, const char *to)
{
	const char *bare = jid_bare(arena, to);
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (node_roster_item(a, arena, bare) != NULL)
			return a;
	}
	return NULL;
}

static struct account *
domain_account(struct user *u, struct arena *arena, const char *to)
{
	struct account *a;
	size_t len;
	const char *at = jid_domain(to, &len);
	const char *domain = arena_strndup(arena, at, len);

	LIST_FOREACH(a, &u->accounts, next) {
		if (strcmp(a->domain, domain) == 0)
			return a;
	}
	LIST_FOREACH(a, &u->accounts, next) {
		if (recent_get(a->services, domain, NULL))
			return a;
	}
	return NULL;
}

/* stanzas.md, Node view: which account carries a stanza to X. */
static struct account *
route_in_node(struct session *s, struct arena *arena, const char *to,
    const char **reason)
{
	struct user *u = s->user;
	struct account *a;

	*reason = "no address";
	if (to == NULL || jid_same_bare(to, u->bare))
		return user_default_account(u);
	*reason = "directed presence is there";
	if ((a = directed_account(s, to)) != NULL)
		return a;
	*reason = "it last exchanged a message with the peer";
	a = user_conversation_account(u, jid_bare(arena, to));
	if (a != NULL)
		return a;
	*reason = "its roster has the peer";
	if ((a = roster_account(u, arena, to)) != NULL)
		return a;
	*reason = "its domain is the peer's, or lists the peer's";
	if ((a = domain_account(u, arena, to)) != NULL)
		return a;
	*reason = "the default account";
	return user_default_account(u);
}

struct account *
session_route(struct session *s, struct arena *arena, const char *to,
    const char **reason)
{
	if (s->account == NULL)
		return route_in_node(s, arena, to, reason);
	*reason = "the view's account";
	return s->account;
}

void
session_log_carrier(const struct session *s, const struct account *a,
    const char *to, const char *reason)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "account-chosen",
		    "to=%s account=%s reason=\"%s\"", LOG_Q(to), a->jid,
		    reason);
}

struct account *
session_carrier(struct session *s, struct arena *arena, const char *to)
{
	const char *reason;
	struct account *a = session_route(s, arena, to, &reason);

	session_log_carrier(s, a, to, reason);
	return a;
}
