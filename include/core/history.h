/*
 * The user's log: messages, in and out, in one order, which every session follows.
 * It is in the store; the end of it, and what a follower reads just now, is in memory.
 * Numbers may have holes: rooms and chats are kept for different times.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pack.h"
#include "core/entry.h"
#include "core/store.h"

struct batch;
struct history;

/* Both are borrowed. The log of that user goes on where it ended. */
struct history *history_new(struct store *, struct batch *, uint64_t user);
void history_free(struct history **);
/*
 * Takes the reference, gives the number, and puts it into the batch. What the entry
 * consists of does not change from here on.
 */
void history_append(struct history *, struct entry *);
/* The number of the next to come; the first is 1. */
uint64_t history_next(const struct history *);
/* No entry is below it. */
uint64_t history_floor(const struct history *);
uint64_t history_kept(const struct history *); /* so many are there */
/* The first entry from that number on; NULL: there is none. Borrowed until the next call. */
struct entry *history_from(struct history *, uint64_t seq);
/* Why that could not be read, so that NULL says nothing; NULL: it could. */
const char *history_trouble(const struct history *);
/* The entry with that number, or NULL; as above. */
struct entry *history_at(struct history *, uint64_t seq);
/* How many are kept, about; those of rooms, or the others. */
uint64_t history_count(const struct history *, enum rooms);
/* From that number on all are in memory; those before are committed. */
uint64_t history_tail(const struct history *);
/* entry_when() goes back that far behind the order of the log, if at all. */
uint64_t history_max_late(const struct history *);

/*
 * The newest entry of that account, direction, id, and bare peer (of `peer`, which may
 * have a resource), among the last thousand; NULL where there is none.
 */
struct entry *history_find(struct history *, uint64_t account, enum direction,
    const char *peer, const char *id);
/*
 * As history_find() for what that entry says, but in that direction, where its body is
 * the same: ids are the senders' own. NULL also where the entry has no id.
 */
struct entry *history_find_same(struct history *, const struct entry *,
    enum direction);
/* As history_find(), among the last of that peer, however old; slower. */
struct entry *history_search(struct history *, uint64_t account, enum direction,
    const char *peer, const char *id);

/*
 * The newest that `is` says yes to, among the last of that account and bare peer (of
 * `peer`, as above), however old; slow. Borrowed.
 */
struct entry *history_look(struct history *, uint64_t account, const char *peer,
    bool (*is)(void *arg, const struct entry *), void *arg);
/*
 * The account of the last conversation with that bare JID: of the newest entry of the
 * archive's class, among the last of that peer; 0 where there is none.
 */
uint64_t history_account_of(struct history *, const char *bare);

/* Retention (limits.h): how much is kept of chats and, apart from them, of rooms. */
struct history_limits {
	uint64_t chats, chat_bytes, rooms;
	uint64_t chats_before, rooms_before; /* wall ms: what is older goes */
	uint64_t
	    needed; /* what has that number or a higher one stays; 0: none */
};
/* Deletes some of what is too much or too old; true: there is more to do. */
bool history_trim(struct history *, const struct history_limits *);
bool history_is_over(const struct history *, const struct history_limits *);

/* Its counts, for what is kept on disk. */
void history_pack(const struct history *, struct buf *);
void history_unpack(struct history *, struct unpack *);

#endif
