/* Another connection that holds a store's file, so that no commit succeeds. */
#ifndef UNIT_SUPPORT_LOCK_H
#define UNIT_SUPPORT_LOCK_H

#include "support_store.h"

#include "core/db.h"

static inline struct db *
store_lock(const char *path)
{
	struct err err = { "" };
	struct db *db = db_open(path, &err);

	if (db == NULL || db_begin(db, &err) < 0)
		fail_msg("%s", err.text);
	return db;
}

static inline void
store_unlock(struct db **db)
{
	if (*db != NULL)
		db_rollback(*db);
	db_close(db);
}

#endif
