/* What connect.c, connect_sasl.c and connect_sm.c share; nobody else's. */
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
	PHASE_RESUME,     /* <resumed/> or <failed/> */
	PHASE_BIND,
	PHASE_SESSION, /* of RFC 3921, where the server wants it */
};

struct connect {
	struct stream *stream; /* NULL: it ended, or was handed over */
	const struct connect_events *events;
	void *arg;
	struct connect_options options; /* strings and trust are its own */
	char *domain, *domain_ascii, *name, *password, *resource, *resume_id;
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

/* connect.c (streams, TLS, binding). The last thing that happens. */
void connect_fail(struct connect *, enum connect_failure, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void connect_enter(struct connect *);
void connect_leave(struct connect *);
void connect_authenticated(struct connect *);
void connect_bind(struct connect *);
/* The stream, which is nobody's then. */
struct stream *connect_take_stream(struct connect *);

/* connect_sasl.c */
void connect_note_channel(struct connect *); /* TLS is up */
void connect_begin_sasl(struct connect *, const struct elem *features);
void connect_on_sasl(struct connect *, struct elem *);

/* connect_sm.c; false: there is nothing to resume. */
bool connect_begin_resume(struct connect *);
void connect_on_resume(struct connect *, const struct elem *);

#endif
