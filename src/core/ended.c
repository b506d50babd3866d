#include "core/ended.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/device.h"
#include "core/proxy.h"
#include "core/session_sm.h"
#include "core/turn.h"
#include "xmpp/sm.h"

static void
put(struct user *u, const struct ended *e)
{
	const struct flight *f;
	struct buf key = { 0 }, b = { 0 };

	pack_uint(&key, e->id);
	pack_string(&b, e->sm_id);
	pack_uint(&b, e->view);
	pack_uint(&b, e->device);
	pack_uint(&b, e->in);
	pack_uint(&b, e->acked);
	pack_uint(&b, e->cursor);
	pack_uint(&b, e->flights.count);
	for (uint32_t i = 0; (f = flights_at(&e->flights, i)) != NULL; i++) {
		pack_uint(&b, f->number);
		pack_uint(&b, f->seq);
	}
	pack_uint(&b, e->number);
	batch_put(&u->proxy->batch, STATE_ENDED, u->id, key.data, key.len,
	    b.data, b.len);
	turn_touch(u->proxy);
	buf_free(&key);
	buf_free(&b);
}

static void
forget(struct user *u, struct ended *e)
{
	TAILQ_REMOVE(&u->ended, e, next);
	u->ended_count--;
	flights_fini(&e->flights);
	free(e->sm_id);
	free(e);
}

static void
drop(struct user *u, struct ended *e)
{
	struct buf key = { 0 };

	pack_uint(&key, e->id);
	batch_delete(&u->proxy->batch, STATE_ENDED, u->id, key.data, key.len);
	turn_touch(u->proxy);
	buf_free(&key);
	forget(u, e);
}

static struct ended *
add(struct user *u)
{
	struct ended *e = mem_alloc(sizeof(*e));

	TAILQ_INSERT_TAIL(&u->ended, e, next);
	u->ended_count++;
	e->number = ++u->last_ended;
	return e;
}

/* The store gives them in the order of their keys. */
static void
put_in_order(struct user *u, struct ended *e)
{
	struct ended *before;

	TAILQ_REMOVE(&u->ended, e, next);
	before = TAILQ_LAST(&u->ended, ended_streams);
	while (before != NULL && before->number > e->number)
		before = TAILQ_PREV(before, ended_streams, next);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&u->ended, before, e, next);
	else
		TAILQ_INSERT_HEAD(&u->ended, e, next);
	if (e->number > u->last_ended)
		u->last_ended = e->number;
}

void
ended_add(struct session *s)
{
	struct user *u = s->user;
	struct ended *e;
	struct flight f;

	if (u->ended_count >= u->proxy->config->limits.sessions_per_user)
		drop(u, TAILQ_FIRST(&u->ended));
	e = add(u);
	e->id = s->id;
	e->sm_id = mem_strdup(s->sm_id);
	e->view = s->account != NULL ? s->account->id : 0;
	e->device = s->device != NULL ? s->device->id : 0;
	e->in = s->sm.in;
	e->acked = s->sm.acked;
	e->slack = s->sm.out - s->sm.acked + (s->is_restored ? SM_SLACK : 0);
	e->cursor = s->following ? s->cursor : 0;
	while (s->flights.count > 0) {
		f = flights_take(&s->flights);
		if (f.seq != 0)
			flights_add(&e->flights,
			    &(struct flight){ .number = f.number,
				.seq = f.seq });
		flight_fini(&f);
	}
	put(u, e);
}

static struct ended *
find(struct user *u, uint64_t view, const char *sm_id)
{
	struct ended *e;

	TAILQ_FOREACH(e, &u->ended, next) {
		if (e->view == view && strcmp(e->sm_id, sm_id) == 0)
			return e;
	}
	return NULL;
}

static bool
is_in_use(const struct user *u, const struct device *d)
{
	const struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (s->device == d && !s->closing)
			return true;
	}
	return false;
}

/* A device whose next session is there already has gone on from where it was. */
static void
move_cursor(struct user *u, const struct ended *e)
{
	struct device *d = device_find(u, e->device);
	uint64_t first = flights_first_entry(&e->flights);
	uint64_t cursor = first != 0 ? first : e->cursor;

	if (d == NULL || is_in_use(u, d) || cursor <= d->cursor)
		return;
	d->cursor = cursor;
	device_save(u, d);
	turn_touch(u->proxy);
}

static void
take_handled(struct user *u, struct ended *e, uint64_t acked)
{
	const struct flight *first;
	struct flight f;

	while ((first = flights_first(&e->flights)) != NULL &&
	    first->number <= acked) {
		f = flights_take(&e->flights);
		user_reached(u, f.seq);
		flight_fini(&f);
	}
}

bool
ended_take(struct user *u, uint64_t view, const char *sm_id, uint32_t h,
    uint64_t *in)
{
	struct ended *e = find(u, view, sm_id);
	struct sm sm = { 0 };

	if (e == NULL)
		return false;
	*in = e->in;
	sm.acked = sm.out = e->acked;
	if (sm_resume(&sm, h, e->slack)) {
		take_handled(u, e, sm.acked);
		move_cursor(u, e);
	}
	drop(u, e);
	return true;
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct user *u = arg;
	struct unpack k, v;
	struct ended *e;
	struct flight f = { 0 };

	unpack_init(&k, key, key_len);
	unpack_init(&v, value, len);
	e = add(u);
	e->id = unpack_uint(&k);
	e->sm_id = unpack_string(&v);
	e->view = unpack_uint(&v);
	e->device = unpack_uint(&v);
	e->in = unpack_uint(&v);
	e->acked = unpack_uint(&v);
	e->cursor = unpack_uint(&v);
	e->slack = SM_SLACK;
	for (uint64_t n = unpack_uint(&v); n > 0; n--) {
		f.number = unpack_uint(&v);
		f.seq = unpack_uint(&v);
		if (!unpack_is_good(&v))
			break;
		flights_add(&e->flights, &f);
	}
	e->number = unpack_uint(&v);
	if (e->sm_id == NULL)
		forget(u, e);
	else
		put_in_order(u, e);
}

void
ended_load_all(struct user *u)
{
	user_load_state(u, STATE_ENDED, u->id, load, u);
}

void
ended_free_all(struct user *u)
{
	struct ended *e;

	while ((e = TAILQ_FIRST(&u->ended)) != NULL)
		forget(u, e);
}
