/* Presence of others to sessions: from the cache, or that they are gone. */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

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
/* That this JID is unavailable. */
void relay_unavailable(struct session *, struct account *, const char *from);
/* A presence of the session `from`, as it is now, to another session or itself. */
void relay_sibling(struct session *to, struct session *from);
/* The same by its full JID in the view of `to`; the session may have gone. */
void relay_sibling_now(struct session *to, const char *jid);

#endif
