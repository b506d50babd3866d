/*
 * What a session is not told at once while its client is inactive (XEP-0352). Presence
 * of contacts is owed (missed.h); of what rooms and events say the latest waits, by who
 * says it of what; chat states are not told at all. All of it goes before anything that
 * matters, or when the client is active again.
 */
#ifndef CORE_QUIET_H
#define CORE_QUIET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/entry.h"
#include "xmpp/elem.h"

struct session;

/* Why the live message is not sent now: it waits, or never comes. NULL: it is sent. */
const char *quiet_takes(struct session *, struct entry *);
/*
 * The same of presence that nothing keeps, as it would be sent; from: prepared, in the
 * account's terms. What a room says of the session itself does not wait.
 */
bool quiet_takes_presence(struct session *, const char *from,
    const struct elem *presence);
/* Something that matters comes behind it. Uses the proxy's head and scratch. */
void quiet_flush(struct session *);
/* The client is active. */
void quiet_end(struct session *);
void quiet_clear(struct session *);
size_t quiet_count(const struct session *); /* rooms' and events that wait */

#endif
