/*
 * Blocking (XEP-0191): the list is answered from a cache, as the roster is, and what
 * changes in it goes to the sessions that asked. Where a server does not block we do:
 * block_here.c.
 */
#include "mod/blocking.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"
#include "mod/contacts.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define WAIT_MS 30000 /* until the accounts have been up once */

struct blocklist *
blocking_list(const struct session *s)
{
	return s->account != NULL ? s->account->blocks : s->user->blocks;
}

/* --- the union, for node view --- */

struct gathering {
	const struct account *account;
	struct blocklist *all;
};

/* What blocks oneself in one account would be somebody else in another. */
static void
gather(void *arg, const struct blocked *b)
{
	struct gathering *g = arg;

	if (b->is_blocked && !jid_same_bare(b->jid, g->account->jid))
		(void)blocklist_add(g->all, b->jid);
}

static bool
were_all_cleared(const struct user *u)
{
	const struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (!blocklist_was_cleared(a->blocks))
			return false;
	}
	return true;
}

static void
unite(struct user *u)
{
	struct gathering g = { .all = blocklist_new(SIZE_MAX) };
	const char **jids;

	LIST_FOREACH(g.account, &u->accounts, next)
		blocklist_each(g.account->blocks, gather, &g);
	jids = blocklist_jids(g.all);
	(void)blocklist_replace(u->blocks, jids, blocklist_count(g.all));
	if (were_all_cleared(u))
		blocklist_note_cleared(u->blocks);
	free(jids);
	blocklist_free(&g.all);
}

/* --- to the sessions --- */

static void
told(struct session *s)
{
	session_told(s, &s->blocks_heard, blocklist_changes(blocking_list(s)));
}

struct writing {
	struct session *session;
	struct elem *to;
	uint64_t since;
	bool is_blocked;
};

static void
write_item(void *arg, const struct blocked *b)
{
	struct writing *w = arg;
	struct session *s = w->session;
	const char *jid = b->jid;

	if (b->is_blocked != w->is_blocked || b->change <= w->since)
		return;
	if (s->account != NULL)
		jid = session_view_of(s, s->account, w->to->arena, jid);
	elem_set(elem_child(w->to, NS_BLOCKING, "item"), "jid", jid);
}

static struct elem *
written(struct session *s, struct arena *arena, const char *name,
    uint64_t since, bool is_blocked)
{
	struct writing w = { s, elem_new(arena, NS_BLOCKING, name), since,
		is_blocked };

	blocklist_each(blocking_list(s), write_item, &w);
	return w.to;
}

/* XEP-0191 3.5: that all were unblocked at once is said as such. */
static void
push_unblock(struct session *s, struct arena *arena, uint64_t since)
{
	struct elem *gone = written(s, arena, "unblock", since, false);

	if (elem_first(gone) == NULL)
		return;
	if (blocklist_was_cleared(blocking_list(s)))
		gone = elem_new(arena, NS_BLOCKING, "unblock");
	session_push(s, "set", gone);
}

/* All that changed after that; too long ago: all anew. */
static void
push_since(struct session *s, uint64_t since)
{
	struct blocklist *l = blocking_list(s);
	struct arena *arena = arena_new();
	struct elem *block;

	if (blocklist_knows_since(l, since)) {
		push_unblock(s, arena, since);
	} else {
		session_push(s, "set", elem_new(arena, NS_BLOCKING, "unblock"));
		since = 0;
	}
	block = written(s, arena, "block", since, true);
	if (elem_first(block) != NULL)
		session_push(s, "set", block);
	told(s);
	arena_free(&arena);
}

/* One that waits for the list gets all of it; one that is asleep hears when it wakes. */
static bool
wants_pushes(const struct session *s)
{
	return !s->closing && !s->asleep && s->wants_blocks &&
	    s->blocks_get_id == NULL;
}

void
blocking_changed(struct user *u)
{
	struct account *a;
	struct session *s;

	unite(u);
	LIST_FOREACH(a, &u->accounts, next)
		contacts_settle_blocked(a);
	LIST_FOREACH(s, &u->sessions, next) {
		if (wants_pushes(s) &&
		    s->blocks_heard.told != blocklist_changes(blocking_list(s)))
			push_since(s, s->blocks_heard.told);
	}
}

/*
 * Those of the meantime; after a restart those too whose push was lost, and the accounts
 * may be others.
 */
static void
session_resumed(struct session *s, bool restarted)
{
	uint64_t since = restarted ? s->blocks_heard.got : s->blocks_heard.told;

	if (restarted)
		unite(s->user);
	if (wants_pushes(s) && since != blocklist_changes(blocking_list(s)))
		push_since(s, since);
}

/* --- gets --- */

static bool
is_known(const struct account *a)
{
	return blocklist_place(a->blocks) != BLOCKS_UNKNOWN;
}

