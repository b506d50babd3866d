/* What accept.c (streams, TLS, binding), accept_sasl.c and accept_sm.c share. */
#ifndef XMPP_ACCEPT_IMPL_H
#define XMPP_ACCEPT_IMPL_H

#include "base/arena.h"
#include "io/timer.h"
#include "xmpp/accept.h"

enum accept_phase {
	ACCEPT_BEFORE_TLS,
	ACCEPT_SECURING,
	ACCEPT_BEFORE_SASL,
	ACCEPT_BEFORE_BIND,
};

enum accept_check {
	ACCEPT_CHECK_NONE,
	ACCEPT_CHECK_OUT,     /* check() was called and has not been answered */
	ACCEPT_CHECK_REFUSED, /* answered; the client hears of it in time */
};

struct accept {
	struct stream *stream; /* NULL: it ended, or was handed over */
	struct tls_certs *certs;
	struct accept_options options; /* but for certs */
	const struct accept_host *host;
	void *arg;
	enum accept_phase phase;
	struct timer deadline;
	struct arena *scratch; /* of one event */
	char *domain;          /* asked for, prepared */

	struct sasl *sasl; /* the exchange that runs */
	struct sasl_channel channel;
	struct buf unique, exporter;
	/*
	 * Until the client has its answer nothing is due from it: whether the
	 * answer waits for a worker or for its time must not show.
	 */
	enum accept_check check;
	unsigned failures;
	uint64_t asked_at; /* clock_now() of check(); 0: not in this exchange */
	struct timer refusal;
	const char *refusal_cond; /* the answer that waits */

	unsigned inside; /* callbacks that run */
	bool is_dead;    /* freed when the last of them returns */
};

/* accept.c. Frees nothing: the owner is told by closed(). */
void accept_end(struct accept *, enum stream_cond, const char *text);
void accept_end_with(struct accept *, enum stream_cond, const char *xml,
    const char *text);
void accept_enter(struct accept *);
void accept_leave(struct accept *);
void accept_authenticated(struct accept *);
void accept_hand_over(struct accept *, void (*take)(void *, struct stream *));

/* accept_sasl.c */
void accept_note_channel(struct accept *); /* TLS is up */
void accept_write_mechanisms(struct accept *, struct buf *);
void accept_on_sasl(struct accept *, struct elem *);
void accept_refuse_now(void *accept); /* the timer's */

/* accept_sm.c; false: it is not for us. */
bool accept_on_sm(struct accept *, const struct elem *);

#endif
