/*
 * Failed logins, counted per key (an address, a user's name) in a window of
 * time.
 */
#ifndef CORE_THROTTLE_H
#define CORE_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throttle;

/* At most `keys` are remembered; the ones that failed longest ago go first. */
struct throttle *throttle_new(size_t keys);
void throttle_free(struct throttle **);
/*
 * Whether that key may try: fewer than max failures within window_ms. A failure
 * counts for window_ms, and at most an eighth of it longer.
 */
bool throttle_allows(struct throttle *, const char *key, unsigned max,
    uint64_t window_ms);
/* Counts one at clock_now(). */
void throttle_failed(struct throttle *, const char *key, uint64_t window_ms);

#endif
