#include "rig/wire.h"

#include <sys/eventfd.h>

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

struct wire {
	struct transport base;
	struct transport *inner; /* the memory */
	struct wire *peer;       /* NULL: freed */
	uint64_t *activity;
	size_t cut;
	bool read_one, wrote_one; /* a cut connection rests after each */
};

static void
poke(struct wire *w)
{
	if (w != NULL)
		eventfd_write(w->base.fd, 1);
}

/*
 * Makes a cut connection wait for the next turn after each piece. Not once the other
 * end has gone: nothing is expected to come then.
 */
static bool
rests(struct wire *w, bool *did_one)
{
	if (w->cut == 0 || !*did_one || w->peer == NULL)
		return false;
	*did_one = false;
	poke(w);
	return true;
}

static size_t
piece_of(const struct wire *w, size_t len)
{
	return w->cut > 0 && w->cut < len ? w->cut : len;
}

static ssize_t
wire_read(struct transport *io, void *bytes, size_t size, struct err *err)
{
	struct wire *w = (struct wire *)io;
	ssize_t n;

	if (rests(w, &w->read_one))
		return IO_AGAIN;
	n = w->inner->ops->read(w->inner, bytes, piece_of(w, size), err);
	if (n <= 0)
		return n;
	w->read_one = true;
	(*w->activity)++;
	poke(w->peer);
	return n;
}

static ssize_t
wire_write(struct transport *io, const void *bytes, size_t len, struct err *err)
{
	struct wire *w = (struct wire *)io;
	ssize_t n;

	if (rests(w, &w->wrote_one))
		return IO_AGAIN;
	n = w->inner->ops->write(w->inner, bytes, piece_of(w, len), err);
	if (n <= 0)
		return n;
	w->wrote_one = true;
	(*w->activity)++;
	poke(w->peer);
	return n;
}

static bool
wire_has_pending(struct transport *io)
{
	struct transport *inner = ((struct wire *)io)->inner;

	return inner->ops->has_pending(inner);
}

static void
wire_shut(struct transport *io)
{
	struct wire *w = (struct wire *)io;

	w->inner->ops->shut(w->inner);
	(*w->activity)++;
	poke(w->peer);
}

static void
wire_free(struct transport *io)
{
	struct wire *w = (struct wire *)io;

	w->inner->ops->free(w->inner);
	(*w->activity)++;
	if (w->peer != NULL)
		w->peer->peer = NULL;
	poke(w->peer);
	close(w->base.fd);
	free(w);
}

static const struct transport_ops wire_ops = {
	.read = wire_read,
	.write = wire_write,
	.has_pending = wire_has_pending,
	.shut = wire_shut,
	.free = wire_free,
};

static struct wire *
end_new(struct transport *inner, size_t cut, uint64_t *activity)
{
	struct wire *w = mem_alloc(sizeof(*w));

	w->base.ops = &wire_ops;
	w->base.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert(w->base.fd >= 0);
	w->inner = inner;
	w->cut = cut;
	w->activity = activity;
	return w;
}

void
wire_new(size_t cut, uint64_t *activity, struct transport **a,
    struct transport **b)
{
	struct transport *inner_a, *inner_b;
	struct wire *left, *right;

	transport_memory(&inner_a, &inner_b);
	left = end_new(inner_a, cut, activity);
	right = end_new(inner_b, cut, activity);
	left->peer = right;
	right->peer = left;
	*a = &left->base;
	*b = &right->base;
}

void
wire_set_room(struct transport *io, size_t bytes)
{
	struct wire *w = (struct wire *)io;

	assert(io->ops == &wire_ops);
	transport_memory_faults(w->inner)->room = bytes;
	poke(w->peer);
}
