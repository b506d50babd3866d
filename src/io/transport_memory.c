#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/transport.h"

struct memory {
	struct transport base;
	struct memory_faults faults;
	struct buf inbox;
	struct memory *peer; /* NULL: freed */
	bool peer_shut;      /* nothing more will come into the inbox */
	bool was_shut;
};

static size_t
chunk_of(const struct memory *m, size_t len)
{
	size_t chunk = m->faults.chunk;

	return chunk > 0 && chunk < len ? chunk : len;
}

static ssize_t
memory_read(struct transport *io, void *bytes, size_t size, struct err *err)
{
	struct memory *m = (struct memory *)io;
	size_t len = chunk_of(m, size);

	if (m->faults.fail_read) {
		err_set(err, "read: failed as told");
		return IO_ERROR;
	}
	if (m->inbox.len == 0)
		return m->peer_shut ? IO_END : IO_AGAIN;
	if (len > m->inbox.len)
		len = m->inbox.len;
	memcpy(bytes, m->inbox.data, len);
	buf_consume(&m->inbox, len);
	return (ssize_t)len;
}

static ssize_t
memory_write(struct transport *io, const void *bytes, size_t len,
    struct err *err)
{
	struct memory *m = (struct memory *)io, *peer = m->peer;
	size_t room;

	if (m->faults.fail_write) {
		err_set(err, "write: failed as told");
		return IO_ERROR;
	}
	if (peer == NULL || m->was_shut) {
		err_set(err, "write: nobody reads");
		return IO_ERROR;
	}
	if (m->faults.stall)
		return IO_AGAIN;
	len = chunk_of(m, len);
	if ((room = peer->faults.room) > 0) {
		if (peer->inbox.len >= room)
			return IO_AGAIN;
		if (len > room - peer->inbox.len)
			len = room - peer->inbox.len;
	}
	buf_add(&peer->inbox, bytes, len);
	return (ssize_t)len;
}

static bool
memory_has_pending(struct transport *io)
{
	return ((struct memory *)io)->inbox.len > 0;
}

static void
memory_shut(struct transport *io)
{
	struct memory *m = (struct memory *)io;

	m->was_shut = true;
	if (m->peer != NULL)
		m->peer->peer_shut = true;
}

static void
memory_free(struct transport *io)
{
	struct memory *m = (struct memory *)io;

	memory_shut(io);
	if (m->peer != NULL)
		m->peer->peer = NULL;
	buf_free(&m->inbox);
	free(m);
}

static const struct transport_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.has_pending = memory_has_pending,
	.shut = memory_shut,
	.free = memory_free,
};

static struct memory *
memory_new(void)
{
	struct memory *m = mem_alloc(sizeof(*m));

	m->base.ops = &memory_ops;
	m->base.fd = -1;
	return m;
}

void
transport_memory(struct transport **a, struct transport **b)
{
	struct memory *left = memory_new(), *right = memory_new();

	left->peer = right;
	right->peer = left;
	*a = &left->base;
	*b = &right->base;
}

struct memory_faults *
transport_memory_faults(struct transport *io)
{
	assert(io->ops == &memory_ops);
	return &((struct memory *)io)->faults;
}
