#include "core/db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * Bytes of the write-ahead log's file that stay when it begins anew: as long as it gets
 * (store.c), for to cut it and to grow it again costs the disk more than the place.
 */
#define WAL_SIZE_KEPT (68 << 20)
/*
 * Milliseconds to wait for the lock of those who write. A checkpoint that begins while a
 * commit is written takes it to read again how far the log goes; a commit that does not
 * wait fails then.
 */
#define LOCK_WAIT 250
/* The inner pages of a log of five million entries, and more. */
#define CACHE_KIB 8192

struct stmt {
	const struct db *db;
	sqlite3_stmt *raw;
	bool failed; /* something could not be bound */
};

struct db {
	sqlite3 *raw;
	char *path;
	const char *const *sql;
	struct stmt *queries;
	size_t count;
	struct stmt begin, commit, rollback;
	unsigned wal_pages;
};

/* With SQLite's number: of input and output its text says less. */
static int
fault(const struct db *db, struct err *err)
{
	int reason = sqlite3_system_errno(db->raw);

	return err_set(err, "%s: %s (SQLite's %d)%s%s", db->path,
	    sqlite3_errmsg(db->raw), sqlite3_extended_errcode(db->raw),
	    reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason));
}

static int
prepare(struct db *db, const char *sql, struct stmt *out, struct err *err)
{
	*out = (struct stmt){ .db = db };
	if (sqlite3_prepare_v3(db->raw, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&out->raw, NULL) != SQLITE_OK)
		return fault(db, err);
	return 0;
}

static int
prepare_transactions(struct db *db, struct err *err)
{
	if (prepare(db, "BEGIN IMMEDIATE", &db->begin, err) < 0 ||
	    prepare(db, "COMMIT", &db->commit, err) < 0)
		return -1;
	return prepare(db, "ROLLBACK", &db->rollback, err);
}

struct db *
db_open(const char *path, struct err *err)
{
	struct db *db = mem_alloc(sizeof(*db));

	db->path = mem_strdup(path);
	if (sqlite3_open_v2(path, &db->raw,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db->raw, LOCK_WAIT);
		if (prepare_transactions(db, err) == 0)
			return db;
	} else {
		fault(db, err);
	}
	db_close(&db);
	return NULL;
}

void
db_close(struct db **holder)
{
	struct db *db = *holder;
	size_t i;

	*holder = NULL;
	if (db == NULL)
		return;
	for (i = 0; i < db->count; i++)
		sqlite3_finalize(db->queries[i].raw);
	sqlite3_finalize(db->begin.raw);
	sqlite3_finalize(db->commit.raw);
	sqlite3_finalize(db->rollback.raw);
	sqlite3_close(db->raw);
	free(db->queries);
	free(db->path);
	free(db);
}

const char *
db_path(const struct db *db)
{
	return db->path;
}

int
db_exec(struct db *db, const char *sql, struct err *err)
{
	if (sqlite3_exec(db->raw, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fault(db, err);
	return 0;
}

int
db_number(struct db *db, const char *sql, uint64_t *out, struct err *err)
{
	struct stmt stmt;
	int rc;

	if (prepare(db, sql, &stmt, err) < 0)
		return -1;
	rc = stmt_number(&stmt, out, err);
	sqlite3_finalize(stmt.raw);
	return rc;
}

static int
count_pages(void *arg, sqlite3 *raw, const char *name, int pages)
{
	struct db *db = arg;

	(void)raw;
	(void)name;
	db->wal_pages = (unsigned)pages;
	return SQLITE_OK;
}

static int
set_journal(struct db *db, struct err *err)
{
	struct stmt stmt;
	int rc;

	if (prepare(db, "PRAGMA journal_mode = WAL", &stmt, err) < 0)
		return -1;
	rc = stmt_step(&stmt, err);
	if (rc > 0 && strcmp(row_text(&stmt, 0), "wal") != 0 &&
	    strcmp(row_text(&stmt, 0), "memory") != 0)
		rc = err_set(err,
		    "%s: the file system has no shared memory for the "
		    "write-ahead log",
		    db->path);
	sqlite3_finalize(stmt.raw);
	return rc < 0 ? -1 : 0;
}

int
db_use_wal(struct db *db, const char *synchronous, struct err *err)
{
	char *pragma;
	int rc;

	if (set_journal(db, err) < 0)
		return -1;
	/* A hook of our own takes the place of automatic checkpoints. */
	sqlite3_wal_hook(db->raw, count_pages, db);
	pragma = mem_printf("PRAGMA synchronous = %s;"
			    "PRAGMA journal_size_limit = %d;"
			    "PRAGMA cache_size = -%d",
	    synchronous, WAL_SIZE_KEPT, CACHE_KIB);
	rc = db_exec(db, pragma, err);
	free(pragma);
	return rc;
}

unsigned
db_wal_pages(const struct db *db)
{
	return db->wal_pages;
}

bool
db_checkpoint(struct db *db, unsigned *pages)
{
	int there = -1, copied = -1, rc;

	rc = sqlite3_wal_checkpoint_v2(db->raw, NULL, SQLITE_CHECKPOINT_PASSIVE,
	    &there, &copied);
	*pages = there > 0 ? (unsigned)there : 0;
	return rc == SQLITE_OK && there == copied;
}

int
db_begin(struct db *db, struct err *err)
{
	return stmt_run(&db->begin, err);
}

int
db_commit(struct db *db, struct err *err)
{
	if (stmt_run(&db->commit, err) == 0)
		return 0;
	db_rollback(db);
	return -1;
}

/* After some errors SQLite has done it by itself. */
void
db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->raw))
		stmt_run(&db->rollback, NULL);
}

