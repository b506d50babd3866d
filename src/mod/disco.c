/*
 * Service discovery (XEP-0030). Clients see what the server says of their account
 * and of its domain, with what the proxy adds or takes away; peers see us.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/version.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/availability.h"
#include "core/batch.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/caps.h"
#include "mod/info.h"
#include "mod/modules.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

enum subject { SUBJECT_ACCOUNT, SUBJECT_DOMAIN };

/* A client's request that waits for the server's first answer. */
struct waiter {
	STAILQ_ENTRY(waiter) next;
	uint64_t session;
	char *id, *to;
};

/* Our own request to the server, as long as it is open. */
struct disco_ask {
	enum subject subject;
	STAILQ_HEAD(, waiter) waiters;
};

static char **
known(struct account *a, enum subject subject)
{
	return subject == SUBJECT_ACCOUNT ? &a->own_info : &a->domain_info;
}

/* --- what clients are told --- */

static struct elem *
server_info(struct account *a, enum subject subject, struct arena *arena)
{
	const char *bytes = *known(a, subject);
	struct elem *query = NULL;

	/* Limits of an upstream can be wider than those of xml_parse(). */
	if (bytes != NULL)
		query = xml_parse(arena, bytes, strlen(bytes), NULL, NULL,
		    NULL);
	if (query != NULL)
		return query;
	if (subject == SUBJECT_ACCOUNT)
		return info_new(arena, "account", "registered", NULL);
	return info_new(arena, "server", "im", NULL);
}

static struct elem *
info_for(struct session *s, struct account *a, enum subject subject,
    struct arena *arena)
{
	struct elem *query = server_info(a, subject, arena);
	struct address_map map = account_map_down(a, s);

	address_rewrite(query, &map);
	info_overlay(query, s->proxy->modules);
	if (subject == SUBJECT_ACCOUNT)
		hooks_info(s, a, query);
	/* In node view the node stands for the domain. */
	if (subject == SUBJECT_DOMAIN && s->account == NULL)
		info_add_node(query, s->proxy->modules);
	return query;
}

/* --- asking the server --- */

static void
waiter_free(struct waiter *w)
{
	free(w->id);
	free(w->to);
	free(w);
}

static void
answer_waiter(struct account *a, enum subject subject, const struct waiter *w)
{
	struct session *s = proxy_find_session(a->user->proxy, w->session);
	struct arena *arena;
	struct route r = { .id = w->id };

	if (s == NULL)
		return;
	arena = arena_new();
	r.stanza = elem_new(arena, NS_CLIENT, "iq");
	elem_set(r.stanza, "to", w->to);
	session_reply(s, &r, info_for(s, a, subject, arena));
	arena_free(&arena);
}

static const char
    *const keys[] = { [SUBJECT_ACCOUNT] = "own", [SUBJECT_DOMAIN] = "domain" };

/* The last answer holds over a restart, until there is another. */
static void
save(struct account *a, enum subject subject)
{
	const char *bytes = *known(a, subject), *key = keys[subject];

	batch_put(&a->user->proxy->batch, STATE_INFO, a->id, key, strlen(key),
	    bytes, strlen(bytes));
	turn_touch(a->user->proxy);
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct account *a = arg;

	for (int i = SUBJECT_ACCOUNT; i <= SUBJECT_DOMAIN; i++) {
		if (strlen(keys[i]) == key_len &&
		    memcmp(keys[i], key, key_len) == 0)
			*known(a, (enum subject)i) = mem_strndup(value, len);
	}
}

static void
load_account(struct account *a)
{
	user_load_state(a->user, STATE_INFO, a->id, load, a);
}

/* What it says for the time being settles nothing. */
static bool
is_final(const struct elem *answer)
{
	const struct elem *error;

	if (answer == NULL)
		return false;
	error = elem_find(answer, NS_CLIENT, "error");
	return error == NULL || !text_equals(elem_attr(error, "type"), "wait");
}

static void
remember(struct account *a, enum subject subject, const struct elem *answer)
{
	const struct elem *query = NULL;
	struct buf bytes = { 0 };

	if (answer != NULL && stanza_type(answer) == TYPE_RESULT)
		query = elem_find(answer, NS_DISCO_INFO, "query");
	if (is_final(answer) && subject == SUBJECT_ACCOUNT)
		archive_settle(a, query);
	if (query == NULL) {
		log_event(LEVEL_INFO, upstream_log_id(a->upstream),
		    "disco-unanswered", "of=%s condition=%s",
		    subject == SUBJECT_ACCOUNT ? a->jid : a->domain,
		    LOG_Q(answer != NULL ? stanza_error_cond(answer) : NULL));
		return;
	}
	elem_write(&bytes, query, NULL);
	free(*known(a, subject));
	*known(a, subject) = buf_take(&bytes);
	save(a, subject);
}

