#include "support_store.h"

#include "core/db.h"

static const char *const queries[] = {
	"INSERT INTO t (n, text, bytes) VALUES (?1, ?2, ?3)",
	"SELECT n, text, bytes FROM t ORDER BY n",
	"SELECT n FROM t WHERE n > ?1 ORDER BY n",
};
enum { ADD, ALL, ABOVE, QUERIES };

static struct db *
memory(void)
{
	struct err err = { "" };
	struct db *db = db_open(":memory:", &err);

	assert_non_null(db);
	assert_int_equal(db_exec(db,
			     "CREATE TABLE t (n INTEGER PRIMARY KEY,"
			     " text TEXT, bytes BLOB)",
			     &err),
	    0);
	if (db_prepare(db, queries, QUERIES, &err) < 0)
		fail_msg("%s", err.text);
	return db;
}

static int
add(struct db *db, uint64_t n, struct err *err)
{
	struct stmt *s = db_query(db, ADD);

	stmt_uint(s, 1, n);
	stmt_text(s, 2, "text");
	return stmt_run(s, err);
}

static void
values_come_back(void **state)
{
	struct db *db = memory();
	struct stmt *s = db_query(db, ADD);
	struct err err;
	size_t len;

	(void)state;
	stmt_uint(s, 1, INT64_MAX);
	stmt_text(s, 2, "text");
	stmt_blob(s, 3, "a\0b", 3);
	assert_int_equal(stmt_run(s, &err), 0);
	/* Nothing of the first is bound to the second. */
	stmt_uint(s, 1, 1);
	assert_int_equal(stmt_run(s, &err), 0);
	stmt_uint(s, 1, 2);
	stmt_text(s, 2, "");
	stmt_blob(s, 3, "", 0);
	assert_int_equal(stmt_run(s, &err), 0);
	s = db_query(db, ALL);
	assert_int_equal(stmt_step(s, &err), 1);
	assert_int_equal(row_uint(s, 0), 1);
	assert_null(row_text(s, 1));
	assert_null(row_blob(s, 2, &len));
	assert_int_equal(len, 0);
	assert_int_equal(stmt_step(s, &err), 1);
	assert_string_equal(row_text(s, 1), "");
	assert_non_null(row_blob(s, 2, &len));
	assert_int_equal(len, 0);
	assert_int_equal(stmt_step(s, &err), 1);
	assert_true(row_uint(s, 0) == INT64_MAX);
	assert_string_equal(row_text(s, 1), "text");
	assert_memory_equal(row_blob(s, 2, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_int_equal(stmt_step(s, &err), 0);
	stmt_end(s);
	db_close(&db);
	assert_null(db);
	db_close(&db);
}

static void
numbers_are_read_at_once(void **state)
{
	struct db *db = memory();
	struct err err = { "" };
	uint64_t n = 7;

	(void)state;
	assert_int_equal(db_number(db, "SELECT n FROM t", &n, &err), 0);
	assert_int_equal(n, 7);
	add(db, 1, &err);
	add(db, 2, &err);
	assert_int_equal(db_number(db, "SELECT n FROM t", &n, &err), 1);
	assert_int_equal(n, 1);
	assert_int_equal(db_number(db, "SELECT x FROM t", &n, &err), -1);
	assert_non_null(strstr(err.text, ":memory:: no such column: x"));
	assert_int_equal(db_exec(db, "nonsense", &err), -1);
	assert_non_null(strstr(err.text, "syntax error"));
	db_close(&db);
}

/* Two of the same, each on a row of its own. */
static void
a_query_is_used_twice(void **state)
{
	struct db *db = memory();
	struct stmt *one = db_query(db, ABOVE), *two;
	struct err err = { "" };

	(void)state;
	add(db, 1, &err);
	add(db, 2, &err);
	add(db, 3, &err);
	two = db_query_again(db, ABOVE, &err);
	stmt_uint(one, 1, 0);
	stmt_uint(two, 1, 1);
	assert_int_equal(stmt_step(one, &err), 1);
	assert_int_equal(stmt_step(two, &err), 1);
	assert_int_equal(row_uint(one, 0), 1);
	assert_int_equal(row_uint(two, 0), 2);
	assert_int_equal(stmt_step(one, &err), 1);
	assert_int_equal(row_uint(one, 0), 2);
	stmt_free(&two);
	assert_null(two);
	stmt_free(&two);
	stmt_end(one);
	db_close(&db);
}

static void
what_cannot_be_bound_fails(void **state)
{
	struct db *db = memory();
	struct stmt *s = db_query(db, ABOVE);
	struct err err = { "" };
	uint64_t n;

	(void)state;
	stmt_uint(s, 1, 1);
	stmt_text(s, 2, "no such parameter");
	assert_int_equal(stmt_step(s, &err), -1);
	assert_non_null(strstr(err.text, "cannot be bound"));
	stmt_end(s);
	stmt_uint(s, 1, 1);
	assert_int_equal(stmt_number(s, &n, &err), 0);
	db_close(&db);
}

static void
a_transaction_is_undone(void **state)
{
	struct db *db = memory();
	struct err err = { "" };
	uint64_t n = 0;

	(void)state;
	assert_int_equal(db_begin(db, &err), 0);
	assert_int_equal(add(db, 1, &err), 0);
	assert_int_equal(add(db, 1, &err), -1);
	assert_non_null(strstr(err.text, "UNIQUE constraint failed"));
	db_rollback(db);
	db_rollback(db);
	assert_int_equal(db_number(db, "SELECT count(*) FROM t", &n, &err), 1);
	assert_int_equal(n, 0);
	assert_int_equal(db_begin(db, &err), 0);
	assert_int_equal(add(db, 1, &err), 0);
	assert_int_equal(db_commit(db, &err), 0);
	assert_int_equal(db_commit(db, &err), -1);
	assert_int_equal(db_number(db, "SELECT count(*) FROM t", &n, &err), 1);
	assert_int_equal(n, 1);
	db_close(&db);
}

static struct db *
open_wal(const char *path)
{
	struct err err = { "" };
	struct db *db = db_open(path, &err);

	if (db == NULL || db_use_wal(db, "NORMAL", &err) < 0)
		fail_msg("%s", err.text);
	return db;
}

static void
the_log_is_worked_off_from_beside(void **state)
{
	char *path = store_fresh_path();
	struct db *db, *other;
	struct err err = { "" };
	unsigned pages;
	uint64_t n;

	(void)state;
	fclose(fopen(path, "w"));
	db = open_wal(path);
	other = open_wal(path);
	assert_int_equal(db_wal_pages(db), 0);
	assert_int_equal(db_exec(db, "CREATE TABLE t (n)", &err), 0);
	assert_int_equal(db_exec(db, "INSERT INTO t VALUES (1)", &err), 0);
	assert_true(db_wal_pages(db) >= 2);
	assert_true(db_checkpoint(other, &pages));
	assert_int_equal(pages, db_wal_pages(db));
	/* It begins anew. */
	assert_int_equal(db_exec(db, "INSERT INTO t VALUES (2)", &err), 0);
	assert_int_equal(db_wal_pages(db), 1);
	/* A reader holds it back. */
	assert_int_equal(db_exec(other, "BEGIN", &err), 0);
	assert_int_equal(db_number(other, "SELECT count(*) FROM t", &n, &err),
	    1);
	assert_int_equal(db_exec(db, "INSERT INTO t VALUES (3)", &err), 0);
	assert_false(db_checkpoint(db, &pages));
	assert_int_equal(pages, 2);
	assert_int_equal(db_exec(other, "COMMIT", &err), 0);
	assert_true(db_checkpoint(other, &pages));
	db_close(&other);
	db_close(&db);
	free(path);
}

/* A second writer is not waited for. */
static void
a_writer_beside_is_an_error(void **state)
{
	char *path = store_fresh_path();
	struct db *db, *other;
	struct err err = { "" };

	(void)state;
	fclose(fopen(path, "w"));
	db = open_wal(path);
	other = open_wal(path);
	assert_int_equal(db_begin(db, &err), 0);
	assert_int_equal(db_begin(other, &err), -1);
	assert_non_null(strstr(err.text, "database is locked"));
	assert_non_null(strstr(err.text, db_path(db)));
	db_rollback(db);
	assert_int_equal(db_begin(other, &err), 0);
	db_close(&other);
	db_close(&db);
	free(path);
}

static void
a_file_that_is_not_there_is_not_made(void **state)
{
	char *path = store_fresh_path();
	struct err err = { "" };

	(void)state;
	assert_null(db_open(path, &err));
	assert_non_null(strstr(err.text, "unable to open database file"));
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back),
		cmocka_unit_test(numbers_are_read_at_once),
		cmocka_unit_test(a_query_is_used_twice),
		cmocka_unit_test(what_cannot_be_bound_fails),
		cmocka_unit_test(a_transaction_is_undone),
		cmocka_unit_test(the_log_is_worked_off_from_beside),
		cmocka_unit_test(a_writer_beside_is_an_error),
		cmocka_unit_test(a_file_that_is_not_there_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
