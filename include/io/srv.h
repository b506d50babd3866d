/* SRV records and the order in which they are tried (RFC 2782, XEP-0368). */
#ifndef IO_SRV_H
#define IO_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv {
	char *target; /* no dot at its end; "" is the root: no service */
	uint16_t priority, weight, port;
	bool direct; /* of _xmpps-client: TLS starts at once */
};

/*
 * Puts records in the order to try them: the lowest priority first, within one
 * priority a weighted random order (RFC 2782, "Weight"); records of weight 0
 * have a small chance beside others, and an even one among themselves. Both
 * kinds are mixed (XEP-0368 3).
 */
void srv_order(struct srv *, size_t count);

#endif
