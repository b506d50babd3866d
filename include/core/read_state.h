/*
 * Read state (XEP-0490): items of the node NS_MDS, a chat each, with the stanza-id of the
 * last message that was displayed in it. The ids on the network are the server's; where a
 * session's archive is ours it knows messages by our ids, and both name the same entry of
 * the log.
 */
#ifndef CORE_READ_STATE_H
#define CORE_READ_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "xmpp/elem.h"

struct account;
struct session;

/* The part of an event, an answer, a request that is about that node; NULL: none is. */
struct elem *read_state_event(const struct elem *message);
struct elem *read_state_items(const struct elem *iq);
struct elem *read_state_publish(const struct elem *iq);

/* The whole node was purged or deleted, by an event of the account itself. */
bool read_state_is_gone(const struct account *, const char *from,
    const struct elem *message);
/* An event of the account itself about it; from: as the message has it, prepared. */
bool read_state_is_own(const struct account *, const char *from,
    const struct elem *message);

/* Whose chat an item is about, prepared, in terms of the account; NULL: it has no id. */
const char *read_state_chat(const struct account *, const struct elem *item);
/*
 * The number in the log of what it names; 0: it is not there. What was not displayed last
 * is searched for, which is slow: so often for one stanza, counted down in *searches; what
 * is beyond is not found.
 */
#define READ_STATE_SEARCHES 32
uint64_t read_state_place(const struct account *, const struct elem *item,
    unsigned *searches);

/* One item, on its way up: in terms of the account and its server. */
void read_state_up(struct session *, struct account *, struct elem *item);
/* All items of a part, on their way to a session: in terms of its view. */
void read_state_down(struct session *, struct account *, struct elem *part);

#endif
