#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "core/recent.h"

static void
test_set_replaces(void **state)
{
	struct recent *r = recent_new(4);
	uint64_t value = 7;

	(void)state;
	assert_false(recent_get(r, "a", &value));
	assert_int_equal(value, 7);
	recent_set(r, "a", 1);
	recent_set(r, "a", 2);
	assert_int_equal(recent_count(r), 1);
	assert_true(recent_get(r, "a", &value));
	assert_int_equal(value, 2);
	assert_true(recent_get(r, "a", NULL));
	recent_free(&r);
	assert_null(r);
	recent_free(&r);
}

static void
test_oldest_goes_first(void **state)
{
	struct recent *r = recent_new(3);

	(void)state;
	recent_set(r, "a", 1);
	recent_set(r, "b", 2);
	recent_set(r, "c", 3);
	recent_set(r, "a", 4);
	recent_set(r, "d", 5);
	assert_int_equal(recent_count(r), 3);
	assert_false(recent_get(r, "b", NULL));
	assert_true(recent_get(r, "a", NULL));
	recent_set(r, "e", 6);
	assert_false(recent_get(r, "c", NULL));
	assert_true(recent_get(r, "a", NULL));
	recent_free(&r);
}

static void
test_limit_holds(void **state)
{
	struct recent *r = recent_new(100);
	char key[24];
	uint64_t value;
	unsigned i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		recent_set(r, key, i);
		assert_true(recent_count(r) <= 100);
	}
	for (i = 9800; i < 10000; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_int_equal(recent_get(r, key, &value), i >= 9900);
		if (i >= 9900)
			assert_int_equal(value, i);
	}
	recent_free(&r);
}

static void
test_remove(void **state)
{
	struct recent *r = recent_new(2);

	(void)state;
	recent_set(r, "a", 1);
	recent_set(r, "b", 1);
	recent_remove(r, "a");
	recent_remove(r, "nobody");
	assert_false(recent_get(r, "a", NULL));
	recent_set(r, "c", 1);
	assert_true(recent_get(r, "b", NULL));
	assert_int_equal(recent_count(r), 2);
	recent_free(&r);
}

static void
test_max_0_remembers_nothing(void **state)
{
	struct recent *r = recent_new(0);

	(void)state;
	recent_set(r, "a", 1);
	assert_false(recent_get(r, "a", NULL));
	recent_free(&r);
}

static void
note(void *arg, const char *key, uint64_t value)
{
	buf_printf(arg, "%s=%u ", key, (unsigned)value);
}

static void
test_each_oldest_first(void **state)
{
	struct recent *r = recent_new(3);
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "");
	recent_each(r, note, &b);
	assert_string_equal(b.data, "");
	recent_set(r, "a", 1);
	recent_set(r, "b", 2);
	recent_set(r, "c", 3);
	recent_set(r, "a", 4);
	recent_set(r, "d", 5);
	recent_each(r, note, &b);
	assert_string_equal(b.data, "c=3 a=4 d=5 ");
	buf_free(&b);
	recent_free(&r);
}

static void
note_key(void *arg, const char *key)
{
	buf_printf(arg, "%s ", key);
}

/* What is taken out, or goes with all, is no news to whoever did that. */
static void
test_tells_what_it_forgets(void **state)
{
	struct recent *r = recent_new(2);
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "");
	recent_on_forget(r, note_key, &b);
	recent_set(r, "a", 1);
	recent_set(r, "b", 2);
	recent_set(r, "a", 3);
	recent_set(r, "c", 4);
	recent_remove(r, "a");
	recent_set(r, "d", 5);
	recent_set(r, "e", 6);
	recent_free(&r);
	assert_string_equal(b.data, "b c ");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_replaces),
		cmocka_unit_test(test_oldest_goes_first),
		cmocka_unit_test(test_limit_holds),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_max_0_remembers_nothing),
		cmocka_unit_test(test_each_oldest_first),
		cmocka_unit_test(test_tells_what_it_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
