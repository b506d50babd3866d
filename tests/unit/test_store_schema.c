#include "support_store.h"

#include "../src/core/store_impl.h"
#include "base/buf.h"
#include "core/schema.h"

/* What SQLite does for it, a line a step. */
static char *
plan_of(enum query query)
{
	char *explain[] = { mem_printf("EXPLAIN QUERY PLAN %s",
	    store_queries[query]) };
	struct db *db = db_open(":memory:", NULL);
	struct err err = { "" };
	struct buf plan = { 0 };
	struct stmt *s;

	assert_non_null(db);
	if (schema_update(db, store_schema, store_schema_count, &err) < 0 ||
	    db_prepare(db, (const char *const *)explain, 1, &err) < 0)
		fail_msg("%s", err.text);
	s = db_query(db, 0);
	while (stmt_step(s, &err) > 0)
		buf_printf(&plan, "%s\n", row_text(s, 3));
	stmt_end(s);
	db_close(&db);
	free(explain[0]);
	return buf_take(&plan);
}

/* The only tables that are read from their start are small, or end soon. */
static void
nothing_is_searched_or_sorted(void **state)
{
	enum query query;
	char *plan;

	(void)state;
	for (query = 0; query < QUERY_COUNT; query++) {
		plan = plan_of(query);
		if (strstr(plan, "TEMP B-TREE") != NULL ||
		    (strstr(plan, "SCAN") != NULL && query != QUERY_TURNS &&
			query != QUERY_TURNS_COUNT))
			fail_msg("%s: %s", store_queries[query], plan);
		free(plan);
	}
}

static void
expect_plan(enum query query, const char *what)
{
	char *plan = plan_of(query);

	if (strstr(plan, what) == NULL)
		fail_msg("no \"%s\" in: %s", what, plan);
	free(plan);
}

static void
logs_are_read_in_order(void **state)
{
	static const char by_number[] =
	    "SEARCH log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
	static const char by_peer[] =
	    "SEARCH log USING INDEX log_peer (peer=? AND rowid>? AND rowid<?)";

	(void)state;
	expect_plan(QUERY_LOG_UP, by_number);
	expect_plan(QUERY_LOG_DOWN, by_number);
	expect_plan(QUERY_LOG_LAST, by_number);
	expect_plan(QUERY_LOG_STAMP, by_number);
	expect_plan(QUERY_LOG_OLDEST, by_number);
	expect_plan(QUERY_LOG_PEER_UP, by_peer);
	expect_plan(QUERY_LOG_PEER_DOWN, by_peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_searched_or_sorted),
		cmocka_unit_test(logs_are_read_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
