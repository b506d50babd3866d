/*
 * DNS without blocking the loop (c-ares; resolver.c alone knows it). Names are
 * absolute: search domains are not appended. A truncated answer is asked for
 * again over TCP.
 */
#ifndef IO_RESOLVER_H
#define IO_RESOLVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/srv.h"

/* What one answer holds at most; the rest of a longer one is not looked at. */
#define RESOLVER_MAX_RECORDS   64
#define RESOLVER_MAX_ADDRESSES 32

struct resolver; /* one a process */
struct lookup;   /* one question; its owner is who asked */

/* Zeroes and NULLs stand for the defaults. */
struct resolver_options {
	const char *servers; /* "127.0.0.1:5353,..."; else those of `conf` */
	const char *conf;    /* in place of /etc/resolv.conf */
	uint16_t port;       /* of the servers in `conf`; 53 */
	unsigned try_ms;     /* of the first try, twice for the next; 2000 */
	unsigned tries;      /* each server; 2 */
};

/*
 * NULL: err says why. Changes of resolv.conf are noticed by the next lookup
 * that starts while no other is under way.
 */
struct resolver *resolver_new_with(struct loop *,
    const struct resolver_options *, struct err *);
struct resolver *resolver_new(struct loop *, const char *servers, struct err *);
/* Not inside a lookup's callback; all lookups are freed before. */
void resolver_free(struct resolver **);
struct loop *resolver_loop(const struct resolver *);

enum answer_status {
	ANSWER_FOUND, /* at least one record or address */
	ANSWER_NONE,  /* DNS says that there is none: NXDOMAIN or no data */
	ANSWER_FAILED /* DNS does not say: time-out, SERVFAIL, garbage */
};

struct answer {
	enum answer_status status;
	struct srv *records; /* of lookup_srv() */
	size_t record_count;
	struct sockaddr_storage *addresses; /* port 0 */
	size_t address_count;
	char *reason; /* with the name; NULL: something was found */
};

/*
 * done() is called once, from the loop, never from inside lookup_*(). The
 * answer belongs to the lookup and lives until lookup_free(), which is allowed
 * inside done() too.
 */
struct lookup *lookup_srv(struct resolver *, const char *name,
    void (*done)(void *arg, const struct answer *), void *arg);
/*
 * A and AAAA, IPv6 first. /etc/hosts comes before DNS, host_plain() before
 * both.
 */
struct lookup *lookup_addresses(struct resolver *, const char *host,
    void (*done)(void *arg, const struct answer *), void *arg);
void lookup_free(struct lookup **); /* no callback after it */

#endif
