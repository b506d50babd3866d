/*
 * The byte operations of a connection: a socket, TLS on it, or memory. A small
 * table, so that tests can cut, stall, end and fail.
 */
#ifndef IO_TRANSPORT_H
#define IO_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct transport;

enum { IO_AGAIN = -1, IO_END = 0, IO_ERROR = -2 };

struct transport_ops {
	/* Bytes read, IO_END, IO_AGAIN, or IO_ERROR with err filled. */
	ssize_t (*read)(struct transport *, void *, size_t size, struct err *);
	/*
	 * Bytes written, maybe fewer than offered. After IO_AGAIN the next
	 * write offers at least the same bytes again.
	 */
	ssize_t (*write)(struct transport *, const void *bytes, size_t len,
	    struct err *err);
	/*
	 * After a read that gave bytes: are there more that epoll does not
	 * show?
	 */
	bool (*has_pending)(struct transport *);
	/* As tls_handshake(); NULL: none. */
	int (*handshake)(struct transport *, struct err *);
	/* Called once: close_notify, FIN. Does not block. */
	void (*shut)(struct transport *);
	void (*free)(struct transport *);
};

struct transport {
	const struct transport_ops *ops;
	int fd; /* -1: memory; its owner calls conn_poke() */
	/*
	 * The last read from the socket took all it had (it gave less than was
	 * asked for), so more will be an event and nobody needs to read until
	 * IO_AGAIN. Whoever reads clears it first.
	 */
	bool drained;
};

struct tls;
/* Owns fd; makes it non-blocking, without delay (Nagle), with keepalives. */
struct transport *transport_socket(int fd);
/* Puts TLS on the descriptor of a socket transport, which is consumed. */
struct transport *transport_tls(struct transport **socket, struct tls *);
struct tls *transport_tls_of(struct transport *); /* NULL where it is not TLS */

/*
 * Memory: two ends, each an inbox of the other. `chunk` limits each read and
 * write (0: no limit); `stall` makes writes say IO_AGAIN; `room` is what an
 * inbox holds before its writer gets IO_AGAIN (0: no limit).
 */
struct memory_faults {
	size_t chunk, room;
	bool stall, fail_read, fail_write;
};
void transport_memory(struct transport **a, struct transport **b);
/* The other end's shut or free is an end here, after what came before it. */
struct memory_faults *transport_memory_faults(struct transport *);

#endif
