/* Numbers and strings as bytes, for what is kept on disk; and back. */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

void pack_uint(struct buf *, uint64_t); /* 7 bits a byte, low ones first */
void pack_bytes(struct buf *, const void *, size_t len);
void pack_string(struct buf *, const char *); /* NULL is not "" */

/*
 * A reader of bytes that may be damaged: once something did not fit, all that is read
 * is 0, empty, NULL, and unpack_is_good() says so.
 */
struct unpack {
	const unsigned char *at, *end;
	bool failed;
};
void unpack_init(struct unpack *, const void *, size_t len);
uint64_t unpack_uint(struct unpack *);
const void *unpack_bytes(struct unpack *, size_t *len); /* borrowed */
char *unpack_string(struct unpack *); /* the caller frees; may be NULL */
bool unpack_is_good(const struct unpack *);
bool unpack_is_over(const struct unpack *); /* nothing is left, or it failed */

#endif
