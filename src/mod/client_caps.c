/*
 * What each client can do (XEP-0115 5.4, 8.2): asked of it once per hash and user; one
 * that announces none is asked once a session.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/availability.h"
#include "core/events.h"
#include "core/features_kept.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/user.h"
#include "mod/caps.h"
#include "mod/caps_hash.h"
#include "mod/events.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

#define NODE_BYTES 1024 /* of what it announces; more is taken for nothing */

/* What its last presence said, and how far we are with that. */
struct client_caps {
	char *node; /* "node#ver"; NULL: it says nothing of use */
	char *ver;  /* where it can be verified; else NULL */
	bool was_seen;
	bool is_open;   /* it is asked */
	char *open_ver; /* `ver` as it was then */
	bool is_stale;  /* it said something else since */
	bool waits;     /* another session is asked for the same hash */
	bool is_lost;   /* the question is; it is asked again when it is back */
};

static void find_out(struct session *);

static struct client_caps *
caps_of(struct session *s)
{
	if (s->client_caps == NULL)
		s->client_caps = mem_alloc(sizeof(*s->client_caps));
	return s->client_caps;
}

/* Before it is available mod/presence.c tells, with that presence. */
static void
tell(struct session *s)
{
	if (!s->available)
		return;
	availability_session_changed(s);
	events_follow(s);
	events_fetch(s->user);
}

/* Whether it can do anything else than before. */
static bool
set(struct session *s, struct features *f)
{
	struct features *before = features_ref(s->features);
	bool changed = f == NULL ? before != NULL :
				   !features_equal(before, f) || before == NULL;

	if (changed) {
		features_kept_set(s, f);
		events_features_changed(s, before);
	}
	features_unref(&before);
	return changed;
}

/* --- answers --- */

static bool
verifies(const struct elem *query, const char *ver)
{
	struct buf own = { 0 };
	bool is_same;

	caps_ver(&own, query);
	is_same = text_equals(own.data, ver);
	buf_free(&own);
	return is_same;
}

/* NULL: it is an error, or ill-formed (5.4), or too much. */
static const struct elem *
query_of(const struct session *s, const struct elem *answer)
{
	const struct elem *query;
	uint64_t count = 0;

	if (answer == NULL || stanza_type(answer) != TYPE_RESULT)
		return NULL;
	query = elem_find(answer, NS_DISCO_INFO, "query");
	if (query == NULL || !caps_is_well_formed(query))
		return NULL;
	ELEM_EACH(e, query)
		count++;
	return count <= s->proxy->config->limits.caps_features ? query : NULL;
}

static struct features *
features_of(const struct elem *query)
{
	const char **vars = NULL;
	struct features *f;
	size_t count = 0;

	ELEM_EACH(e, query) {
		if (!elem_is(e, NS_DISCO_INFO, "feature") ||
		    elem_attr(e, "var") == NULL)
			continue;
		vars = mem_grow(vars, (count + 1) * sizeof(*vars));
		vars[count++] = elem_attr(e, "var");
	}
	f = features_new(vars, count);
	free(vars);
	return f;
}

static bool
waits_for(const struct session *s, const char *ver)
{
	const struct client_caps *c = s->client_caps;

	return !s->closing && c != NULL && c->waits && text_equals(c->ver, ver);
}

/* They have the same hash; f NULL: whom was asked did not prove it, so the next is. */
static void
settle_waiting(struct user *u, const char *ver, struct features *f)
{
	struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (!waits_for(s, ver))
			continue;
		s->client_caps->waits = false;
		if (f == NULL)
			find_out(s); /* the others wait for it */
		else if (set(s, f))
			tell(s);
	}
}

static void
take(struct session *s, struct features *f, bool is_verified)
{
	log_event(LEVEL_DEBUG, s->log_id, "client-features",
	    "count=%zu ver=%s verified=%s", features_count(f),
	    LOG_Q(s->client_caps->ver), is_verified ? "yes" : "no");
	if (set(s, f))
		tell(s);
}

static void
answered(struct session *s, struct elem *answer)
{
	struct client_caps *c = s->client_caps;
	const struct elem *query = query_of(s, answer);
	struct features *f = query != NULL ? features_of(query) : NULL;
	char *ver = c->open_ver;
	bool is_stale = c->is_stale, is_verified;

	c->open_ver = NULL;
	c->is_open = c->is_stale = false;
	is_verified = f != NULL && ver != NULL && verifies(query, ver);
	if (is_verified)
		features_kept_put(s->user, ver, f);
	if (answer == NULL && (s->asleep || s->closing))
		c->is_lost = true;
	else if (is_stale)
		find_out(s);
	else
		take(s, f, is_verified);
	if (ver != NULL)
		settle_waiting(s->user, ver, is_verified ? f : NULL);
	features_unref(&f);
	free(ver);
}

