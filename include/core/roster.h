/*
 * An account's roster as the server last told it (RFC 6121 section 2), with its
 * version.
 */
#ifndef CORE_ROSTER_H
#define CORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pack.h"
#include "base/table.h"
#include "xmpp/elem.h"

/* Bits: both is to and from. */
enum subscription { SUB_NONE, SUB_TO, SUB_FROM, SUB_BOTH };
/* Of the attribute; what is missing or unknown is none (RFC 6121 2.1.2.5). */
enum subscription roster_subscription(const char *);

struct roster_item {
	char *jid; /* prepared; bare, as a rule (RFC 6121 2.1.2.4) */
	enum subscription subscription;
	/*
	 * <item/> as it came, as bytes for where jabber:iq:roster is in force.
	 */
	char *xml;
	uint64_t change; /* the number of the change that made it so */
	UT_hash_handle hh;
};

struct roster;

/*
 * Who keeps it on disk. xml NULL: that item was removed with this change.
 */
struct roster_keeper {
	void (*item)(void *arg, const char *jid, const char *xml,
	    uint64_t change);
	/* That it was removed is too long ago to be told any more. */
	void (*forgotten)(void *arg, const char *jid);
	void (*self)(void *arg); /* roster_pack() says something else now */
};

/*
 * At most `max` items; so many removals are remembered for those who have not heard of
 * them.
 */
struct roster *roster_new(size_t max, size_t removals);
void roster_free(struct roster **);
void roster_set_keeper(struct roster *, const struct roster_keeper *,
    void *arg);
/* As they were told the keeper; in any order. */
void roster_restore_item(struct roster *, const char *jid, const char *xml,
    uint64_t change);
void roster_pack(const struct roster *, struct buf *);
void roster_unpack(struct roster *, struct unpack *);
/* The number of the last change; goes up over restarts as well. */
uint64_t roster_changes(const struct roster *);
/*
 * Whether roster_each_since() has all: not where removals of after that one are
 * forgotten, nor for a number that was never reached.
 */
bool roster_can_tell(const struct roster *, uint64_t change);
/* All that changed after that one; xml NULL: removed. fn changes nothing. */
void roster_each_since(const struct roster *, uint64_t change,
    void (*fn)(void *arg, const char *jid, const char *xml), void *arg);
bool roster_is_known(const struct roster *); /* told at least once */
/* The server's `ver`; NULL where it has none. */
const char *roster_ver(const struct roster *);
/*
 * Our own, valid until the next call: a digest of the items, so that it says the same of
 * the same items alone, whatever happened meanwhile, over restarts too.
 */
const char *roster_own_ver(struct roster *);

/*
 * A whole roster (<query/>): what is not in it goes, its `ver` becomes ours.
 * -1: too many items, nothing has changed. Items that are no JID are skipped
 * and logged.
 */
int roster_load(struct roster *, const struct elem *query);
/*
 * One push (<query/> with one item); its `ver`, where it has one, becomes ours.
 * -1 where it is none, or over the limit. An item that is known keeps its
 * place.
 */
int roster_push(struct roster *, const struct elem *query);
void roster_set_ver(struct roster *, const char *ver);
/*
 * One item, of a roster that is made here; false: it was the same, it was not there.
 * jid of roster_drop() may be the item's own.
 */
bool roster_put(struct roster *, const char *jid, const char *xml,
    enum subscription);
bool roster_drop(struct roster *, const char *jid);
const struct roster_item *roster_find(const struct roster *, const char *jid);
size_t roster_count(const struct roster *);
/* Appends all items to a <query/>'s bytes, in the order of their arrival. */
void roster_write(const struct roster *, struct buf *);
/* In the order of their arrival; fn may change or drop the one that it gets. */
void roster_each(const struct roster *,
    void (*fn)(void *arg, const struct roster_item *), void *arg);
/* Whether the contact may see our presence. */
bool roster_sees_us(const struct roster *, const char *bare);

#endif
