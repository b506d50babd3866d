/*
 * A connection in memory that needs no conn_poke(): a memory transport with an
 * eventfd, which tells the loop of the other end that there is something to do.
 */
#ifndef RIG_WIRE_H
#define RIG_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "io/transport.h"

/* cut: bytes a turn, both ways (0: no limit). *activity counts what happens. */
void wire_new(size_t cut, uint64_t *activity, struct transport **,
    struct transport **);
/* How many bytes may wait for the reader of this end; 0: no limit. */
void wire_set_room(struct transport *, size_t bytes);

#endif
