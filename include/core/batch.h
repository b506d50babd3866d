/*
 * What a turn takes into custody, until it is committed: entries of logs, and one redo
 * record of changed state (custody.md, "What is committed"). Memory alone; store.h
 * writes it.
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/entry.h"

/* Of what a piece of state is. Numbers on disk: they never change. */
enum state_kind {
	STATE_USER = 1,     /* owner: the user; its own things */
	STATE_DEVICE = 2,   /* owner: the user; key: the device's id */
	STATE_SESSION = 3,  /* owner: the user; key: the session's id */
	STATE_COUNTERS = 4, /* the same: numbers, which change often */
	STATE_OPEN_IQS = 5, /* the same: requests without an answer */
	STATE_ACCOUNT = 6,  /* owner: the account; its own things */
	STATE_UPSTREAM =
	    7,            /* owner: the account: numbers, which change often */
	STATE_OUTBOX = 8, /* owner: the account; key: the parcel's number */
	STATE_ROSTER =
	    9, /* owner: the account; key: bare JID, "": of the whole */
	STATE_REQUEST = 10,  /* owner: the account; key: bare JID */
	STATE_PRESENCE = 11, /* owner: the account; key: full JID */
	STATE_INFO = 12, /* owner: the account; key: "own", "domain", "items" */
	STATE_PREFS =
	    13, /* owner: the user; key: the account's id, 0: node view */
	/* 14 was never written. */
	STATE_ENDED = 15,   /* owner: the user; key: the session's id */
	STATE_SIBLING = 16, /* owner: the user; key: view and resource */
	STATE_BLOCK =
	    17, /* owner: the user; key: the account's id, 0: the union;
			     and the JID, "": of the whole */
	STATE_EVENT = 18, /* owner: the account; key: the event's number */
	STATE_CAPS = 19,  /* owner: the user; key: of features_kept.h */
	STATE_NODE_ROSTER = 20, /* owner: the user; key: as of STATE_ROSTER */
	STATE_READ = 21,        /* owner: the user; key: answered.c's */
};

struct batch_entry {
	uint64_t user;
	struct entry *entry;
};

struct batch {
	struct batch_entry *entries;
	size_t count, cap;
	struct buf record; /* of all puts and deletes, in order */
	bool urgent;       /* it holds custody: it is committed in this turn */
};

void batch_init(struct batch *);
void batch_fini(struct batch *);
bool batch_is_empty(const struct batch *);
/* Takes a reference of its own; entry->seq is set. Makes it urgent. */
void batch_append(struct batch *, uint64_t user, struct entry *);
/* The last one of a (kind, owner, key) counts. A value may be empty. */
void batch_put(struct batch *, enum state_kind, uint64_t owner, const void *key,
    size_t key_len, const void *value, size_t len);
void batch_delete(struct batch *, enum state_kind, uint64_t owner,
    const void *key, size_t key_len);
void batch_clear(struct batch *); /* it is committed */

/* One change of a record, for whoever replays it; the bytes are the record's. */
struct change {
	enum state_kind kind;
	uint64_t owner;
	const void *key, *value; /* value NULL: deleted */
	size_t key_len, len;
};
/*
 * The next change from *at on, which moves; false at the end (*at is len) or where it
 * is damaged (*at stays).
 */
bool batch_next_change(const void *record, size_t len, size_t *at,
    struct change *out);

#endif
