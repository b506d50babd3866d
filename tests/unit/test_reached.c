#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/reached.h"

/* --- the model: an array that knows of each --- */

#define ALL 40000

struct model {
	bool has[ALL];
};

static void
model_add_before(struct model *m, uint64_t seq)
{
	for (uint64_t i = 0; i < seq && i < ALL; i++)
		m->has[i] = true;
}

static uint64_t
first_without(const struct model *m)
{
	uint64_t i = 1;

	while (i < ALL && m->has[i])
		i++;
	return i;
}

/* What is given up is what lies half a span behind. */
static void
model_add(struct model *m, uint64_t seq)
{
	if (seq >= first_without(m) + REACHED_SPAN)
		model_add_before(m, seq - REACHED_SPAN / 2);
	m->has[seq] = true;
}

static void
assert_like(const struct reached *r, const struct model *m)
{
	assert_true(r->low < first_without(m));
	/* At most seven that could go stay as bits. */
	assert_true(r->low + 8 >= first_without(m));
	for (uint64_t i = 1; i < ALL; i++) {
		if (reached_has(r, i) != m->has[i])
			fail_msg("%u is %d", (unsigned)i, !m->has[i]);
	}
}

static void
repack(struct reached *r)
{
	struct buf b = { 0 };
	struct unpack u;

	reached_pack(r, &b);
	unpack_init(&u, b.data, b.len);
	reached_unpack(r, &u);
	assert_true(unpack_is_good(&u) && unpack_is_over(&u));
	buf_free(&b);
}

static void
run_random(unsigned seed, unsigned spread)
{
	struct model *m = mem_alloc(sizeof(*m));
	struct reached r = { 0 };
	uint64_t seq, top = 1;

	srand(seed);
	m->has[0] = true;
	while (top < ALL - 2 * spread - 1) {
		seq = top + (unsigned)rand() % spread;
		if (rand() % 200 == 0) {
			reached_add_before(&r, seq);
			model_add_before(m, seq);
		} else {
			/* A model that gives nothing up is enough here. */
			reached_add(&r, seq);
			model_add(m, seq);
		}
		top += (unsigned)rand() % 3;
		if (rand() % 3000 == 0) {
			repack(&r);
			assert_like(&r, m);
		}
	}
	assert_like(&r, m);
	reached_fini(&r);
	free(m);
}

static void
it_does_as_the_model_does(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++)
		run_random(seed, seed * seed * 2);
}

/* --- by hand --- */

static void
nothing_has_at_first(void **state)
{
	struct reached r = { 0 };

	(void)state;
	assert_true(reached_has(&r, 0));
	assert_false(reached_has(&r, 1));
	assert_false(reached_has(&r, UINT64_MAX));
	reached_fini(&r);
	reached_fini(&r);
}

/* In order, as mostly, it is a number and no memory. */
static void
in_order_it_is_one_number(void **state)
{
	struct reached r = { 0 };

	(void)state;
	for (uint64_t seq = 1; seq <= 1000; seq++) {
		reached_add(&r, seq);
		assert_int_equal(r.low, seq);
		assert_int_equal(r.count, 0);
	}
	assert_true(r.cap <= 8);
	reached_fini(&r);
}

static void
holes_are_told_apart(void **state)
{
	struct reached r = { 0 };

	(void)state;
	for (uint64_t seq = 2; seq <= 100; seq += 2)
		reached_add(&r, seq);
	assert_int_equal(r.low, 0);
	for (uint64_t seq = 1; seq <= 100; seq++)
		assert_int_equal(reached_has(&r, seq), seq % 2 == 0);
	assert_false(reached_has(&r, 102));
	for (uint64_t seq = 1; seq <= 100; seq += 2)
		reached_add(&r, seq);
	assert_int_equal(r.low, 100);
	reached_add(&r, 50);
	assert_int_equal(r.low, 100);
	reached_fini(&r);
}

static void
all_before_a_number(void **state)
{
	struct reached r = { 0 };

	(void)state;
	reached_add_before(&r, 0);
	reached_add_before(&r, 1);
	assert_int_equal(r.low, 0);
	reached_add(&r, 20);
	reached_add(&r, 5);
	reached_add_before(&r, 11);
	assert_true(reached_has(&r, 10));
	assert_false(reached_has(&r, 11));
	assert_true(reached_has(&r, 20));
	assert_false(reached_has(&r, 21));
	reached_add_before(&r, 5);
	assert_true(reached_has(&r, 10));
	reached_add_before(&r, 1000);
	assert_int_equal(r.low, 999);
	assert_false(reached_has(&r, 1000));
	reached_fini(&r);
}

/* The first that reached nobody is given up when too many came behind it. */
static void
the_span_is_bounded(void **state)
{
	struct reached r = { 0 };

	(void)state;
	reached_add(&r, REACHED_SPAN);
	assert_false(reached_has(&r, 1));
	reached_add(&r, REACHED_SPAN + 1);
	assert_true(reached_has(&r, 1));
	assert_true(reached_has(&r, REACHED_SPAN / 2));
	assert_false(reached_has(&r, REACHED_SPAN / 2 + 1));
	assert_true(reached_has(&r, REACHED_SPAN));
	assert_true(r.cap <= REACHED_SPAN / 8 * 2);
	reached_add(&r, UINT64_C(1) << 39);
	assert_false(reached_has(&r, (UINT64_C(1) << 39) - 1));
	assert_true(r.cap <= REACHED_SPAN / 8 * 2);
	reached_fini(&r);
}

static void
the_widest_is_packed_and_comes_back(void **state)
{
	struct reached r = { 0 };

	(void)state;
	reached_add(&r, REACHED_SPAN);
	repack(&r);
	assert_false(reached_has(&r, REACHED_SPAN - 1));
	assert_true(reached_has(&r, REACHED_SPAN));
	assert_false(reached_has(&r, REACHED_SPAN + 1));
	reached_add(&r, REACHED_SPAN + 3);
	repack(&r);
	assert_true(reached_has(&r, REACHED_SPAN + 3));
	assert_false(reached_has(&r, REACHED_SPAN + 2));
	reached_fini(&r);
}

/* Damaged: as if nothing had, or no more than is there. */
static void
what_is_damaged_does_no_harm(void **state)
{
	struct reached r = { 0 };
	struct buf b = { 0 };
	struct unpack u;

	(void)state;
	reached_add(&r, 7);
	reached_add(&r, 70);
	reached_pack(&r, &b);
	for (size_t len = 0; len < b.len; len++) {
		unpack_init(&u, b.data, len);
		reached_unpack(&r, &u);
		assert_int_equal(r.low, 0);
		assert_int_equal(r.count, 0);
	}
	buf_clear(&b);
	pack_uint(&b, 5);
	pack_bytes(&b, "", 1);
	unpack_init(&u, b.data, b.len);
	reached_unpack(&r, &u);
	assert_int_equal(r.low, 5);
	assert_false(reached_has(&r, 6));
	buf_free(&b);
	reached_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_at_first),
		cmocka_unit_test(in_order_it_is_one_number),
		cmocka_unit_test(holes_are_told_apart),
		cmocka_unit_test(all_before_a_number),
		cmocka_unit_test(the_span_is_bounded),
		cmocka_unit_test(the_widest_is_packed_and_comes_back),
		cmocka_unit_test(what_is_damaged_does_no_harm),
		cmocka_unit_test(it_does_as_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
