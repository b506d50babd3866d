/*
 * SASL, both roles: SCRAM-SHA-256(-PLUS), SCRAM-SHA-1(-PLUS), PLAIN under TLS;
 * EXTERNAL in the client role where it has a certificate is not offered. sasl.c
 * alone knows libgsasl. A peer's mechanism name is looked up in a table, never
 * passed through.
 *
 * Slow hashing (PBKDF2) is not done here: a step can answer SASL_WAIT, having
 * told which keys it needs; sasl_keys() hands them over and the step goes on.
 */
#ifndef XMPP_SASL_H
#define XMPP_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "xmpp/scram.h"

enum sasl_mech {
	SASL_SCRAM_SHA256_PLUS,
	SASL_SCRAM_SHA256,
	SASL_SCRAM_SHA1_PLUS,
	SASL_SCRAM_SHA1,
	SASL_PLAIN,
	SASL_MECHS
};
const char *sasl_mech_name(enum sasl_mech);
bool sasl_mech_parse(const char *name, enum sasl_mech *);
bool sasl_mech_is_plus(enum sasl_mech);

/* What the connection can do; bindings NULL where it has none. */
struct sasl_channel {
	bool secure;                /* TLS: PLAIN may be used */
	const struct buf *unique;   /* tls-unique, raw */
	const struct buf *exporter; /* tls-exporter, raw */
};

/* Types of channel binding, as bits; tls-unique and tls-exporter in XEP-0440. */
enum {
	SASL_BINDING_UNIQUE = 1,
	SASL_BINDING_EXPORTER = 2,
	SASL_BINDING_OTHER = 4 /* named by a server, unknown to us */
};
unsigned sasl_bindings(const struct sasl_channel *); /* that it has */

/* Bit set of 1 << enum sasl_mech that may be offered on such a channel. */
unsigned sasl_offer(const struct sasl_channel *);

struct sasl; /* one exchange */

enum sasl_status {
	SASL_CONTINUE, /* send the output as challenge or response */
	SASL_DONE,     /* send the output with success (server), or none */
	SASL_WAIT,     /* sasl_keys() or sasl_verdict() goes on */
	SASL_FAILED,   /* sasl_failure() says how */
};

/* --- server --- */

struct sasl_server_events {
	/*
	 * Salt and iterations for a name, at once; never fails: an unknown name
	 * gets made-up ones that stay the same for that name.
	 */
	void (*salt)(void *arg, const char *name, enum scram_hash,
	    struct scram_keys *out);
};
/* A client that says "y" where a binding was offered was lied to: it is refused. */
struct sasl *sasl_server_new(enum sasl_mech, const struct sasl_channel *,
    const struct sasl_server_events *, void *arg, struct err *);
/*
 * `in` is decoded bytes, NULL where there was no initial response (then an empty
 * challenge is due). SASL_WAIT: for SCRAM the keys of sasl_name() are wanted
 * (sasl_keys()), for PLAIN the verdict over sasl_name() and sasl_password()
 * (sasl_verdict()).
 */
enum sasl_status sasl_step(struct sasl *, const char *in, size_t len,
    struct buf *out);
enum sasl_status sasl_keys(struct sasl *, const struct scram_keys *,
    struct buf *out); /* NULL: no such user */
enum sasl_status sasl_verdict(struct sasl *, bool good);
/* The authentication id, by SASLprep, or NULL. */
const char *sasl_name(const struct sasl *);
/* As it came; NULL or "" where there was none. */
const char *sasl_authzid(const struct sasl *);
const char *sasl_password(const struct sasl *); /* PLAIN, while it waits */
enum scram_hash sasl_hash(const struct sasl *); /* of a SCRAM mechanism */

/* --- client --- */

struct sasl_client {
	const char *name;
	const char *password; /* of PLAIN; not looked at for SCRAM */
};
/*
 * The best of what the server offers (bit set) on this channel, best first as in
 * the enum; `bindings` are the XEP-0440 types that it names (SASL_BINDING_*; 0: it
 * does not say). -1 where none is left.
 */
int sasl_choose(unsigned offered, unsigned bindings,
    const struct sasl_channel *, enum sasl_mech *out, struct err *);
/* The types to use with a server that names these. */
unsigned sasl_common_bindings(const struct sasl_channel *, unsigned named);
/*
 * Without PLUS the message says "n" (no binding) and never "y" (could have, saw no
 * offer; RFC 5802 section 6): libgsasl 2.2.0 refuses the "y" that it makes itself.
 */
struct sasl *sasl_client_new(enum sasl_mech, const struct sasl_channel *,
    const struct sasl_client *, unsigned bindings, struct err *);
/*
 * sasl_step(NULL) gives the first message, then each challenge and the content of
 * <success/> are fed. SASL_DONE: the server proved itself where the mechanism lets
 * it; a success before that is a fraud. SASL_WAIT: sasl_wanted() says what to
 * derive. Iterations outside SCRAM_ITERATIONS_MIN to _MAX end in SASL_FAILED.
 */
bool sasl_wanted(const struct sasl *, struct scram_keys *salt_and_iterations);
enum sasl_status sasl_salted(struct sasl *, const unsigned char *salted,
    struct buf *out); /* scram_salted()'s result; kept by the caller */

/* The condition of RFC 6120 6.5 ("not-authorized") and a text for the log. */
const char *sasl_failure(const struct sasl *, const char **text);
void sasl_free(struct sasl **); /* wipes */

#endif
