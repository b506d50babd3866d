/*
 * Presence of the user's sessions (RFC 6121 section 4), made one upstream and shown to
 * each other. That of others: contacts.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/availability.h"
#include "core/events.h"
#include "core/missed.h"
#include "core/notice.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/relay.h"
#include "core/route.h"
#include "core/session.h"
#include "core/siblings.h"
#include "core/stand_in.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/contacts.h"
#include "mod/directed.h"
#include "mod/modules.h"
#include "mod/subscription.h"

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

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (may_tell(other, s))
			relay_sibling(s, other);
	}
	contacts_tell(s);
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
	events_follow(s);
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
	events_rewind(s);
	session_touch(s, CHANGED_SELF);
	siblings_note(s);
	missed_clear(s);
	if (!s->closing)
		relay_sibling(s, s);
	tell_siblings(s);
	directed_leave_all(s);
	availability_session_changed(s);
}

static const char *
from_client(struct session *s, struct route *r)
{
	if (r->kind != STANZA_PRESENCE)
		return NULL;
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

const struct module mod_presence = {
	.name = "presence",
	.xep = "RFC 6121",
	.from_client = from_client,
	.session_bound = session_bound,
	.session_gone = session_gone,
	.upstream_ready = upstream_ready,
};
