/*
 * Streams that cannot be resumed any more: what a client that tries is told, and what
 * its h says of what it has got (XEP-0198 5; custody.md, Devices). On disk, too.
 */
#ifndef CORE_ENDED_H
#define CORE_ENDED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/flights.h"

struct session;
struct user;

struct ended {
	TAILQ_ENTRY(ended) next; /* user->ended, the oldest first */
	uint64_t id;             /* the session's */
	uint64_t number;         /* goes up from one to the next */
	char *sm_id;
	uint64_t view;   /* the account's id; 0: node view */
	uint64_t device; /* 0: none */
	uint64_t in, acked, slack;
	uint64_t cursor;        /* where it was, but for flights */
	struct flights flights; /* entries only */
};
TAILQ_HEAD(ended_streams, ended);

/* Of a session that can be resumed and goes. The oldest are forgotten. */
void ended_add(struct session *);
/*
 * <resume/> of a stream that has ended: what h says is taken, *in is what we had
 * handled, and it is forgotten. false: nothing is known of it.
 */
bool ended_take(struct user *, uint64_t view, const char *sm_id, uint32_t h,
    uint64_t *in);
void ended_load_all(struct user *);
void ended_free_all(struct user *);

#endif
