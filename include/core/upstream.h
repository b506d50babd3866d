/*
 * The live client connection of one account: dials, negotiates, keeps alive,
 * reconnects (custody.md, design section 5). Its account outlives it on the wire; it
 * is made and freed with it.
 */
#ifndef CORE_UPSTREAM_H
#define CORE_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pack.h"
#include "xmpp/elem.h"

struct account;
struct proxy;
struct stream;
struct upstream;

struct upstream *upstream_new(struct account *);
void upstream_free(struct upstream **);
/* Connects, unless it is connected, connecting or waiting to. */
void upstream_start(struct upstream *);
/*
 * Closes the stream behind all that it was handed (the server makes us unavailable
 * with it), and stays off until started.
 */
void upstream_stop(struct upstream *, const char *reason);
/*
 * The same once the server has acknowledged all, or has had the time to: what is not
 * acknowledged goes up again on the next stream. Started anew, it stays. The reason is
 * kept as it is.
 */
void upstream_finish(struct upstream *, const char *reason);
/* The configuration changed: the same, and refusals are forgotten. */
void upstream_reset(struct upstream *, const char *reason);
/* The server does not want us (password), whether or not there is another try. */
bool upstream_is_refused(const struct upstream *);
/* It will not try again until the configuration changes. */
bool upstream_has_stopped(const struct upstream *);
/* It is on its way, or about to be for the first time. */
bool upstream_is_trying(const struct upstream *);
bool upstream_is_up(const struct upstream *);
/* Its link is lost, and its stream may go on. */
bool upstream_may_resume(const struct upstream *);
struct stream *upstream_stream(struct upstream *); /* NULL while it is not up */
/*
 * The proxy ends: a stream that can be resumed is left as it is, without a word; else
 * as upstream_stop().
 */
void upstream_leave(struct upstream *, const char *reason);
/* Its answer to <enable/> is still to come: account_ready() follows. */
bool upstream_is_enabling(const struct upstream *);
/* The number of the stanza that was sent last. */
uint64_t upstream_sent(const struct upstream *);
/* The outbox to the stream, as far as that takes it; it is up. */
void upstream_pump(struct upstream *);
/* Nobody reads it while the store is full. */
void upstream_pause(struct upstream *, bool paused);

/* What a restart needs to go on with the stream (XEP-0198 5). */
void upstream_pack(const struct upstream *, struct buf *);
void upstream_pack_counters(const struct upstream *, struct buf *);
void upstream_unpack(struct upstream *, struct unpack *);
void upstream_unpack_counters(struct upstream *, struct unpack *);
/* All of it is there: the stream may be resumed, or is lost. */
void upstream_loaded(struct upstream *);

const char *upstream_log_id(const struct upstream *);
/* Why it is not up, for people; "" where it is. */
const char *upstream_trouble(const struct upstream *);

#endif
