/*
 * Searches of our archive. A slice of the log is read in a turn, so that the loop goes
 * on meanwhile; most need one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/log_query.h"
#include "core/proxy.h"
#include "core/render.h"
#include "core/session.h"
#include "mod/archive.h"
#include "xmpp/ns.h"

#define FULL_MS 100 /* look again whether it has room */

struct archive_searches {
	STAILQ_HEAD(, archive_search) list; /* in the order of requests */
	size_t count;
	struct timer timer; /* the next slice */
};

static const struct limits *
limits_of(const struct session *s)
{
	return &s->proxy->config->limits;
}

struct archive_search *
archive_search_new(const struct route *r)
{
	struct archive_search *q = mem_alloc(sizeof(*q));

	q->id = mem_strdup(r->id);
	q->to = mem_strdup(elem_attr(r->stanza, "to"));
	return q;
}

void
archive_search_free(struct archive_search **holder)
{
	struct archive_search *q = *holder;

	*holder = NULL;
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->count; i++)
		entry_unref(&q->found[i]);
	entry_unref(&q->first);
	free(q->found);
	free(q->ids);
	free(q->id);
	free(q->to);
	free(q->query_id);
	free(q->bare);
	free(q->resource);
	free(q);
}

/* --- reading --- */

struct taking {
	struct session *session;
	struct archive_search *search;
};

/* A page of large messages has fewer, so that it fits what a client may be sent. */
static bool
is_full(const struct session *s, const struct archive_search *q, size_t more)
{
	return q->count >= q->page ||
	    (q->count > 0 &&
		q->bytes + more > limits_of(s)->queue_bytes_max / 4);
}

static bool
take(void *arg, struct entry *e)
{
	struct taking *t = arg;
	struct archive_search *q = t->search;

	/* Of an account that is not configured any more there is no view. */
	if (user_find_account(t->session->user, e->account) == NULL)
		return true;
	if (is_full(t->session, q, entry_size(e))) {
		q->has_more = true;
		return false;
	}
	q->found = mem_grow(q->found, (q->count + 1) * sizeof(*q->found));
	q->found[q->count++] = entry_ref(e);
	q->bytes += entry_size(e);
	return !q->is_metadata;
}

/* As many as there may be are few enough for one turn. */
static int
read_ids(struct taking *t, struct err *err)
{
	struct archive_search *q = t->search;
	struct store_query one;
	size_t i, at;

	for (i = 0; i < q->ids_count && !q->has_more; i++) {
		at = q->left.backwards ? q->ids_count - 1 - i : i;
		if (q->ids[at] < q->left.from || q->ids[at] >= q->left.to)
			continue;
		one = q->left;
		one.from = q->ids[at];
		one.to = one.from + 1;
		if (log_query_go_on(t->session->user, &one, take, t, err) < 0)
			return -1;
	}
	q->left.from = q->left.to;
	return 0;
}

static int
read_some(struct session *s, struct archive_search *q, struct err *err)
{
	struct taking t = { s, q };

	if (q->ids != NULL)
		return read_ids(&t, err);
	return log_query_go_on(s->user, &q->left, take, &t, err);
}

static bool
is_over(const struct archive_search *q)
{
	return q->has_more || q->left.from >= q->left.to ||
	    (q->is_metadata && q->count > 0);
}

/* --- answering --- */

static struct route
request_of(const struct archive_search *q, struct arena *arena)
{
	struct route r = { .id = q->id };

	r.stanza = elem_new(arena, NS_CLIENT, "iq");
	elem_set(r.stanza, "type", "get");
	elem_set(r.stanza, "id", q->id);
	elem_set(r.stanza, "to", q->to);
	return r;
}

/* Of all that were found the nth, in the log's order. */
static struct entry *
nth(const struct archive_search *q, size_t n)
{
	return q->found[q->left.backwards ? q->count - 1 - n : n];
}

static void
send_results(struct session *s, const struct archive_search *q)
{
	struct render_result what = { q->to != NULL ? q->to : s->bare,
		q->query_id };
	struct entry *e;

	for (size_t i = 0; i < q->count && !s->closing; i++) {
		e = nth(q, q->flip ? q->count - 1 - i : i);
		render_result(s, user_find_account(s->user, e->account), e,
		    &what);
	}
}

static void
add_id(struct session *s, struct elem *set, const char *name,
    const struct entry *e)
{
	char id[ARCHIVE_ID_SIZE];

	elem_add_text(elem_child(set, NS_RSM, name), archive_id_of(s, e, id));
}

static void
answer_page(struct session *s, const struct archive_search *q,
    struct arena *arena)
{
	struct route r = request_of(q, arena);
	struct elem *fin = elem_new(arena, NS_MAM, "fin");
	struct elem *set = elem_child(fin, NS_RSM, "set"), *count;

