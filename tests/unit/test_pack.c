#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"

static const uint64_t numbers[] = { 0, 1, 127, 128, 16383, 16384, 1 << 21,
	UINT32_MAX, (uint64_t)1 << 32, (uint64_t)1 << 56, INT64_MAX,
	(uint64_t)1 << 63, UINT64_MAX };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
numbers_come_back(void **state)
{
	struct buf b = { 0 };
	struct unpack u;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(numbers); i++)
		pack_uint(&b, numbers[i]);
	unpack_init(&u, b.data, b.len);
	for (i = 0; i < COUNT(numbers); i++) {
		assert_false(unpack_is_over(&u));
		assert_true(unpack_uint(&u) == numbers[i]);
	}
	assert_true(unpack_is_good(&u));
	assert_true(unpack_is_over(&u));
	buf_free(&b);
}

static void
small_numbers_are_short(void **state)
{
	struct buf b = { 0 };

	(void)state;
	pack_uint(&b, 127);
	assert_int_equal(b.len, 1);
	pack_uint(&b, 128);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "\x7f\x80\x01", 3);
	pack_uint(&b, UINT64_MAX);
	assert_int_equal(b.len, 13);
	buf_free(&b);
}

static void
strings_and_bytes_come_back(void **state)
{
	struct buf b = { 0 };
	struct unpack u;
	const void *bytes;
	char *text;
	size_t len;

	(void)state;
	pack_string(&b, "text");
	pack_string(&b, NULL);
	pack_string(&b, "");
	pack_bytes(&b, "a\0b", 3);
	pack_bytes(&b, NULL, 0);
	unpack_init(&u, b.data, b.len);
	text = unpack_string(&u);
	assert_string_equal(text, "text");
	free(text);
	assert_null(unpack_string(&u));
	assert_true(unpack_is_good(&u));
	text = unpack_string(&u);
	assert_string_equal(text, "");
	free(text);
	bytes = unpack_bytes(&u, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "a\0b", 3);
	assert_non_null(unpack_bytes(&u, &len));
	assert_int_equal(len, 0);
	assert_true(unpack_is_good(&u));
	assert_true(unpack_is_over(&u));
	buf_free(&b);
}

/* Cut at each place: what was whole before it is read, the rest is nothing. */
static void
what_is_cut_fails(void **state)
{
	struct buf b = { 0 };
	struct unpack u;
	size_t cut, len;
	char *text, *copy;

	(void)state;
	pack_uint(&b, 300);
	pack_string(&b, "abc");
	pack_bytes(&b, "def", 3);
	for (cut = 0; cut < b.len; cut++) {
		copy = malloc(cut + 1);
		memcpy(copy, b.data, cut);
		copy = realloc(copy, cut > 0 ? cut : 1);
		unpack_init(&u, copy, cut);
		assert_true(unpack_uint(&u) == (cut >= 2 ? 300 : 0));
		text = unpack_string(&u);
		assert_true((text != NULL) == (cut >= 6));
		free(text);
		assert_null(unpack_bytes(&u, &len));
		assert_int_equal(len, 0);
		assert_false(unpack_is_good(&u));
		assert_true(unpack_is_over(&u));
		free(copy);
	}
	buf_free(&b);
}

static void
expect_no_number(const char *bytes, size_t len)
{
	struct unpack u;

	unpack_init(&u, bytes, len);
	assert_true(unpack_uint(&u) == 0);
	assert_false(unpack_is_good(&u));
}

static void
what_is_too_great_fails(void **state)
{
	struct unpack u;
	size_t len;

	(void)state;
	expect_no_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
	expect_no_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11);
	expect_no_number("", 0);
	expect_no_number(NULL, 0);
	/* A length of 2^64 - 1. */
	unpack_init(&u, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01text", 14);
	assert_null(unpack_bytes(&u, &len));
	assert_false(unpack_is_good(&u));
	unpack_init(&u, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01text", 14);
	assert_null(unpack_string(&u));
	assert_false(unpack_is_good(&u));
}

static void
nothing_is_read_after_a_failure(void **state)
{
	struct unpack u;
	size_t len;

	(void)state;
	unpack_init(&u, "\x05text\x01", 6);
	u.end--;
	assert_null(unpack_bytes(&u, &len));
	assert_true(unpack_uint(&u) == 0);
	assert_null(unpack_string(&u));
	assert_true(unpack_is_over(&u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(small_numbers_are_short),
		cmocka_unit_test(strings_and_bytes_come_back),
		cmocka_unit_test(what_is_cut_fails),
		cmocka_unit_test(what_is_too_great_fails),
		cmocka_unit_test(nothing_is_read_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
