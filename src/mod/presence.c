/*
 * Presence (RFC 6121 section 4): of the user's sessions, made one upstream and shown
 * to each other; of contacts, cached and shown to all, late joiners included.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "core/directed.h"
#include "core/frame.h"
#include "core/missed.h"
#include "core/notice.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/relay.h"
#include "core/route.h"
#include "core/session.h"
#include "core/siblings.h"
#include "core/stand_in.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/directed.h"
#include "mod/modules.h"
#include "mod/presence_kept.h"
#include "mod/subscription.h"
#include "xmpp/jid.h"

#define KEPT_BYTES 65536 /* of a contact's presence */

/* --- of a session --- */

static int
parse_priority(const struct elem *presence, int *out)
{
	const char *text = elem_child_text(presence, NS_CLIENT, "priority");
	uint64_t number;

	*out = 0;
	if (text == NULL)
		return 0;
	if (!text_to_uint(text + (*text == '-'), 0, 128, &number))
		return -1;
	*out = *text == '-' ? -(int)number : (int)number;
	return *out > 127 ? -1 : 0;
}

static enum show
parse_show(const struct elem *presence)
{
	static const struct {
		const char *text;
		enum show show;
	} shows[] = { { "chat", SHOW_CHAT }, { "dnd", SHOW_DND },
		{ "away", SHOW_AWAY }, { "xa", SHOW_XA } };
	const char *text = elem_child_text(presence, NS_CLIENT, "show");

	for (size_t i = 0; text != NULL && i < 4; i++) {
		if (strcmp(text, shows[i].text) == 0)
			return shows[i].show;
	}
	return SHOW_NONE;
}

/*
 * The avatar's hash (XEP-0153) is the account's: who says one sets it, who says none
 * shows it all the same.
 */
static void
settle_photo(struct session *s, struct account *a)
{
	struct elem *x = elem_find(s->presence, NS_VCARD_UPDATE, "x");
	const char *hash = NULL;

	if (x != NULL)
		hash = elem_child_text(x, NS_VCARD_UPDATE, "photo");
	if (hash != NULL && *hash != '\0') {
		if (!text_equals(a->photo, hash))
			account_touch(a, ACCOUNT_SELF);
		free(a->photo);
		a->photo = mem_strdup(hash);
		return;
	}
	if (a->photo == NULL)
		return;
	if (x != NULL)
		elem_remove(x);
	x = elem_child(s->presence, NS_VCARD_UPDATE, "x");
	elem_add_text(elem_child(x, NS_VCARD_UPDATE, "photo"), a->photo);
}

static void
store_presence(struct session *s, const struct elem *presence, int priority)
{
	arena_reset(s->presence_arena);
	s->presence = elem_copy(s->presence_arena, presence);
	s->priority = priority;
	s->show = parse_show(presence);
	s->presence_at = clock_now();
	settle_photo(s,
	    s->account != NULL ? s->account : user_default_account(s->user));
}

static bool
may_tell(const struct session *other, const struct session *s)
{
	return other != s && !other->closing && other->available &&
	    session_is_sibling(other, s);
}

static void
tell_siblings(struct session *s)
{
	struct session *other;

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (may_tell(other, s))
			relay_sibling(other, s);
	}
}

struct telling {
	struct session *session;
	struct account *account;
};

static void
tell_one(void *arg, const struct presence *p)
{
	struct telling *t = arg;

	relay_presence(t->session, t->account, p);
}

/* What the person has to mend in the configuration. */
static void
tell_refusals(struct session *s)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) && upstream_is_refused(a->upstream))
			notice_session(s, "%s: %s.%s", a->jid,
			    upstream_trouble(a->upstream),
			    upstream_has_stopped(a->upstream) ?
				" No further try until the configuration "
				"changes." :
				"");
	}
}

/* A session that becomes available: who is there, and who wants to be. */
static void
welcome(struct session *s)
{
	struct session *other;
	struct account *a;
	struct telling t = { .session = s };

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (may_tell(other, s))
			relay_sibling(s, other);
	}
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a))
			continue;
		t.account = a;
		presences_each(a->presences, NULL, tell_one, &t);
	}
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			subscription_tell_open(s, a);
	}
	playback_available(s);
	tell_refusals(s);
}

