/* From a stanza of upstream to an entry of the history. */
#ifndef CORE_INCOMING_H
#define CORE_INCOMING_H

#include "core/history.h"
#include "core/hooks.h"

struct account;

/* The caller hands it to fanout(). DIR_OUT: from is the own device, to the peer. */
struct entry *incoming_entry(struct account *, const struct route *,
    enum direction);
/*
 * To or from `peer`, an occupant of a room: the message says so, or we are in that
 * room.
 */
bool incoming_is_room_private(const struct user *, const struct route *,
    const char *peer);

#endif
