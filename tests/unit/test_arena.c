#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void
test_zeroed_and_aligned(void **state)
{
	static const char zeros[100];
	struct arena *a = arena_new();
	size_t size;
	char *p;

	(void)state;
	for (size = 0; size <= sizeof(zeros); size++) {
		p = arena_alloc(a, size);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_memory_equal(p, zeros, size);
		memset(p, 'x', size);
	}
	arena_free(&a);
	assert_null(a);
	arena_free(&a);
}

/* What was written before the reset must not be seen behind it. */
static void
test_reset(void **state)
{
	struct arena *a = arena_new();
	char *first, *again;

	(void)state;
	first = arena_alloc(a, 32);
	memset(first, 'x', 32);
	memset(arena_alloc(a, 100000), 'x', 100000);
	assert_true(arena_used(a) >= 100032);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	again = arena_alloc(a, 32);
	assert_ptr_equal(again, first);
	assert_int_equal(again[31], 0);
	assert_int_equal(arena_used(a), 32);
	arena_free(&a);
}

static void
test_many_blocks(void **state)
{
	struct arena *a = arena_new();
	char *p[3000];
	int i;

	(void)state;
	for (i = 0; i < 3000; i++)
		p[i] = arena_printf(a, "number %d of a row", i);
	for (i = 0; i < 3000; i++)
		assert_int_equal(strtol(p[i] + 7, NULL, 10), i);
	arena_free(&a);
}

static void
test_strings(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(arena_strdup(a, "text"), "text");
	assert_string_equal(arena_strndup(a, "text", 2), "te");
	assert_string_equal(arena_strndup(a, "text", 99), "text");
	assert_string_equal(arena_printf(a, "%d%%", 5), "5%");
	assert_null(arena_strdup(a, NULL));
	assert_null(arena_strndup(a, NULL, 1));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_many_blocks),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