/* all: of each account, but those whose server refuses us; else of any. */
static bool
may_answer(const struct session *s, bool all)
{
	const struct account *a;
	bool any = false;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (!session_sees(s, a))
			continue;
		any = any || is_known(a);
		if (all && !is_known(a) && !upstream_is_refused(a->upstream))
			return false;
	}
	return any;
}

static void
stop_waiting(struct session *s)
{
	timer_stop(&s->blocks_timer);
	mem_free_string(&s->blocks_get_id);
	mem_free_string(&s->blocks_get_to);
}

static void
send_list(struct session *s, struct route *r)
{
	session_reply(s, r, written(s, r->stanza->arena, "blocklist", 0, true));
	told(s);
}

/* Once more as it was asked, for its answer. */
static void
answer_later(struct session *s, bool all)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");
	struct route r = { .stanza = iq, .id = s->blocks_get_id };

	elem_set(iq, "type", "get");
	elem_set(iq, "id", r.id);
	elem_set(iq, "to", s->blocks_get_to);
	if (may_answer(s, all))
		send_list(s, &r);
	else
		session_reply_error(s, &r, ERR_REMOTE_SERVER_TIMEOUT,
		    "the server has not told the block list yet");
	stop_waiting(s);
	arena_free(&arena);
}

/*
 * In node view what is known of the accounts that have been up has to do by then: what
 * the others block follows as pushes.
 */
static void
waited_too_long(void *arg)
{
	answer_later(arg, false);
}

static const char *
on_get(struct session *s, struct route *r)
{
	s->wants_blocks = true;
	session_touch(s, CHANGED_SELF);
	if (may_answer(s, true)) {
		if (s->account == NULL)
			unite(s->user);
		send_list(s, r);
		return "answered from the cache";
	}
	if (s->blocks_get_id != NULL) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "one request for the block list waits already");
		return "another one waits already";
	}
	s->blocks_get_id = mem_strdup(r->id);
	s->blocks_get_to = mem_strdup(elem_attr(r->stanza, "to"));
	timer_init(&s->blocks_timer, s->proxy->loop, waited_too_long, s);
	timer_set(&s->blocks_timer, WAIT_MS);
	return "waits until the accounts have been up once";
}

/* Never with an empty list where it is not known: then there is an error. */
static void
answer_waiting(struct account *a)
{
	struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (s->blocks_get_id != NULL &&
		    (s->account == a || may_answer(s, true)))
			answer_later(s, true);
	}
}

/* --- what the server tells --- */

/* NULL: it is longer than what we keep. */
static struct blocklist *
parse(struct account *a, const struct elem *list)
{
	size_t max = a->user->proxy->config->limits.block_items;
	struct blocklist *l = blocklist_new(max);
	const char *jid;

	ELEM_EACH(e, list) {
		jid = stanza_jid(e, "jid");
		if (jid == NULL || blocklist_has(l, jid))
			continue;
		if (!blocklist_add(l, jid)) {
			blocklist_free(&l);
			break;
		}
	}
	return l;
}

struct settling {
	struct account *account;
	struct blocklist *theirs;
};

/* What the server has done by now need not be told it. */
static void
settle(void *arg, const struct blocked *b)
{
	struct settling *t = arg;

	if (b->wish != WISH_NONE &&
	    blocklist_has(t->theirs, b->jid) == (b->wish == WISH_BLOCK))
		blocklist_forget_wish(t->account->blocks, b->jid);
}

/* What is still wished comes on top. */
static void
apply(void *arg, const struct blocked *b)
{
	struct settling *t = arg;

	if (b->wish == WISH_BLOCK)
		(void)blocklist_add(t->theirs, b->jid);
	else if (b->wish == WISH_UNBLOCK)
		(void)blocklist_remove(t->theirs, b->jid);
}

struct moving {
	struct settling settling;
	const char **jids;
	size_t count;
};

static void
collect(void *arg, const struct blocked *b)
{
	struct moving *m = arg;

	if (b->is_blocked && !blocklist_has(m->settling.theirs, b->jid))
		m->jids[m->count++] = b->jid;
}

/* The server blocks now, and we did: it is to block them too. */
static void
hand_over(struct account *a, struct blocklist *theirs)
{
	struct moving m = { .settling = { a, theirs } };

	m.jids = mem_array(blocklist_count(a->blocks), sizeof(*m.jids));
	blocklist_each(a->blocks, collect, &m);
	for (size_t i = 0; i < m.count; i++)
		(void)blocklist_wish(a->blocks, m.jids[i], WISH_BLOCK);
	free(m.jids);
}

static void
take(struct account *a, struct blocklist *theirs)
{
	struct settling t = { a, theirs };
	const char **jids;

	if (blocklist_place(a->blocks) == BLOCKS_HERE)
		hand_over(a, theirs);
	blocklist_each(a->blocks, settle, &t);
	blocklist_each(a->blocks, apply, &t);
	jids = blocklist_jids(theirs);
	(void)blocklist_replace(a->blocks, jids, blocklist_count(theirs));
	free(jids);
	blocklist_set_place(a->blocks, BLOCKS_SERVERS);
	blocking_changed(a->user);
	block_set_send_wishes(a);
}

