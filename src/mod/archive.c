/*
 * Our message archive (XEP-0313): the log, as each view shows it. In account view that
 * is where the server has none (core/archive.h).
 */
#include "core/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/history.h"
#include "core/log_query.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/session.h"
#include "mod/archive.h"
#include "mod/archive_request.h"
#include "mod/info.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* --- whether it is asked --- */

/* In node view: the account whose own JID it is addressed to; NULL: all. */
static struct account *
asked_account(const struct session *s, const struct route *r)
{
	if (s->account != NULL || r->to == NULL || strcmp(r->to, s->bare) == 0)
		return NULL;
	return user_find_account_by_jid(s->user, r->to);
}

bool
archive_is_asked(const struct session *s, const struct route *r)
{
	if (elem_attr(elem_first(r->stanza), "node") != NULL)
		return false;
	if (r->to == NULL || strcmp(r->to, s->bare) == 0)
		return !archive_is_servers(s);
	return asked_account(s, r) != NULL;
}

/* Nobody has said yet whether the server has one. */
bool
archive_is_unsettled(struct session *s, const struct route *r)
{
	if (archive_is_ours(s))
		return false;
	session_reply_error(s, r, ERR_REMOTE_SERVER_TIMEOUT,
	    "the account's server was not heard of yet");
	return true;
}

/* --- from what is asked to a query of the log --- */

struct asking {
	struct session *session;
	const struct archive_request *request;
	struct archive_search *search;
	enum error_cond cond; /* why not */
	const char *text;
};

static int
refuse(struct asking *a, enum error_cond cond, const char *text)
{
	a->cond = cond;
	a->text = text;
	return -1;
}

static void
begin_query(const struct session *s, const struct route *r,
    struct store_query *q)
{
	const struct account *a = asked_account(s, r);

	if (s->account != NULL)
		a = s->account;
	q->account = a != NULL ? a->id : 0;
	q->archive = archive_of(s);
	q->to = UINT64_MAX;
	q->rooms = ROOMS_NOT;
}

static bool
found(void *arg, struct entry *e)
{
	(void)e;
	*(bool *)arg = true;
	return false;
}

/* 0: the archive has no such entry, or none any more. */
static uint64_t
find_id(struct asking *a, const char *id)
{
	struct session *s = a->session;
	struct store_query q = a->search->left;
	bool is_there = false;
	uint64_t seq;

	seq = archive_id_seq(store_key(s->proxy->store), s->user->id, id);
	if (seq == 0)
		return 0;
	q.from = seq;
	q.to = seq + 1;
	q.bare = q.resource = NULL;
	q.start = q.end = 0;
	q.rooms = ROOMS_TOO;
	log_query_begin(s->user, &q);
	if (log_query_go_on(s->user, &q, found, &is_there, NULL) < 0)
		return 0;
	return is_there ? seq : 0;
}

static int
bound_from(struct asking *a, const char *after)
{
	struct store_query *q = &a->search->left;
	uint64_t seq;

	if (after == NULL)
		return 0;
	if ((seq = find_id(a, after)) == 0)
		return refuse(a, ERR_ITEM_NOT_FOUND, NULL);
	if (q->from < seq + 1)
		q->from = seq + 1;
	return 0;
}

static int
bound_to(struct asking *a, const char *before)
{
	struct store_query *q = &a->search->left;
	uint64_t seq;

	if (before == NULL || *before == '\0')
		return 0;
	if ((seq = find_id(a, before)) == 0)
		return refuse(a, ERR_ITEM_NOT_FOUND, NULL);
	if (q->to > seq)
		q->to = seq;
	return 0;
}

/*
 * With the own JID it is what one sent to oneself (4.1.1). In node view that went by
 * the default account.
 */
static void
set_with(struct asking *a, const char *with)
{
	struct session *s = a->session;
	struct archive_search *q = a->search;
	const struct account *own = s->account != NULL ?
	    s->account :
	    user_default_account(s->user);

	if (with == NULL)
		return;
	if (jid_same_bare(with, s->bare)) {
		q->bare = mem_strdup(own->jid);
		q->left.account = own->id;
	} else {
		q->bare = mem_strndup(with, jid_bare_len(with));
	}
	q->resource = mem_strdup(jid_resource(with));
	q->left.bare = q->bare;
	q->left.resource = q->resource;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
remove_twins(struct archive_search *q)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->ids_count; i++) {
		if (kept == 0 || q->ids[i] != q->ids[kept - 1])
			q->ids[kept++] = q->ids[i];
	}
	q->ids_count = kept;
}

static int
set_ids(struct asking *a, const struct elem *field)
{
	struct archive_search *q = a->search;
	uint64_t max = a->session->proxy->config->limits.archive_page, seq;

	if (field == NULL)
		return 0;
	q->ids = mem_array(max, sizeof(*q->ids));
	ELEM_EACH(e, field) {
		if (!elem_is(e, NS_DATA, "value"))
			continue;
		if (q->ids_count == max)
			return refuse(a, ERR_POLICY_VIOLATION, "too many ids");
		if ((seq = find_id(a, elem_text(e))) == 0)
			return refuse(a, ERR_ITEM_NOT_FOUND, NULL);
		q->ids[q->ids_count++] = seq;
	}
	qsort(q->ids, q->ids_count, sizeof(*q->ids), compare);
	remove_twins(q);
	return 0;
}

