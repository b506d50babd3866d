/*
 * Stream management (XEP-0198) of a fake client or server: what it has counted, and
 * what it has sent that was not acknowledged. It outlives the stream.
 *
 * Faults of the proxy, such as an h that goes back, fail the script: rig_fault().
 */
#ifndef RIG_MANAGED_H
#define RIG_MANAGED_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "xmpp/accept.h"
#include "xmpp/elem.h"
#include "xmpp/sm.h"

struct peer;

struct kept {
	STAILQ_ENTRY(kept) next;
	char *xml; /* of one stanza */
};

struct managed {
	/* What the script wants of it; stays for all sessions. */
	bool is_offered; /* a server takes <enable/> and <resume/> */
	bool asks;       /* <r/> behind each stanza */
	bool is_mute;    /* leaves <r/> unanswered */

	struct sm sm;     /* on: <enable/> was sent or came */
	bool is_enabling; /* <enabled/> is due */
	char *id;         /* NULL: cannot be resumed */
	char *failure;    /* what was said instead of <enabled/> */
	bool is_over;     /* a server's: its end was said, or it forgot it */
	bool tells_h;     /* ... but for what it had handled */
	uint64_t lost_at; /* clock_now() */
	STAILQ_HEAD(, kept) kept;
};

void managed_init(struct managed *);
/* Nothing was counted, nothing is kept. */
void managed_reset(struct managed *);
unsigned managed_kept(const struct managed *);

/* A client's. <enabled/> or a failure is there when all have run. */
void managed_enable(struct peer *);
/* The server had handled h of the former session; the rest is kept. */
void managed_unresumed(struct peer *, bool has_h, uint32_t h);
/* What is kept goes out once more, in the session that was enabled since. */
void managed_send_again(struct peer *);

/* Either's. The stream is there: what the peer has not handled goes out again. */
void managed_resumed(struct peer *, uint32_t h);
/* These bytes went out, or would have, were the link not lost. */
void managed_sent(struct peer *, const char *xml);
/* An element came; true: it is none of the script's business. */
bool managed_take(struct peer *, const struct elem *);
/* The stream is about to be ended by our word: acknowledges before (XEP-0198 4). */
void managed_end(struct peer *);
/* The link is gone. */
void managed_lost(struct managed *, bool is_over);

/* A server's. What is sent while the link is lost waits for the next. */
bool managed_waits(const struct managed *);
enum accept_resume managed_may_resume(struct peer *, const char *previd,
    uint32_t h, struct accept_refusal *);
/* <resumed/>, and as managed_resumed(). */
void managed_answer_resume(struct peer *, uint32_t h);
/* What can be resumed now cannot be any more. */
void managed_forget(struct managed *, bool tells_h);

#endif
