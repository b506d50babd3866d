/* A store in which no commit succeeds, and nothing is dropped, until it is mended. */
#ifndef UNIT_SUPPORT_BROKEN_H
#define UNIT_SUPPORT_BROKEN_H

#include "support_store.h"

static inline void
store_break(const char *path)
{
	store_change(path,
	    "CREATE TRIGGER no_turn BEFORE INSERT ON turn"
	    " BEGIN SELECT RAISE(ABORT, 'broken'); END;"
	    "CREATE TRIGGER no_drop BEFORE DELETE ON log"
	    " BEGIN SELECT RAISE(ABORT, 'broken'); END");
}

static inline void
store_mend(const char *path)
{
	store_change(path, "DROP TRIGGER no_turn; DROP TRIGGER no_drop");
}

#endif
