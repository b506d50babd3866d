/*
 * What conn.c (the interface), conns.c (the lists of the turn), conn_read.c,
 * conn_write.c and conn_tls.c share; nobody else's.
 */
#ifndef IO_CONN_IMPL_H
#define IO_CONN_IMPL_H

#include <sys/queue.h>

#include "base/table.h"
#include "io/conn.h"
#include "io/outq.h"
#include "io/timer.h"

/* One TLS record's worth: what a read takes and a write offers at most. */
#define CONN_CHUNK 16384

#define CONN_ENDED "the peer closed the connection"

enum conn_phase {
	CONN_PLAIN,
	CONN_TLS_PENDING, /* plain bytes are still to be written */
	CONN_HANDSHAKE,
	CONN_SECURE
};

enum conn_place { PLACE_NONE, PLACE_READY, PLACE_HANDSHAKE };
enum conn_out_place { OUT_NONE, OUT_DIRTY, OUT_FLUSHING, OUT_GATED };

TAILQ_HEAD(conn_list, conn);

struct conn_group {
	uint64_t id; /* 0: of one connection, not in the table */
	unsigned members;
	struct conn_list ready;
	bool is_queued; /* has ready ones, stands in the robin */
	TAILQ_ENTRY(conn_group) link;
	UT_hash_handle hh;
};

struct conn_tls_start {
	struct tls_certs *certs; /* one of the two */
	struct tls_trust *trust;
	char *name; /* the hint, or the domain */
	bool direct;
	uint64_t after; /* frames that still go before it */
};

struct conn {
	struct loop *loop;
	struct loop_conns *conns;
	struct transport *io;
	struct loop_source *source;
	char *id;
	const struct conn_events *events; /* NULL: nobody owns it any more */
	void *arg;

	enum conn_phase phase;
	struct conn_tls_start *start; /* while pending */
	struct timer timer;           /* handshake, throttle or linger */

	/* What the kernel said and no call has denied since. */
	bool readable, writable;
	bool is_ending; /* an end may hide behind a short read */
	bool stirred;   /* an event since the last handshake step */

	bool paused, throttled;
	bool held;      /* the owner holds input */
	bool broken;    /* nothing can be written any more */
	bool at_end;    /* nothing can be read any more */
	bool announced; /* closed() was called */
	bool finishing, was_shut;
	bool dead;    /* the reap frees it */
	bool above;   /* drained() is owed */
	char *reason; /* closed() is due, or was called */

	struct outq out;
	size_t window_frames, window_bytes;
	uint64_t bytes_in, bytes_out, last_read;
	size_t rate, burst;
	uint64_t tokens, filled; /* thousandths of bytes; when */

	struct conn_group *group;
	enum conn_place place;
	enum conn_out_place out_place;
	TAILQ_ENTRY(conn) ready, dirty, all;
};

struct loop_conns {
	struct loop *loop;
	struct conn_list all, dead;              /* by `all` */
	TAILQ_HEAD(, conn_group) robin;          /* groups with ready ones */
	struct conn_group *groups;               /* by id */
	struct conn_list handshakes;             /* by `ready` */
	struct conn_list dirty, flushing, gated; /* by `dirty` */
	unsigned lingering;
	uint64_t committed;
	char chunk[CONN_CHUNK];
};

/* conns.c */
void conns_mark_ready(struct conn *); /* where it has something to do */
void conns_mark_dirty(struct conn *); /* the same, for the flush */
void conns_unmark_ready(struct conn *);
void conns_unmark(struct conn *); /* from all lists of the turn */
void conns_join(struct conn *, uint64_t group);
void conns_leave(struct conn *);

/* conn.c */
bool conn_is_above(const struct conn *); /* a third of the window */
void conn_event(void *conn, uint32_t epoll_events);
void conn_timer(void *conn);
/* closed() is due. Writing may go on: see conn_break(). */
void conn_end(struct conn *, const char *reason);
/* The same, and nothing can be written any more. */
void conn_break(struct conn *, const char *reason);
/* Detached for good; the reap frees it. */
void conn_bury(struct conn *);

/* conn_read.c */
void conn_slice(struct conn *);

/* conn_write.c */
void conn_write(struct conn *, uint64_t committed);

/* conn_tls.c */
void conn_handshake(struct conn *);
void conn_begin_tls(struct conn *);
void conn_drop_tls_start(struct conn *);

#endif
