/* Contacts' presence on disk, for mod/presence.c. */
#ifndef MOD_PRESENCE_KEPT_H
#define MOD_PRESENCE_KEPT_H

#include "core/presences.h"

struct account;

/*
 * That of a full JID is another now. p NULL: it is gone, which sessions have to hear
 * that were told otherwise before a restart.
 */
void presence_kept_put(struct account *, const char *full,
    const struct presence *);

#endif
