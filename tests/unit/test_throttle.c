#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/throttle.h"

#define WINDOW 8000

static int
set_up(void **state)
{
	(void)state;
	clock_fake(12345, 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_real();
	return 0;
}

static void
fail_times(struct throttle *t, const char *key, unsigned times)
{
	while (times-- > 0)
		throttle_failed(t, key, WINDOW);
}

static bool
allows(struct throttle *t, const char *key)
{
	return throttle_allows(t, key, 3, WINDOW);
}

static void
test_count(void **state)
{
	struct throttle *t = throttle_new(10);

	(void)state;
	assert_true(allows(t, "a"));
	fail_times(t, "a", 2);
	assert_true(allows(t, "a"));
	fail_times(t, "a", 1);
	assert_false(allows(t, "a"));
	assert_true(throttle_allows(t, "a", 4, WINDOW));
	assert_true(allows(t, "b"));
	assert_false(throttle_allows(t, "b", 0, WINDOW));
	throttle_free(&t);
	assert_null(t);
	throttle_free(&t);
}

/* Whatever the moment: blocked for the window, free an eighth later. */
static void
test_window(void **state)
{
	struct throttle *t = throttle_new(10);
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		assert_true(allows(t, "a"));
		fail_times(t, "a", 3);
		clock_advance(WINDOW - 1);
		assert_false(allows(t, "a"));
		clock_advance(1 + WINDOW / 8);
		assert_true(allows(t, "a"));
		clock_advance(97);
	}
	throttle_free(&t);
}

/* Nowhere within a window are there more than max. */
static void
test_window_slides(void **state)
{
	struct throttle *t = throttle_new(10);
	unsigned failed = 0, i;

	(void)state;
	for (i = 0; i < 10 * WINDOW / 100; i++) {
		clock_advance(100);
		if (!allows(t, "a"))
			continue;
		throttle_failed(t, "a", WINDOW);
		failed++;
	}
	assert_in_range(failed, 3 * 8, 3 * 10);
	throttle_free(&t);
}

static void
test_long_ago(void **state)
{
	struct throttle *t = throttle_new(10);

	(void)state;
	fail_times(t, "a", 100);
	clock_advance(WINDOW * UINT64_C(1000000));
	assert_true(throttle_allows(t, "a", 1, WINDOW));
	fail_times(t, "a", 1);
	assert_true(throttle_allows(t, "a", 2, WINDOW));
	throttle_free(&t);
}

static void
test_window_changes(void **state)
{
	struct throttle *t = throttle_new(10);

	(void)state;
	fail_times(t, "a", 3);
	assert_false(throttle_allows(t, "a", 3, WINDOW * 10));
	assert_true(throttle_allows(t, "a", 4, WINDOW * 10));
	assert_false(throttle_allows(t, "a", 3, 3));
	clock_advance(100);
	assert_true(throttle_allows(t, "a", 3, 3));
	throttle_free(&t);
}

static void
test_keys_are_bounded(void **state)
{
	struct throttle *t = throttle_new(3);

	(void)state;
	fail_times(t, "a", 3);
	fail_times(t, "b", 3);
	fail_times(t, "c", 3);
	fail_times(t, "a", 1);
	fail_times(t, "d", 3);
	assert_true(allows(t, "b"));
	assert_false(allows(t, "a"));
	assert_false(allows(t, "c"));
	assert_false(allows(t, "d"));
	throttle_free(&t);
	t = throttle_new(0);
	fail_times(t, "a", 3);
	assert_true(allows(t, "a"));
	throttle_free(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_count),
		TEST(test_window),
		TEST(test_window_slides),
		TEST(test_long_ago),
		TEST(test_window_changes),
		TEST(test_keys_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
