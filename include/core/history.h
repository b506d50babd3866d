/*
 * The user's messages, in and out, in one order: what every session follows. In
 * memory, bounded by entries and bytes; the oldest go first.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "core/message.h"
#include "xmpp/stanza.h"

enum direction {
	DIR_IN,     /* from a peer to us */
	DIR_OUT,    /* from one of the user's sessions or devices to a peer */
	DIR_BESIDE, /* from a peer to another device of the account: a carbon */
};

/*
 * One message. The addresses are the account's (not a view's); the body is the
 * stanza's children as bytes that stand in jabber:client.
 */
struct entry {
	unsigned refs;
	uint64_t seq;     /* in the history; 0: not in it (live) */
	uint64_t account; /* the account's id */
	enum message_class class;
	enum direction direction;
	enum stanza_type type;
	uint64_t time; /* wall ms: when it was sent, as far as we know */
	/* Prepared: from of an incoming, to of an outgoing one. */
	char *peer;
	/* Own side: the full JID it was to or from, or NULL: bare. */
	char *local;
	char *id, *lang; /* or NULL */
	/* DIR_OUT: the session that sent it, 0: none of ours. */
	uint64_t origin;
	uint64_t only; /* the one session that it is for; 0: all */
	bool has_body, is_encrypted, is_eligible;
	bool has_delay; /* it came with a delay (XEP-0203) */
	bool failed;    /* DIR_OUT: it came back with an error */
	uint64_t taken; /* clock_now() when it was made */
	bool reached;   /* some session has got it, or sent it */
	bool is_room_private, is_event;
	/* ADDRESS_* bits: own JIDs that stand in the body. */
	unsigned addresses;
	struct blob *body;
	char *text; /* of <body/>, for a note; or NULL */
};

struct entry *entry_new(void); /* refs is 1 */
struct entry *entry_ref(struct entry *);
void entry_unref(struct entry **);
size_t entry_size(const struct entry *); /* bytes, about */

struct history;

struct history *history_new(size_t max_entries, size_t max_bytes);
void history_free(struct history **);
void history_set_max(struct history *, size_t max_entries, size_t max_bytes);
/*
 * Takes the reference and gives the number. May drop the oldest; the newest
 * stays whatever its size. What the entry's key and size are made of does not
 * change from here on.
 */
void history_append(struct history *, struct entry *);
/* The number of the next to come; the first is 1. */
uint64_t history_next(const struct history *);
/* The number of the oldest kept, or of the next. */
uint64_t history_floor(const struct history *);
/* Borrows; NULL outside of floor..next. */
struct entry *history_at(const struct history *, uint64_t seq);
size_t history_bytes(const struct history *);
/*
 * The newest entry of that account, direction, id, and bare peer (of `peer`,
 * which may have a resource); NULL where there is none. A hash serves it.
 */
struct entry *history_find(const struct history *, uint64_t account,
    enum direction, const char *peer, const char *id);

#endif
