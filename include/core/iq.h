/*
 * Open IQs: a bounded table from the fresh, unguessable id that we sent to who
 * asked. One table per account (requests that went up) and one per session
 * (requests that went to that client).
 */
#ifndef CORE_IQ_H
#define CORE_IQ_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "xmpp/elem.h"

struct iq_table;
struct account;
struct session;

struct iq {
	char id[RANDOM_ID_SIZE]; /* on the wire */
	/* Who asked: a session's id, or 0 for ourselves or a peer. */
	uint64_t session;
	/* The asker's own id; NULL for ourselves. */
	char *asked_id;
	uint64_t account; /* that the asking peer came through, or 0 */
	/* The asker's JID where it is a peer; else NULL. */
	char *asker;
	/* Whose answer counts, prepared; NULL: own server or own account. */
	char *answerer;
	/* What `to` the client wrote: the answer's from. NULL: none. */
	char *asked_to;
	uint64_t deadline; /* clock_now() ms */
	uint64_t number;   /* of the request on the upstream; the account's */
	/*
	 * For our own: answer is the <iq/>, or NULL where none will come. It
	 * may start other IQs.
	 */
	void (*done)(struct account *, struct elem *answer, void *arg);
	void *arg;
	/* The same of what was asked of a client. */
	void (*answered)(struct session *, struct elem *answer);
};

struct iq_table *iq_table_new(size_t max);
void iq_table_free(struct iq_table **); /* no done() is called */
size_t iq_table_count(const struct iq_table *);
size_t iq_table_count_of(const struct iq_table *, uint64_t session);
/*
 * Adds one with a fresh id; the strings given are copied. NULL where the table
 * is full. The entry is the table's until taken.
 */
struct iq *iq_table_add(struct iq_table *, const struct iq *);
/* Borrows; NULL where there is no such id. */
struct iq *iq_table_find(struct iq_table *, const char *id);
/* Takes it out; the caller frees it with iq_free(). */
void iq_table_take(struct iq_table *, struct iq *);
/* One whose deadline has come (taken out), or NULL; in order of deadline. */
struct iq *iq_table_expired(struct iq_table *, uint64_t now);
uint64_t iq_table_deadline(const struct iq_table *); /* the first; 0: none */
/*
 * Any one (taken out), or NULL: the one due first; for when the link is lost.
 */
struct iq *iq_table_any(struct iq_table *);
/* Any one whose request has a higher number (taken out), or NULL. */
struct iq *iq_table_above(struct iq_table *, uint64_t number);
/* Any one of that session (taken out), or NULL. */
struct iq *iq_table_any_of(struct iq_table *, uint64_t session);
void iq_free(struct iq **);

#endif
