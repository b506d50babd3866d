/*
 * A buffer of bytes that grows. A zeroed struct buf is an empty one; `data` is
 * NULL or ends with a NUL that `len` does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap;
};

void buf_add(struct buf *, const void *bytes, size_t len);
void buf_puts(struct buf *, const char *);
void buf_putc(struct buf *, char);
void buf_printf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *, const char *fmt, va_list);
void buf_consume(struct buf *, size_t len);  /* drops bytes at the front */
void buf_clear(struct buf *);                /* empties it, keeps the memory */
void buf_truncate(struct buf *, size_t len); /* drops bytes at the end */
void buf_free(struct buf *);                 /* back to the zeroed state */
char *buf_take(struct buf *); /* the caller frees; buf is zeroed; never NULL */

#endif
