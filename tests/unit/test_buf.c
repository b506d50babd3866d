#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
test_zeroed_is_empty(void **state)
{
	struct buf b = { 0 };
	char *s;

	(void)state;
	buf_clear(&b);
	buf_truncate(&b, 0);
	buf_consume(&b, 0);
	assert_null(b.data);
	buf_free(&b);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
}

static void
test_adding(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, "ab\0c", 4);
	buf_putc(&b, 'd');
	buf_puts(&b, "ef");
	buf_printf(&b, "<%s:%d>", "x", 12);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 13);
	assert_memory_equal(b.data, "ab\0cdef<x:12>", 14);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
}

/* Each length up to past the second growth, so that the NUL finds its room. */
static void
test_always_terminated(void **state)
{
	struct buf b = { 0 }, c = { 0 };
	size_t i;

	(void)state;
	for (i = 1; i < 300; i++) {
		buf_putc(&b, 'x');
		assert_int_equal(b.len, i);
		assert_true(b.cap > b.len);
		assert_int_equal(strlen(b.data), i);
		buf_clear(&c);
		buf_printf(&c, "%s", b.data);
		assert_string_equal(c.data, b.data);
	}
	buf_free(&b);
	buf_free(&c);
}

static void
test_dropping(void **state)
{
	struct buf b = { 0 };
	char *held;

	(void)state;
	buf_puts(&b, "abcdef");
	held = b.data;
	buf_consume(&b, 2);
	assert_string_equal(b.data, "cdef");
	buf_truncate(&b, 3);
	assert_string_equal(b.data, "cde");
	buf_consume(&b, 3);
	assert_string_equal(b.data, "");
	buf_puts(&b, "again");
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	assert_ptr_equal(b.data, held);
	buf_free(&b);
}

static void
test_take(void **state)
{
	struct buf b = { 0 };
	char *s;

	(void)state;
	buf_puts(&b, "mine");
	s = buf_take(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_is_empty),
		cmocka_unit_test(test_adding),
		cmocka_unit_test(test_always_terminated),
		cmocka_unit_test(test_dropping),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
