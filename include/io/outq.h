/*
 * An output queue: frames in order, each with the turn in which it was queued.
 * The front does not change until it is written, so what a short write left
 * over is offered again, byte for byte, by the next outq_gather(). A zeroed
 * struct outq is an empty queue; an empty queue holds no memory.
 */
#ifndef IO_OUTQ_H
#define IO_OUTQ_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

struct outq_frame;

struct outq {
	struct outq_frame *ring; /* `cap` of them, a power of two */
	uint32_t first, count, cap;
	char *heads; /* the heads of all frames, end to end */
	size_t heads_at, heads_end, heads_cap;
	size_t offset;          /* written bytes of the first frame */
	size_t bytes;           /* not written yet */
	uint64_t sent, written; /* frames, since the start */
};

/*
 * Copies the head, refers to the body (or NULL), borrows the tail (or NULL).
 * There is a byte in one of them.
 */
void outq_add(struct outq *, uint64_t turn, const char *head, size_t len,
    struct blob *body, const char *tail);
/*
 * Copies the front into `out`, up to `size` bytes, no frame after turn
 * `committed`, none from the `frames`th on. Returns the bytes copied.
 */
size_t outq_gather(const struct outq *, uint64_t committed, uint64_t frames,
    char *out, size_t size);
/* The first `len` bytes are written. */
void outq_advance(struct outq *, size_t len);
/* Throws away what is left; the counts since the start stay. */
void outq_clear(struct outq *);

#endif
