#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "xmpp/ns.h"
#include "xmpp/sm.h"

#define WRAP (UINT64_C(1) << 32)

static void
test_enable(void **state)
{
	struct sm sm = { .in = 3, .out = 4, .acked = 2, .asked = true };

	(void)state;
	sm_enable(&sm);
	assert_true(sm.on);
	assert_false(sm.asked);
	assert_int_equal(sm.in, 0);
	assert_int_equal(sm.out, 0);
	assert_int_equal(sm.acked, 0);
	assert_int_equal(sm_h(&sm), 0);
}

/* XEP-0198 4: 2^32-1 is followed by 0. */
static void
test_h_wraps(void **state)
{
	struct sm sm = { .on = true, .in = WRAP - 1 };

	(void)state;
	assert_int_equal(sm_h(&sm), UINT32_MAX);
	sm.in++;
	assert_int_equal(sm_h(&sm), 0);
	sm.in += 5;
	assert_int_equal(sm_h(&sm), 5);
}

static void
test_parse_h(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint32_t h;
	} cases[] = {
		{ "0", true, 0 },
		{ "17", true, 17 },
		{ "007", true, 7 },
		{ "4294967295", true, UINT32_MAX },
		{ "4294967296", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "-1", false, 0 },
		{ "1.0", false, 0 },
		{ "1x", false, 0 },
		{ "0x1", false, 0 },
		{ "", false, 0 },
		{ NULL, false, 0 },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct elem *a = elem_new(arena, NS_SM, "a");
		uint32_t h = 99;

		elem_set(a, "h", cases[i].text);
		assert_int_equal(sm_parse_h(a, &h), cases[i].good);
		assert_int_equal(h, cases[i].good ? cases[i].h : 99);
	}
	arena_free(&arena);
}

static void
test_acknowledge(void **state)
{
	struct sm sm = { .on = true, .out = 10, .asked = true };

	(void)state;
	assert_true(sm_acknowledge(&sm, 4));
	assert_int_equal(sm.acked, 4);
	assert_true(sm.asked);
	assert_true(sm_acknowledge(&sm, 4));
	assert_true(sm_acknowledge(&sm, 3));
	assert_true(sm_acknowledge(&sm, 0));
	assert_int_equal(sm.acked, 4);
	assert_true(sm_acknowledge(&sm, 10));
	assert_int_equal(sm.acked, 10);
	assert_int_equal(sm.out, 10);
}

static void
test_too_high(void **state)
{
	struct sm sm = { .on = true };

	(void)state;
	assert_true(sm_acknowledge(&sm, 0));
	assert_false(sm_acknowledge(&sm, 1));
	assert_false(sm_acknowledge(&sm, UINT32_MAX));
	sm.out = 10;
	sm.acked = 4;
	assert_false(sm_acknowledge(&sm, 11));
	assert_false(sm_acknowledge(&sm, UINT32_MAX));
	assert_int_equal(sm.acked, 4);
	assert_int_equal(sm.out, 10);
}

static void
test_acknowledge_wraps(void **state)
{
	struct sm sm = { .on = true, .out = WRAP + 3, .acked = WRAP - 2 };

	(void)state;
	assert_false(sm_acknowledge(&sm, 4));
	assert_true(sm_acknowledge(&sm, UINT32_MAX));
	assert_int_equal(sm.acked, WRAP - 1);
	assert_true(sm_acknowledge(&sm, 2));
	assert_int_equal(sm.acked, WRAP + 2);
	assert_true(sm_acknowledge(&sm, UINT32_MAX));
	assert_int_equal(sm.acked, WRAP + 2);
	assert_true(sm_acknowledge(&sm, 3));
	assert_int_equal(sm.acked, sm.out);
}

static void
test_resume(void **state)
{
	const struct sm before = { .on = true,
		.in = 6,
		.out = 10,
		.acked = 4,
		.asked = true };

	(void)state;
	for (uint32_t h = 4; h <= 10; h++) {
		struct sm sm = before;

		assert_true(sm_resume(&sm, h, 0));
		assert_true(sm.on);
		assert_false(sm.asked);
		assert_int_equal(sm.in, 6);
		assert_int_equal(sm.out, h);
		assert_int_equal(sm.acked, h);
	}
}

/* What is refused changes nothing. */
static void
test_resume_too_high(void **state)
{
	static const uint32_t hs[] = { 11, 3, 0, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(hs) / sizeof(*hs); i++) {
		struct sm sm = { .out = 10, .acked = 4, .asked = true };

		assert_false(sm_resume(&sm, hs[i], 0));
		assert_int_equal(sm.out, 10);
		assert_int_equal(sm.acked, 4);
		assert_true(sm.asked);
		assert_false(sm.on);
	}
}

/* A restart has forgotten some numbers: the peer may know more than we do. */
static void
test_resume_slack(void **state)
{
	struct sm sm = { .on = true, .out = 10, .acked = 4 };

	(void)state;
	assert_false(sm_resume(&sm, 111, 100));
	assert_true(sm_resume(&sm, 110, 100));
	assert_int_equal(sm.out, 110);
	assert_int_equal(sm.acked, 110);
	assert_false(sm_resume(&sm, 111, 0));
}

static void
test_resume_wraps(void **state)
{
	struct sm sm = { .on = true, .out = WRAP - 1, .acked = WRAP - 1 };

	(void)state;
	assert_false(sm_resume(&sm, 2, 2));
	assert_true(sm_resume(&sm, 1, 2));
	assert_int_equal(sm.out, WRAP + 1);
	assert_int_equal(sm.acked, WRAP + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enable),
		cmocka_unit_test(test_h_wraps),
		cmocka_unit_test(test_parse_h),
		cmocka_unit_test(test_acknowledge),
		cmocka_unit_test(test_too_high),
		cmocka_unit_test(test_acknowledge_wraps),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_resume_too_high),
		cmocka_unit_test(test_resume_slack),
		cmocka_unit_test(test_resume_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
