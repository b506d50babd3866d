/*
 * The store: one SQLite file with the logs of all users and the state that survives
 * the process (custody.md). Everything is called in the loop's thread, but for
 * store_checkpoint(). A process that goes to the background does so before it opens it.
 *
 * Reading sees what is committed.
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/batch.h"
#include "core/entry.h"

struct store;

/* What a commit waits for: the disk, or the kernel alone (proxy.xml(5)). */
enum store_sync { STORE_SYNC_OFF, STORE_SYNC_NORMAL, STORE_SYNC_FULL };

/*
 * path ":memory:" keeps it in memory. Makes the file (mode 600) and brings an older
 * schema up to date; NULL and err: it cannot be read, is damaged, of a newer version,
 * or another process has it.
 */
struct store *store_open(const char *path, enum store_sync, struct err *);
void store_close(struct store **);

/* Goes up with each store_open(); from 1. */
uint64_t store_run(const struct store *);
/*
 * Whether streams of the run before may be resumed: not where commits may have been
 * lost (the machine was booted again under less than STORE_SYNC_FULL) or the file is
 * another one than then (a copy put back).
 */
bool store_may_resume(const struct store *);
/*
 * For tests alone: as if it had been closed and opened again, which a store in memory
 * does not survive.
 */
void store_reopened(struct store *);
#define STORE_KEY_SIZE 32
const unsigned char *store_key(const struct store *); /* random, of this file */

/* Finds or makes; never 0, never given twice. 0 and err where that fails. */
uint64_t store_user(struct store *, const char *name, struct err *);
uint64_t store_account(struct store *, uint64_t user, const char *jid,
    struct err *);

/*
 * All of the batch or nothing; one turn more waits to be folded. 0: it is as safe as
 * `synchronous` makes it, and the batch is cleared (or was empty). -1 and err: the batch
 * is as it was, and can be tried again.
 */
int store_commit(struct store *, struct batch *, struct err *);

/* --- state --- */

/* Each of that kind and owner, in the order of keys. Folds everything first. */
int store_each(struct store *, enum state_kind, uint64_t owner,
    void (*fn)(void *arg, const void *key, size_t key_len, const void *value,
	size_t len),
    void *arg, struct err *);
/*
 * Folding: at most so many redo records are written into the state and deleted.
 * *left: so many wait.
 */
int store_fold(struct store *, unsigned max, unsigned *left, struct err *);
unsigned store_unfolded(const struct store *);

/* --- logs --- */

#define STORE_SEQ_MAX ((UINT64_C(1) << 40) - 1)

enum rooms { ROOMS_TOO, ROOMS_NOT, ROOMS_ONLY };

struct store_query {
	uint64_t user;
	uint64_t from, to; /* from <= seq < to */
	bool backwards;    /* the highest first */
	unsigned limit;
	/* Filters; 0 or NULL: none. */
	uint64_t account;
	const char *bare;     /* of the peer; an index serves it */
	const char *resource; /* of the peer, besides bare */
	uint64_t start, end;  /* entry_when(), both inclusive */
	enum rooms rooms;
	unsigned archive; /* ARCHIVE_OF_*: what that one serves */
};
/*
 * Calls fn with each, which takes a reference of its own if it keeps it; it may
 * return false to end. fn does not call the store.
 */
int store_read(struct store *, const struct store_query *,
    bool (*fn)(void *arg, struct entry *), void *arg, struct err *);
/*
 * Makes the query's range so short that reading it looks at `rows` entries of a peer at
 * most, or of all numbers where it names none. What is left is for another read.
 */
int store_narrow(struct store *, struct store_query *, unsigned rows,
    struct err *);
/* The highest number in the user's log, as retention left it; 0: it is empty. */
uint64_t store_last(struct store *, uint64_t user);
/*
 * The first entry that was taken in (entry.stamp) at that time or later; the last + 1
 * where none was. In logarithmic time.
 */
uint64_t store_seq_at(struct store *, uint64_t user, uint64_t stamp);

/* Retention: deletes the oldest of a kind. */
struct store_trim {
	uint64_t user;
	enum rooms rooms; /* ROOMS_NOT or ROOMS_ONLY */
	uint64_t from;    /* none of the kind is below that number */
	unsigned max;     /* delete so many at most */
	uint64_t before;  /* only what was taken in before; UINT64_MAX: all */
	uint64_t below;   /* only what has a lower number; 0: all */
};
struct store_trimmed {
	unsigned count;
	uint64_t bytes; /* of their bodies */
	uint64_t from;  /* none of the kind is below it now */
};
int store_trim(struct store *, const struct store_trim *,
    struct store_trimmed *, struct err *);

/* --- the file --- */

/* The write-ahead log has grown so that it should be worked off. */
bool store_wants_checkpoint(const struct store *);
/*
 * Does that, on a connection of its own: it may run on another thread, one at a time,
 * beside everything but store_close(). What is committed meanwhile is left; where that
 * goes on without a pause, store_commit() copies the rest after it, now and then, so that
 * the log stays bounded.
 */
void store_checkpoint(struct store *);
/* Bytes that are free where the file is; UINT64_MAX in memory. */
uint64_t store_free_bytes(const struct store *);

#endif
