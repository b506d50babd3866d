#include "base/clock.h"
#include "conn_impl.h"

/* A throttled connection sleeps for this share of a second's bytes. */
#define THROTTLE_SHARE 10

static size_t
slice_room(const struct conn *c)
{
	size_t room = loop_budget(c->loop)->slice_bytes;

	return room < CONN_CHUNK ? room : CONN_CHUNK;
}

static void
refill(struct conn *c, uint64_t now)
{
	uint64_t full = (uint64_t)c->burst * 1000;
	uint64_t passed = now - c->filled;

	/* The bound keeps the product small after a long silence. */
	if (passed > full / c->rate)
		c->tokens = full;
	else
		c->tokens += passed * c->rate;
	if (c->tokens > full)
		c->tokens = full;
	c->filled = now;
}

static void
throttle(struct conn *c)
{
	uint64_t wanted = c->rate / THROTTLE_SHARE + 1;

	if (wanted > c->burst)
		wanted = c->burst;
	c->throttled = true;
	timer_set(&c->timer,
	    (wanted * 1000 - c->tokens + c->rate - 1) / c->rate);
}

/* How much may be read; 0 puts the connection to sleep. */
static size_t
allowance(struct conn *c)
{
	size_t room = slice_room(c);

	if (c->rate == 0 || c->reason != NULL)
		return room;
	refill(c, clock_now());
	if (c->tokens < 1000)
		throttle(c);
	return c->tokens / 1000 < room ? c->tokens / 1000 : room;
}

static void
note_read(struct conn *c, size_t len)
{
	uint64_t cost = (uint64_t)len * 1000;

	c->bytes_in += len;
	c->last_read = clock_now();
	c->tokens = c->tokens > cost ? c->tokens - cost : 0;
}

/*
 * Reads until the slice is full or the socket empty. An end is noted, not told.
 */
static size_t
fill(struct conn *c, size_t room)
{
	struct transport *io = c->io;
	size_t len = 0;
	struct err err;
	ssize_t n;

	io->drained = false;
	while (len < room && c->readable) {
		n = io->ops->read(io, c->conns->chunk + len, room - len, &err);
		if (n > 0) {
			len += (size_t)n;
			c->readable = !io->drained || c->is_ending ||
			    io->ops->has_pending(io);
			continue;
		}
		c->readable = false;
		c->at_end = n != IO_AGAIN;
		if (n == IO_END)
			conn_end(c, CONN_ENDED);
		else if (n == IO_ERROR)
			conn_break(c, err.text);
	}
	if (len > 0)
		note_read(c, len);
	return len;
}

/* Nobody owns it: what still comes only has to leave the socket. */
static void
discard(struct conn *c)
{
	fill(c, slice_room(c));
	if (c->at_end && c->was_shut)
		conn_bury(c);
}

static bool
may_read(const struct conn *c)
{
	return !c->paused && c->readable &&
	    (c->phase == CONN_PLAIN || c->phase == CONN_SECURE);
}

static void
announce(struct conn *c)
{
	c->announced = true;
	c->events->closed(c->arg, c->reason);
}

void
conn_slice(struct conn *c)
{
	size_t room, len = 0;

	if (c->finishing)
		discard(c);
	else if (c->held && !c->paused)
		c->held = c->events->data(c->arg, NULL, 0);
	else if (may_read(c)) {
		if ((room = allowance(c)) > 0)
			len = fill(c, room);
		if (len > 0)
			c->held = c->events->data(c->arg, c->conns->chunk, len);
	} else if (c->reason != NULL && (!c->paused || c->broken))
		announce(c);
	conns_mark_ready(c);
}
