#include "core/siblings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/missed.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"

#define DEPARTED_MS 86400000 /* longer than most streams wait to be resumed */

static void
key_of(struct buf *key, uint64_t view, const char *resource)
{
	pack_uint(key, view);
	pack_string(key, resource);
}

/* at: when it went, wall ms; 0: it is there. */
static void
put(struct user *u, const struct buf *key, uint64_t at)
{
	struct buf value = { 0 };

	pack_uint(&value, at);
	batch_put(&u->proxy->batch, STATE_SIBLING, u->id, key->data, key->len,
	    value.data, value.len);
	turn_touch(u->proxy);
	buf_free(&value);
}

static bool
is_anybody_else_kept(const struct session *s)
{
	const struct session *other;

	LIST_FOREACH(other, &s->user->sessions, next) {
		if (other != s && !other->closing && other->sm_id != NULL)
			return true;
	}
	return false;
}

void
siblings_note(struct session *s)
{
	struct user *u = s->user;
	struct buf key = { 0 };

	key_of(&key, s->account != NULL ? s->account->id : 0, s->resource);
	if (s->available)
		put(u, &key, 0);
	else if (is_anybody_else_kept(s))
		put(u, &key, clock_wall());
	else
		batch_delete(&u->proxy->batch, STATE_SIBLING, u->id, key.data,
		    key.len);
	turn_touch(u->proxy);
	buf_free(&key);
}

/* --- after a restart --- */

static bool
is_there(const struct user *u, uint64_t view, const char *resource)
{
	const struct session *s = user_find_resource(u, resource);

	return s != NULL && s->available &&
	    (s->account != NULL ? s->account->id : 0) == view;
}

/* What was there goes with the restart, unless its stream may go on. */
static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct user *u = arg;
	struct unpack k, v;
	struct buf copy = { 0 };
	uint64_t view, at;
	char *resource;

	unpack_init(&k, key, key_len);
	unpack_init(&v, value, len);
	view = unpack_uint(&k);
	resource = unpack_string(&k);
	at = unpack_uint(&v);
	buf_add(&copy, key, key_len);
	if (resource == NULL || is_there(u, view, resource)) {
		;
	} else if (at != 0 && clock_wall() >= at + DEPARTED_MS) {
		batch_delete(&u->proxy->batch, STATE_SIBLING, u->id, key,
		    key_len);
	} else {
		recent_set(u->departed, resource, view);
		if (at == 0)
			put(u, &copy, clock_wall());
	}
	free(resource);
	buf_free(&copy);
}

void
siblings_load(struct user *u)
{
	user_load_state(u, STATE_SIBLING, u->id, load, u);
}

static void
owe_one(struct session *s, const char *resource)
{
	char *jid = mem_printf("%s/%s", s->bare, resource);

	missed_add(s, 0, jid);
	free(jid);
}

static void
owe_departed(void *arg, const char *resource, uint64_t view)
{
	struct session *s = arg;

	if ((s->account == NULL || view == 0 || view == s->account->id) &&
	    strcmp(resource, s->resource) != 0)
		owe_one(s, resource);
}

void
siblings_owe(struct session *s)
{
	const struct session *other;

	recent_each(s->user->departed, owe_departed, s);
	LIST_FOREACH(other, &s->user->sessions, next) {
		if (other != s && !other->closing && other->available &&
		    session_is_sibling(other, s))
			owe_one(s, other->resource);
	}
}
