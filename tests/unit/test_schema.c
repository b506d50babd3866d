#include "support_store.h"

#include "core/schema.h"

static const char *const steps[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value);"
	"CREATE TABLE one (n)",
	"INSERT INTO one VALUES (2)",
	"INSERT INTO one SELECT n + 1 FROM one",
};

static struct db *
memory(void)
{
	struct db *db = db_open(":memory:", NULL);

	assert_non_null(db);
	return db;
}

static void
updates(struct db *db, size_t count)
{
	struct err err = { "" };

	if (schema_update(db, steps, count, &err) < 0)
		fail_msg("%s", err.text);
}

static uint64_t
number(struct db *db, const char *sql)
{
	struct err err = { "" };
	uint64_t n = 0;

	if (db_number(db, sql, &n, &err) < 0)
		fail_msg("%s", err.text);
	return n;
}

#define VERSION "SELECT value FROM meta WHERE key = 'version'"

static void
steps_are_taken_once(void **state)
{
	struct db *db = memory();

	(void)state;
	updates(db, 1);
	assert_int_equal(number(db, VERSION), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM one"), 0);
	updates(db, 1);
	assert_int_equal(number(db, VERSION), 1);
	updates(db, 3);
	assert_int_equal(number(db, VERSION), 3);
	assert_int_equal(number(db, "SELECT count(*) FROM one"), 2);
	assert_int_equal(number(db, "SELECT max(n) FROM one"), 3);
	updates(db, 3);
	assert_int_equal(number(db, "SELECT count(*) FROM one"), 2);
	db_close(&db);
}

static void
what_is_newer_is_refused(void **state)
{
	struct db *db = memory();
	struct err err;

	(void)state;
	updates(db, 3);
	assert_int_equal(schema_update(db, steps, 2, &err), -1);
	assert_string_equal(err.text,
	    ":memory:: it is of a newer xmpproxy (version 3 of its tables; "
	    "this one knows up to 2)");
	assert_int_equal(number(db, VERSION), 3);
	db_close(&db);
}

static void
a_step_that_fails_changes_nothing(void **state)
{
	const char *const wrong[] = { steps[0], steps[1], "nonsense" };
	struct db *db = memory();
	struct err err;

	(void)state;
	assert_int_equal(schema_update(db, wrong, 3, &err), -1);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 0);
	updates(db, 1);
	assert_int_equal(schema_update(db, wrong, 3, &err), -1);
	assert_int_equal(number(db, VERSION), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM one"), 0);
	db_close(&db);
}

static void
other_tables_are_refused(void **state)
{
	struct db *db = memory();
	struct err err;

	(void)state;
	assert_int_equal(db_exec(db, "CREATE TABLE meta (key, value)", &err),
	    0);
	assert_int_equal(schema_update(db, steps, 1, &err), -1);
	assert_non_null(strstr(err.text, "another program"));
	db_close(&db);
	db = memory();
	assert_int_equal(db_exec(db, "CREATE TABLE other (n)", &err), 0);
	assert_int_equal(schema_update(db, steps, 1, &err), -1);
	assert_non_null(strstr(err.text, "another program"));
	db_close(&db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_taken_once),
		cmocka_unit_test(what_is_newer_is_refused),
		cmocka_unit_test(a_step_that_fails_changes_nothing),
		cmocka_unit_test(other_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
