#include "xmpp/sm.h"

#include <inttypes.h>

#include "base/text.h"
#include "xmpp/ns.h"

void
sm_enable(struct sm *sm)
{
	*sm = (struct sm){ .on = true };
}

uint32_t
sm_h(const struct sm *sm)
{
	return (uint32_t)sm->in;
}

void
sm_write_ack(const struct sm *sm, struct buf *b)
{
	buf_printf(b, "<a xmlns='" NS_SM "' h='%" PRIu32 "'/>", sm_h(sm));
}

void
sm_write_too_high(struct buf *b, uint32_t h, uint32_t sent)
{
	buf_printf(b,
	    "<handled-count-too-high xmlns='" NS_SM "' h='%" PRIu32
	    "' send-count='%" PRIu32 "'/>",
	    h, sent);
}

bool
sm_parse_h(const struct elem *e, uint32_t *h)
{
	uint64_t n;

	if (!text_to_uint(elem_attr(e, "h"), 0, UINT32_MAX, &n))
		return false;
	*h = (uint32_t)n;
	return true;
}

/* By how many it is beyond `acked`: modulo 2^32, so one too low is far beyond. */
static uint32_t
beyond(const struct sm *sm, uint32_t h)
{
	return h - (uint32_t)sm->acked;
}

/* One that was overtaken by another: some peers answer in no order. */
static bool
is_stale(const struct sm *sm, uint32_t h)
{
	uint32_t behind = (uint32_t)sm->acked - h;

	return behind <= INT32_MAX && behind <= sm->acked;
}

bool
sm_acknowledge(struct sm *sm, uint32_t h)
{
	if (beyond(sm, h) <= sm->out - sm->acked)
		sm->acked += beyond(sm, h);
	else if (!is_stale(sm, h))
		return false;
	return true;
}

bool
sm_resume(struct sm *sm, uint32_t h, uint64_t slack)
{
	if (beyond(sm, h) > sm->out - sm->acked + slack)
		return false;
	sm->acked += beyond(sm, h);
	sm->out = sm->acked;
	sm->on = true;
	sm->asked = false;
	return true;
}
