/* A client's set of its roster (RFC 6121 2.3, 2.4, 2.5), for mod/roster.c. */
#ifndef MOD_ROSTER_SET_H
#define MOD_ROSTER_SET_H

#include "core/hooks.h"

/*
 * Goes up; in node view to each account that has the item, or to the one that carries
 * stanzas to that JID where none has it. The client gets one answer, an error where one
 * of them fails.
 */
const char *roster_set(struct session *, struct route *);

#endif
