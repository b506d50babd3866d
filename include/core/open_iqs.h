/*
 * A client's requests whose answer it has not acknowledged, or messages that were refused
 * and whose error it has not: where that is lost with the process, on a stream that is
 * resumed, the client gets an error instead (custody.md, Numbering). Else, as the stanza
 * is counted, it would never hear of it.
 */
#ifndef CORE_OPEN_IQS_H
#define CORE_OPEN_IQS_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/pack.h"

struct open_iq {
	TAILQ_ENTRY(open_iq) next;
	char *id, *to;   /* as the client wrote them; to may be NULL */
	uint64_t number; /* of the answer; 0: there is none yet */
};

struct open_iqs {
	TAILQ_HEAD(, open_iq) all;
	unsigned count;
};

void open_iqs_init(struct open_iqs *);
void open_iqs_fini(struct open_iqs *);
void open_iqs_add(struct open_iqs *, const char *id, const char *to);
/* That one has its answer, with this number; false: none waits for it. */
bool open_iqs_answered(struct open_iqs *, const char *id, uint64_t number);
/* An answer was sent again under another number. */
void open_iqs_renumber(struct open_iqs *, uint64_t old, uint64_t number);
/* Those with an answer up to that number are done. The count of them. */
unsigned open_iqs_acknowledged(struct open_iqs *, uint64_t number);

void open_iqs_pack(const struct open_iqs *, struct buf *);
void open_iqs_unpack(struct open_iqs *, struct unpack *);

#endif
