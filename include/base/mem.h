/* Memory that is zeroed or the process ends: no caller checks for NULL. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);               /* zeroed; size may be 0 */
void *mem_array(size_t count, size_t size); /* zeroed; dies on overflow */
void *mem_grow(void *, size_t size); /* realloc; the new part is not zeroed */
char *mem_strdup(const char *);      /* NULL gives NULL */
char *mem_strndup(const char *, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Frees a string and nulls its holder; the bytes of a secret are wiped first. */
void mem_free_string(char **);
void mem_free_secret(char **);
void mem_wipe(void *, size_t len);

/*
 * Pages in which nothing is left go back to the system, wherever they are. It takes
 * milliseconds.
 */
void mem_trim(void);

#endif
