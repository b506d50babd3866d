/*
 * A connection: a transport, an output queue, and its place in the loop.
 *
 * Input comes in slices (loop_budget.slice_bytes). Output is queued as frames
 * and written by the loop's flush, never by conn_send(). A frame belongs to the
 * turn in which it was queued and is not written before that turn is committed.
 */
#ifndef IO_CONN_H
#define IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "io/loop.h"
#include "io/tls.h"
#include "io/transport.h"

struct conn;

struct conn_events {
	/*
	 * Bytes arrived. Returns true where the owner still holds input that
	 * its slice did not let it handle; then the next slice calls it with
	 * (NULL, 0) until it returns false.
	 */
	bool (*data)(void *arg, const char *bytes, size_t len);
	/* The TLS handshake is done. NULL: not wanted. */
	void (*secured)(void *arg);
	/* The queue fell below a third of the window (conn_set_window()). */
	void (*drained)(void *arg);
	/*
	 * The peer ended, the transport failed, the handshake failed or took
	 * too long. Once; nothing is called after it. What came before was
	 * given to data(), unless reading was paused while the transport
	 * failed. The owner still has to free; what a peer that ended is owed
	 * can still be sent.
	 */
	void (*closed)(void *arg, const char *reason);
};

/*
 * Takes the transport. The connection reads from the next turn on (unless
 * paused or TLS is started). `id` is for the log and copied.
 */
struct conn *conn_new(struct loop *, struct transport *, const char *id,
    const struct conn_events *, void *arg);
void conn_set_owner(struct conn *, const struct conn_events *, void *arg);
/*
 * No callback from here on; queued frames are thrown away; memory goes at the
 * reap.
 */
void conn_abort(struct conn **);
/*
 * The same, but what is queued is still written as it gets committed, for at
 * most `linger_ms`; then close_notify and FIN. Input is thrown away; the
 * descriptor goes when the peer ends too, or when the time is up.
 */
void conn_finish(struct conn **, unsigned linger_ms);

/*
 * Connections of one group share a place in the round robin; 0: one of its own.
 */
void conn_set_group(struct conn *, uint64_t group);
/*
 * Stops and resumes reading: no data() while paused, not even for what is held.
 */
void conn_pause(struct conn *, bool paused);
/* Reads no faster than this in the long run; 0: no limit. */
void conn_set_rate(struct conn *, size_t bytes_per_second, size_t burst);
/* A memory transport has something new, or room again. */
void conn_poke(struct conn *);

/*
 * TLS starts when all that is queued has been written, and input is not read
 * until then; secured() follows. What was read before is the caller's to drop.
 * What is queued from here on goes through TLS. Needs a socket transport, and
 * is called once; the certificates or trust get a reference of their own.
 */
void conn_start_tls_server(struct conn *, struct tls_certs *, const char *hint,
    unsigned timeout_ms);
void conn_start_tls_client(struct conn *, struct tls_trust *,
    const char *domain, bool direct, unsigned timeout_ms);
bool conn_is_secure(const struct conn *);
struct tls *conn_tls(struct conn *); /* NULL without TLS */
struct loop *conn_loop(const struct conn *);
const char *conn_id(const struct conn *);
void conn_set_id(struct conn *, const char *id);

/*
 * Queues a frame: `head` is copied, `body` (may be NULL) gets a reference of
 * its own, `tail` (may be NULL) is a string that outlives the frame (a
 * literal). There is a byte in one of them. Where the transport has failed it
 * goes nowhere, but still counts as sent.
 */
void conn_send(struct conn *, const char *head, size_t len, struct blob *body,
    const char *tail);
size_t conn_queued_frames(const struct conn *);
size_t conn_queued_bytes(const struct conn *);
/* Written, and not acknowledged by the peer's kernel; 0 where nobody can tell. */
size_t conn_unacknowledged_bytes(const struct conn *);
/* Frames that were ever queued, and those that were written whole. */
uint64_t conn_frames_sent(const struct conn *);
uint64_t conn_frames_written(const struct conn *);
/*
 * drained() is called when both fall below a third of these, having been above;
 * 0: that one does not matter (both: never called). It runs in the flush, and
 * after the peer's end only while paused.
 */
void conn_set_window(struct conn *, size_t frames, size_t bytes);
/* Written or queued bytes since the start; for limits and the status. */
uint64_t conn_bytes_in(const struct conn *);
uint64_t conn_bytes_out(const struct conn *);
/* clock_now() of the last byte that came. */
uint64_t conn_last_read(const struct conn *);

/* The loop's side; nobody else calls them. */
struct loop_conns;
struct loop_conns *conns_new(struct loop *);
void conns_free(struct loop_conns **);
/* None is left, lingering ones included. */
bool conns_are_none(const struct loop_conns *);
/* Those of conn_finish() whose descriptor is still there. */
unsigned conns_lingering(const struct loop_conns *);
bool conns_are_ready(const struct loop_conns *); /* to be read or written */
bool conns_are_dirty(const struct loop_conns *); /* the latter */
void conns_read(struct loop_conns *);            /* the slices of a turn */
void conns_flush(struct loop_conns *, uint64_t committed);
void conns_reap(struct loop_conns *);

#endif
