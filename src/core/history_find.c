/*
 * What the log has of one conversation: the last thousand entries by their ids, which
 * are in memory as short keys, and what is older in the store.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "history_impl.h"
#include "xmpp/jid.h"

/* How far back history_find() looks; a power of two. That of entry n is at n % KEYS. */
#define KEYS   1024
#define SEARCH 256 /* entries of one peer that history_search() looks at */
#define WARM   256 /* and how many of the keys are read again after a start */

/* --- keys --- */

/* Short ones: who finds one looks at the entry as well. */
static uint16_t
key_of(uint64_t account, enum direction direction, const char *peer,
    const char *id)
{
	uint64_t numbers[2] = { account, direction };
	uint32_t key;
	uint16_t half;

	key = table_hash(numbers, sizeof(numbers)) ^
	    table_hash(peer, jid_bare_len(peer)) * 3 ^
	    table_hash(id, strlen(id)) * 5;
	half = (uint16_t)(key ^ key >> 16);
	return half != 0 ? half : 1;
}

static void
note_key(struct history *h, const struct entry *e)
{
	h->keys[e->seq % KEYS] = e->peer != NULL && e->id != NULL ?
	    key_of(e->account, e->direction, e->peer, e->id) :
	    0;
}

static bool
warm_one(void *arg, struct entry *e)
{
	note_key(arg, e);
	return true;
}

/* The hashes are seeded anew at each start, so they are not kept on disk. */
static void
warm(struct history *h)
{
	struct store_query q = { .user = h->user,
		.from = h->next > WARM ? h->next - WARM : 1,
		.to = h->next,
		.limit = WARM };

	if (h->keys != NULL)
		return;
	h->keys = mem_array(KEYS, sizeof(*h->keys));
	if (q.from < q.to)
		(void)store_read(h->store, &q, warm_one, h, NULL);
	for (size_t i = 0; i < h->tail.count; i++)
		note_key(h, h->tail.entries[i]);
}

void
history_note_key(struct history *h, const struct entry *e)
{
	warm(h);
	note_key(h, e);
}

/* --- finding --- */

static bool
is_that(const struct entry *e, uint64_t account, enum direction direction,
    const char *peer, const char *id)
{
	return e->account == account && e->direction == direction &&
	    e->id != NULL && strcmp(e->id, id) == 0 && e->peer != NULL &&
	    jid_same_bare(e->peer, peer);
}

struct entry *
history_find(struct history *h, uint64_t account, enum direction direction,
    const char *peer, const char *id)
{
	uint16_t key = key_of(account, direction, peer, id);
	uint64_t last = h->next > KEYS ? h->next - KEYS : 1;
	struct entry *e;

	warm(h);
	for (uint64_t seq = h->next - 1; seq >= last; seq--) {
		if (h->keys[seq % KEYS] != key)
			continue;
		e = history_at(h, seq);
		if (e != NULL && is_that(e, account, direction, peer, id))
			return e;
	}
	return NULL;
}

struct entry *
history_find_same(struct history *h, const struct entry *e,
    enum direction direction)
{
	struct entry *found = NULL;

	if (e->id != NULL)
		found = history_find(h, e->account, direction, e->peer, e->id);
	return found != NULL && entry_has_same_body(found, e) ? found : NULL;
}

struct look {
	struct history *history;
	bool (*is)(void *arg, const struct entry *);
	void *arg;
};

static bool
look_at(void *arg, struct entry *e)
{
	struct look *l = arg;
	struct page *p = &l->history->read;

	if (!l->is(l->arg, e))
		return true;
	history_page_clear(p);
	history_page_add(p, entry_ref(e));
	p->from = e->seq;
	p->to = e->seq + 1;
	return false;
}

static struct entry *
look_in_store(struct history *h, uint64_t account, const char *peer,
    struct look *l)
{
	char *bare = mem_strndup(peer, jid_bare_len(peer));
	struct store_query q = { .user = h->user,
		.from = 1,
		.to = h->tail.from,
		.backwards = true,
		.limit = SEARCH,
		.account = account,
		.bare = bare };

	history_page_clear(&h->read);
	(void)store_read(h->store, &q, look_at, l, NULL);
	free(bare);
	return h->read.count > 0 ? h->read.entries[0] : NULL;
}

struct entry *
history_look(struct history *h, uint64_t account, const char *peer,
    bool (*is)(void *arg, const struct entry *), void *arg)
{
	struct look l = { h, is, arg };
	struct entry *e;

	for (size_t i = h->tail.count; i > 0; i--) {
		e = h->tail.entries[i - 1];
		if (e->account == account && e->peer != NULL &&
		    jid_same_bare(e->peer, peer) && is(arg, e))
			return e;
	}
	return look_in_store(h, account, peer, &l);
}

struct search {
	uint64_t account;
	enum direction direction;
	const char *peer, *id;
};

static bool
is_searched(void *arg, const struct entry *e)
{
	const struct search *s = arg;

	return is_that(e, s->account, s->direction, s->peer, s->id);
}

struct entry *
history_search(struct history *h, uint64_t account, enum direction direction,
    const char *peer, const char *id)
{
	struct entry *e = history_find(h, account, direction, peer, id);
	struct search s = { account, direction, peer, id };

	return e != NULL ? e : history_look(h, account, peer, is_searched, &s);
}

static bool
is_talk(const struct entry *e, const char *bare)
{
	return e->class == CLASS_ARCHIVE && !e->failed && e->peer != NULL &&
	    jid_same_bare(e->peer, bare);
}

struct talk {
	const char *bare;
	uint64_t account;
};

static bool
talk_one(void *arg, struct entry *e)
{
	struct talk *t = arg;

	if (!is_talk(e, t->bare))
		return true;
	t->account = e->account;
	return false;
}

uint64_t
history_account_of(struct history *h, const char *bare)
{
	struct talk t = { .bare = bare };
	struct store_query q = { .user = h->user,
		.from = 1,
		.to = h->tail.from,
		.backwards = true,
		.limit = SEARCH,
		.bare = bare };

	for (size_t i = h->tail.count; i > 0; i--) {
		if (!talk_one(&t, h->tail.entries[i - 1]))
			return t.account;
	}
	(void)store_read(h->store, &q, talk_one, &t, NULL);
	return t.account;
}
