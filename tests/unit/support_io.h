/* What the tests of src/io share: an owner of a connection that notes all. */
#ifndef TESTS_UNIT_SUPPORT_IO_H
#define TESTS_UNIT_SUPPORT_IO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/conn.h"
#include "io/loop.h"

struct owner {
	struct loop *loop;
	struct conn *conn;
	struct buf in;
	unsigned calls, secured, drained, closed;
	char reason[256];
	/* Instead of noting the bytes. */
	bool (*on_data)(struct owner *, const char *bytes, size_t len);
	void (*on_drained)(struct owner *);
	void (*on_closed)(struct owner *);
	unsigned spend;    /* stanzas per call */
	uint64_t takes_ms; /* of the fake clock, per call */
};

static inline bool
owner_data(void *arg, const char *bytes, size_t len)
{
	struct owner *o = arg;

	assert_int_equal(o->closed, 0);
	o->calls++;
	loop_spend(o->loop, o->spend);
	clock_advance(o->takes_ms);
	if (o->on_data != NULL)
		return o->on_data(o, bytes, len);
	buf_add(&o->in, bytes, len);
	return false;
}

static inline void
owner_secured(void *arg)
{
	((struct owner *)arg)->secured++;
}

static inline void
owner_drained(void *arg)
{
	struct owner *o = arg;

	o->drained++;
	if (o->on_drained != NULL)
		o->on_drained(o);
}

static inline void
owner_closed(void *arg, const char *reason)
{
	struct owner *o = arg;

	o->closed++;
	snprintf(o->reason, sizeof(o->reason), "%s", reason);
	if (o->on_closed != NULL)
		o->on_closed(o);
}

static const struct conn_events owner_events = {
	.data = owner_data,
	.secured = owner_secured,
	.drained = owner_drained,
	.closed = owner_closed,
};

static inline void
owner_init(struct owner *o, struct loop *loop, struct transport *io)
{
	memset(o, 0, sizeof(*o));
	o->loop = loop;
	o->conn = conn_new(loop, io, "c1", &owner_events, o);
}

static inline void
owner_fini(struct owner *o)
{
	conn_abort(&o->conn);
	buf_free(&o->in);
}

static inline const char *
owner_text(const struct owner *o)
{
	return o->in.data != NULL ? o->in.data : "";
}

static inline void
io_turns(struct loop *loop, unsigned count)
{
	while (count-- > 0)
		loop_turn(loop, 0);
}

static inline void
io_pair(int fds[2])
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	assert_int_equal(socketpair(AF_UNIX, type, 0, fds), 0);
}

static inline struct loop *
io_loop(void)
{
	struct loop *loop;

	clock_fake(1000, 1700000000000);
	loop = loop_new(NULL);
	assert_non_null(loop);
	return loop;
}

/* What the other end of a memory transport or socket has got so far. */
static inline size_t
io_take(struct transport *io, char *out, size_t size)
{
	struct err err;
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 &&
	    (n = io->ops->read(io, out + len, size - 1 - len, &err)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	return len;
}

static inline void
io_put(struct transport *io, const char *text)
{
	struct err err;
	size_t len = strlen(text);

	assert_int_equal(io->ops->write(io, text, len, &err), len);
}

#endif