static const char *
on_available(struct session *s, struct route *r)
{
	bool is_first = !s->available, took_less = s->priority < 0;
	int priority;

	if (parse_priority(r->stanza, &priority) == -1) {
		session_reply_error(s, r, ERR_BAD_REQUEST,
		    "priority is a number from -128 to 127");
		return "malformed";
	}
	stand_in_end(s);
	store_presence(s, r->stanza, priority);
	s->available = true;
	session_touch(s, CHANGED_SELF);
	siblings_note(s);
	relay_sibling(s, s);
	tell_siblings(s);
	if (is_first)
		welcome(s);
	else if (took_less && priority >= 0)
		playback_more(s);
	availability_session_changed(s);
	return "the session is available";
}

static void
become_unavailable(struct session *s)
{
	bool stood_in = s->stands_in;

	stand_in_end(s);
	if (!s->available) {
		if (stood_in)
			availability_session_changed(s);
		return;
	}
	s->available = false;
	session_touch(s, CHANGED_SELF);
	siblings_note(s);
	missed_clear(s);
	if (!s->closing)
		relay_sibling(s, s);
	tell_siblings(s);
	directed_leave_all(s);
	availability_session_changed(s);
}

/* A probe is answered from the cache. */
static const char *
on_probe(struct session *s, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	const char *reason, *bare;
	struct account *a = session_route(s, arena, r->to, &reason);
	struct telling t = { .session = s, .account = a };

	bare = jid_bare(arena, r->to);
	if (presences_has_bare(a->presences, bare))
		presences_each(a->presences, bare, tell_one, &t);
	else
		relay_unavailable(s, a, bare);
	return "answered from the cache";
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->kind != STANZA_PRESENCE)
		return NULL;
	if (r->type == TYPE_PROBE && r->to != NULL)
		return on_probe(s, r);
	if (r->to != NULL)
		return NULL;
	if (r->type == TYPE_AVAILABLE)
		return on_available(s, r);
	if (r->type == TYPE_UNAVAILABLE) {
		become_unavailable(s);
		return "the session is unavailable";
	}
	route_bounce(s, r, ERR_BAD_REQUEST, "no such type of presence");
	return "malformed";
}

/* --- of contacts --- */

static bool
is_contact(const struct account *a, const char *from)
{
	char *bare = mem_strndup(from, jid_bare_len(from));
	bool is = jid_same_bare(from, a->jid) ||
	    roster_find(a->roster, bare) != NULL;

	free(bare);
	return is;
}

/* Where sessions are by directed presence, others have no business. */
static bool
is_directed_there(const struct account *a, const char *from)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing &&
		    directed_find_bare(s->directed, from) != NULL)
			return true;
	}
	return false;
}

static bool
is_there(const struct session *s, const struct account *a, const char *from)
{
	return !s->closing && session_sees(s, a) &&
	    directed_find_bare(s->directed, from) != NULL;
}

static void
spread(struct account *a, const struct presence *p,
    void (*tell)(struct session *, struct account *, const struct presence *))
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->closing || !s->available || !session_sees(s, a))
			continue;
		tell(s, a, p);
	}
}

/* What a room says of somebody who left is more than that: passed on as it is. */
static void
spread_as_it_is(struct account *a, struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct session *s;
	struct elem *copy;
	struct address_map map;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!is_there(s, a, r->from))
			continue;
		map = account_map_down(a, s);
		copy = elem_copy(arena, r->stanza);
		address_rewrite(copy, &map);
		elem_set(copy, "to", s->full);
		if (!quiet_takes_presence(s, r->from, copy))
			session_send(s, copy);
	}
}

/* Only contacts' presence is kept, and only what somebody may have written. */
static bool
is_worth_keeping(const struct account *a, const struct presence *p)
{
	return is_contact(a, p->from) && blob_len(p->body) <= KEPT_BYTES;
}

