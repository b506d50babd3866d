#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

/* Each of 64 bytes gets each bit in 200 draws, but for a chance of 2^-190. */
static void
test_bytes_all_move(void **state)
{
	unsigned char bytes[64], seen[64] = { 0 };
	size_t i, draw;

	(void)state;
	for (draw = 0; draw < 200; draw++) {
		random_bytes(bytes, sizeof(bytes));
		for (i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (i = 0; i < sizeof(seen); i++)
		assert_int_equal(seen[i], 0xff);
	random_bytes(NULL, 0);
}

static void
test_below(void **state)
{
	unsigned seen[5] = { 0 };
	uint64_t n;
	int i;

	(void)state;
	assert_int_equal(random_below(0), 0);
	assert_int_equal(random_below(1), 0);
	for (i = 0; i < 1000; i++) {
		n = random_below(5);
		assert_true(n < 5);
		seen[n]++;
	}
	for (i = 0; i < 5; i++)
		assert_in_range(seen[i], 100, 300);
	assert_true(random_below(UINT64_MAX) < UINT64_MAX);
}

static void
test_id(void **state)
{
	char a[RANDOM_ID_SIZE], b[RANDOM_ID_SIZE];

	(void)state;
	assert_ptr_equal(random_id(a), a);
	random_id(b);
	assert_int_equal(strlen(a), 22);
	assert_int_equal(strspn(a,
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			     "xyz"
			     "0123456789-_"),
	    22);
	/* 128 bits: of the last character only two are free. */
	assert_non_null(strchr("AQgw", a[21]));
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_all_move),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
