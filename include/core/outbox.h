/*
 * Messages on their way up, in order. One that the server may not have got yet (not
 * written whole) is kept, and goes up again on the next stream, with a delay.
 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/buf.h"

struct outbox;
struct stream;

/* Full at `max` messages, or max times 16 KiB. */
struct outbox *outbox_new(size_t max);
void outbox_free(struct outbox **);
size_t outbox_count(const struct outbox *);
bool outbox_is_full(const struct outbox *);
/*
 * Appends a message: its head ("<message to='..' ..." without the '>') is copied,
 * the body (children) referenced. keep: it survives the loss of a stream; `from` is
 * what its delay says then.
 */
void outbox_add(struct outbox *, const struct buf *head, struct blob *body,
    bool keep, const char *from);
/*
 * Hands what is not on this stream yet to it, while its queue is below max_bytes,
 * and forgets what was written whole.
 */
void outbox_pump(struct outbox *, struct stream *, size_t max_bytes);
/* The stream is lost: what it did not write whole goes up again on the next. */
void outbox_rewind(struct outbox *, struct stream *);
/* The stream is closed properly, so what it was handed is still written. */
void outbox_leave(struct outbox *);

#endif
