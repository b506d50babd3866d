/*
 * Places in the log that a client speaks of: "displayed up to there" (XEP-0333,
 * XEP-0490). Later messages have the higher number, whatever their ids are.
 */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include <stdint.h>

#include "core/entry.h"

struct account;

/*
 * What the peer is to be told apart by: an occupant of a room that the user is in has a
 * conversation of its own, all the rest has one per bare JID. The caller frees.
 */
char *place_conversation(const struct account *, const char *peer);
/*
 * The number of what came from the peer under that id; in a room its stanza-id is the
 * one that counts (XEP-0333 4.3). 0: it is not in the log, or too far back.
 */
uint64_t place_of_message(const struct account *, const char *peer,
    const char *id);
/* By the stanza-id of the account's server, in and out; NULL: as above. Borrowed. */
struct entry *place_find_stanza_id(const struct account *, const char *peer,
    const char *id);
/* By the stanza-id of the room. */
struct entry *place_find_room_id(const struct account *, const char *room,
    const char *id);
/* The last one up to that number which the server gave a stanza-id. */
struct entry *place_find_named(const struct account *, const char *peer,
    uint64_t seq);

#endif
