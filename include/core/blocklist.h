/*
 * Who is blocked (XEP-0191): an account's list as its server last told it or as we keep
 * it ourselves, with what the person wants and the server does not know yet; or the
 * union of a user's. Changes are numbered, so that a session can be told those that it
 * did not hear of.
 */
#ifndef CORE_BLOCKLIST_H
#define CORE_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pack.h"
#include "base/table.h"

enum block_wish { WISH_NONE, WISH_BLOCK, WISH_UNBLOCK };

/* Whose work blocking is: of the union, nobody's. */
enum block_place { BLOCKS_UNKNOWN, BLOCKS_SERVERS, BLOCKS_HERE };

struct blocked {
	UT_hash_handle hh;
	bool is_blocked; /* false: it was once, or there is but a wish */
	enum block_wish wish;
	uint64_t change; /* the number of the last change; 0: none */
	uint64_t since;  /* wall ms: is_blocked became true */
	char jid[];      /* prepared */
};

struct blocklist;

/* Who keeps it on disk. */
struct blocklist_keeper {
	void (*item)(void *arg, const struct blocked *);
	void (*forgotten)(void *arg, const char *jid);
	void (*self)(void *arg); /* blocklist_pack() says something else now */
};

/* At most `max` that are blocked, or that there is a wish for. */
struct blocklist *blocklist_new(size_t max);
void blocklist_free(struct blocklist **);
void blocklist_set_keeper(struct blocklist *, const struct blocklist_keeper *,
    void *arg);
bool blocklist_is_kept(const struct blocklist *); /* it has a keeper */
/* As they were told the keeper; in any order. */
void blocklist_restore(struct blocklist *, const char *jid, struct unpack *);
void blocklist_pack_item(const struct blocked *, struct buf *);
void blocklist_pack(const struct blocklist *, struct buf *);
void blocklist_unpack(struct blocklist *, struct unpack *);

enum block_place blocklist_place(const struct blocklist *);
void blocklist_set_place(struct blocklist *, enum block_place);
size_t blocklist_count(const struct blocklist *); /* that are blocked */
bool blocklist_has(const struct blocklist *, const char *jid);
/* Whether `count` more would fit. */
bool blocklist_has_room(const struct blocklist *, size_t count);
/* false: it was so already, or there is no room. */
bool blocklist_add(struct blocklist *, const char *jid);
bool blocklist_remove(struct blocklist *, const char *jid);
/* Those are blocked, and no others. -1: too many, nothing has changed. */
int blocklist_replace(struct blocklist *, const char *const *jids,
    size_t count);

/* The last change was that all were unblocked at once; not kept over a restart. */
void blocklist_note_cleared(struct blocklist *);
bool blocklist_was_cleared(const struct blocklist *);

/*
 * What the server has to be told: it is blocked, or not any more, from now on. The last
 * wish for a JID counts. false: no room.
 */
bool blocklist_wish(struct blocklist *, const char *jid, enum block_wish);
/* The server has been told, or will not hear of it. */
void blocklist_forget_wish(struct blocklist *, const char *jid);

/* All of the table, in the order of their last change; fn may forget wishes. */
void blocklist_each(const struct blocklist *,
    void (*fn)(void *arg, const struct blocked *), void *arg);
/*
 * The blocklist_count() that are blocked, in that order. The caller frees the array; the
 * list has the JIDs, as long as they are in its table.
 */
const char **blocklist_jids(const struct blocklist *);

/*
 * What blocks that full or bare JID, in the order of section 6: itself (of a domain, too,
 * domain/resource means that one alone), its bare JID, its domain. NULL: nothing does.
 * wished: of wishes alone.
 */
const struct blocked *blocklist_match(const struct blocklist *, const char *jid,
    bool wished);

/* The number of the last change; goes up over restarts as well. */
uint64_t blocklist_changes(const struct blocklist *);
/*
 * Whether what changed after that one is still known; if not, somebody who heard of
 * nothing since can only be told all.
 */
bool blocklist_knows_since(const struct blocklist *, uint64_t change);

#endif
