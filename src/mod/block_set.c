/*
 * What a client wants blocked or unblocked (XEP-0191 3.3 to 3.5): for its account, or in
 * node view for each. Where the server is away it waits, on disk, and counts as done:
 * who blocks somebody does not want to try again, and nothing comes from there meanwhile.
 * One answer to the client, when all servers have given theirs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/upstream.h"
#include "mod/blocking.h"
#include "xmpp/jid.h"
#include "xmpp/xml.h"

#define WISHES_PER_IQ 20 /* a server takes a stanza of 10,000 bytes at least */

/* A client's request, until all that were asked have answered. */
struct block_set {
	uint64_t session;
	char *id, *to;
	unsigned open;
	char *error; /* the first, as bytes of jabber:client; or NULL */
};

/* What one server is told; no JIDs: unblock all. */
struct block_part {
	struct block_set *set; /* NULL: of wishes */
	bool block;
	char **jids;
	size_t count;
};

static void
part_free(struct block_part *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->jids[i]);
	free(p->jids);
	free(p);
}

static struct block_part *
part_new(struct block_set *set, bool block, const char *const *jids,
    size_t count)
{
	struct block_part *p = mem_alloc(sizeof(*p));

	p->set = set;
	p->block = block;
	p->count = count;
	p->jids = mem_array(count, sizeof(*p->jids));
	for (size_t i = 0; i < count; i++)
		p->jids[i] = mem_strdup(jids[i]);
	return p;
}

/* --- the answer --- */

static void
set_error(struct block_set *set, const struct elem *error)
{
	struct buf b = { 0 };

	if (set->error != NULL || error == NULL)
		return;
	elem_write(&b, error, NS_CLIENT);
	set->error = buf_take(&b);
}

static void
reply(struct session *s, const struct block_set *set)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *error = NULL;

	if (set->error != NULL)
		error = xml_parse_own(arena, set->error, strlen(set->error),
		    NS_CLIENT);
	elem_set(iq, "type", error != NULL ? "error" : "result");
	elem_set(iq, "id", set->id);
	elem_set(iq, "from", set->to != NULL ? set->to : s->bare);
	elem_set(iq, "to", s->full);
	if (error != NULL)
		elem_append(iq, error);
	session_send(s, iq);
	arena_free(&arena);
}

static void
one_less(struct proxy *proxy, struct block_set *set)
{
	struct session *s;

	if (--set->open > 0)
		return;
	/* What is answered holds, whatever happens. */
	turn_urge(proxy);
	if ((s = proxy_find_session(proxy, set->session)) != NULL) {
		s->block_sets--;
		if (!s->closing)
			reply(s, set);
	}
	free(set->id);
	free(set->to);
	free(set->error);
	free(set);
}

/* --- what becomes of the list --- */

static void
change(struct account *a, bool block, const char *jid)
{
	bool here = blocklist_place(a->blocks) == BLOCKS_HERE;

	blocklist_forget_wish(a->blocks, jid);
	if (block && blocklist_add(a->blocks, jid) && here)
		block_here_hide(a, jid);
	if (!block && blocklist_remove(a->blocks, jid) && here)
		block_here_show(a, jid);
}

/* As it is from now on, or once the server knows. */
static void
done(struct account *a, bool block, const char *const *jids, size_t count)
{
	const char **all = NULL;

	if (count == 0) {
		jids = all = blocklist_jids(a->blocks);
		count = blocklist_count(a->blocks);
	}
	for (size_t i = 0; i < count; i++)
		change(a, block, jids[i]);
	if (all != NULL)
		blocklist_note_cleared(a->blocks);
	free(all);
}

static void
wish(struct account *a, bool block, const char *const *jids, size_t count)
{
	const char **all = NULL;

	if (count == 0) {
		jids = all = blocklist_jids(a->blocks);
		count = blocklist_count(a->blocks);
	}
	for (size_t i = 0; i < count; i++) {
		if (!blocklist_wish(a->blocks, jids[i],
			block ? WISH_BLOCK : WISH_UNBLOCK))
			log_event(LEVEL_WARN, upstream_log_id(a->upstream),
			    "block-lost", "jid=%s reason=\"too many\"",
			    LOG_Q(jids[i]));
	}
	if (all != NULL)
		blocklist_note_cleared(a->blocks);
	free(all);
}

/* --- asking the server --- */

