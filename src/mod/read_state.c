/*
 * Read state (XEP-0490) of N clients made one: it only moves forward, by the log's order;
 * what is older than what was published is answered here. Siblings hear of it as other
 * devices do, by the server's events.
 *
 * It has nothing to do with displayed markers (XEP-0333), which tell a contact: whoever
 * does not want that publishes alone (XEP-0490 section 7), so that neither is made of the
 * other, and each moves forward by itself.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/answered.h"
#include "core/proxy.h"
#include "core/read_state.h"
#include "core/session.h"
#include "mod/modules.h"

/* So many are remembered while they are on their way: each new one looks at them. */
#define PUBLISHES_MAX 256

/* On its way, until the server has answered or no answer comes any more. */
struct publish {
	TAILQ_ENTRY(publish) next;
	uint64_t session, seq, until;
	char *asked_id, *chat;
};

TAILQ_HEAD(publish_list, publish);

struct publishes {
	struct publish_list all; /* the oldest first */
	unsigned count;
};

static void
forget(struct account *a, struct publish *p)
{
	TAILQ_REMOVE(&a->publishes->all, p, next);
	a->publishes->count--;
	free(p->asked_id);
	free(p->chat);
	free(p);
}

static void
forget_all(struct account *a)
{
	struct publish *p;

	while (a->publishes != NULL &&
	    (p = TAILQ_FIRST(&a->publishes->all)) != NULL)
		forget(a, p);
}

static void
forget_late(struct account *a)
{
	struct publish *p;

	while (a->publishes != NULL &&
	    (p = TAILQ_FIRST(&a->publishes->all)) != NULL &&
	    p->until <= clock_now())
		forget(a, p);
}

static void
note(struct account *a, const struct session *s, const struct route *r,
    const char *chat, uint64_t seq)
{
	struct publish *p = mem_alloc(sizeof(*p));

	if (a->publishes == NULL) {
		a->publishes = mem_alloc(sizeof(*a->publishes));
		TAILQ_INIT(&a->publishes->all);
	}
	p->session = s->id;
	p->seq = seq;
	p->until = clock_now() + s->proxy->config->limits.iq_seconds * 1000;
	p->asked_id = mem_strdup(r->id);
	p->chat = mem_strdup(chat);
	TAILQ_INSERT_TAIL(&a->publishes->all, p, next);
	if (++a->publishes->count > PUBLISHES_MAX)
		forget(a, TAILQ_FIRST(&a->publishes->all));
}

static void
displayed(struct account *a, const char *chat, uint64_t seq)
{
	uint64_t last;

	if (!answered_get(a, ANSWERED_READ, chat, NULL, &last) || seq > last)
		answered_set(a, ANSWERED_READ, chat, NULL, seq);
}

/* --- from a client --- */

/* The same as one that is on its way may be its repetition, after an error. */
static bool
is_older(struct account *a, const char *chat, uint64_t seq)
{
	const struct publish *p;
	uint64_t last;

	if (answered_get(a, ANSWERED_READ, chat, NULL, &last) && seq <= last)
		return true;
	if (a->publishes == NULL)
		return false;
	TAILQ_FOREACH(p, &a->publishes->all, next) {
		if (seq < p->seq && strcmp(p->chat, chat) == 0)
			return true;
	}
	return false;
}

/* false: it is nothing new. What is not in the log passes. */
static bool
take_item(struct session *s, struct account *a, const struct route *r,
    struct elem *item, unsigned *searches)
{
	const char *chat = read_state_chat(a, item);
	uint64_t seq = read_state_place(a, item, searches);

	if (seq != 0 && is_older(a, chat, seq))
		return false;
	if (seq != 0)
		note(a, s, r, chat, seq);
	read_state_up(s, a, item);
	return true;
}

