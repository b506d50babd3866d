/*
 * The user's messages, in and out, in one order: what every session follows. In
 * memory, bounded by entries and bytes; the oldest go first.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/entry.h"

struct history;

struct history *history_new(size_t max_entries, size_t max_bytes);
void history_free(struct history **);
void history_set_max(struct history *, size_t max_entries, size_t max_bytes);
/*
 * Takes the reference and gives the number. May drop the oldest; the newest
 * stays whatever its size. What the entry's key and size are made of does not
 * change from here on.
 */
void history_append(struct history *, struct entry *);
/* The number of the next to come; the first is 1. */
uint64_t history_next(const struct history *);
/* The number of the oldest kept, or of the next. */
uint64_t history_floor(const struct history *);
/* Borrows; NULL outside of floor..next. */
struct entry *history_at(const struct history *, uint64_t seq);
size_t history_bytes(const struct history *);
/*
 * The newest entry of that account, direction, id, and bare peer (of `peer`,
 * which may have a resource); NULL where there is none. A hash serves it.
 */
struct entry *history_find(const struct history *, uint64_t account,
    enum direction, const char *peer, const char *id);

#endif
