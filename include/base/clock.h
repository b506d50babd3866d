/* Time in milliseconds. Tests put a clock of their own in. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_now(void);  /* monotonic */
uint64_t clock_micros(void); /* the same in microseconds */
uint64_t clock_wall(void); /* since 1970-01-01 UTC */

/* From here on both stand still; clock_advance() alone moves them. */
void clock_fake(uint64_t now, uint64_t wall);
void clock_advance(uint64_t ms);
void clock_real(void);

#endif