static const char *
on_publish(struct session *s, struct route *r)
{
	struct elem *publish = read_state_publish(r->stanza), *item, *next;
	const char *reason;
	struct account *a;
	unsigned searches = READ_STATE_SEARCHES;
	bool is_empty;

	if (publish == NULL || (item = elem_first(publish)) == NULL)
		return NULL;
	a = session_route(s, r->stanza->arena, NULL, &reason);
	if (!account_is_up(a))
		return NULL;
	forget_late(a);
	for (; item != NULL; item = next) {
		next = elem_next(item);
		if (!take_item(s, a, r, item, &searches))
			elem_remove(item);
	}
	is_empty = elem_first(publish) == NULL;
	if (is_empty)
		session_reply(s, r, NULL);
	return is_empty ? "later messages were displayed already" : NULL;
}

/*
 * Publishing by a message to the contact is the server's offer, which clients are not
 * told of: what it is to take out would stand in the log and in copies. Nor may it reach
 * the contact.
 */
static const char *
from_client(struct session *s, struct route *r)
{
	struct elem *e;

	(void)s;
	while (r->kind == STANZA_MESSAGE &&
	    (e = elem_find(r->stanza, NS_MDS, NULL)) != NULL)
		elem_remove(e);
	return NULL;
}

/* --- from upstream --- */

static void
finish(struct account *a, const struct iq *iq, bool is_done)
{
	struct publish *p, *next;

	if (a->publishes == NULL)
		return;
	for (p = TAILQ_FIRST(&a->publishes->all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, next);
		if (p->session != iq->session ||
		    !text_equals(p->asked_id, iq->asked_id))
			continue;
		if (is_done)
			displayed(a, p->chat, p->seq);
		forget(a, p);
	}
}

/* What the server has, whoever published it. */
static void
learn(struct account *a, const struct elem *items)
{
	unsigned searches = READ_STATE_SEARCHES;
	const char *chat;
	uint64_t seq;

	ELEM_EACH(item, items) {
		if ((chat = read_state_chat(a, item)) == NULL)
			continue;
		if (elem_is(item, NS_PUBSUB_EVENT, "retract"))
			answered_forget(a, ANSWERED_READ, chat, NULL);
		else if ((seq = read_state_place(a, item, &searches)) != 0)
			displayed(a, chat, seq);
	}
}

static void
take_answer(struct account *a, struct route *r)
{
	const struct iq *iq = iq_table_find(a->iqs, r->id);
	struct elem *items = read_state_items(r->stanza);
	struct session *s;

	if (iq == NULL || iq->session == 0)
		return;
	finish(a, iq, r->type == TYPE_RESULT);
	if (items == NULL || r->type != TYPE_RESULT)
		return;
	learn(a, items);
	s = proxy_find_session(a->user->proxy, iq->session);
	if (s != NULL)
		read_state_down(s, a, items);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	if (r->kind == STANZA_IQ && r->id != NULL &&
	    (r->type == TYPE_RESULT || r->type == TYPE_ERROR) &&
	    account_is_own(a, r->from))
		take_answer(a, r);
	if (r->kind == STANZA_MESSAGE &&
	    read_state_is_own(a, r->from, r->stanza))
		learn(a, read_state_event(r->stanza));
	else if (r->kind == STANZA_MESSAGE && r->type != TYPE_ERROR &&
	    read_state_is_gone(a, r->from, r->stanza))
		answered_forget_all(a, ANSWERED_READ);
	return NULL;
}

static void
account_free_publishes(struct account *a)
{
	forget_all(a);
	free(a->publishes);
	a->publishes = NULL;
}

const struct module mod_read_state = {
	.name = "read-state",
	.xep = "XEP-0490",
	.hidden = (const char *const[]){ NS_MDS_ASSIST, NULL },
	.iqs = (const struct iq_handler[]){ { TYPE_SET, NS_PUBSUB, "pubsub",
						on_publish, IQ_TO_SELF },
	    { 0 } },
	.from_client = from_client,
	.from_upstream = from_upstream,
	.upstream_down = forget_all,
	.account_free = account_free_publishes,
};
