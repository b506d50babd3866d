#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/pauses.h"

static void
none_at_first(void **state)
{
	struct pauses p = { 0 };

	(void)state;
	assert_int_equal(pauses_share(&p, 990), 0);
	assert_int_equal(p.max, 0);
}

static void
shares_are_exact_to_an_eighth(void **state)
{
	struct pauses p = { 0 };
	uint64_t share;

	(void)state;
	for (uint64_t us = 1; us <= 100000; us++)
		pauses_add(&p, us);
	assert_int_equal(p.count, 100000);
	assert_int_equal(p.max, 100000);
	share = pauses_share(&p, 500);
	assert_in_range(share, 50000, 50000 + 50000 / 8);
	share = pauses_share(&p, 990);
	assert_in_range(share, 99000, 100000);
	assert_int_equal(pauses_share(&p, 1000), 100000);
}

static void
one_long_one_is_the_highest_alone(void **state)
{
	struct pauses p = { 0 };

	(void)state;
	for (int i = 0; i < 999; i++)
		pauses_add(&p, 5);
	pauses_add(&p, UINT64_MAX);
	assert_int_equal(pauses_share(&p, 990), 5);
	assert_int_equal(pauses_share(&p, 999), 5);
	assert_true(pauses_share(&p, 1000) > 1000000000);
	assert_true(p.max == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_at_first),
		cmocka_unit_test(shares_are_exact_to_an_eighth),
		cmocka_unit_test(one_long_one_is_the_highest_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
