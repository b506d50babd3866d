/* Memory that is freed all at once: that of one stanza, usually. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* For what stays, and is a few elements at most. */
struct arena *arena_new_small(void);
void arena_free(struct arena **);
/* Empties it and keeps one block for the next use. */
void arena_reset(struct arena *);
void *arena_alloc(struct arena *, size_t size);   /* zeroed, aligned to 16 */
char *arena_strdup(struct arena *, const char *); /* NULL gives NULL */
char *arena_strndup(struct arena *, const char *, size_t len);
char *arena_printf(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *); /* bytes handed out since the reset */

#endif
