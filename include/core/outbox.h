/*
 * What is on its way up, in order, until the server has acknowledged it: messages, and
 * what else may not be lost. On disk as well; goes up again on the next stream where it
 * may not have arrived, with a delay (custody.md).
 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/entry.h"

struct account;
struct outbox;
struct stream;

/* Full at `max` stanzas, or max times 16 KiB. */
struct outbox *outbox_new(struct account *, size_t max);
void outbox_free(struct outbox **);
/* What is on disk of it; the streams' numbers count as long as one may be resumed. */
void outbox_load(struct outbox *);
/* For tests alone, which see no other way what has left it. */
size_t outbox_count(const struct outbox *);
bool outbox_is_full(const struct outbox *);
/*
 * Appends a message; a reference is taken. keep: it survives the loss of a stream, and
 * is on disk.
 */
void outbox_add(struct outbox *, struct entry *, bool keep);
/*
 * The same of other stanzas, as bytes in jabber:client; kept, without a delay.
 * of_stream: on another stream it means nothing, and is dropped.
 */
void outbox_add_stanza(struct outbox *, const struct elem *, bool of_stream);
/* One of this stream, which is new, before all that waits. */
void outbox_add_first(struct outbox *, const struct elem *);
/*
 * Hands what is not on this stream yet to it, while its queue is below max_bytes.
 */
void outbox_pump(struct outbox *, struct stream *, uint64_t *out,
    size_t max_bytes);
/* The server has handled all up to that number. */
void outbox_acknowledge(struct outbox *, uint64_t number);
/*
 * The first that a server may have got: the archive's last id when it was sent (or
 * NULL), from where on the log has what the archive has behind that, and when it was
 * taken. false: there is none.
 */
bool outbox_first_sent(const struct outbox *, const char **after,
    uint64_t *after_seq, uint64_t *time);
/* The first of it that is in the log: its number there; 0: none is. */
uint64_t outbox_first_seq(const struct outbox *);
/* So many are on the stream and not acknowledged. */
size_t outbox_unacknowledged(const struct outbox *);
/*
 * What is not acknowledged goes up again. delay: on another stream, and what cannot
 * wait is dropped; else the stream goes on.
 */
void outbox_rewind(struct outbox *, bool delay);
/* A message with that id to that bare JID turned out to be there: it is closed. */
void outbox_close(struct outbox *, const char *peer, const char *id);
/*
 * The first that was taken before that time (wall ms) and is not on a stream, out of
 * the outbox; the caller owns it. NULL: none.
 */
struct entry *outbox_take_expired(struct outbox *, uint64_t before);

#endif
