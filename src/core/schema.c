#include "core/schema.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define HAS_TABLES "SELECT 1 FROM sqlite_schema LIMIT 1"
#define HAS_META   "SELECT 1 FROM sqlite_schema WHERE name = 'meta'"
#define VERSION    "SELECT value FROM meta WHERE key = 'version'"

static int
no_store(struct db *db, struct err *err)
{
	return err_set(err, "%s: it is the database of another program",
	    db_path(db));
}

static int
find_version(struct db *db, uint64_t *version, struct err *err)
{
	uint64_t one;
	int rc;

	*version = 0;
	if ((rc = db_number(db, HAS_TABLES, &one, err)) <= 0)
		return rc;
	if ((rc = db_number(db, HAS_META, &one, err)) > 0)
		rc = db_number(db, VERSION, version, err);
	return rc == 0 ? no_store(db, err) : rc;
}

static int
set_version(struct db *db, uint64_t version, struct err *err)
{
	char *sql = mem_printf("INSERT OR REPLACE INTO meta (key, value) "
			       "VALUES ('version', %" PRIu64 ")",
	    version);
	int rc = db_exec(db, sql, err);

	free(sql);
	return rc;
}

static int
take_steps(struct db *db, uint64_t version, const char *const *steps,
    size_t count, struct err *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	for (; version < count; version++)
		if (db_exec(db, steps[version], err) < 0)
			goto fail;
	if (set_version(db, version, err) == 0)
		return db_commit(db, err);
fail:
	db_rollback(db);
	return -1;
}

int
schema_update(struct db *db, const char *const *steps, size_t count,
    struct err *err)
{
	uint64_t version;

	if (find_version(db, &version, err) < 0)
		return -1;
	if (version > count)
		return err_set(err,
		    "%s: it is of a newer xmpproxy (version %" PRIu64
		    " of its tables; this one knows up to %zu)",
		    db_path(db), version, count);
	if (version == count)
		return 0;
	return take_steps(db, version, steps, count, err);
}
