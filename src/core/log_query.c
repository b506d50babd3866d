#include "core/log_query.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "core/history.h"
#include "core/proxy.h"
#include "core/user.h"
#include "xmpp/jid.h"

/* Rows in a slice, a millisecond about; those of one peer lie apart. */
#define SLICE      2048
#define SLICE_PEER 512

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- the range --- */

/* No entry from that number on was sent at `time` or before. */
static uint64_t
place_behind(struct user *u, uint64_t time)
{
	uint64_t late = history_max_late(u->history), place;

	if (time >= UINT64_MAX - late)
		return UINT64_MAX;
	place = store_seq_at(u->proxy->store, u->id, time + late + 1);
	/* The store knows what is committed alone. */
	return place < history_tail(u->history) ? place : UINT64_MAX;
}

void
log_query_begin(struct user *u, struct store_query *q)
{
	q->user = u->id;
	q->limit = UINT_MAX;
	q->from = most(q->from, history_floor(u->history));
	q->to = least(q->to, history_next(u->history));
	if (q->start > 0)
		q->from = most(q->from,
		    store_seq_at(u->proxy->store, u->id, q->start));
	if (q->end > 0)
		q->to = least(q->to, place_behind(u, q->end));
}

/* --- what is in memory --- */

static bool
is_of_peer(const struct store_query *q, const struct entry *e)
{
	if (q->bare == NULL)
		return true;
	if (e->peer == NULL || !jid_same_bare(e->peer, q->bare))
		return false;
	return q->resource == NULL ||
	    text_equals(q->resource, jid_resource(e->peer));
}

/* Whether the entry passes the filters, whatever the range. */
static bool
wants(const struct store_query *q, const struct entry *e)
{
	uint64_t when = entry_when(e);

	if (q->account != 0 && q->account != e->account)
		return false;
	if (e->unserved & q->archive)
		return false;
	if (when < q->start || (q->end != 0 && when > q->end))
		return false;
	if (q->rooms != ROOMS_TOO &&
	    entry_is_of_room(e) != (q->rooms == ROOMS_ONLY))
		return false;
	return is_of_peer(q, e);
}

/* The tail has no holes that matter: it is short. */
static void
read_tail(struct user *u, const struct store_query *q,
    bool (*fn)(void *arg, struct entry *), void *arg)
{
	uint64_t from = most(q->from, history_tail(u->history)), seq;
	struct entry *e;

	for (uint64_t i = 0; from + i < q->to; i++) {
		seq = q->backwards ? q->to - 1 - i : from + i;
		e = history_at(u->history, seq);
		if (e != NULL && wants(q, e) && !fn(arg, e))
			return;
	}
}

/* --- both --- */

struct reader {
	bool (*fn)(void *arg, struct entry *);
	void *arg;
	bool is_over;
};

static bool
pass(void *arg, struct entry *e)
{
	struct reader *r = arg;

	r->is_over = !r->fn(r->arg, e);
	return !r->is_over;
}

static int
read_slice(struct user *u, struct store_query *q, struct reader *r,
    struct err *err)
{
	struct store_query slice = *q;
	struct store *store = u->proxy->store;

	slice.to = least(q->to, history_tail(u->history));
	if (slice.from >= slice.to)
		return 0;
	if (store_narrow(store, &slice, q->bare != NULL ? SLICE_PEER : SLICE,
		err) < 0)
		return -1;
	if (q->backwards)
		q->to = slice.from;
	else
		q->from = slice.to;
	return store_read(store, &slice, pass, r, err);
}

static int
read_down(struct user *u, struct store_query *q, struct reader *r,
    struct err *err)
{
	uint64_t tail = most(q->from, history_tail(u->history));

	if (q->to > tail) {
		read_tail(u, q, pass, r);
		q->to = tail;
	}
	return r->is_over ? 0 : read_slice(u, q, r, err);
}

static int
read_up(struct user *u, struct store_query *q, struct reader *r,
    struct err *err)
{
	if (read_slice(u, q, r, err) < 0)
		return -1;
	if (r->is_over || q->from < least(q->to, history_tail(u->history)))
		return 0;
	read_tail(u, q, pass, r);
	q->from = q->to;
	return 0;
}

int
log_query_go_on(struct user *u, struct store_query *q,
    bool (*fn)(void *arg, struct entry *), void *arg, struct err *err)
{
	struct reader r = { fn, arg, false };

	if (q->from >= q->to)
		return 0;
	return q->backwards ? read_down(u, q, &r, err) : read_up(u, q, &r, err);
}
