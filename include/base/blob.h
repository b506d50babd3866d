/* Immutable bytes with many readers: one body, N queues. Not thread-safe. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stddef.h>

struct blob;

struct blob *blob_new(const void *bytes, size_t len); /* copies; count is 1 */
struct blob *blob_ref(struct blob *);       /* returns it; NULL stays NULL */
void blob_unref(struct blob **);            /* takes NULL, nulls the holder */
const char *blob_data(const struct blob *); /* NUL-terminated */
size_t blob_len(const struct blob *);       /* 0 of NULL */

#endif
