/* Delivery: entries of the log, and live messages, to the sessions that follow. */
#ifndef CORE_FANOUT_H
#define CORE_FANOUT_H

#include <stdint.h>

#include "core/entry.h"

struct session;
struct user;

/* Into the log (unless live), then to all that follow; takes the reference. */
void fanout(struct user *, struct entry *);
/*
 * On with the log while there is room; called when it drains, or acknowledges. A long
 * way takes several turns.
 */
void fanout_follow(struct session *);
/* Renders one for one session, in whatever form it is for it. */
void fanout_deliver(struct session *, struct entry *);
/* One that was sent, and is lost with its stream, once more. */
void fanout_again(struct session *, uint64_t seq);
void fanout_forget(
    struct session *); /* what it is owed of before it was there */

#endif
