/*
 * How long the loop was busy in its turns, and so could not look at anybody: a
 * histogram in microseconds, exact to an eighth.
 */
#ifndef IO_PAUSES_H
#define IO_PAUSES_H

#include <stdint.h>

#define PAUSES_BUCKETS 256

/* Zeroed: none yet. */
struct pauses {
	uint64_t count, max;
	uint64_t buckets[PAUSES_BUCKETS];
};

void pauses_add(struct pauses *, uint64_t us);
/* At least that share (in thousandths) of all was no longer; 0 without any. */
uint64_t pauses_share(const struct pauses *, unsigned thousandths);

#endif
