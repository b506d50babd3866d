/*
 * Personal events (XEP-0163): the last of each (account, publisher, node, item), which a
 * server does not repeat. They have one order, by numbers; a session is a follower of it
 * as of the log, with the difference that what was replaced is not missed.
 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include <stdbool.h>

#include "base/sha1.h"
#include "core/entry.h"

struct account;
struct events;
struct features;
struct session;
struct user;

/* So many of a node are kept: a busy one costs nobody else's. */
#define EVENTS_PER_NODE 16
/* Of a collection, where each item is a thing of its own (XEP-0402, 0490). */
#define EVENTS_PER_COLLECTION 256

enum event_kind {
	EVENT_ITEMS,   /* published */
	EVENT_RETRACT, /* of an item */
	EVENT_NODE,    /* of all of a node: purged, deleted */
	EVENT_PASSING, /* nothing that anybody needs to hear of later */
};

/* What a notification is about (XEP-0060 section 7, 8). */
struct event_what {
	enum event_kind kind;
	const char *node;
	const char *item; /* the id, ids together; "": none, or of the node */
	/* Of ids and payloads of what was published. */
	unsigned char hash[SHA1_SIZE];
};

struct events *events_new(struct user *);
void events_free(struct events **);
/*
 * Keeps it (of the account itself and of contacts whose presence it has; limits events,
 * event-bytes: the oldest go), and tells the sessions that ask for it. Takes the entry.
 * What is known already, a server's repetition, goes to nobody. What became of it.
 */
const char *events_take(struct account *, struct entry *,
    const struct event_what *);
/* Only of the account's own: contacts' mean nothing to anybody. */
bool events_is_collection(const struct account *, const char *publisher,
    const char *node);
/* The number of the last one there was. */
uint64_t events_last(const struct user *);
/* Something came about that item of the account's own, or all, after that number. */
bool events_came_after(const struct account *, uint64_t number,
    const char *node, const char *item);
/*
 * Whether a publication of the account's own is what is known. It counts as the last then:
 * of too many it is the last to go.
 */
bool events_know_own(const struct account *, const struct event_what *);
/*
 * The items of a node of the account's own that were published by that number, as far as
 * they are kept; how many. They are borrowed until the next event.
 */
size_t events_own_items(const struct account *, uint64_t number,
    const char *node, const char *items[EVENTS_PER_COLLECTION]);
/* There is nothing more of that: what was published is nobody's last event. */
void events_drop_own(struct account *, const char *node);
/*
 * On with what is new to the session, while it is available and has room. The first time
 * it gets the last of each node (XEP-0163 4.3.4).
 */
void events_follow(struct session *);
/* Its features were others: it gets the last of what it did not ask for before. */
void events_features_changed(struct session *, struct features *before);
/* What it gets when it is available again is the last of all. */
void events_rewind(struct session *);
/* After a restart: up to that number it has got them. */
void events_restore(struct session *, uint64_t got);
void events_load(struct account *);   /* what is kept on disk */
void events_forget(struct account *); /* it goes; what is on disk stays */

#endif
