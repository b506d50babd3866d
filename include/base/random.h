/* Bytes from the kernel's generator; the process ends where it fails. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_ID_SIZE 23 /* 22 characters of base64url and a NUL: 128 bits */

void random_bytes(void *, size_t len);
uint64_t random_below(uint64_t limit); /* limit 0 gives 0 */
/* Returns its argument, so that it can stand in an argument list. */
char *random_id(char out[RANDOM_ID_SIZE]);

#endif
