#include "core/session_save.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/device.h"
#include "core/directed.h"
#include "core/ended.h"
#include "core/events.h"
#include "core/features_kept.h"
#include "core/proxy.h"
#include "core/session_sm.h"
#include "core/store.h"
#include "core/turn.h"
#include "xmpp/jid.h"
#include "xmpp/xml.h"

enum {
	FLAG_CARBONS = 1,
	FLAG_ROSTER = 2,
	FLAG_BLOCKS = 4,
	FLAG_AVAILABLE = 8,
	FLAG_FOLLOWING = 16,
	FLAG_OWED_IN_ARCHIVE = 32,
};

/* --- to the batch --- */

static void
put(struct session *s, enum state_kind kind, const struct buf *value)
{
	struct buf key = { 0 };

	pack_uint(&key, s->id);
	batch_put(&s->proxy->batch, kind, s->user->id, key.data, key.len,
	    value->data, value->len);
	buf_free(&key);
}

static unsigned
flags_of(const struct session *s)
{
	return (s->carbons ? FLAG_CARBONS : 0) |
	    (s->wants_roster ? FLAG_ROSTER : 0) |
	    (s->wants_blocks ? FLAG_BLOCKS : 0) |
	    (s->available ? FLAG_AVAILABLE : 0) |
	    (s->following ? FLAG_FOLLOWING : 0) |
	    (s->owed_in_archive ? FLAG_OWED_IN_ARCHIVE : 0);
}

static void
pack_presence(const struct session *s, struct buf *b)
{
	struct buf xml = { 0 };

	if (s->available)
		elem_write(&xml, s->presence, NS_CLIENT);
	pack_string(b, xml.data);
	buf_free(&xml);
	pack_uint(b, (uint64_t)(s->priority + 128));
	pack_uint(b, s->show);
	/* Of the monotonic clock nothing is left after a restart. */
	pack_uint(b, clock_wall() - (clock_now() - s->presence_at));
}

static void
pack_directed(struct session *s, struct buf *b)
{
	struct directed *d, *tmp;

	pack_uint(b, HASH_COUNT(s->directed));
	HASH_ITER(hh, s->directed, d, tmp) {
		pack_string(b, d->target);
		pack_uint(b, d->account);
		pack_uint(b, d->is_room);
		pack_string(b, d->xml);
	}
}

static void
pack_owed(const struct session *s, struct buf *b)
{
	size_t len = 0;

	if (s->owed != NULL)
		len = (s->owed_to - s->owed_from) / 8 + 1;
	pack_uint(b, s->owed_from);
	pack_uint(b, s->owed_to);
	pack_bytes(b, s->owed, len);
}

static void
pack_heard(struct buf *b, const struct heard *h)
{
	pack_uint(b, h->got);
	pack_uint(b, h->told);
	pack_uint(b, h->number);
}

static void
save_self(struct session *s)
{
	struct buf b = { 0 };

	pack_string(&b, s->sm_id);
	pack_uint(&b, s->sm_max);
	pack_uint(&b, s->account != NULL ? s->account->id : 0);
	pack_string(&b, s->resource);
	pack_uint(&b, s->device != NULL ? s->device->id : 0);
	pack_uint(&b, flags_of(s));
	pack_heard(&b, &s->roster_heard);
	pack_presence(s, &b);
	pack_directed(s, &b);
	pack_owed(s, &b);
	pack_heard(&b, &s->blocks_heard);
	put(s, STATE_SESSION, &b);
	buf_free(&b);
}