/* --- questions --- */

static bool
is_asked_elsewhere(const struct session *s, const char *ver)
{
	const struct session *other;
	const struct client_caps *c;

	LIST_FOREACH(other, &s->user->sessions, next) {
		c = other->client_caps;
		if (other != s && c != NULL && c->is_open &&
		    text_equals(c->open_ver, ver))
			return true;
	}
	return false;
}

static void
ask(struct session *s)
{
	struct client_caps *c = s->client_caps;
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "get");
	elem_set(elem_child(iq, NS_DISCO_INFO, "query"), "node", c->node);
	c->is_open = true;
	c->open_ver = mem_strdup(c->ver);
	c->is_lost = false;
	if (session_query(s, iq, answered) == -1) {
		mem_free_string(&c->open_ver);
		c->is_open = false;
		c->is_lost = true;
	}
	arena_free(&arena);
}

static void
find_out(struct session *s)
{
	struct client_caps *c = s->client_caps;
	struct features *known = NULL;

	if (c->ver != NULL)
		known = features_kept_find(s->user, c->ver);
	if (known != NULL && set(s, known))
		tell(s);
	if (known != NULL)
		return;
	if (c->ver != NULL && is_asked_elsewhere(s, c->ver))
		c->waits = true;
	else
		ask(s);
}

/*
 * What it says is to be found out. Without `hash` it is of another time (13), and under
 * another hash it counts for that session alone.
 */
static void
look_for(struct session *s, const char *node, const char *ver)
{
	struct client_caps *c = caps_of(s);
	struct features *known = NULL;

	mem_free_string(&c->node);
	mem_free_string(&c->ver);
	c->node = mem_strdup(node);
	c->ver = mem_strdup(ver);
	c->waits = false;
	c->is_stale = c->is_open;
	if (ver != NULL)
		known = features_kept_find(s->user, ver);
	/* Told with its presence, which is on its way. */
	if (known != NULL)
		(void)set(s, known);
	else if (!c->is_open)
		find_out(s);
}

/* NULL: it says nothing of use. */
static const char *
node_of(const struct elem *c)
{
	const char *node, *ver;

	if (c == NULL || elem_attr(c, "hash") == NULL)
		return NULL;
	node = elem_attr(c, "node");
	ver = elem_attr(c, "ver");
	if (node == NULL || ver == NULL ||
	    strlen(node) + strlen(ver) > NODE_BYTES)
		return NULL;
	return arena_printf(c->arena, "%s#%s", node, ver);
}

/* Servers may leave it out where nothing changed (8.4), and so may clients. */
static void
note_presence(struct session *s, const struct elem *presence)
{
	struct client_caps *caps = caps_of(s);
	const struct elem *c = elem_find(presence, NS_CAPS, "c");
	const char *node = node_of(c), *ver = NULL;
	bool is_new;

	if (node != NULL && strcmp(elem_attr(c, "hash"), "sha-1") == 0)
		ver = elem_attr(c, "ver");
	if (node == NULL)
		is_new = !caps->was_seen;
	else
		is_new = !text_equals(node, caps->node) ||
		    !text_equals(ver, caps->ver);
	if (is_new)
		look_for(s, node, ver);
	caps->was_seen = true;
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->kind != STANZA_PRESENCE || r->type != TYPE_AVAILABLE ||
	    r->to != NULL)
		return NULL;
	note_presence(s, r->stanza);
	events_fetch(s->user);
	return NULL;
}

static void
session_resumed(struct session *s, bool restarted)
{
	const struct client_caps *c = s->client_caps;

	if (restarted && s->available)
		note_presence(s, s->presence);
	else if (c != NULL && c->is_lost)
		find_out(s);
}

static void
session_gone(struct session *s)
{
	struct account *a;

	features_kept_changed(s->user);
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			caps_refresh(a);
	}
}

static void
session_free_caps(struct session *s)
{
	struct client_caps *c = s->client_caps;

	if (c == NULL)
		return;
	free(c->node);
	free(c->ver);
	free(c->open_ver);
	free(c);
	s->client_caps = NULL;
}

const struct module mod_client_caps = {
	.name = "client-caps",
	.xep = "XEP-0115",
	.from_client = from_client,
	.session_resumed = session_resumed,
	.session_gone = session_gone,
	.session_free = session_free_caps,
};