	send_results(s, q);
	if (!q->has_more)
		elem_set(fin, "complete", "true");
	if (q->count > 0) {
		add_id(s, set, "first", nth(q, 0));
		add_id(s, set, "last", nth(q, q->count - 1));
	}
	if (q->has_total) {
		count = elem_child(set, NS_RSM, "count");
		elem_add_text(count,
		    arena_printf(arena, "%llu", (unsigned long long)q->total));
	}
	session_reply(s, &r, fin);
}

static void
add_end(struct session *s, struct elem *metadata, const char *name,
    const struct entry *e)
{
	struct elem *end = elem_child(metadata, NS_MAM, name);
	char id[ARCHIVE_ID_SIZE], stamp[TEXT_STAMP_SIZE];

	elem_set(end, "id", archive_id_of(s, e, id));
	elem_set(end, "timestamp", text_stamp(stamp, e->time));
}

static void
answer_metadata(struct session *s, const struct archive_search *q,
    struct arena *arena)
{
	struct route r = request_of(q, arena);
	struct elem *metadata = elem_new(arena, NS_MAM, "metadata");

	if (q->first != NULL) {
		add_end(s, metadata, "start", q->first);
		add_end(s, metadata, "end",
		    q->count > 0 ? q->found[0] : q->first);
	}
	session_reply(s, &r, metadata);
}

static void
answer(struct session *s, const struct archive_search *q)
{
	struct arena *arena = arena_new();

	if (q->is_metadata)
		answer_metadata(s, q, arena);
	else
		answer_page(s, q, arena);
	arena_free(&arena);
}

static void
fail(struct session *s, const struct archive_search *q, const struct err *err)
{
	struct arena *arena = arena_new();
	struct route r = request_of(q, arena);

	log_event(LEVEL_ERROR, "store", "not-read", "reason=%s",
	    LOG_Q(err->text));
	session_reply_error(s, &r, ERR_INTERNAL_SERVER_ERROR,
	    "the archive cannot be read");
	arena_free(&arena);
}

/* --- one after the other --- */

/* The first is found: now the last, which is not before it. */
static bool
turns_back(struct session *s, struct archive_search *q)
{
	if (!q->is_metadata || q->first != NULL || q->count == 0)
		return false;
	q->first = q->found[0];
	q->count = 0;
	q->left.backwards = true;
	q->left.from = q->first->seq + 1;
	q->left.to = UINT64_MAX;
	log_query_begin(s->user, &q->left);
	return true;
}

static void
end_first(struct archive_searches *all)
{
	struct archive_search *q = STAILQ_FIRST(&all->list);

	STAILQ_REMOVE_HEAD(&all->list, next);
	all->count--;
	archive_search_free(&q);
}

/* It takes what it got before it gets more, and acknowledges it. */
static bool
has_room(const struct session *s)
{
	return s->asleep ||
	    (session_has_room(s) &&
		s->flights.bytes <= limits_of(s)->queue_bytes_max / 4);
}

static void
go_on(void *arg)
{
	struct session *s = arg;
	struct archive_searches *all = s->searches;
	struct archive_search *q = STAILQ_FIRST(&all->list);
	struct err err = { "" };
	int rc = 0;

	if (!has_room(s)) {
		timer_set(&all->timer, FULL_MS);
		return;
	}
	if (!is_over(q))
		rc = read_some(s, q, &err);
	if (rc == 0 && (!is_over(q) || turns_back(s, q))) {
		timer_set(&all->timer, 0);
		return;
	}
	if (rc < 0)
		fail(s, q, &err);
	else
		answer(s, q);
	end_first(all);
	if (!STAILQ_EMPTY(&all->list))
		timer_set(&all->timer, 0);
}

void
archive_search_start(struct session *s, struct archive_search *q)
{
	struct archive_searches *all = s->searches;

	if (all == NULL) {
		all = s->searches = mem_alloc(sizeof(*all));
		STAILQ_INIT(&all->list);
		timer_init(&all->timer, s->proxy->loop, go_on, s);
	}
	STAILQ_INSERT_TAIL(&all->list, q, next);
	if (++all->count == 1)
		go_on(s);
}

bool
archive_search_is_full(const struct session *s)
{
	return s->searches != NULL &&
	    s->searches->count >= limits_of(s)->iqs_per_session;
}

void
archive_search_drop(struct session *s)
{
	if (s->searches == NULL)
		return;
	timer_stop(&s->searches->timer);
	while (!STAILQ_EMPTY(&s->searches->list))
		end_first(s->searches);
	free(s->searches);
	s->searches = NULL;
}
