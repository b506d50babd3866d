/*
 * Dialling: from a domain to a connected socket.
 *
 * SRV records of _xmpp-client._tcp and _xmpps-client._tcp are asked for at once
 * (RFC 6120 3.2.1, XEP-0368) and mixed by priority and weight (RFC 2782). The
 * addresses of a target are tried in order, IPv6 first, each with a time limit.
 *
 * - A target "." says that there is no service of that kind.
 * - Records that lead nowhere, "." included, are the end: the addresses of the
 *   domain itself are not tried (RFC 6120 3.2.1 step 8, XEP-0368 5).
 * - Where DNS knows no record, or gives no answer about them (RFC 6120 3.2.1
 *   step 9; the log and the reason of a failure say so), it is the domain
 *   itself: port 5222 with STARTTLS, or 5223 where only direct TLS is wanted.
 * - An address literal and "localhost" (RFC 6761 6.3) have no SRV records.
 */
#ifndef IO_DIAL_H
#define IO_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/resolver.h"
#include "io/transport.h"

struct dial; /* one attempt to reach one domain */

enum dial_tls { DIAL_ANY, DIAL_STARTTLS, DIAL_DIRECT, DIAL_NONE };

struct dial_target {
	const char *domain; /* A-labels, or a literal, "[::1]" too */
	const char *host;   /* NULL: by SRV; or a name, a literal */
	uint16_t port;      /* with host; 0: 5222, DIAL_DIRECT 5223 */
	/*
	 * Which kinds of SRV: DIAL_ANY both, DIAL_NONE those of STARTTLS. With
	 * host all but DIAL_DIRECT is not direct.
	 */
	enum dial_tls tls;
	unsigned try_ms; /* per address, to connect */
	/*
	 * Until connected, names included. It stands still while the caller has
	 * a connection: dial_next() goes on with what was left.
	 */
	unsigned total_ms;
};

/*
 * One of the two is called, from the loop, never from inside dial_new() or
 * dial_next(); then nothing until dial_next(). dial_free() and dial_next() are
 * allowed inside.
 */
struct dial_events {
	/*
	 * Takes the transport. direct: TLS starts at once. where, the dial's:
	 * "host [address]:port"
	 */
	void (*connected)(void *arg, struct transport *, bool direct,
	    const char *where);
	/*
	 * Nothing is left to try, or no time; the text names what was tried
	 * last and why not. What is left to do is dial_free().
	 */
	void (*failed)(void *arg, const char *reason);
};

/* Copies the target and the events. The resolver has to outlive it. */
struct dial *dial_new(struct resolver *, const struct dial_target *,
    const struct dial_events *, void *arg);
/*
 * After connected(): it was no use, TLS failed, say; goes on with the next
 * candidate. `reason` is for the text of failed().
 */
void dial_next(struct dial *, const char *reason);
void dial_free(struct dial **); /* any time; no callback after it */

#endif