static void
too_long(struct account *a)
{
	log_event(LEVEL_ERROR, upstream_log_id(a->upstream),
	    "block-list-too-long", "account=%s", a->jid);
}

static void
load(struct account *a, const struct elem *list)
{
	struct blocklist *theirs = parse(a, list);

	if (theirs == NULL)
		too_long(a);
	else
		take(a, theirs);
	blocklist_free(&theirs);
}

static void
forget_wish(void *arg, const struct blocked *b)
{
	blocklist_forget_wish(arg, b->jid);
}

/* With what was on the list where the server did block. */
static void
block_ourselves(struct account *a)
{
	if (blocklist_place(a->blocks) == BLOCKS_HERE)
		return;
	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "blocking-here",
	    "account=%s reason=\"the server does not\"", a->jid);
	blocklist_each(a->blocks, forget_wish, a->blocks);
	blocklist_set_place(a->blocks, BLOCKS_HERE);
	block_here_hide_all(a);
	blocking_changed(a->user);
}

static bool
says_no(const struct elem *answer)
{
	const char *cond = stanza_error_cond(answer);

	return text_equals(cond, "service-unavailable") ||
	    text_equals(cond, "feature-not-implemented");
}

/* Whether a server blocks is known by asking it, whatever its disco#info says. */
static void
got_list(struct account *a, struct elem *answer, void *arg)
{
	struct elem *list = NULL;

	(void)arg;
	if (answer == NULL)
		return;
	if (stanza_type(answer) == TYPE_RESULT)
		list = elem_find(answer, NS_BLOCKING, "blocklist");
	if (list != NULL)
		load(a, list);
	else if (says_no(answer))
		block_ourselves(a);
	else
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "no-block-list", "account=%s condition=%s", a->jid,
		    LOG_Q(stanza_error_cond(answer)));
	answer_waiting(a);
}

static void
upstream_up(struct account *a)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "get");
	elem_child(iq, NS_BLOCKING, "blocklist");
	(void)account_ask(a, iq, NULL, got_list, NULL);
	arena_free(&arena);
}

/* --- pushes --- */

static int
push_block(struct account *a, const struct elem *block)
{
	struct blocklist *news = parse(a, block);
	const char **jids;
	int rc = 0;

	if (news == NULL)
		return -1;
	jids = blocklist_jids(news);
	for (size_t i = 0; i < blocklist_count(news); i++) {
		if (!blocklist_add(a->blocks, jids[i]) &&
		    !blocklist_has(a->blocks, jids[i]))
			rc = -1;
	}
	free(jids);
	blocklist_free(&news);
	return rc;
}

static void
push_unblock_from_server(struct account *a, const struct elem *unblock)
{
	const char *jid;

	if (elem_first(unblock) == NULL) {
		(void)blocklist_replace(a->blocks, NULL, 0);
		blocklist_note_cleared(a->blocks);
	}
	ELEM_EACH(e, unblock) {
		if ((jid = stanza_jid(e, "jid")) != NULL)
			(void)blocklist_remove(a->blocks, jid);
	}
}

static const char *
on_push(struct account *a, struct route *r)
{
	const struct elem *e = elem_first(r->stanza);

	if (r->from != NULL && strcmp(r->from, a->jid) != 0 &&
	    strcmp(r->from, a->domain) != 0)
		return NULL;
	account_answer(a, stanza_result(r->stanza));
	if (strcmp(e->name, "unblock") == 0)
		push_unblock_from_server(a, e);
	else if (push_block(a, e) == -1)
		too_long(a);
	blocking_changed(a->user);
	return "a push of the block list";
}

const struct module mod_blocking = {
	.name = "blocking",
	.xep = "XEP-0191",
	.features = (const char *const[]){ NS_BLOCKING, NULL },
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_BLOCKING,
						"blocklist", on_get,
						IQ_TO_SELF },
	    { TYPE_SET, NS_BLOCKING, "block", block_set_on_block, IQ_TO_SELF },
	    { TYPE_SET, NS_BLOCKING, "unblock", block_set_on_unblock,
		IQ_TO_SELF },
	    { 0 } },
	.peer_iqs = (const struct peer_iq_handler[]){ { TYPE_SET, NS_BLOCKING,
							  "block", on_push,
							  true },
	    { TYPE_SET, NS_BLOCKING, "unblock", on_push, true }, { 0 } },
	.upstream_up = upstream_up,
	.upstream_resumed = block_set_send_wishes,
	.account_load = block_kept_load,
	.session_resumed = session_resumed,
	.user_reloaded = blocking_changed,
	.session_gone = stop_waiting,
	.session_free = stop_waiting,
};
