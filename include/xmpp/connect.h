/*
 * The client's side of negotiation: from a connected socket to a bound stream
 * (RFC 6120 5, 6, 7), or a resumed one (XEP-0198 5).
 */
#ifndef XMPP_CONNECT_H
#define XMPP_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/conn.h"
#include "xmpp/sasl.h"
#include "xmpp/stream.h"

enum connect_tls { CONNECT_STARTTLS, CONNECT_DIRECT, CONNECT_PLAIN };

/* How it failed: what its owner does next differs. */
enum connect_failure {
	CONNECT_LOST, /* the link: try again */
	CONNECT_TLS,  /* handshake or certificate: the next address, or later */
	CONNECT_REFUSED, /* not-authorized, account-disabled, credentials-expired, ... */
	CONNECT_PASSING,  /* temporary-auth-failure, stream errors that pass */
	CONNECT_CONFLICT, /* stream error or bind error conflict */
	CONNECT_ELSEWHERE, /* see-other-host, and TLS was up: text is host[:port] */
	CONNECT_NO_MECHANISM, /* nothing that we do, or nothing without TLS */
};

struct connect;

struct connect_events {
	/*
	 * PBKDF2 is wanted for the password with this salt: answer with
	 * connect_salted(), at once or later (NULL: it cannot be had; then the
	 * attempt fails with CONNECT_PASSING).
	 */
	void (*salted)(void *arg, enum scram_hash, const struct scram_keys *);
	/*
	 * Bound: the stream, the JID that the server gave (prepared), and its last
	 * <stream:features/>. Free the connect, not the stream.
	 */
	void (*ready)(void *arg, struct stream *, const char *full,
	    const struct elem *features);
	/*
	 * Wanted with a resume_id. The former stream goes on: the owner's as with
	 * ready(); of what was sent on it the server has handled h.
	 */
	void (*resumed)(void *arg, struct stream *, uint32_t h,
	    const struct elem *features);
	/*
	 * It is gone, or the server offers no stream management any more. Where it
	 * still knows, it had handled h. A resource is bound next.
	 */
	void (*not_resumed)(void *arg, bool has_h, uint32_t h);
	/* Once, and the last call. The text lives in it only. */
	void (*failed)(void *arg, enum connect_failure, const char *text);
};

struct connect_options {
	const char *domain;       /* prepared; `to` of the stream */
	const char *domain_ascii; /* for SNI and the certificate */
	const char *name;         /* local part */
	const char *password;
	const char *resource;  /* NULL: the server makes one */
	const char *resume_id; /* of the stream to go on with; NULL: none */
	uint32_t resume_h;     /* handled of what came on it */
	enum connect_tls tls;
	struct tls_trust *trust;
	struct xml_limits limits;
	unsigned tls_ms, total_ms;
};

/* Copies the options (the password is wiped at the end), takes the connection. */
struct connect *connect_new(struct loop *, struct conn *,
    const struct connect_options *, const struct connect_events *, void *arg);
/* Not asked for: ignored. */
void connect_salted(struct connect *, const unsigned char *salted);
/* Aborts the stream if it still has it. Inside its own callbacks too. */
void connect_free(struct connect **);

#endif
