/* What a session sees, and which account carries what it sends. */
#include <string.h>

#include "core/account.h"
#include "core/directed.h"
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

void
session_translate(const struct session *from, const struct session *to,
    struct elem *stanza)
{
	const struct address_map map = { .bare_from = from->bare,
		.bare_to = to->bare };

	address_rewrite(stanza, &map);
}

/* The account in which a session of the user is with that JID, if any. */
static struct account *
directed_account(struct user *u, const char *to)
{
	struct session *s;
	struct directed *d;

	LIST_FOREACH(s, &u->sessions, next) {
		if ((d = directed_find_bare(s->directed, to)) != NULL)
			return user_find_account(u, d->account);
	}
	return NULL;
}

static struct account *
roster_account(struct user *u, struct arena *arena, const char *to)
{
	char *bare = jid_bare(arena, to);
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (roster_find(a->roster, bare) != NULL)
			return a;
	}
	return NULL;
}

static struct account *
domain_account(struct user *u, const char *to)
{
	struct account *a;
	size_t len;
	const char *domain = jid_domain(to, &len);

	LIST_FOREACH(a, &u->accounts, next) {
		if (strlen(a->domain) == len &&
		    memcmp(a->domain, domain, len) == 0)
			return a;
	}
	return NULL;
}

static struct account *
exchange_account(struct user *u, struct arena *arena, const char *to)
{
	uint64_t id;

	if (!recent_get(u->carriers, jid_bare(arena, to), &id))
		return NULL;
	return user_find_account(u, id);
}

struct account *
session_route(struct session *s, struct arena *arena, const char *to,
    const char **reason)
{
	struct user *u = s->user;
	struct account *a;

	*reason = "the view's account";
	if (s->account != NULL)
		return s->account;
	*reason = "no address";
	if (to == NULL || jid_same_bare(to, s->bare))
		return user_default_account(u);
	*reason = "directed presence is there";
	if ((a = directed_account(u, to)) != NULL)
		return a;
	*reason = "it last exchanged a message with the peer";
	if ((a = exchange_account(u, arena, to)) != NULL)
		return a;
	*reason = "its roster has the peer";
	if ((a = roster_account(u, arena, to)) != NULL)
		return a;
	*reason = "its domain is the peer's";
	if ((a = domain_account(u, to)) != NULL)
		return a;
	*reason = "the default account";
	return user_default_account(u);
}