static struct elem *
request(struct arena *arena, const struct block_part *p)
{
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *e;

	elem_set(iq, "type", "set");
	e = elem_child(iq, NS_BLOCKING, p->block ? "block" : "unblock");
	for (size_t i = 0; i < p->count; i++)
		elem_set(elem_child(e, NS_BLOCKING, "item"), "jid", p->jids[i]);
	return iq;
}

/* No answer: the link is lost, or the server silent. Then it waits for the next one. */
static void
on_answer(struct account *a, struct elem *answer, void *arg)
{
	struct block_part *p = arg;

	if (answer == NULL)
		wish(a, p->block, (const char *const *)p->jids, p->count);
	else if (stanza_type(answer) == TYPE_RESULT)
		done(a, p->block, (const char *const *)p->jids, p->count);
	else
		set_error(p->set, elem_find(answer, NS_CLIENT, "error"));
	one_less(a->user->proxy, p->set);
	part_free(p);
	blocking_changed(a->user);
}

static int
ask(struct account *a, struct block_part *p,
    void (*answered)(struct account *, struct elem *, void *))
{
	struct arena *arena = arena_new();
	int rc = account_ask(a, request(arena, p), NULL, answered, p);

	arena_free(&arena);
	if (rc == -1)
		part_free(p);
	return rc;
}

static void
refuse(struct block_set *set, struct elem *stanza, enum error_cond cond,
    const char *text)
{
	set_error(set,
	    elem_find(stanza_error(stanza, cond, text), NS_CLIENT, "error"));
}

/* Of one account, whose list it is to be in. */
static void
apply(struct account *a, struct block_set *set, struct route *r, bool block,
    const char *const *jids, size_t count)
{
	enum block_place place = blocklist_place(a->blocks);

	if (place == BLOCKS_HERE) {
		done(a, block, jids, count);
		return;
	}
	if (place == BLOCKS_UNKNOWN && count == 0) {
		refuse(set, r->stanza, ERR_REMOTE_SERVER_TIMEOUT,
		    "the server has not told the block list yet");
		return;
	}
	if (place == BLOCKS_UNKNOWN || !account_is_up(a)) {
		wish(a, block, jids, count);
		return;
	}
	set->open++;
	if (ask(a, part_new(set, block, jids, count), on_answer) == 0)
		return;
	set->open--;
	refuse(set, r->stanza, ERR_RESOURCE_CONSTRAINT,
	    "the account's server does not take it");
}

/* --- requests of clients --- */

/*
 * An own account or its server: the person would be cut off from what that does, and
 * a list is for others (XEP-0191 5). Nor does the node's domain ever go up.
 */
static bool
is_own(const struct session *s, const char *jid)
{
	const struct account *a;

	if (proxy_is_at_node(s->proxy, jid))
		return true;
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) &&
		    (jid_same_bare(jid, a->jid) ||
			jid_same_bare(jid, a->domain)))
			return true;
	}
	return false;
}

static const char *
malformed(struct session *s, struct route *r, enum error_cond cond,
    const char *why)
{
	session_reply_error(s, r, cond, why);
	return why;
}

/* NULL: an answer has been given; the array lives in the arena. */
static const char **
parse(struct session *s, struct route *r, bool block, size_t *count)
{
	struct arena *arena = r->stanza->arena;
	size_t n = 0;
	const char **jids, *jid;

	ELEM_EACH(e, elem_first(r->stanza))
		n++;
	jids = arena_alloc(arena, (n + 1) * sizeof(*jids));
	*count = 0;
	ELEM_EACH(e, elem_first(r->stanza)) {
		jid = elem_attr(e, "jid");
		if (jid == NULL || !elem_is(e, NS_BLOCKING, "item")) {
			malformed(s, r, ERR_BAD_REQUEST, "an item has a jid");
			return NULL;
		}
		if ((jid = jid_prep(arena, jid, NULL)) == NULL) {
			malformed(s, r, ERR_JID_MALFORMED, "that is no JID");
			return NULL;
		}
		if (block && is_own(s, jid)) {
			malformed(s, r, ERR_NOT_ALLOWED,
			    "that is you, or your server");
			return NULL;
		}
		jids[(*count)++] = jid;
	}
	return jids;
}

/* As if each were another. */
static bool
have_room(const struct session *s, size_t count)
{
	const struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) && !blocklist_has_room(a->blocks, count))
			return false;
	}
	return true;
}

