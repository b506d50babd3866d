/*
 * Delivery: entries of the history, and live messages, to the sessions that follow.
 * Who gets an entry, and in which form, is one function that says why.
 */
#ifndef CORE_FANOUT_H
#define CORE_FANOUT_H

#include "core/history.h"
#include "core/hooks.h"

struct session;
struct user;

enum form {
	FORM_NOTHING,
	FORM_PLAIN,
	FORM_SENT,     /* XEP-0280 <sent/> */
	FORM_RECEIVED, /* XEP-0280 <received/> */
	FORM_NOTE,     /* "» what I said elsewhere" */
};

/* Decides; the reason is for the log. */
enum form fanout_form(struct session *, const struct entry *,
    const char **reason);
/* Into the history (unless live), then to all that follow; takes the reference. */
void fanout(struct user *, struct entry *);
/* On with the history while there is room; called when it drains, and by settle. */
void fanout_follow(struct session *);
/*
 * The session is one that gets messages from now on, or one that gets more of them
 * than before (its priority, carbons): first what reached nobody.
 */
void fanout_start(struct session *);
/* The same in a while, unless it sends presence first: a client may want copies alone. */
void fanout_start_later(struct session *);
void fanout_forget(struct session *); /* that it is owed something */
void fanout_start_due(void *session); /* its timer's */
/* What was written counts as got: moves user->reached. */
void fanout_settle(struct session *);

#endif
