#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/open_iqs.h"

static int
setup(void **state)
{
	struct open_iqs *q = mem_alloc(sizeof(*q));

	open_iqs_init(q);
	*state = q;
	return 0;
}

static int
teardown(void **state)
{
	struct open_iqs *q = *state;

	open_iqs_fini(q);
	assert_int_equal(q->count, 0);
	free(q);
	return 0;
}

/* "id/to=number ..." */
static void
assert_open(const struct open_iqs *q, const char *expected)
{
	const struct open_iq *iq;
	struct buf b = { 0 };
	unsigned count = 0;

	buf_puts(&b, "");
	TAILQ_FOREACH(iq, &q->all, next) {
		buf_printf(&b, "%s/%s=%u ", iq->id,
		    iq->to != NULL ? iq->to : "-", (unsigned)iq->number);
		count++;
	}
	assert_string_equal(b.data, expected);
	assert_int_equal(q->count, count);
	buf_free(&b);
}

static void
a_request_is_open_until_its_answer_is_got(void **state)
{
	struct open_iqs *q = *state;

	open_iqs_add(q, "1", "a@b");
	open_iqs_add(q, "2", NULL);
	open_iqs_add(q, "3", "c@d");
	assert_open(q, "1/a@b=0 2/-=0 3/c@d=0 ");
	open_iqs_answered(q, "2", 7);
	open_iqs_answered(q, "1", 9);
	assert_open(q, "1/a@b=9 2/-=7 3/c@d=0 ");
	assert_int_equal(open_iqs_acknowledged(q, 6), 0);
	assert_int_equal(open_iqs_acknowledged(q, 8), 1);
	assert_open(q, "1/a@b=9 3/c@d=0 ");
	/* No answer is no number. */
	assert_int_equal(open_iqs_acknowledged(q, UINT64_MAX), 1);
	assert_open(q, "3/c@d=0 ");
}

static void
an_answer_to_nothing_is_none(void **state)
{
	struct open_iqs *q = *state;

	open_iqs_answered(q, "1", 7);
	open_iqs_add(q, "1", NULL);
	open_iqs_answered(q, "2", 7);
	assert_open(q, "1/-=0 ");
}

/* Clients use an id again; the older has its answer first. */
static void
one_id_may_be_open_twice(void **state)
{
	struct open_iqs *q = *state;

	open_iqs_add(q, "1", "a@b");
	open_iqs_add(q, "1", "c@d");
	open_iqs_answered(q, "1", 5);
	assert_open(q, "1/a@b=5 1/c@d=0 ");
	open_iqs_answered(q, "1", 6);
	open_iqs_answered(q, "1", 7);
	assert_open(q, "1/a@b=5 1/c@d=6 ");
	assert_int_equal(open_iqs_acknowledged(q, 6), 2);
}

static void
an_answer_gets_another_number(void **state)
{
	struct open_iqs *q = *state;

	open_iqs_add(q, "1", NULL);
	open_iqs_add(q, "2", NULL);
	open_iqs_answered(q, "1", 12);
	open_iqs_answered(q, "2", 14);
	open_iqs_renumber(q, 12, 11);
	open_iqs_renumber(q, 14, 12);
	open_iqs_renumber(q, 13, 1);
	assert_open(q, "1/-=11 2/-=12 ");
}

static void
they_are_packed_and_come_back(void **state)
{
	struct open_iqs *q = *state, back;
	struct buf b = { 0 };
	struct unpack u;

	open_iqs_add(q, "1", "a@b");
	open_iqs_add(q, "", NULL);
	open_iqs_answered(q, "", UINT64_C(1) << 40);
	open_iqs_pack(q, &b);
	open_iqs_init(&back);
	unpack_init(&u, b.data, b.len);
	open_iqs_unpack(&back, &u);
	assert_true(unpack_is_good(&u) && unpack_is_over(&u));
	assert_int_equal(back.count, 2);
	assert_string_equal(TAILQ_FIRST(&back.all)->to, "a@b");
	assert_true(TAILQ_NEXT(TAILQ_FIRST(&back.all), next)->number ==
	    UINT64_C(1) << 40);
	open_iqs_fini(&back);
	/* Cut short it is what is whole of it. */
	for (size_t len = 0; len < b.len; len++) {
		unpack_init(&u, b.data, len);
		open_iqs_unpack(&back, &u);
		assert_in_range(back.count, 0, 2);
		open_iqs_fini(&back);
	}
	buf_free(&b);
}

#define iqs_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		iqs_test(a_request_is_open_until_its_answer_is_got),
		iqs_test(an_answer_to_nothing_is_none),
		iqs_test(one_id_may_be_open_twice),
		iqs_test(an_answer_gets_another_number),
		iqs_test(they_are_packed_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