static struct block_set *
set_new(struct session *s, const struct route *r)
{
	struct block_set *set = mem_alloc(sizeof(*set));

	set->session = s->id;
	set->id = mem_strdup(r->id);
	set->to = mem_strdup(elem_attr(r->stanza, "to"));
	set->open = 1;
	s->block_sets++;
	return set;
}

/* Own JIDs of the view, which a server's list may have, in the account's terms. */
static void
apply_mapped(struct session *s, struct account *a, struct block_set *set,
    struct route *r, bool block, const char *const *jids, size_t count)
{
	struct arena *arena = r->stanza->arena;
	struct address_map map = account_map_up(a, s);
	const char **mapped = arena_alloc(arena, (count + 1) * sizeof(*mapped));

	for (size_t i = 0; i < count; i++)
		mapped[i] = address_map(arena, &map, jids[i]);
	apply(a, set, r, block, mapped, count);
}

static const char *
on_set(struct session *s, struct route *r, bool block)
{
	size_t count;
	const char **jids = parse(s, r, block, &count);
	struct block_set *set;
	struct account *a;

	if (jids == NULL)
		return "malformed, or about oneself";
	if (block && count == 0)
		return malformed(s, r, ERR_BAD_REQUEST, "block whom?");
	if (block && !have_room(s, count))
		return malformed(s, r, ERR_RESOURCE_CONSTRAINT,
		    "too many are blocked");
	if (s->block_sets >= s->proxy->config->limits.iqs_per_session)
		return malformed(s, r, ERR_RESOURCE_CONSTRAINT,
		    "too many open requests");
	set = set_new(s, r);
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			apply_mapped(s, a, set, r, block, jids, count);
	}
	one_less(s->proxy, set);
	blocking_changed(s->user);
	return "to each account that it sees";
}

const char *
block_set_on_block(struct session *s, struct route *r)
{
	return on_set(s, r, true);
}

const char *
block_set_on_unblock(struct session *s, struct route *r)
{
	return on_set(s, r, false);
}

/* --- wishes --- */

/* What a server refuses for good is not so. */
static void
give_up(struct account *a, const struct block_part *p, const char *cond)
{
	for (size_t i = 0; i < p->count; i++) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "block-refused", "jid=%s block=%s condition=%s",
		    LOG_Q(p->jids[i]), p->block ? "yes" : "no", LOG_Q(cond));
		blocklist_forget_wish(a->blocks, p->jids[i]);
		if (p->block)
			(void)blocklist_remove(a->blocks, p->jids[i]);
		else
			(void)blocklist_add(a->blocks, p->jids[i]);
	}
}

static void
wish_answered(struct account *a, struct elem *answer, void *arg)
{
	struct block_part *p = arg;
	const struct elem *error;

	if (answer != NULL && stanza_type(answer) == TYPE_RESULT) {
		for (size_t i = 0; i < p->count; i++)
			blocklist_forget_wish(a->blocks, p->jids[i]);
	} else if (answer != NULL) {
		error = elem_find(answer, NS_CLIENT, "error");
		/* Else it is tried again at the next login. */
		if (error == NULL ||
		    !text_equals(elem_attr(error, "type"), "wait"))
			give_up(a, p, stanza_error_cond(answer));
	}
	part_free(p);
	blocking_changed(a->user);
}

struct wishes {
	enum block_wish wish;
	const char *jids[WISHES_PER_IQ];
	size_t count;
	struct account *account;
};

static void
send_collected(struct wishes *w)
{
	if (w->count > 0)
		(void)ask(w->account,
		    part_new(NULL, w->wish == WISH_BLOCK, w->jids, w->count),
		    wish_answered);
	w->count = 0;
}

static void
collect_wish(void *arg, const struct blocked *b)
{
	struct wishes *w = arg;

	if (b->wish != w->wish)
		return;
	w->jids[w->count++] = b->jid;
	if (w->count == WISHES_PER_IQ)
		send_collected(w);
}

static void
send_wishes(struct account *a, enum block_wish wish)
{
	struct wishes w = { .wish = wish, .account = a };

	blocklist_each(a->blocks, collect_wish, &w);
	send_collected(&w);
}

void
block_set_send_wishes(struct account *a)
{
	if (blocklist_place(a->blocks) != BLOCKS_SERVERS)
		return;
	send_wishes(a, WISH_UNBLOCK);
	send_wishes(a, WISH_BLOCK);
}
