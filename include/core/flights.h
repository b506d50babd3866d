/*
 * What was sent on a stream and is not acknowledged: numbers, and what they stood for
 * (XEP-0198 section 4; custody.md, Numbering). In the order of sending.
 */
#ifndef CORE_FLIGHTS_H
#define CORE_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

/*
 * The numbers of those that wait for a stream count down from here, so that each has
 * its own; no acknowledgement takes them.
 */
#define FLIGHT_UNSENT UINT64_MAX

struct flight {
	uint64_t number; /* of the stanza on its stream */
	uint64_t frame;  /* of the connection */
	uint64_t seq;    /* the log's entry; 0: it is none */
	/* One that is no entry: its bytes, to be sent again; NULL: it is replaced. */
	struct blob *bytes;
	bool is_answer; /* one of open_iqs.h has its number */
	/* Presence: whose (a full JID), and of which account. */
	char *jid;
	uint64_t account;
};

struct flights {
	struct flight *ring; /* cap of them, a power of two */
	uint32_t first, count, cap;
	uint32_t entries; /* of the log among them */
	size_t bytes;     /* of all blobs */
};

void flights_fini(struct flights *);
/* Copies; takes the reference to bytes and the string. */
void flights_add(struct flights *, const struct flight *);
/* The oldest; NULL: none. Borrowed until something is added or taken. */
const struct flight *flights_first(const struct flights *);
const struct flight *flights_at(const struct flights *, uint32_t i);
struct flight *flights_last(struct flights *); /* NULL: there is none */
/* The oldest that is an entry: its number in the log; 0: none is. */
uint64_t flights_first_entry(const struct flights *);
/* Takes the oldest out: the caller owns what it holds (flight_fini()). */
struct flight flights_take(struct flights *);
void flight_fini(struct flight *);

#endif
