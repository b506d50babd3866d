/*
 * A bounded memory of keys with a value, the oldest forgotten first: receipts
 * that went up, what was sent lately, who is active where.
 */
#ifndef CORE_RECENT_H
#define CORE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recent;

/* max 0: remembers nothing. */
struct recent *recent_new(size_t max);
void recent_free(struct recent **);
/* fn hears of each that is forgotten for want of room, before it is; arg is borrowed. */
void recent_on_forget(struct recent *, void (*fn)(void *arg, const char *key),
    void *arg);
/* Adds or replaces, and makes it the youngest. */
void recent_set(struct recent *, const char *key, uint64_t value);
/* value may be NULL. */
bool recent_get(const struct recent *, const char *key, uint64_t *value);
void recent_remove(struct recent *, const char *key);
/* Each, the oldest first; fn changes nothing. */
void recent_each(const struct recent *,
    void (*fn)(void *arg, const char *key, uint64_t value), void *arg);
size_t recent_count(const struct recent *);

#endif
