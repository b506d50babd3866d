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
#include "mod/joint.h"
#include "xmpp/jid.h"

#define WISHES_PER_IQ 20 /* a server takes a stanza of 10,000 bytes at least */

/* What one server is told; no JIDs: unblock all. */
struct block_part {
	struct joint *all; /* NULL: of wishes */
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
part_new(struct joint *all, bool block, const char *const *jids, size_t count)
{
	struct block_part *p = mem_alloc(sizeof(*p));

	p->all = all;
	p->block = block;
	p->count = count;
	p->jids = mem_array(count, sizeof(*p->jids));
	for (size_t i = 0; i < count; i++)
		p->jids[i] = mem_strdup(jids[i]);
	return p;
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
	bool failed = false;

	if (answer == NULL)
		wish(a, p->block, (const char *const *)p->jids, p->count);
	else if (stanza_type(answer) == TYPE_RESULT)
		done(a, p->block, (const char *const *)p->jids, p->count);
	else
		failed = true;
	/* What is answered holds, whatever happens. */
	turn_urge(a->user->proxy);
	if (failed)
		joint_fail(p->all, elem_find(answer, NS_CLIENT, "error"));
	else
		joint_done(p->all);
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

/* Of one account, whose list it is to be in. */
static void
apply(struct account *a, struct joint *all, bool block, const char *const *jids,
    size_t count)
{
	enum block_place place = blocklist_place(a->blocks);

	if (place == BLOCKS_HERE) {
		done(a, block, jids, count);
		return;
	}
	if (place == BLOCKS_UNKNOWN && count == 0) {
		joint_open(all);
		joint_fail_with(all, ERR_REMOTE_SERVER_TIMEOUT,
		    "the server has not told the block list yet");
		return;
	}
	if (place == BLOCKS_UNKNOWN || !account_is_up(a)) {
		wish(a, block, jids, count);
		return;
	}
	joint_open(all);
	if (ask(a, part_new(all, block, jids, count), on_answer) == -1)
		joint_fail_with(all, ERR_RESOURCE_CONSTRAINT,
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

/* Own JIDs of the view, which a server's list may have, in the account's terms. */
static void
apply_mapped(struct session *s, struct account *a, struct joint *all,
    struct arena *arena, bool block, const char *const *jids, size_t count)
{
	struct address_map map = account_map_up(a, s);
	const char **mapped = arena_alloc(arena, (count + 1) * sizeof(*mapped));

	for (size_t i = 0; i < count; i++)
		mapped[i] = address_map(arena, &map, jids[i]);
	apply(a, all, block, mapped, count);
}

static const char *
on_set(struct session *s, struct route *r, bool block)
{
	size_t count;
	const char **jids = parse(s, r, block, &count);
	struct joint *all;
	struct account *a;

	if (jids == NULL)
		return "malformed, or about oneself";
	if (block && count == 0)
		return malformed(s, r, ERR_BAD_REQUEST, "block whom?");
	if (block && !have_room(s, count))
		return malformed(s, r, ERR_RESOURCE_CONSTRAINT,
		    "too many are blocked");
	if ((all = joint_new(s, r)) == NULL)
		return "too many open requests";
	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			apply_mapped(s, a, all, r->stanza->arena, block, jids,
			    count);
	}
	turn_urge(s->proxy); /* as above */
	joint_done(all);
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