static void
on_answer(struct account *a, struct elem *answer, void *arg)
{
	struct disco_ask *ask = arg;
	struct waiter *w;

	a->disco_asks[ask->subject] = NULL;
	remember(a, ask->subject, answer);
	while ((w = STAILQ_FIRST(&ask->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&ask->waiters, next);
		answer_waiter(a, ask->subject, w);
		waiter_free(w);
	}
	free(ask);
}

/* Nothing happens where that is asked already or the server is away. */
static void
ask_server(struct account *a, enum subject subject)
{
	struct disco_ask *ask;
	struct arena *arena;
	struct elem *iq;

	if (a->disco_asks[subject] != NULL)
		return;
	arena = arena_new();
	iq = elem_new(arena, NS_CLIENT, "iq");
	elem_set(iq, "type", "get");
	elem_child(iq, NS_DISCO_INFO, "query");
	ask = mem_alloc(sizeof(*ask));
	ask->subject = subject;
	STAILQ_INIT(&ask->waiters);
	if (account_ask(a, iq, subject == SUBJECT_ACCOUNT ? a->jid : a->domain,
		on_answer, ask) == 0)
		a->disco_asks[subject] = ask;
	else
		free(ask);
	arena_free(&arena);
}

static void
upstream_up(struct account *a)
{
	ask_server(a, SUBJECT_ACCOUNT);
	ask_server(a, SUBJECT_DOMAIN);
}

/* --- requests of clients --- */

static size_t
count_waiters(const struct disco_ask *ask, const struct session *s)
{
	const struct waiter *w;
	size_t count = 0;

	STAILQ_FOREACH(w, &ask->waiters, next) {
		if (w->session == s->id)
			count++;
	}
	return count;
}

static const char *
wait_for(struct disco_ask *ask, struct session *s, const struct route *r)
{
	struct waiter *w;

	if (count_waiters(ask, s) >= s->proxy->config->limits.iqs_per_session) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "too many open requests");
		return "too many of its requests wait";
	}
	w = mem_alloc(sizeof(*w));
	w->session = s->id;
	w->id = mem_strdup(r->id);
	w->to = mem_strdup(elem_attr(r->stanza, "to"));
	STAILQ_INSERT_TAIL(&ask->waiters, w, next);
	return "waits for the server's first answer";
}

static void
drop_waiters(struct disco_ask *ask, const struct session *s)
{
	struct waiter *w, *next;

	for (w = STAILQ_FIRST(&ask->waiters); w != NULL; w = next) {
		next = STAILQ_NEXT(w, next);
		if (w->session != s->id)
			continue;
		STAILQ_REMOVE(&ask->waiters, w, waiter, next);
		waiter_free(w);
	}
}

static void
session_gone(struct session *s)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		for (int i = SUBJECT_ACCOUNT; i <= SUBJECT_DOMAIN; i++)
			if (a->disco_asks[i] != NULL)
				drop_waiters(a->disco_asks[i], s);
	}
}

/* The node in account view, where it is nobody's domain. */
static bool
is_to_node(const struct session *s, const struct route *r)
{
	return s->account != NULL && r->to != NULL &&
	    strcmp(r->to, s->proxy->config->node) == 0;
}

static bool
has_node(const struct route *r)
{
	return elem_attr(elem_first(r->stanza), "node") != NULL;
}

static const char *
answer_for_node(struct session *s, struct route *r)
{
	struct elem *query;

	if (has_node(r)) {
		session_reply_error(s, r, ERR_ITEM_NOT_FOUND, NULL);
		return "the node has no such node";
	}
	query = info_new(r->stanza->arena, "server", "im", XMPPROXY_NAME);
	info_add_node(query, s->proxy->modules);
	session_reply(s, r, query);
	return "of the node itself";
}

static const char *
on_info(struct session *s, struct route *r)
{
	struct account *a = s->account != NULL ? s->account :
						 user_default_account(s->user);
	enum subject subject = r->to == NULL || strcmp(r->to, s->bare) == 0 ?
	    SUBJECT_ACCOUNT :
	    SUBJECT_DOMAIN;

	if (is_to_node(s, r))
		return answer_for_node(s, r);
	if (has_node(r))
		return NULL;
	if (*known(a, subject) == NULL)
		ask_server(a, subject);
	if (*known(a, subject) == NULL && a->disco_asks[subject] != NULL)
		return wait_for(a->disco_asks[subject], s, r);
	session_reply(s, r, info_for(s, a, subject, r->stanza->arena));
	return "from what is known of the server";
}

static const char *
on_items(struct session *s, struct route *r)
{
	if (!is_to_node(s, r))
		return NULL;
	if (has_node(r)) {
		session_reply_error(s, r, ERR_ITEM_NOT_FOUND, NULL);
		return "the node has no such node";
	}
	session_reply(s, r,
	    elem_new(r->stanza->arena, NS_DISCO_ITEMS, "query"));
	return "the node has no items";
}

/* --- requests of peers --- */

/* XEP-0050 3.2: what a command is, only the client knows that has it. */
static bool
is_for_client(struct account *a, const char *node)
{
	return strncmp(node, CAPS_NODE "#", strlen(CAPS_NODE "#")) != 0 &&
	    availability_capable(a, NS_COMMANDS) != NULL;
}

static const char *
on_peer_info(struct account *a, struct route *r)
{
	const char *node = elem_attr(elem_first(r->stanza), "node");
	struct elem *answer, *query;

	query = caps_info(a, r->stanza->arena, node);
	if (query == NULL && is_for_client(a, node))
		return NULL;
	if (query == NULL) {
		account_answer(a,
		    stanza_error(r->stanza, ERR_ITEM_NOT_FOUND, NULL));
		return "a node that is not ours";
	}
	answer = stanza_result(r->stanza);
	elem_append(answer, query);
	account_answer(a, answer);
	return "a peer asked what we can do";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_DISCO_INFO, "query", on_info, IQ_TO_ANY },
	{ TYPE_GET, NS_DISCO_ITEMS, "query", on_items, IQ_TO_NODE },
	{ 0 },
};

static const struct peer_iq_handler peer_iqs[] = {
	{ TYPE_GET, NS_DISCO_INFO, "query", on_peer_info, false },
	{ 0 },
};

const struct module mod_disco = {
	.name = "disco",
	.xep = "XEP-0030",
	.features = (const char *const[]){ NS_DISCO_INFO, NULL },
	.peer_features = (const char *const[]){ NS_DISCO_INFO, NULL },
	.iqs = iqs,
	.peer_iqs = peer_iqs,
	.session_gone = session_gone,
	.upstream_up = upstream_up,
	.account_load = load_account,
};
