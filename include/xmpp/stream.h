/*
 * A stream (RFC 6120 section 4) over a connection, either role: headers, restarts,
 * stanzas in, frames out, errors, the closing handshake. Negotiation is accept.c's
 * and connect.c's, which hand a stream over when it is ready.
 */
#ifndef XMPP_STREAM_H
#define XMPP_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "io/conn.h"
#include "xmpp/elem.h"
#include "xmpp/sm.h"
#include "xmpp/xml.h"

enum stream_role { STREAM_SERVER, STREAM_CLIENT };

/* RFC 6120 4.9.3. */
enum stream_cond {
	STREAM_BAD_FORMAT,
	STREAM_BAD_NAMESPACE_PREFIX,
	STREAM_CONFLICT,
	STREAM_CONNECTION_TIMEOUT,
	STREAM_HOST_GONE,
	STREAM_HOST_UNKNOWN,
	STREAM_IMPROPER_ADDRESSING,
	STREAM_INTERNAL_SERVER_ERROR,
	STREAM_INVALID_FROM,
	STREAM_INVALID_NAMESPACE,
	STREAM_INVALID_XML,
	STREAM_NOT_AUTHORIZED,
	STREAM_NOT_WELL_FORMED,
	STREAM_POLICY_VIOLATION,
	STREAM_REMOTE_CONNECTION_FAILED,
	STREAM_RESET,
	STREAM_RESOURCE_CONSTRAINT,
	STREAM_RESTRICTED_XML,
	STREAM_SEE_OTHER_HOST,
	STREAM_SYSTEM_SHUTDOWN,
	STREAM_UNDEFINED_CONDITION,
	STREAM_UNSUPPORTED_ENCODING,
	STREAM_UNSUPPORTED_FEATURE,
	STREAM_UNSUPPORTED_STANZA_TYPE,
	STREAM_UNSUPPORTED_VERSION,
	STREAM_COND_COUNT
};
const char *stream_cond_name(enum stream_cond);

struct stream;

struct stream_events {
	/*
	 * The peer's header: to, from, id, version, xml:lang as attributes. The
	 * namespaces and the version are good.
	 */
	void (*open)(void *arg, const struct elem *header);
	/*
	 * A whole top-level element, stanza or not; it may be changed, and its
	 * memory goes after the call. <stream:error/> comes as closed().
	 */
	void (*stanza)(void *arg, struct elem *);
	/* TLS is up; the stream is restarted. NULL: not wanted, no TLS is started. */
	void (*secured)(void *arg);
	void (*drained)(void *arg); /* as conn's; NULL: not wanted */
	/*
	 * The peer closed, sent an error, broke the rules, or the connection
	 * died. cond is the name of the peer's or of our stream error, NULL
	 * where there was none; the reason is the error's text, of see-other-host
	 * the host. What is owed to the peer has been sent, and stream_conn() is
	 * NULL. Once, and the last call; the owner frees.
	 */
	void (*closed)(void *arg, const char *cond, const char *reason);
};

/* Takes the connection; its loop's slice_stanzas is the budget of a slice. */
struct stream *stream_new(enum stream_role, struct conn *,
    const struct xml_limits *, const struct stream_events *, void *arg);
void stream_set_owner(struct stream *, const struct stream_events *, void *arg);
void stream_set_limits(struct stream *, const struct xml_limits *);
/* The peer has said nothing for a while: as xml_rest(). */
bool stream_rest(struct stream *);

/*
 * Ours of the two headers: a server answers with from = the asked `to`, a fresh
 * id and version 1.0; a client opens. NULL attributes are left out.
 */
void stream_open(struct stream *, const char *from, const char *to,
    const char *lang);
/* A new stream on the same connection (after SASL): the parser starts anew. */
void stream_restart(struct stream *);
/* Drops what was read behind the element in hand, then TLS, then secured(). */
void stream_start_tls_server(struct stream *, struct tls_certs *,
    const char *hint, unsigned timeout_ms);
void stream_start_tls_client(struct stream *, struct tls_trust *,
    const char *domain, bool direct, unsigned timeout_ms);

/*
 * Sending to a stream that was closed does nothing. With an sm, which is borrowed
 * (NULL ends that), each stanza that is sent is counted in sm->out: also while
 * sm->on is false, for owners that have pings acknowledge. What the peer sends is the
 * owner's to count.
 */
void stream_set_sm(struct stream *, struct sm *);
void stream_send(struct stream *, const struct elem *);
/* A frame as conn_send() takes it; it is a stanza. */
void stream_send_frame(struct stream *, const char *head, size_t len,
    struct blob *body, const char *tail);
/* Bytes of ours that need no copy worth sharing; no stanza that counts. */
void stream_send_text(struct stream *, const char *);

/*
 * Ends the stream: header if none was sent, error (text may be NULL),
 * </stream:stream>, then the connection lingers by itself. No callback from here
 * on; memory goes at once, except inside a callback of this stream, where it goes
 * when that returns. The holder is nulled.
 */
void stream_fail(struct stream **, enum stream_cond, const char *text);
/* The same; `xml` says more than the condition, in a namespace of its own. */
void stream_fail_with(struct stream **, enum stream_cond, const char *xml,
    const char *text);
void stream_close(struct stream **); /* without an error */
void stream_abort(struct stream **); /* without a word */
/*
 * The connection ends and the stream does not (XEP-0198 7): what is queued is still
 * written, and no </stream:stream>.
 */
void stream_leave(struct stream **);

struct conn *stream_conn(struct stream *); /* NULL once it was closed */
/*
 * Inside closed() and after it: the peer ended it, with </stream:stream> or an
 * error. false: the link was lost, or the peer broke the rules.
 */
bool stream_was_closed(const struct stream *);
/* Frames that were written whole, also once it was closed. */
uint64_t stream_frames_written(const struct stream *);
const char *stream_id(const struct stream *); /* the id of the header */
bool stream_is_secure(const struct stream *);
/* Peer's xml:lang of the header, or NULL: what stanzas without one inherit. */
const char *stream_lang(const struct stream *);

#endif
