#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/iq.h"

static struct iq *
add(struct iq_table *t, uint64_t session, uint64_t deadline)
{
	struct iq given = { .session = session, .deadline = deadline };

	return iq_table_add(t, &given);
}

/* Takes what has expired by `now` and expects that deadline. */
static void
expect_expired(struct iq_table *t, uint64_t now, uint64_t deadline)
{
	struct iq *iq = iq_table_expired(t, now);

	assert_non_null(iq);
	assert_int_equal(iq->deadline, deadline);
	iq_free(&iq);
	assert_null(iq);
}

static void
test_copies(void **state)
{
	struct iq_table *t = iq_table_new(2);
	char text[] = "abcd";
	struct iq given = { .asked_id = text,
		.asker = text,
		.answerer = text,
		.asked_to = text,
		.session = 5,
		.arg = t };
	struct iq *iq;

	(void)state;
	iq = iq_table_add(t, &given);
	text[0] = 'x';
	assert_string_equal(iq->asked_id, "abcd");
	assert_string_equal(iq->asker, "abcd");
	assert_string_equal(iq->answerer, "abcd");
	assert_string_equal(iq->asked_to, "abcd");
	assert_int_equal(iq->session, 5);
	assert_ptr_equal(iq->arg, t);
	assert_int_equal(strlen(iq->id), RANDOM_ID_SIZE - 1);
	iq_table_free(&t);
	assert_null(t);
	iq_table_free(&t);
}

static void
test_find_by_id(void **state)
{
	struct iq_table *t = iq_table_new(10);
	struct iq *a = add(t, 1, 10), *b = add(t, 1, 10);
	char id[RANDOM_ID_SIZE];

	(void)state;
	assert_string_not_equal(a->id, b->id);
	memcpy(id, a->id, sizeof(id));
	assert_ptr_equal(iq_table_find(t, id), a);
	assert_ptr_equal(iq_table_find(t, b->id), b);
	assert_null(iq_table_find(t, "not one"));
	iq_table_take(t, a);
	assert_string_equal(a->id, id);
	iq_free(&a);
	assert_null(iq_table_find(t, id));
	assert_int_equal(iq_table_count(t), 1);
	iq_table_free(&t);
}

static void
test_full(void **state)
{
	struct iq_table *t = iq_table_new(2);
	struct iq *iq;

	(void)state;
	assert_non_null(add(t, 1, 1));
	assert_non_null(add(t, 1, 2));
	assert_null(add(t, 1, 3));
	assert_int_equal(iq_table_count(t), 2);
	iq = iq_table_any(t);
	iq_free(&iq);
	assert_non_null(add(t, 1, 3));
	iq_table_free(&t);
}

static void
test_expire_in_order(void **state)
{
	struct iq_table *t = iq_table_new(10);

	(void)state;
	assert_int_equal(iq_table_deadline(t), 0);
	add(t, 1, 30);
	assert_int_equal(iq_table_deadline(t), 30);
	add(t, 1, 10);
	assert_int_equal(iq_table_deadline(t), 10);
	add(t, 1, 20);
	add(t, 1, 40);
	add(t, 1, 20);
	assert_null(iq_table_expired(t, 9));
	expect_expired(t, 10, 10);
	assert_null(iq_table_expired(t, 10));
	expect_expired(t, 100, 20);
	expect_expired(t, 100, 20);
	expect_expired(t, 100, 30);
	assert_null(iq_table_expired(t, 39));
	expect_expired(t, 40, 40);
	assert_null(iq_table_expired(t, UINT64_MAX));
	assert_int_equal(iq_table_count(t), 0);
	iq_table_free(&t);
}

static void
test_by_session(void **state)
{
	struct iq_table *t = iq_table_new(10);
	struct iq *iq;
	int i;

	(void)state;
	for (i = 0; i < 6; i++)
		add(t, (uint64_t)i % 2, 10);
	assert_int_equal(iq_table_count_of(t, 0), 3);
	assert_int_equal(iq_table_count_of(t, 1), 3);
	assert_int_equal(iq_table_count_of(t, 2), 0);
	assert_null(iq_table_any_of(t, 2));
	for (i = 0; i < 3; i++) {
		iq = iq_table_any_of(t, 1);
		assert_int_equal(iq->session, 1);
		iq_free(&iq);
	}
	assert_null(iq_table_any_of(t, 1));
	assert_int_equal(iq_table_count_of(t, 1), 0);
	assert_int_equal(iq_table_count(t), 3);
	iq_table_free(&t);
}

static void
test_many(void **state)
{
	struct iq_table *t = iq_table_new(20000);
	struct iq *iq;
	unsigned i;

	(void)state;
	for (i = 0; i < 20000; i++)
		assert_non_null(add(t, i % 50, i));
	for (i = 0; i < 50; i++)
		assert_int_equal(iq_table_count_of(t, i), 400);
	for (i = 0; i < 20000; i++)
		expect_expired(t, i, i);
	iq = iq_table_any(t);
	assert_null(iq);
	iq_free(&iq);
	iq_table_free(&t);
}

/* Requests that did not arrive: those with a higher number than was acknowledged. */
static void
test_above(void **state)
{
	struct iq_table *t = iq_table_new(10);
	struct iq *iq;

	(void)state;
	assert_null(iq_table_above(t, 0));
	for (uint64_t number = 1; number <= 6; number++)
		add(t, 1, 10)->number = number;
	for (int i = 0; i < 2; i++) {
		iq = iq_table_above(t, 4);
		assert_true(iq->number > 4);
		iq_free(&iq);
	}
	assert_null(iq_table_above(t, 4));
	assert_int_equal(iq_table_count(t), 4);
	iq = iq_table_above(t, 3);
	assert_int_equal(iq->number, 4);
	iq_free(&iq);
	iq_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_find_by_id),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_expire_in_order),
		cmocka_unit_test(test_by_session),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