/* The clock begins where no message can be: 0 would be no bound at all. */
static uint64_t
end_of(const struct archive_request *request)
{
	return request->has_end && request->end == 0 ? 1 : request->end;
}

static int
set_bounds(struct asking *a)
{
	const struct archive_request *request = a->request;
	struct store_query *q = &a->search->left;

	if (bound_from(a, request->after_id) < 0 ||
	    bound_from(a, request->after) < 0 ||
	    bound_to(a, request->before_id) < 0 ||
	    bound_to(a, request->before) < 0 || set_ids(a, request->ids) < 0)
		return -1;
	q->backwards = request->before != NULL;
	q->start = request->start;
	q->end = end_of(request);
	if (request->with_rooms)
		q->rooms = ROOMS_TOO;
	set_with(a, request->with);
	return 0;
}

/* Where it costs nothing: of all that the log has of this view. */
static void
set_total(struct asking *a)
{
	const struct session *s = a->session;
	struct archive_search *q = a->search;
	const struct account *only = LIST_FIRST(&s->user->accounts);

	if (archive_request_is_filtered(a->request) ||
	    (q->left.account != 0 && LIST_NEXT(only, next) != NULL))
		return;
	q->has_total = true;
	q->total = history_count(s->user->history, ROOMS_NOT);
	if (a->request->with_rooms)
		q->total += history_count(s->user->history, ROOMS_ONLY);
}

static int
set_search(struct asking *a, const struct route *r)
{
	const struct archive_request *request = a->request;
	struct archive_search *q = a->search;

	begin_query(a->session, r, &q->left);
	if (set_bounds(a) < 0)
		return -1;
	q->query_id = mem_strdup(request->query_id);
	q->flip = request->flip;
	q->page = a->session->proxy->config->limits.archive_page;
	if (request->has_max && request->max < q->page)
		q->page = request->max;
	set_total(a);
	return 0;
}

/* --- requests --- */

static const char too_many[] = "too many searches are not over yet";

static const char *
refused(struct session *s, struct route *r, enum error_cond cond,
    const char *text)
{
	session_reply_error(s, r, cond, text);
	return text != NULL ? text : "not found";
}

static const char *
on_query(struct session *s, struct route *r)
{
	struct archive_request request;
	struct asking a = { .session = s, .request = &request };

	if (!archive_is_asked(s, r))
		return NULL;
	if (archive_is_unsettled(s, r))
		return ARCHIVE_UNSETTLED;
	if (archive_request_parse(&request, elem_first(r->stanza), &a.cond,
		&a.text) < 0)
		return refused(s, r, a.cond, a.text);
	if (archive_search_is_full(s))
		return refused(s, r, ERR_RESOURCE_CONSTRAINT, too_many);
	a.search = archive_search_new(r);
	if (set_search(&a, r) < 0) {
		archive_search_free(&a.search);
		return refused(s, r, a.cond, a.text);
	}
	/* What is live begins where this ends. */
	log_query_begin(s->user, &a.search->left);
	/* In node view one account's archive is not all of it. */
	if (archive_request_synchronises(&request) &&
	    asked_account(s, r) == NULL)
		playback_archive(s);
	archive_search_start(s, a.search);
	return "a search of our archive";
}

static const char *
on_metadata(struct session *s, struct route *r)
{
	struct archive_search *q;

	if (!archive_is_asked(s, r))
		return NULL;
	if (archive_is_unsettled(s, r))
		return ARCHIVE_UNSETTLED;
	if (archive_search_is_full(s))
		return refused(s, r, ERR_RESOURCE_CONSTRAINT, too_many);
	q = archive_search_new(r);
	begin_query(s, r, &q->left);
	q->is_metadata = true;
	q->page = 1;
	log_query_begin(s->user, &q->left);
	archive_search_start(s, q);
	return "the ends of our archive";
}

static const char *
on_form(struct session *s, struct route *r)
{
	struct elem *query;

	if (!archive_is_asked(s, r))
		return NULL;
	if (archive_is_unsettled(s, r))
		return ARCHIVE_UNSETTLED;
	query = elem_new(r->stanza->arena, NS_MAM, "query");
	archive_request_add_form(query);
	session_reply(s, r, query);
	return "the form of our archive";
}

/* --- what clients are told --- */

static const char *const features[] = { NS_MAM, NS_MAM_EXTENDED,
	NS_MAM_ROOM_FIELD, NS_MAM_ROOMS, NS_RSM, NS_SID, NULL };

static void
info(struct session *s, struct account *a, struct elem *query)
{
	(void)a;
	if (!archive_is_ours(s))
		return;
	info_remove(query, "urn:xmpp:mam:*");
	for (const char *const *f = features; *f != NULL; f++)
		info_add(query, *f);
}

static const struct iq_handler iqs[] = {
	{ TYPE_SET, NS_MAM, "query", on_query, IQ_TO_SELF | IQ_TO_ACCOUNT },
	{ TYPE_GET, NS_MAM, "query", on_form, IQ_TO_SELF | IQ_TO_ACCOUNT },
	{ TYPE_GET, NS_MAM, "metadata", on_metadata,
	    IQ_TO_SELF | IQ_TO_ACCOUNT },
	{ 0 },
};

const struct module mod_archive = {
	.name = "archive",
	.xep = "XEP-0313",
	.info = info,
	.iqs = iqs,
	.session_free = archive_search_drop,
};
