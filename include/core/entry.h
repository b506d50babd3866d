/* One message of a user's log. */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

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

/* Archives of ours (archive.h): of the account's view, of node view. */
enum { ARCHIVE_OF_ACCOUNT = 1, ARCHIVE_OF_NODE = 2 };

/*
 * The addresses are the account's (not a view's); the body is the stanza's children
 * as bytes that stand in jabber:client. Once it is in the log nothing of it changes
 * but `failed`.
 */
struct entry {
	unsigned refs;
	uint64_t seq;     /* in the log of its user; 0: not in it (live) */
	uint64_t account; /* the account's id */
	enum message_class class;
	enum direction direction;
	enum stanza_type type;
	uint64_t time;  /* wall ms: when it was sent, as far as we know */
	uint64_t stamp; /* wall ms: when it was taken in; goes forward only */
	/* Prepared: from of an incoming, to of an outgoing one. */
	char *peer;
	/* Own side: the full JID it was to or from, or NULL: bare. */
	char *local;
	char *id, *lang; /* or NULL */
	/* The server's stanza-id by the account's bare JID (XEP-0359), or NULL. */
	char *stanza_id;
	/* DIR_OUT: the session that sent it, 0: none of ours; and its device. */
	uint64_t origin, device;
	uint64_t only; /* the one session that it is for; 0: all */
	bool has_body, is_encrypted, is_eligible;
	bool has_delay; /* it came with a delay (XEP-0203) */
	bool failed; /* DIR_OUT: it came back with an error; not kept on disk */
	bool is_pending; /* it stands in a batch: batch.c's */
	bool is_room_private, is_event;
	bool is_chat_state; /* and nothing else; not kept on disk */
	unsigned unserved;  /* ARCHIVE_OF_* bits: who does not serve it */
	/* ADDRESS_* bits: own JIDs that stand in the body. */
	unsigned addresses;
	struct blob *body;
};

/*
 * Whoever sends a message says when it was; more than that before it came counts as
 * that much in what an archive is asked for by time.
 */
#define ENTRY_LATE_DAYS 30
#define ENTRY_LATE_MS   (ENTRY_LATE_DAYS * UINT64_C(86400000))

struct entry *entry_new(void); /* refs is 1; stamp is now */
struct entry *entry_ref(struct entry *);
void entry_unref(struct entry **);
size_t entry_size(const struct entry *); /* bytes, about */
/* The text of <body/>, in the arena; NULL without one. */
const char *entry_text(const struct entry *, struct arena *);
/* The same body, byte for byte. */
bool entry_has_same_body(const struct entry *, const struct entry *);
/* Its time, as what counts. */
uint64_t entry_when(const struct entry *);
/* Kept under the retention of rooms, apart from chats. */
bool entry_is_of_room(const struct entry *);

#endif