int
db_prepare(struct db *db, const char *const *sql, size_t count, struct err *err)
{
	db->queries = mem_array(count, sizeof(*db->queries));
	db->sql = sql;
	for (; db->count < count; db->count++)
		if (prepare(db, sql[db->count], &db->queries[db->count], err) <
		    0)
			return -1;
	return 0;
}

struct stmt *
db_query(struct db *db, size_t query)
{
	return &db->queries[query];
}

struct stmt *
db_query_again(struct db *db, size_t query, struct err *err)
{
	struct stmt *s = mem_alloc(sizeof(*s));

	if (prepare(db, db->sql[query], s, err) == 0)
		return s;
	free(s);
	return NULL;
}

void
stmt_free(struct stmt **holder)
{
	struct stmt *s = *holder;

	*holder = NULL;
	if (s == NULL)
		return;
	sqlite3_finalize(s->raw);
	free(s);
}

static void
bound(struct stmt *s, int rc)
{
	s->failed |= rc != SQLITE_OK;
}

void
stmt_uint(struct stmt *s, int at, uint64_t n)
{
	bound(s, sqlite3_bind_int64(s->raw, at, (sqlite3_int64)n));
}

void
stmt_text(struct stmt *s, int at, const char *text)
{
	bound(s, sqlite3_bind_text(s->raw, at, text, -1, SQLITE_STATIC));
}

void
stmt_blob(struct stmt *s, int at, const void *bytes, size_t len)
{
	bound(s, sqlite3_bind_blob64(s->raw, at, bytes, len, SQLITE_STATIC));
}

int
stmt_step(struct stmt *s, struct err *err)
{
	int rc;

	if (s->failed)
		return err_set(err, "%s: a value cannot be bound", s->db->path);
	rc = sqlite3_step(s->raw);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fault(s->db, err);
}

void
stmt_end(struct stmt *s)
{
	sqlite3_reset(s->raw);
	sqlite3_clear_bindings(s->raw);
	s->failed = false;
}

int
stmt_run(struct stmt *s, struct err *err)
{
	int rc;

	while ((rc = stmt_step(s, err)) > 0)
		;
	stmt_end(s);
	return rc;
}

int
stmt_number(struct stmt *s, uint64_t *out, struct err *err)
{
	int rc = stmt_step(s, err), more;

	if (rc > 0) {
		*out = row_uint(s, 0);
		/* What writes has done so at its end only. */
		while ((more = stmt_step(s, err)) > 0)
			;
		rc = more < 0 ? -1 : 1;
	}
	stmt_end(s);
	return rc;
}

uint64_t
row_uint(struct stmt *s, int at)
{
	return (uint64_t)sqlite3_column_int64(s->raw, at);
}

const char *
row_text(struct stmt *s, int at)
{
	return (const char *)sqlite3_column_text(s->raw, at);
}

/* SQLite gives NULL for empty ones too. */
const void *
row_blob(struct stmt *s, int at, size_t *len)
{
	const void *bytes = sqlite3_column_blob(s->raw, at);

	*len = (size_t)sqlite3_column_bytes(s->raw, at);
	if (bytes == NULL && sqlite3_column_type(s->raw, at) != SQLITE_NULL)
		return "";
	return bytes;
}
