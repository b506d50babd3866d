/*
 * A connection to an SQLite file, as much of it as the store needs. db.c alone knows
 * SQLite. A connection is used by one thread at a time. Errors begin with the path.
 */
#ifndef CORE_DB_H
#define CORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct stmt;

/*
 * The file has to be there (an empty one is an empty database); ":memory:" is memory.
 * That it is no database may show at the first use only.
 */
struct db *db_open(const char *path, struct err *);
void db_close(struct db **); /* and all its statements */
const char *db_path(const struct db *);

/* One or more statements without results. */
int db_exec(struct db *, const char *sql, struct err *);
/* The first column of the first row: 1, or 0 where there is no row, or -1. */
int db_number(struct db *, const char *sql, uint64_t *out, struct err *);
/*
 * Write-ahead logging, which is worked off by db_checkpoint() alone. `synchronous` as
 * the PRAGMA takes it. In memory it does nothing.
 */
int db_use_wal(struct db *, const char *synchronous, struct err *);
/* Pages in the write-ahead log after the last commit of this connection. */
unsigned db_wal_pages(const struct db *);
/*
 * Copies what is in the write-ahead log into the file, and waits for the disk; other
 * connections go on meanwhile. True: all that was there when it began; if no more has
 * come since, the next commit begins a new log. *pages: so much it was.
 */
bool db_checkpoint(struct db *, unsigned *pages);

/*
 * Nothing else is open meanwhile. db_begin() waits for another connection that writes,
 * a quarter of a second at most. db_commit() that fails has rolled back.
 */
int db_begin(struct db *, struct err *);
int db_commit(struct db *, struct err *);
void db_rollback(struct db *);

/* --- statements that are kept; sql lives as long as the connection --- */

int db_prepare(struct db *, const char *const *sql, size_t count, struct err *);
/* That one, with nothing bound. Whoever takes rows of it calls stmt_end(). */
struct stmt *db_query(struct db *, size_t query);
/* Another of the same, for use beside it. */
struct stmt *db_query_again(struct db *, size_t query, struct err *);
void stmt_free(struct stmt **); /* only of db_query_again(); takes NULL */

/* From 1. Bytes are borrowed until stmt_end(); NULL is NULL. */
void stmt_uint(struct stmt *, int at, uint64_t);
void stmt_text(struct stmt *, int at, const char *);
void stmt_blob(struct stmt *, int at, const void *, size_t len);
/* 1: a row; 0: no more; -1 and err. */
int stmt_step(struct stmt *, struct err *);
void stmt_end(struct stmt *); /* at its start again, nothing bound */
/* Both end it. */
int stmt_run(struct stmt *, struct err *);
int stmt_number(struct stmt *, uint64_t *out, struct err *); /* db_number() */

/* Columns of the row, from 0; borrowed until the next step. */
uint64_t row_uint(struct stmt *, int at);
const char *row_text(struct stmt *, int at); /* or NULL */
/* NULL is NULL; what is empty is not. */
const void *row_blob(struct stmt *, int at, size_t *len);

#endif
