#include "core/availability.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/features.h"
#include "core/hooks.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "xmpp/ns.h"

static bool
is_better(const struct session *a, const struct session *b)
{
	if (b == NULL || a->priority != b->priority)
		return b == NULL || a->priority > b->priority;
	if (a->show != b->show)
		return a->show < b->show;
	return a->presence_at > b->presence_at;
}

static struct session *
best_of(const struct account *a,
    bool (*fits)(const struct session *, const char *), const char *arg)
{
	struct session *s, *best = NULL;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->closing || !session_sees(s, a) ||
		    (!s->available && !s->stands_in))
			continue;
		if (fits != NULL && !fits(s, arg))
			continue;
		if (is_better(s, best))
			best = s;
	}
	return best;
}

struct session *
availability_best(const struct account *a)
{
	return best_of(a, NULL, NULL);
}

static bool
is_capable(const struct session *s, const char *ns)
{
	return !s->asleep && features_has(s->features, ns);
}

struct session *
availability_capable(const struct account *a, const char *ns)
{
	return best_of(a, is_capable, ns);
}

static bool
is_untold(const struct session *s, const char *ns)
{
	(void)ns;
	return !s->asleep && s->features == NULL;
}

struct session *
availability_untold(const struct account *a)
{
	return best_of(a, is_untold, NULL);
}

static bool
is_photo(const struct elem *e)
{
	return elem_is(e, NS_VCARD_UPDATE, "x");
}

/* The client's capabilities are not ours, and the rest is made anew. */
static bool
is_replaced(const struct elem *e)
{
	return elem_is(e, NS_CLIENT, "priority") || elem_is(e, NS_CAPS, "c") ||
	    elem_is(e, NS_CAPS_2, "c") || is_photo(e) ||
	    elem_is(e, NS_DELAY, "delay") || elem_is(e, NS_OLD_DELAY, "x");
}

static void
add_photo(const struct account *a, struct elem *presence)
{
	struct elem *x;

	if (a->photo == NULL)
		return;
	x = elem_child(presence, NS_VCARD_UPDATE, "x");
	elem_add_text(elem_child(x, NS_VCARD_UPDATE, "photo"), a->photo);
}

struct elem *
availability_presence(struct account *a, struct arena *arena)
{
	struct elem *p = elem_new(arena, NS_CLIENT, "presence"), *priority;
	struct session *best = availability_best(a);
	struct address_map map;

	if (best == NULL)
		elem_add_text(elem_child(p, NS_CLIENT, "show"), "xa");
	else
		ELEM_EACH(e, best->presence) {
			if (!is_replaced(e))
				elem_append(p, elem_copy(arena, e));
		}
	if (best != NULL && best->priority > 0) {
		priority = elem_child(p, NS_CLIENT, "priority");
		elem_add_text(priority,
		    arena_printf(arena, "%d", best->priority));
	}
	if (best != NULL)
		elem_set_lang(p, elem_lang(best->presence));
	if (best != NULL) {
		map = account_map_up(a, best);
		address_rewrite(p, &map);
	}
	add_photo(a, p);
	hooks_decorate_presence(a, p);
	return p;
}

/* Nobody is there; what contacts see ends with the stream, or is not to flap. */
static bool
is_left_as_it_is(const struct account *a)
{
	if (availability_best(a) != NULL)
		return false;
	if (a->user->config->detached == DETACHED_DISCONNECT &&
	    (a->presence_sent == NULL || user_open_sessions(a->user) == 0))
		return true;
	return a->presence_sent != NULL && a->steady.at != 0;
}

void
availability_update(struct account *a)
{
	struct arena *arena;
	struct elem *presence;
	struct buf bytes = { 0 };

	if (!account_is_up(a) || !a->is_ready || is_left_as_it_is(a))
		return;
	arena = arena_new();
	presence = availability_presence(a, arena);
	elem_write(&bytes, presence, NS_CLIENT);
	if (!text_equals(bytes.data, a->presence_sent) &&
	    account_send(a, presence) == 0) {
		free(a->presence_sent);
		a->presence_sent = buf_take(&bytes);
		a->presence_number = upstream_sent(a->upstream);
		account_touch(a, ACCOUNT_SELF);
		/* In custody, as a resumed server is not told again. */
		turn_urge(a->user->proxy);
		log_event(LEVEL_INFO, upstream_log_id(a->upstream),
		    "presence-sent", "account=%s", a->jid);
		hooks_presence_sent(a);
	}
	buf_free(&bytes);
	arena_free(&arena);
}

void
availability_session_changed(struct session *s)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			availability_update(a);
	}
}
