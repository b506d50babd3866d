/* What connect.c (streams, TLS, binding) and connect_sasl.c share; nobody else's. */
#ifndef XMPP_CONNECT_IMPL_H
#define XMPP_CONNECT_IMPL_H

#include "base/arena.h"
#include "io/timer.h"
#include "xmpp/connect.h"

enum connect_phase {
	PHASE_TLS_OFFER,  /* features with STARTTLS */
	PHASE_TLS_ANSWER, /* <proceed/> */
	PHASE_SECURING,
	PHASE_SASL_OFFER, /* features with mechanisms */
	PHASE_SASL,
	PHASE_BIND_OFFER, /* features with bind */
	PHASE_BIND,
	PHASE_SESSION, /* of RFC 3921, where the server wants it */
};

struct connect {
	struct stream *stream; /* NULL: it ended, or was handed over */
	const struct connect_events *events;
	void *arg;
	struct connect_options options; /* strings and trust are its own */
	char *domain, *domain_ascii, *name, *password, *resource;
	enum connect_phase phase;
	struct timer deadline;
	struct arena *arena;   /* of the features and the JID */
	struct elem *features; /* the last ones */
	const char *full;

	struct sasl *sasl;
	struct sasl_channel channel;
	struct buf unique, exporter;
	bool is_salting; /* connect_salted() is due */
	bool is_proven;  /* by a challenge, before <success/> */

	unsigned inside; /* callbacks that run */
	bool is_dead;    /* freed when the last of them returns */
};

/* connect.c. The last thing that happens. */
void connect_fail(struct connect *, enum connect_failure, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void connect_enter(struct connect *);
void connect_leave(struct connect *);
void connect_authenticated(struct connect *);

/* connect_sasl.c */
void connect_note_channel(struct connect *); /* TLS is up */
void connect_begin_sasl(struct connect *, const struct elem *features);
void connect_on_sasl(struct connect *, struct elem *);

#endif
