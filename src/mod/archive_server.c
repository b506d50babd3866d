/*
 * Archives that are not ours (XEP-0313), the server's and those of rooms: a query's
 * results reach the session that asked alone. The queryid is made unique on its way up.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "core/account.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/session.h"
#include "mod/archive.h"
#include "mod/archive_request.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

struct archive_query {
	UT_hash_handle hh;
	char id[RANDOM_ID_SIZE]; /* as it went up */
	char *asked_id;          /* the client's; NULL: it gave none */
	char *archive;           /* prepared: who may answer; NULL: our own */
	uint64_t session;
};

static void
forget(struct account *a, struct archive_query *q)
{
	HASH_DEL(a->archive_queries, q);
	free(q->asked_id);
	free(q->archive);
	free(q);
}

/* The oldest go: a query that is over is not told from one that is not. */
static void
make_room(struct account *a)
{
	uint64_t max = a->user->proxy->config->limits.iqs_per_account;

	if (HASH_COUNT(a->archive_queries) >= max)
		forget(a, a->archive_queries);
}

/* What it gets from there is not to be played to it as well. */
static void
note_synchronisation(struct session *s, const struct account *a,
    const struct elem *query)
{
	struct archive_request request;
	enum error_cond cond;
	const char *why;

	if (account_is_up(a) &&
	    archive_request_parse(&request, query, &cond, &why) == 0 &&
	    archive_request_synchronises(&request))
		playback_archive(s);
}

static const char *
from_client(struct session *s, struct route *r)
{
	struct elem *query;
	struct archive_query *q;
	struct account *a;
	const char *reason;

	if (r->kind != STANZA_IQ || r->type != TYPE_SET ||
	    (query = elem_find(r->stanza, NS_MAM, "query")) == NULL)
		return NULL;
	if (archive_is_asked(s, r))
		return NULL;
	a = session_route(s, r->stanza->arena, r->to, &reason);
	make_room(a);
	q = mem_alloc(sizeof(*q));
	random_id(q->id);
	q->asked_id = mem_strdup(elem_attr(query, "queryid"));
	q->session = s->id;
	if (r->to != NULL && !jid_same_bare(r->to, s->bare))
		q->archive = mem_strdup(r->to);
	else
		note_synchronisation(s, a, query);
	HASH_ADD_STR(a->archive_queries, id, q);
	elem_set(query, "queryid", q->id);
	return NULL;
}

static bool
is_archive(const struct account *a, const struct archive_query *q,
    const char *from)
{
	if (q->archive == NULL)
		return from == NULL || strcmp(from, a->jid) == 0;
	return text_equals(q->archive, from);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	const struct elem *result = NULL;
	struct archive_query *q = NULL;
	struct session *s;
	struct address_map map;
	const char *id;

	if (r->kind == STANZA_MESSAGE)
		result = message_archive_result(r->stanza);
	if (result == NULL)
		return NULL;
	if ((id = elem_attr(result, "queryid")) != NULL)
		HASH_FIND_STR(a->archive_queries, id, q);
	if (q == NULL || !is_archive(a, q, r->from))
		return "a result of an archive that nobody asked";
	s = proxy_find_session(a->user->proxy, q->session);
	if (s == NULL || s->closing)
		return "a result for a session that is gone";
	map = account_map_down(a, s);
	address_rewrite(r->stanza, &map);
	elem_set((struct elem *)result, "queryid", q->asked_id);
	elem_set(r->stanza, "to", s->full);
	elem_set(r->stanza, "from",
	    session_view_of(s, a, r->stanza->arena,
		r->from != NULL ? r->from : a->jid));
	session_send(s, r->stanza);
	return "a result, to the session that asked";
}

static void
account_free_queries(struct account *a)
{
	struct archive_query *q, *tmp;

	HASH_ITER(hh, a->archive_queries, q, tmp)
		forget(a, q);
}

const struct module mod_archive_server = {
	.name = "archive-server",
	.xep = "XEP-0313",
	.from_client = from_client,
	.from_upstream = from_upstream,
	.account_free = account_free_queries,
};
