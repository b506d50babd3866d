#include "core/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "xmpp/elem.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

struct parcel {
	STAILQ_ENTRY(parcel) next;
	struct blob *body;
	char *from;     /* of the delay */
	uint64_t time;  /* wall ms: when it was taken */
	uint64_t frame; /* its number on this stream; 0: not on it yet */
	bool keep;
	bool late; /* it waits for a stream that was not there */
	size_t head_len;
	char head[];
};

struct outbox {
	STAILQ_HEAD(parcels, parcel) parcels;
	struct parcel
	    *next; /* the first that is not on the stream; NULL: none */
	size_t count, max, bytes;
	bool has_stream;
};

#define BYTES_EACH 16384 /* on average, when all places are taken */

static size_t
parcel_bytes(const struct parcel *p)
{
	return p->head_len + blob_len(p->body);
}

struct outbox *
outbox_new(size_t max)
{
	struct outbox *box = mem_alloc(sizeof(*box));

	STAILQ_INIT(&box->parcels);
	box->max = max;
	return box;
}

static void
parcel_free(struct parcel *p)
{
	blob_unref(&p->body);
	free(p->from);
	free(p);
}

void
outbox_free(struct outbox **box)
{
	struct parcel *p;

	if (*box == NULL)
		return;
	while ((p = STAILQ_FIRST(&(*box)->parcels)) != NULL) {
		STAILQ_REMOVE_HEAD(&(*box)->parcels, next);
		parcel_free(p);
	}
	free(*box);
	*box = NULL;
}

size_t
outbox_count(const struct outbox *box)
{
	return box->count;
}

bool
outbox_is_full(const struct outbox *box)
{
	return box->count >= box->max || box->bytes >= box->max * BYTES_EACH;
}

void
outbox_add(struct outbox *box, const struct buf *head, struct blob *body,
    bool keep, const char *from)
{
	struct parcel *p = mem_alloc(sizeof(*p) + head->len);

	memcpy(p->head, head->data, head->len);
	p->head_len = head->len;
	p->body = blob_ref(body);
	p->from = mem_strdup(from);
	p->time = clock_wall();
	p->keep = keep;
	p->late = !box->has_stream;
	STAILQ_INSERT_TAIL(&box->parcels, p, next);
	box->count++;
	box->bytes += parcel_bytes(p);
	if (box->next == NULL)
		box->next = p;
}

static void
parcel_send(struct parcel *p, struct stream *stream)
{
	struct buf head = { 0 };
	char stamp[TEXT_STAMP_SIZE];

	buf_add(&head, p->head, p->head_len);
	buf_putc(&head, '>');
	if (p->late) {
		buf_puts(&head, "<delay xmlns='" NS_DELAY "' from='");
		elem_escape(&head, p->from);
		buf_printf(&head, "' stamp='%s'/>", text_stamp(stamp, p->time));
	}
	stream_send_frame(stream, head.data, head.len, p->body, "</message>");
	p->frame = conn_frames_sent(stream_conn(stream));
	buf_free(&head);
}

/* What was written whole has left our hands. */
static void
forget_written(struct outbox *box, uint64_t written)
{
	struct parcel *p;

	while ((p = STAILQ_FIRST(&box->parcels)) != NULL && p->frame != 0 &&
	    p->frame <= written) {
		STAILQ_REMOVE_HEAD(&box->parcels, next);
		box->count--;
		box->bytes -= parcel_bytes(p);
		parcel_free(p);
	}
}

void
outbox_pump(struct outbox *box, struct stream *stream, size_t max_bytes)
{
	struct conn *conn = stream_conn(stream);

	box->has_stream = true;
	forget_written(box, conn_frames_written(conn));
	while (box->next != NULL && conn_queued_bytes(conn) < max_bytes) {
		parcel_send(box->next, stream);
		box->next = STAILQ_NEXT(box->next, next);
	}
}

/* Nothing is on a stream any more; what cannot wait goes. */
static void
rewind_all(struct outbox *box)
{
	struct parcels all = STAILQ_HEAD_INITIALIZER(all);
	struct parcel *p;

	box->has_stream = false;
	STAILQ_CONCAT(&all, &box->parcels);
	box->count = box->bytes = 0;
	while ((p = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, next);
		if (!p->keep) {
			parcel_free(p);
			continue;
		}
		p->frame = 0;
		p->late = true;
		STAILQ_INSERT_TAIL(&box->parcels, p, next);
		box->count++;
		box->bytes += parcel_bytes(p);
	}
	box->next = STAILQ_FIRST(&box->parcels);
}

void
outbox_rewind(struct outbox *box, struct stream *stream)
{
	forget_written(box, stream_frames_written(stream));
	rewind_all(box);
}

void
outbox_leave(struct outbox *box)
{
	forget_written(box, UINT64_MAX);
	rewind_all(box);
}
