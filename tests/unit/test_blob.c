#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/blob.h"

static void
test_copies(void **state)
{
	char bytes[] = "a\0b";
	struct blob *b = blob_new(bytes, 3);

	(void)state;
	bytes[0] = 'x';
	assert_int_equal(blob_len(b), 3);
	assert_memory_equal(blob_data(b), "a\0b", 4);
	blob_unref(&b);
	assert_null(b);
}

/* That the last one frees is for the leak checker to see. */
static void
test_counts(void **state)
{
	struct blob *a = blob_new("text", 4), *b = blob_ref(a);

	(void)state;
	assert_ptr_equal(a, b);
	blob_unref(&a);
	assert_null(a);
	assert_string_equal(blob_data(b), "text");
	blob_unref(&b);
	blob_unref(&b);
	assert_null(blob_ref(NULL));
}

static void
test_empty(void **state)
{
	struct blob *b = blob_new(NULL, 0);

	(void)state;
	assert_int_equal(blob_len(b), 0);
	assert_string_equal(blob_data(b), "");
	blob_unref(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
