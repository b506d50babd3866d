/* Stanzas that have to wait for something, in their order; bounded. */
#ifndef MOD_HELD_H
#define MOD_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "xmpp/elem.h"

struct held;

struct held *held_new(void);
void held_free(struct held **);
/*
 * A copy of it waits from now on. false: with it more than so many bytes would wait,
 * so it does not.
 */
bool held_add(struct held *, const struct elem *stanza, size_t max);
/* Takes the oldest, in that arena; NULL: none waits. */
struct elem *held_take(struct held *, struct arena *);

#endif
