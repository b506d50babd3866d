/*
 * What one of a user's clients answered for all of them: first answers, and how far
 * conversations were displayed. Bounded by the limit `receipts`, the oldest is forgotten
 * first; on disk, so that it holds over a restart.
 */
#ifndef CORE_ANSWERED_H
#define CORE_ANSWERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct answered;
struct user;

/* They stand in keys on disk: they never change. */
enum answered_kind {
	ANSWERED_RECEIPT = 'r', /* id of the message; the value says nothing */
	ANSWERED_ERROR = 'e',   /* the same */
	ANSWERED_DECLINE = 'd', /* id: who had invited; the same */
	ANSWERED_INVITED =
	    'i', /* to the room; 1: some client has joined since */
	ANSWERED_REQUEST = 's', /* for subscription: wall ms of the answer */
	ANSWERED_MARKER = 'm',  /* the number in the log, or with an id 0 */
	ANSWERED_READ = 'p',    /* the number in the log */
};

/* Reads what is kept of that user. */
struct answered *answered_new(struct user *);
void answered_free(struct answered **);
/*
 * peer is what it is about, as it is given; id may be NULL. What is longer than any
 * address and id are is not kept.
 */
void answered_set(struct account *, enum answered_kind, const char *peer,
    const char *id, uint64_t value);
/* value may be NULL. */
bool answered_get(const struct account *, enum answered_kind, const char *peer,
    const char *id, uint64_t *value);
void answered_forget(struct account *, enum answered_kind, const char *peer,
    const char *id);
/* Whatever the account has of that kind. */
void answered_forget_all(struct account *, enum answered_kind);
size_t answered_count(const struct answered *);

#endif
