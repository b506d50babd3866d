/*
 * A query of a user's log that sees what is not committed yet as well, and is read in
 * slices, so that no query holds the loop up however little of a long log it is for.
 */
#ifndef CORE_LOG_QUERY_H
#define CORE_LOG_QUERY_H

#include <stdbool.h>

#include "core/store.h"

struct user;

/*
 * Sets its user, and makes its range what the log has, and what times it asks for: an
 * entry's time is that of its place in the log, or earlier.
 */
void log_query_begin(struct user *, struct store_query *);
/*
 * Reads the next slice, and makes the query what is left of it; over once from >= to.
 * Where fn returns false the rest of the slice is lost. q->limit does not count.
 */
int log_query_go_on(struct user *, struct store_query *,
    bool (*fn)(void *arg, struct entry *), void *arg, struct err *);

#endif
