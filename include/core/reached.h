/*
 * Which entries of a user's log have reached somebody: all up to a number, and some
 * behind it. What reached nobody reaches the next that comes (custody.md, Devices).
 */
#ifndef CORE_REACHED_H
#define CORE_REACHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pack.h"

/*
 * So many entries behind the first that reached nobody are told apart, those of rooms
 * too; when one beyond them is reached, all up to half as many before it are given up
 * (docs/reliability.md).
 */
#define REACHED_SPAN 8192

/* Zeroed: none has. */
struct reached {
	uint64_t low;        /* all up to it have */
	unsigned char *bits; /* of low + 1 and so on; bits past `count` are 0 */
	unsigned count, cap; /* bits in use; bytes allocated */
};

void reached_fini(struct reached *);
void reached_add(struct reached *, uint64_t seq);
/* All before that number count as such. */
void reached_add_before(struct reached *, uint64_t seq);
bool reached_has(const struct reached *, uint64_t seq);

/* For what is kept on disk. */
void reached_pack(const struct reached *, struct buf *);
void reached_unpack(struct reached *, struct unpack *);

#endif
