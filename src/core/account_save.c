#include "core/account_save.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "core/user.h"

#define STEADY_MS 20000 /* for clients that come back by themselves */

enum {
	FLAG_WAS_UP = 1,
	FLAG_READY = 2,
	FLAG_ROSTERVER = 4,
	FLAG_SETTLED = 8,
	FLAG_FETCHED = 16,
};

void
account_touch(struct account *a, unsigned what)
{
	if (a->changed == 0)
		LIST_INSERT_HEAD(&a->user->proxy->changed_accounts, a,
		    changed_next);
	a->changed |= what;
	turn_touch(a->user->proxy);
}

static void
put(struct account *a, enum state_kind kind, const struct buf *b)
{
	batch_put(&a->user->proxy->batch, kind, a->id, NULL, 0, b->data,
	    b->len);
}

static void
save_self(struct account *a)
{
	struct buf b = { 0 };

	pack_string(&b, a->full);
	pack_uint(&b,
	    (a->was_up ? FLAG_WAS_UP : 0) | (a->is_ready ? FLAG_READY : 0) |
		(a->has_rosterver ? FLAG_ROSTERVER : 0) |
		(a->is_settled ? FLAG_SETTLED : 0) |
		(a->has_fetched ? FLAG_FETCHED : 0));
	pack_uint(&b, a->max_bytes);
	pack_string(&b, a->presence_sent);
	pack_uint(&b, a->presence_number);
	pack_string(&b, a->photo);
	pack_uint(&b, a->archive);
	upstream_pack(a->upstream, &b);
	put(a, STATE_ACCOUNT, &b);
	buf_free(&b);
}

void
account_save(struct account *a)
{
	struct buf b = { 0 };

	if (a->changed & ACCOUNT_SELF)
		save_self(a);
	if (a->changed & ACCOUNT_COUNTERS) {
		if (account_is_up(a))
			a->last_time = clock_wall();
		upstream_pack_counters(a->upstream, &b);
		pack_string(&b, a->last_stanza_id);
		pack_uint(&b, a->last_time);
		pack_uint(&b, a->last_seq);
		pack_string(&b, a->gap_after);
		pack_uint(&b, a->gap_start);
		pack_uint(&b, a->gap_seq);
		pack_uint(&b, a->replay_seq);
		put(a, STATE_UPSTREAM, &b);
		buf_free(&b);
	}
	a->changed = 0;
}

static void
load_self(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	struct unpack u;
	uint64_t flags;

	(void)key;
	(void)key_len;
	unpack_init(&u, value, len);
	a->full = unpack_string(&u);
	flags = unpack_uint(&u);
	a->was_up = flags & FLAG_WAS_UP;
	a->is_ready = (flags & FLAG_READY) != 0;
	a->has_rosterver = (flags & FLAG_ROSTERVER) != 0;
	a->is_settled = (flags & FLAG_SETTLED) != 0;
	a->has_fetched = (flags & FLAG_FETCHED) != 0;
	a->max_bytes = unpack_uint(&u);
	a->presence_sent = unpack_string(&u);
	a->presence_number = unpack_uint(&u);
	a->photo = unpack_string(&u);
	a->archive = (enum account_archive)unpack_uint(&u);
	upstream_unpack(a->upstream, &u);
}

static void
load_counters(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	struct unpack u;

	(void)key;
	(void)key_len;
	unpack_init(&u, value, len);
	upstream_unpack_counters(a->upstream, &u);
	a->last_stanza_id = unpack_string(&u);
	a->last_time = unpack_uint(&u);
	a->last_seq = unpack_uint(&u);
	a->gap_after = unpack_string(&u);
	a->gap_start = unpack_uint(&u);
	a->gap_seq = unpack_uint(&u);
	a->replay_seq = unpack_uint(&u);
}

void
account_load(struct account *a)
{
	user_load_state(a->user, STATE_ACCOUNT, a->id, load_self, a);
	user_load_state(a->user, STATE_UPSTREAM, a->id, load_counters, a);
	outbox_load(a->outbox);
	upstream_loaded(a->upstream);
	if (a->presence_sent != NULL)
		timer_set(&a->steady, STEADY_MS);
}
