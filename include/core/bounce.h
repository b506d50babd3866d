/* Messages that waited too long for the server, back to who wrote them. */
#ifndef CORE_BOUNCE_H
#define CORE_BOUNCE_H

#include <stdint.h>

struct account;

/* All that were taken before that time (wall ms) and are not on a stream. */
void bounce_expired(struct account *, uint64_t before);

#endif
