/* Presence of others to sessions: from the cache, or that they are gone. */
#ifndef CORE_RELAY_H
#define CORE_RELAY_H

#include "core/presences.h"

struct account;
struct session;

/* One presence of the cache to one session. */
void relay_presence(struct session *, struct account *,
    const struct presence *);
/* That this JID is unavailable. */
void relay_unavailable(struct session *, struct account *, const char *from);
/* A presence of the session itself to another session (or itself); NULL body: unavailable. */
void relay_sibling(struct session *to, struct session *from);

#endif