/* Only entries of the log are in custody (Numbering 2). */
static void
save_counters(struct session *s)
{
	const struct flight *f;
	struct buf b = { 0 };
	uint64_t number = s->sm.acked, seq = 0;

	pack_uint(&b, s->sm.in);
	pack_uint(&b, s->sm.acked);
	pack_uint(&b, s->cursor);
	pack_uint(&b, s->live_from);
	pack_uint(&b, s->flights.entries);
	for (uint32_t i = 0; (f = flights_at(&s->flights, i)) != NULL; i++) {
		if (f->seq == 0)
			continue;
		/* Mostly both go up by one; numbers of before <enable/> are 0. */
		pack_uint(&b, f->number == 0 ? 0 : f->number - number + 1);
		pack_uint(&b, f->seq - seq);
		seq = f->seq;
		if (f->number != 0)
			number = f->number;
	}
	pack_uint(&b, s->events_got);
	put(s, STATE_COUNTERS, &b);
	buf_free(&b);
}

static void
save_iqs(struct session *s)
{
	struct buf b = { 0 };

	open_iqs_pack(&s->open_iqs, &b);
	open_iqs_pack(&s->refused, &b);
	put(s, STATE_OPEN_IQS, &b);
	buf_free(&b);
}

void
session_save(struct session *s)
{
	unsigned changed = s->changed;

	s->changed = 0;
	if (s->device != NULL && (changed & CHANGED_DEVICE))
		device_save(s->user, s->device);
	if (s->sm_id == NULL || s->closing)
		return;
	if (changed & CHANGED_SELF)
		save_self(s);
	if (changed & CHANGED_COUNTERS)
		save_counters(s);
	if (changed & CHANGED_IQS)
		save_iqs(s);
}

void
session_unsave(struct session *s)
{
	struct buf key = { 0 };

	pack_uint(&key, s->id);
	for (int kind = STATE_SESSION; kind <= STATE_OPEN_IQS; kind++)
		batch_delete(&s->proxy->batch, (enum state_kind)kind,
		    s->user->id, key.data, key.len);
	buf_free(&key);
	turn_touch(s->proxy);
}

/* --- from the store --- */

static void
unpack_presence(struct session *s, struct unpack *u)
{
	char *xml = unpack_string(u);
	uint64_t wall;

	if (xml != NULL)
		s->presence = xml_parse_own(s->presence_arena, xml, strlen(xml),
		    NS_CLIENT);
	s->priority = (int)unpack_uint(u) - 128;
	s->show = (enum show)unpack_uint(u);
	wall = unpack_uint(u);
	/* Later than any of this run's is wrong; so is before its clock began. */
	if (wall < clock_wall() && clock_wall() - wall < clock_now())
		s->presence_at = clock_now() - (clock_wall() - wall);
	free(xml);
}

static void
unpack_directed(struct session *s, struct unpack *u)
{
	uint64_t count = unpack_uint(u), account;
	size_t max = s->proxy->config->limits.directed_presences;
	char *target, *xml;
	bool is_room;

	for (; count > 0 && unpack_is_good(u); count--) {
		target = unpack_string(u);
		account = unpack_uint(u);
		is_room = unpack_uint(u) != 0;
		xml = unpack_string(u);
		/* An account may have been taken out of the configuration. */
		if (target != NULL &&
		    user_find_account(s->user, account) != NULL)
			(void)directed_add(&s->directed, target, account,
			    is_room, xml, max);
		free(target);
		free(xml);
	}
}

static void
unpack_owed(struct session *s, struct unpack *u)
{
	uint64_t from = unpack_uint(u), to = unpack_uint(u);
	const void *bits;
	size_t len;

	bits = unpack_bytes(u, &len);
	if (!unpack_is_good(u) || to <= from || len != (to - from) / 8 + 1)
		return;
	s->owed = mem_alloc(len);
	memcpy(s->owed, bits, len);
	s->owed_from = from;
	s->owed_to = to;
}

static void
unpack_heard(struct unpack *u, struct heard *h)
{
	h->got = unpack_uint(u);
	h->told = unpack_uint(u);
	h->number = unpack_uint(u);
}

