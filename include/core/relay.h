/* Presence of others to sessions: from the cache, or that they are gone. */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include <stdint.h>

#include "core/presences.h"

struct account;
struct session;

/*
 * To a session whose queue is full it goes later (missed.h). What comes from somebody
 * blocked goes to nobody.
 *
 * One presence of the cache to one session.
 */
void relay_presence(struct session *, struct account *,
    const struct presence *);
/* The last one of a JID that is gone, with what it says. */
void relay_farewell(struct session *, struct account *,
    const struct presence *);
/* A presence of the session `from`, as it is now, to another session or itself. */
void relay_sibling(struct session *to, struct session *from);
/*
 * What is current of a JID as the session's view calls it. account 0: of a session of the
 * user, which may have gone.
 */
void relay_now(struct session *, uint64_t account, const char *jid);

#endif
