#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/srv.h"

#define DRAWS 4000

/* `name` is what a test tells records by. */
static struct srv
record(const char *name, uint16_t priority, uint16_t weight)
{
	struct srv made = { .priority = priority, .weight = weight };

	made.target = (char *)(uintptr_t)name;
	return made;
}

/* How often `name` came first of DRAWS orders. */
static unsigned
firsts(const struct srv *list, size_t count, const char *name)
{
	struct srv work[8];
	unsigned i, hits = 0;

	assert_true(count <= 8);
	for (i = 0; i < DRAWS; i++) {
		memcpy(work, list, count * sizeof(*list));
		srv_order(work, count);
		hits += strcmp(work[0].target, name) == 0;
	}
	return hits;
}

static void
test_lowest_priority_first(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		struct srv list[] = { record("c", 30, 60000), record("a", 1, 0),
			record("d", 65535, 9), record("b", 20, 1) };

		srv_order(list, 4);
		assert_string_equal(list[0].target, "a");
		assert_string_equal(list[1].target, "b");
		assert_string_equal(list[2].target, "c");
		assert_string_equal(list[3].target, "d");
	}
}

static void
test_weights_share(void **state)
{
	struct srv list[] = { record("quarter", 5, 100),
		record("rest", 5, 300) };

	(void)state;
	assert_in_range(firsts(list, 2, "quarter"), 800, 1200);
}

/* One in sum + 1. */
static void
test_weight_zero_has_a_small_chance(void **state)
{
	struct srv list[] = { record("heavy", 5, 3), record("zero", 5, 0) };

	(void)state;
	assert_in_range(firsts(list, 2, "zero"), 850, 1150);
}

static void
test_zero_weights_share_evenly(void **state)
{
	struct srv list[] = { record("a", 5, 0), record("b", 5, 0),
		record("c", 5, 0), record("d", 5, 0) };

	(void)state;
	assert_in_range(firsts(list, 4, "a"), 800, 1200);
	assert_in_range(firsts(list, 4, "d"), 800, 1200);
}

/* Every record is in the result, with all that belongs to it. */
static void
test_nothing_is_lost(void **state)
{
	struct srv list[8];
	unsigned round, i, seen;

	(void)state;
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 8; i++) {
			list[i] = record("x", (uint16_t)(i / 4),
			    (uint16_t)(i % 4 * 16000));
			list[i].port = (uint16_t)(1 + i);
			list[i].direct = i % 2 != 0;
		}
		srv_order(list, 8);
		for (i = 0, seen = 0; i < 8; i++) {
			assert_int_equal(list[i].direct, list[i].port % 2 == 0);
			assert_int_equal(list[i].priority, i / 4);
			seen |= 1u << (list[i].port - 1);
		}
		assert_int_equal(seen, 0xff);
	}
}

/* After the first is drawn the next one is drawn by weight too. */
static void
test_second_place_is_weighted(void **state)
{
	unsigned i, hits = 0;

	(void)state;
	for (i = 0; i < DRAWS; i++) {
		struct srv list[] = { record("a", 1, 10000),
			record("b", 1, 300), record("c", 1, 100) };

		srv_order(list, 3);
		hits += strcmp(list[1].target, "b") == 0;
	}
	assert_in_range(hits, DRAWS * 6 / 10, DRAWS * 85 / 100);
}

static void
test_empty_and_single(void **state)
{
	struct srv one = record("one", 7, 7);

	(void)state;
	srv_order(NULL, 0);
	srv_order(&one, 1);
	assert_string_equal(one.target, "one");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_priority_first),
		cmocka_unit_test(test_weights_share),
		cmocka_unit_test(test_weight_zero_has_a_small_chance),
		cmocka_unit_test(test_zero_weights_share_evenly),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_second_place_is_weighted),
		cmocka_unit_test(test_empty_and_single),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