static void
take_flags(struct session *s, uint64_t flags)
{
	s->carbons = flags & FLAG_CARBONS;
	s->wants_roster = flags & FLAG_ROSTER;
	s->wants_blocks = flags & FLAG_BLOCKS;
	s->available = (flags & FLAG_AVAILABLE) != 0;
	s->following = flags & FLAG_FOLLOWING;
	s->owed_in_archive = flags & FLAG_OWED_IN_ARCHIVE;
}

static struct session *
unpack_self(struct user *u, uint64_t id, struct unpack *v)
{
	char *sm_id = unpack_string(v);
	uint64_t max = unpack_uint(v), account = unpack_uint(v);
	char *resource = unpack_string(v);
	uint64_t device = unpack_uint(v);
	struct account *view = user_find_account(u, account);
	struct session *s = NULL;

	if (sm_id == NULL || resource == NULL || !unpack_is_good(v) ||
	    (account != 0 && view == NULL))
		goto out;
	s = session_make(u, id, view, resource);
	s->sm_id = sm_id;
	sm_id = NULL;
	s->sm_max = (unsigned)max;
	s->device = device_find(u, device);
	take_flags(s, unpack_uint(v));
	unpack_heard(v, &s->roster_heard);
	unpack_presence(s, v);
	if (s->presence == NULL)
		s->available = false;
	features_kept_restore(s);
	unpack_directed(s, v);
	unpack_owed(s, v);
	unpack_heard(v, &s->blocks_heard);
	sm_enable(&s->sm);
	s->asleep = s->is_restored = true;
out:
	free(sm_id);
	free(resource);
	return s;
}

static void
load_self(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct user *u = arg;
	struct unpack k, v;
	struct session *s;
	uint64_t id;

	unpack_init(&k, key, key_len);
	unpack_init(&v, value, len);
	id = unpack_uint(&k);
	if ((s = unpack_self(u, id, &v)) == NULL)
		return;
	timer_set(&s->sleep_timer, (uint64_t)s->sm_max * 1000);
	log_event(LEVEL_INFO, s->log_id, "session-restored", "user=%s jid=%s",
	    u->name, LOG_Q(s->full));
}

static struct session *
session_of(struct user *u, const void *key, size_t len)
{
	struct unpack k;

	unpack_init(&k, key, len);
	return proxy_find_session(u->proxy, unpack_uint(&k));
}

static void
load_counters(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct session *s = session_of(arg, key, key_len);
	struct flight f = { 0 };
	struct unpack v;
	uint64_t count, number, seq = 0, step;

	if (s == NULL)
		return;
	unpack_init(&v, value, len);
	s->sm.in = unpack_uint(&v);
	s->sm.acked = number = unpack_uint(&v);
	s->cursor = unpack_uint(&v);
	s->live_from = unpack_uint(&v);
	for (count = unpack_uint(&v); count > 0; count--) {
		step = unpack_uint(&v);
		seq += unpack_uint(&v);
		if (!unpack_is_good(&v))
			break;
		if (step != 0)
			number += step - 1;
		f.number = step == 0 ? 0 : number;
		f.seq = seq;
		flights_add(&s->flights, &f);
	}
	s->sm.out = number;
	events_restore(s, unpack_uint(&v));
}

static void
load_iqs(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct session *s = session_of(arg, key, key_len);
	struct unpack v;

	if (s == NULL)
		return;
	unpack_init(&v, value, len);
	open_iqs_unpack(&s->open_iqs, &v);
	open_iqs_unpack(&s->refused, &v);
}

void
session_load_all(struct user *u)
{
	struct session *s;

	user_load_state(u, STATE_SESSION, u->id, load_self, u);
	user_load_state(u, STATE_COUNTERS, u->id, load_counters, u);
	user_load_state(u, STATE_OPEN_IQS, u->id, load_iqs, u);
	if (store_may_resume(u->proxy->store))
		return;
	LIST_FOREACH(s, &u->sessions, next)
		session_close(s, -1, "commits may have been lost");
}