static void
forget(struct account *a, const char *full)
{
	if (presences_remove(a->presences, full))
		presence_kept_put(a, full, NULL);
}

static void
keep(struct account *a, const struct presence *p)
{
	if (!is_worth_keeping(a, p))
		forget(a, p->from);
	else if (presences_set(a->presences, p))
		presence_kept_put(a, p->from, p);
	else
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "presence-not-kept", "from=%s reason=\"too many\"",
		    LOG_Q(p->from));
}

static struct presence
presence_of(const struct account *a, const struct route *r)
{
	return (struct presence){ .from = (char *)r->from,
		.id = (char *)r->id,
		.lang = (char *)elem_lang(r->stanza),
		.body = frame_body(r->stanza),
		.addresses = address_scan(r->stanza, a->jid, a->full) };
}

static const char *
on_contact_available(struct account *a, struct route *r)
{
	struct presence p = presence_of(a, r);

	keep(a, &p);
	spread(a, &p, relay_presence);
	blob_unref(&p.body);
	return "to all sessions";
}

static void
gone(void *arg, const struct presence *p)
{
	struct account *a = arg;
	struct presence copy = { .from = mem_strdup(p->from) };

	/* With it p goes. */
	forget(a, copy.from);
	spread(a, &copy, relay_farewell);
	free(copy.from);
}

static const char *
on_contact_unavailable(struct account *a, struct route *r)
{
	struct presence p;

	if (jid_is_bare(r->from) && presences_has_bare(a->presences, r->from)) {
		presences_each(a->presences, r->from, gone, a);
		return "all of the contact's resources are gone";
	}
	forget(a, r->from);
	p = presence_of(a, r);
	spread(a, &p, relay_farewell);
	blob_unref(&p.body);
	return "to all sessions";
}

/* The error is the sessions' that are there; to others the contact is off. */
static const char *
on_error(struct account *a, struct route *r)
{
	struct presence p = { .from = jid_bare(r->stanza->arena, r->from) };

	if (is_directed_there(a, r->from)) {
		spread_as_it_is(a, r);
		directed_refused(a, r->from);
		return "to the sessions that are there";
	}
	if (presences_has_bare(a->presences, p.from))
		presences_each(a->presences, p.from, gone, a);
	else
		spread(a, &p, relay_farewell);
	return "an error: the contact is off";
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	if (r->kind != STANZA_PRESENCE)
		return NULL;
	if (r->from == NULL || text_equals(r->from, a->full) ||
	    strcmp(r->from, a->jid) == 0)
		return "our own, reflected";
	if (r->type == TYPE_ERROR)
		return on_error(a, r);
	if (r->type != TYPE_AVAILABLE && r->type != TYPE_UNAVAILABLE)
		return "a type that clients have no use for";
	if (!is_contact(a, r->from) && is_directed_there(a, r->from)) {
		spread_as_it_is(a, r);
		if (r->type == TYPE_UNAVAILABLE)
			directed_left(a, r);
		return "to the sessions that are there";
	}
	return r->type == TYPE_AVAILABLE ? on_contact_available(a, r) :
					   on_contact_unavailable(a, r);
}

/* --- coming and going --- */

static void
session_bound(struct session *s)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			upstream_start(a->upstream);
	}
}

static void
session_gone(struct session *s)
{
	struct user *u = s->user;
	struct account *a;

	/* First, so that the end of the stream is all that contacts see. */
	if (user_open_sessions(u) == 0 &&
	    u->config->detached == DETACHED_DISCONNECT) {
		LIST_FOREACH(a, &u->accounts, next)
			account_settle(a);
	}
	become_unavailable(s);
}

static void
upstream_ready(struct account *a)
{
	availability_update(a);
}

/* The link is gone: so are all that it told of. */
static void
upstream_down(struct account *a)
{
	presences_each(a->presences, NULL, gone, a);
}

const struct module mod_presence = {
	.name = "presence",
	.xep = "RFC 6121",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.session_bound = session_bound,
	.session_gone = session_gone,
	.upstream_ready = upstream_ready,
	.upstream_down = upstream_down,
};
