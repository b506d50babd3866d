/* The version of a database's tables, and the way from an older one. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include <stddef.h>

#include "base/err.h"
#include "core/db.h"

/*
 * steps[n] makes version n + 1 of version n; 0 is an empty file. The version stands in
 * meta(key, value), which the first step makes. All in one transaction. -1 and err: the
 * file is of a newer version, or has other tables, or damaged; nothing is changed.
 */
int schema_update(struct db *, const char *const *steps, size_t count,
    struct err *);

#endif
