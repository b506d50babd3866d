#include "conn_impl.h"

/* Frames that were queued after TLS was asked for must not go in the clear. */
static uint64_t
frames_allowed(const struct conn *c)
{
	if (c->phase != CONN_TLS_PENDING)
		return UINT64_MAX;
	return c->start->after - c->out.written;
}

static bool
is_all_written(const struct conn *c)
{
	return c->out.count == 0 || frames_allowed(c) == 0;
}

static bool
write_chunk(struct conn *c, uint64_t committed)
{
	struct transport *io = c->io;
	struct err err;
	size_t len;
	ssize_t n;

	len = outq_gather(&c->out, committed, frames_allowed(c),
	    c->conns->chunk, CONN_CHUNK);
	if (len == 0)
		return false;
	n = io->ops->write(io, c->conns->chunk, len, &err);
	if (n == IO_AGAIN)
		c->writable = false;
	else if (n == IO_ERROR)
		conn_break(c, err.text);
	else
		outq_advance(&c->out, (size_t)n);
	return n > 0;
}

static void
shut(struct conn *c)
{
	c->was_shut = true;
	c->io->ops->shut(c->io);
	if (c->at_end)
		conn_bury(c);
}

static void
tell_drained(struct conn *c)
{
	if (!c->above || conn_is_above(c))
		return;
	c->above = false;
	if (c->events != NULL && c->events->drained != NULL && !c->broken &&
	    (c->reason == NULL || c->paused))
		c->events->drained(c->arg);
}

void
conn_write(struct conn *c, uint64_t committed)
{
	if (c->phase == CONN_HANDSHAKE)
		return;
	while (c->writable && !c->broken && write_chunk(c, committed))
		;
	if (c->dead)
		return;
	if (c->finishing && !c->was_shut && is_all_written(c))
		shut(c);
	else if (c->phase == CONN_TLS_PENDING && !c->finishing && !c->broken &&
	    is_all_written(c))
		conn_begin_tls(c);
	tell_drained(c);
}
