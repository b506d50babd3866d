/*
 * The server's side of negotiation: from an accepted connection to a bound
 * stream. STARTTLS (RFC 6120 5), SASL (6), binding (7), XEP-0440, resumption
 * (XEP-0198 5). Nothing before TLS but STARTTLS, nothing before SASL but SASL, each
 * with its error.
 */
#ifndef XMPP_ACCEPT_H
#define XMPP_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/conn.h"
#include "xmpp/sasl.h"
#include "xmpp/stanza.h"
#include "xmpp/stream.h"

enum accept_tls { ACCEPT_STARTTLS, ACCEPT_DIRECT, ACCEPT_PLAIN };

enum accept_resume { ACCEPT_RESUMED, ACCEPT_NOT_RESUMED, ACCEPT_TOO_HIGH };

struct accept_refusal {
	bool has_h; /* ACCEPT_NOT_RESUMED: what was handled is known still */
	uint32_t h;
	uint32_t sent; /* ACCEPT_TOO_HIGH */
};

struct accept;

/*
 * What it asks its owner, who may free it inside each of them. Domains are prepared;
 * so is a name, as a local part; one that can be none comes as the client sent it
 * and matches nobody. An authzid is a prepared JID.
 */
struct accept_host {
	bool (*serves)(void *arg, const char *domain);
	/* As sasl_server_events.salt. */
	void (*salt)(void *arg, const char *domain, const char *name,
	    enum scram_hash, struct scram_keys *out);
	/*
	 * Before each exchange: whether it may begin (throttle). false: answered
	 * with temporary-auth-failure.
	 */
	bool (*may_try)(void *arg);
	/*
	 * Wanted, at once or later: accept_keys() for SCRAM (password NULL),
	 * accept_verdict() for PLAIN.
	 */
	void (*check)(void *arg, const char *domain, const char *name,
	    const char *password, enum scram_hash);
	/* The proof was right: may `name` act as `authzid` (NULL or "": itself)? */
	bool (*authorize)(void *arg, const char *domain, const char *name,
	    const char *authzid);
	/* A login failed, for the log and the throttle. name is NULL where none came. */
	void (*failed)(void *arg, const char *name, const char *why);
	/*
	 * The resource asked for (prepared), or NULL. Returns the full JID that
	 * is bound, or NULL and the error. After it returned, ready() follows
	 * when the answer was queued.
	 */
	const char *(*bind)(void *arg, const char *resource, enum error_cond *);
	/*
	 * <resume/> in place of binding; previd has at most SM_ID_MAX bytes.
	 * ACCEPT_RESUMED: resumed() follows at once. ACCEPT_NOT_RESUMED: <failed/>
	 * with item-not-found, and the client may bind or try again.
	 * ACCEPT_TOO_HIGH: undefined-condition with <handled-count-too-high/>, then
	 * closed(). NULL: <failed/> with feature-not-implemented.
	 */
	enum accept_resume (*resume)(void *arg, const char *previd, uint32_t h,
	    struct accept_refusal *);
	/* Bound: the stream is the owner's now. Free the accept, not the stream. */
	void (*ready)(void *arg, struct stream *);
	/* The same, but nothing was sent: <resumed/> is the owner's to send first. */
	void (*resumed)(void *arg, struct stream *);
	/* It ended before that, and the stream is gone. Free the accept. */
	void (*closed)(void *arg, const char *reason);
};

struct accept_options {
	enum accept_tls tls;
	struct tls_certs *certs;        /* a reference is taken */
	struct xml_limits limits;       /* until authenticated */
	struct xml_limits bound_limits; /* after it */
	unsigned auth_ms; /* from the start to bound, else connection-timeout */
	unsigned tls_ms;  /* the handshake */
	/*
	 * A password that was checked and wrong is answered this long after it came,
	 * whatever the check took: names cannot be told by it. 0: at once.
	 */
	unsigned refusal_ms;
	unsigned tries; /* failed exchanges, then policy-violation */
	/* XML of more features once authenticated, NULL-ended; borrowed. */
	const char *const *features;
};

struct accept *accept_new(struct loop *, struct conn *,
    const struct accept_options *, const struct accept_host *, void *arg);
/*
 * The answers to check(). A client that says something before it has its answer is
 * thrown out; an answer that nobody waits for is dropped.
 */
void accept_keys(struct accept *, const struct scram_keys *); /* NULL: none */
void accept_verdict(struct accept *, bool good);
/* Or none: temporary-auth-failure, in the time of a refusal; failed() is not called. */
void accept_busy(struct accept *);
/* Ends the stream if it still has it, with no word. */
void accept_free(struct accept **);
/* Ends it with an error first. */
void accept_fail(struct accept **, enum stream_cond, const char *text);

#endif
