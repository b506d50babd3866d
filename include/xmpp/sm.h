/*
 * The counters of stream management (XEP-0198 section 4), for either role. No store:
 * whoever has it exports the numbers and puts them back.
 */
#ifndef XMPP_SM_H
#define XMPP_SM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "xmpp/elem.h"

#define SM_ID_MAX 4000 /* bytes of an SM-ID (XEP-0198 5) */

struct sm {
	bool on;        /* enabled: the peer counts too */
	uint64_t in;    /* stanzas of the peer that we have handled */
	uint64_t out;   /* stanzas sent to the peer; stream.h counts them */
	uint64_t acked; /* of these the peer has handled so many */
	bool asked;     /* an <r/> is out */
};

/* Both sides begin to count. */
void sm_enable(struct sm *);
/* What stands on the wire: modulo 2^32. */
uint32_t sm_h(const struct sm *);
/* <a/> with it; and what belongs to a stream error, as h was too high (section 4). */
void sm_write_ack(const struct sm *, struct buf *);
void sm_write_too_high(struct buf *, uint32_t h, uint32_t sent);
/* Its h attribute; false where there is none, or it is no unsignedInt. */
bool sm_parse_h(const struct elem *, uint32_t *h);
/*
 * The peer's h: moves acked, or does nothing where an h was higher before. false:
 * it has handled more than it was sent. `asked` is the owner's.
 */
bool sm_acknowledge(struct sm *, uint32_t h);
/*
 * The h of <resume/> or <resumed/>: what was sent beyond it is lost, and the counters
 * go on from there. `slack`: numbers that may have been given besides `out`, which a
 * restart has forgotten. false: it is higher than that, or lower than what was
 * acknowledged and is no more; nothing is changed.
 */
bool sm_resume(struct sm *, uint32_t h, uint64_t slack);

#endif
