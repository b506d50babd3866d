/*
 * What is kept of personal events, in memory and on disk; events.c's, which says who gets
 * them.
 */
#ifndef CORE_EVENT_LIST_H
#define CORE_EVENT_LIST_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "core/events.h"

/* Nor does a busy publisher: over a limit, who has more than that part of it pays. */
#define EVENTS_SHARE 4

struct event {
	TAILQ_ENTRY(event) by_number, of_node, of_publisher;
	struct event_node *node;
	uint64_t number;
	uint64_t
	    replaced; /* of the last that said something else of the same; 0 */
	enum event_kind kind;
	char *item;
	unsigned char hash[SHA1_SIZE];
	struct entry *entry;
};
TAILQ_HEAD(event_list, event);

/* By account. */
struct event_publisher {
	UT_hash_handle hh;
	struct event_list events; /* the oldest first */
	size_t count, bytes;
	char key[];
};

struct event_node {
	UT_hash_handle hh;
	struct event_publisher *by;
	struct event_list events; /* the oldest first */
	unsigned count;
	uint64_t account;
	char *publisher, *name;
	char key[];
};

struct events {
	struct user *user;
	struct event_list all; /* the oldest first */
	struct event_node *nodes;
	struct event_publisher *publishers;
	size_t count, bytes;
	uint64_t last; /* number; the first event has the second one */
};

struct event_node *event_node_find(const struct events *, uint64_t account,
    const char *publisher, const char *name);
/* The one about that item; NULL: there is none. */
struct event *event_find(const struct event_node *, const char *item);
/* Of the same item, or node. */
bool event_says_same(const struct event *, const struct event *);
/* What a late joiner gets; NULL: all of it was taken back. */
const struct event *event_last(const struct event_node *);
/* Takes the entry; what it replaces goes, and what is too much, `most` in the node. */
void event_keep(struct events *, struct entry *, const struct event_what *,
    unsigned most);
/* The first with a higher number, or NULL; mostly there are few behind it. */
const struct event *event_after(const struct events *, uint64_t number);

#endif
