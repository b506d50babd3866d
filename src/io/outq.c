#include "io/outq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Small enough for the allocator's fast lists: queues empty once a turn. */
#define OUTQ_FRAMES 16
#define OUTQ_HEADS  512

struct outq_frame {
	struct blob *body;
	const char *tail;
	uint64_t turn;
	uint32_t head_len, tail_len;
};

static struct outq_frame *
frame_at(const struct outq *q, uint32_t i)
{
	return &q->ring[(q->first + i) & (q->cap - 1)];
}

static size_t
body_len(const struct outq_frame *frame)
{
	return frame->body != NULL ? blob_len(frame->body) : 0;
}

static size_t
frame_len(const struct outq_frame *frame)
{
	return frame->head_len + body_len(frame) + frame->tail_len;
}

static void
grow_ring(struct outq *q)
{
	uint32_t cap = q->cap > 0 ? q->cap * 2 : OUTQ_FRAMES;
	struct outq_frame *ring = mem_grow(NULL, cap * sizeof(*ring));

	for (uint32_t i = 0; i < q->count; i++)
		ring[i] = *frame_at(q, i);
	free(q->ring);
	q->ring = ring;
	q->first = 0;
	q->cap = cap;
}

static void
add_head(struct outq *q, const char *head, size_t len)
{
	size_t used = q->heads_end - q->heads_at;

	if (q->heads == NULL || q->heads_end + len > q->heads_cap) {
		if (q->heads_at > 0)
			memmove(q->heads, q->heads + q->heads_at, used);
		q->heads_at = 0;
		q->heads_end = used;
		/* Half of it free, or each further head would move all. */
		if (2 * used + len > q->heads_cap) {
			q->heads_cap = len +
			    (q->heads_cap > 0 ? 2 * q->heads_cap : OUTQ_HEADS);
			q->heads = mem_grow(q->heads, q->heads_cap);
		}
	}
	if (len > 0)
		memcpy(q->heads + q->heads_end, head, len);
	q->heads_end += len;
}

void
outq_add(struct outq *q, uint64_t turn, const char *head, size_t len,
    struct blob *body, const char *tail)
{
	struct outq_frame *frame;

	assert(len <= UINT32_MAX);
	q->sent++;
	if (q->count == q->cap)
		grow_ring(q);
	add_head(q, head, len);
	frame = frame_at(q, q->count++);
	frame->body = blob_ref(body);
	frame->tail = tail;
	frame->turn = turn;
	frame->head_len = (uint32_t)len;
	frame->tail_len = tail != NULL ? (uint32_t)strlen(tail) : 0;
	assert(frame_len(frame) > 0);
	q->bytes += frame_len(frame);
}

struct cursor {
	char *out;
	size_t len, size; /* gathered, room */
	size_t skip;      /* of what comes next */
};

static void
gather_part(struct cursor *c, const char *bytes, size_t len)
{
	size_t take;

	if (c->skip >= len) {
		c->skip -= len;
		return;
	}
	bytes += c->skip;
	len -= c->skip;
	c->skip = 0;
	take = len < c->size - c->len ? len : c->size - c->len;
	memcpy(c->out + c->len, bytes, take);
	c->len += take;
}

size_t
outq_gather(const struct outq *q, uint64_t committed, uint64_t frames,
    char *out, size_t size)
{
	struct cursor c = { .out = out, .size = size, .skip = q->offset };
	const struct outq_frame *frame;
	const char *head;

	if (q->count == 0)
		return 0;
	head = q->heads + q->heads_at;
	for (uint32_t i = 0; i < q->count && i < frames && c.len < size; i++) {
		frame = frame_at(q, i);
		if (frame->turn > committed)
			break;
		gather_part(&c, head, frame->head_len);
		head += frame->head_len;
		if (frame->body != NULL)
			gather_part(&c, blob_data(frame->body),
			    blob_len(frame->body));
		if (frame->tail != NULL)
			gather_part(&c, frame->tail, frame->tail_len);
	}
	return c.len;
}

static void
release(struct outq *q)
{
	free(q->ring);
	free(q->heads);
	q->ring = NULL;
	q->heads = NULL;
	q->first = q->count = q->cap = 0;
	q->heads_at = q->heads_end = q->heads_cap = 0;
	q->offset = q->bytes = 0;
}

static void
drop_first(struct outq *q)
{
	struct outq_frame *frame = frame_at(q, 0);

	q->heads_at += frame->head_len;
	blob_unref(&frame->body);
	q->first = (q->first + 1) & (q->cap - 1);
	q->count--;
	q->offset = 0;
}

void
outq_advance(struct outq *q, size_t len)
{
	size_t left;

	assert(len <= q->bytes);
	q->bytes -= len;
	while (q->count > 0) {
		left = frame_len(frame_at(q, 0)) - q->offset;
		if (len < left) {
			q->offset += len;
			return;
		}
		len -= left;
		drop_first(q);
		q->written++;
	}
	release(q);
}

void
outq_clear(struct outq *q)
{
	while (q->count > 0)
		drop_first(q);
	release(q);
}
