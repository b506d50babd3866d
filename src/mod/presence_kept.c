/*
 * Contacts' presence on disk: a server whose stream is resumed says none of it again,
 * and a client whose stream goes on after a restart is told what is current.
 */
#include "mod/presence_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/missed.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/siblings.h"
#include "core/turn.h"
#include "core/user.h"
#include "mod/modules.h"

#define DEPARTED_MS 86400000 /* longer than any stream waits to be resumed */

void
presence_kept_put(struct account *a, const char *full, const struct presence *p)
{
	struct buf b = { 0 };

	pack_uint(&b, p != NULL ? 0 : clock_wall());
	if (p != NULL) {
		pack_string(&b, p->id);
		pack_string(&b, p->lang);
		pack_bytes(&b, blob_data(p->body), blob_len(p->body));
		pack_uint(&b, p->addresses);
	}
	batch_put(&a->user->proxy->batch, STATE_PRESENCE, a->id, full,
	    strlen(full), b.data, b.len);
	turn_touch(a->user->proxy);
	buf_free(&b);
}

/* The stream that told of them does not go on: who was told so hears that they went. */
static void
depart(struct account *a, const char *full)
{
	presence_kept_put(a, full, NULL);
	recent_set(a->departed, full, clock_wall());
}

struct waking {
	struct session *session;
	struct account *account;
};

static void
owe(const struct waking *w, const char *full)
{
	struct arena *arena = arena_new();

	missed_add(w->session, w->account->id,
	    session_view_of(w->session, w->account, arena, full));
	arena_free(&arena);
}

static void
owe_seen(void *arg, const struct presence *p)
{
	owe(arg, p->from);
}

static void
owe_departed(void *arg, const char *full, uint64_t at)
{
	(void)at;
	owe(arg, full);
}

/* What it was told and has not got is not known any more: all that is current. */
static void
session_resumed(struct session *s, bool restarted)
{
	struct account *a;
	struct waking w = { .session = s };

	if (!restarted || !s->available)
		return;
	siblings_owe(s);
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a))
			continue;
		w.account = a;
		presences_each(a->presences, NULL, owe_seen, &w);
		recent_each(a->departed, owe_departed, &w);
	}
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct account *a = arg;
	char *full = mem_strndup(key, key_len);
	struct presence p = { 0 };
	struct unpack u;
	const void *bytes;
	uint64_t gone_at;
	size_t size;

	unpack_init(&u, value, len);
	gone_at = unpack_uint(&u);
	p.from = full;
	p.id = unpack_string(&u);
	p.lang = unpack_string(&u);
	bytes = unpack_bytes(&u, &size);
	p.addresses = unpack_is_over(&u) ? 0 : (unsigned)unpack_uint(&u);
	if (gone_at != 0 && clock_wall() < gone_at + DEPARTED_MS) {
		recent_set(a->departed, full, gone_at);
	} else if (gone_at != 0) {
		batch_delete(&a->user->proxy->batch, STATE_PRESENCE, a->id, key,
		    key_len);
	} else if (unpack_is_good(&u) && !a->is_ready) {
		depart(a, full);
	} else if (unpack_is_good(&u)) {
		p.body = blob_new(bytes, size);
		p.is_hidden = account_has_blocked(a, full);
		(void)presences_set(a->presences, &p);
		blob_unref(&p.body);
	}
	free(full);
	free(p.id);
	free(p.lang);
}

static void
load_account(struct account *a)
{
	user_load_state(a->user, STATE_PRESENCE, a->id, load, a);
}

const struct module mod_presence_kept = {
	.name = "presence-kept",
	.session_resumed = session_resumed,
	.account_load = load_account,
};
