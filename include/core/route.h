/*
 * The two paths of a stanza: from a client and from upstream (stanzas.md).
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/hooks.h"

/* May close the session; the stanza's memory goes with the arena. */
void route_client(struct session *, struct elem *);
void route_upstream(struct account *, struct elem *);

/* An error to the client that sent it, if it may have one. */
void route_bounce(struct session *, const struct route *, enum error_cond,
    const char *text);

#endif
