/*
 * What a client can do: the features of its disco#info (XEP-0030), "+notify" ones
 * (XEP-0163 4.2) among them. Immutable; one set for all who have it.
 */
#ifndef CORE_FEATURES_H
#define CORE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/pack.h"

struct features;

#define FEATURES_NOTIFY "+notify"

/* Copies, in order and each once; the count of references is 1. */
struct features *features_new(const char *const *vars, size_t count);
struct features *features_ref(struct features *); /* NULL stays NULL */
void features_unref(struct features **);          /* takes NULL, nulls */

size_t features_count(const struct features *); /* 0 of NULL */
const char *features_at(const struct features *, size_t);
/* false of NULL; the time is that of a search in a sorted list. */
bool features_has(const struct features *, const char *var);
/* Whether it asks for events of that node. */
bool features_wants(const struct features *, const char *node);
/* Whether the feature asks for events. */
bool features_is_notify(const char *var);
/* Only those that ask for events; NULL where there are none. */
struct features *features_of_notify(const struct features *);
bool features_equal(const struct features *, const struct features *);

void features_pack(const struct features *, struct buf *);
struct features *features_unpack(struct unpack *);

#endif
