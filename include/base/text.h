/* Small things done to text. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

bool text_equals(const char *, const char *); /* NULL equals NULL only */

/* Strict: no surrogates, no overlong forms. */
bool text_is_utf8(const char *, size_t len);
/* Cuts at a character's border so that at most `max` bytes are left. */
size_t text_utf8_cut(const char *, size_t len, size_t max);

/* A whole decimal number from min to max, nothing before or behind it. */
bool text_to_uint(const char *, uint64_t min, uint64_t max, uint64_t *out);

void text_base64(struct buf *out, const void *bytes, size_t len);
/* Strict RFC 4648 with padding, no white space. 0 or -1. */
int text_base64_decode(struct buf *out, const char *, size_t len);
void text_hex(struct buf *out, const void *bytes, size_t len);

/* XEP-0082 DateTime, UTC, "2002-09-10T23:08:25.123Z" (no fraction where 0). */
#define TEXT_STAMP_SIZE 32
char *text_stamp(char out[TEXT_STAMP_SIZE], uint64_t wall_ms);
/* Takes any zone and fraction that XEP-0082 allows; false where it is not one. */
bool text_parse_stamp(const char *, uint64_t *wall_ms);

/* Equal in time that does not depend on where they differ. */
bool text_secret_equals(const char *, const char *);

#endif
