#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void
test_fake(void **state)
{
	(void)state;
	clock_fake(1000, 1700000000000);
	assert_int_equal(clock_now(), 1000);
	assert_int_equal(clock_wall(), 1700000000000);
	clock_advance(250);
	assert_int_equal(clock_now(), 1250);
	assert_int_equal(clock_wall(), 1700000000250);
	clock_real();
	assert_true(clock_wall() > 1700000000250);
}

/* In milliseconds: the wall clock is past 2020 and before 2200. */
static void
test_real(void **state)
{
	uint64_t now = clock_now();

	(void)state;
	assert_in_range(clock_wall(), 1577836800000, 7258118400000);
	assert_true(clock_now() >= now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fake),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
