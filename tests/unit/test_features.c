#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/features.h"

static struct features *
some(void)
{
	const char *const vars[] = { "urn:b", "urn:a+notify", "urn:a", "urn:b",
		"urn:a:b+notify", "+notify" };

	return features_new(vars, 6);
}

static void
sorted_and_each_once(void **state)
{
	struct features *f = some();

	(void)state;
	assert_int_equal(features_count(f), 5);
	assert_string_equal(features_at(f, 0), "+notify");
	assert_string_equal(features_at(f, 1), "urn:a");
	assert_string_equal(features_at(f, 2), "urn:a+notify");
	assert_string_equal(features_at(f, 3), "urn:a:b+notify");
	assert_string_equal(features_at(f, 4), "urn:b");
	features_unref(&f);
	assert_null(f);
}

static void
what_is_there_is_found(void **state)
{
	struct features *f = some();

	(void)state;
	for (size_t i = 0; i < features_count(f); i++)
		assert_true(features_has(f, features_at(f, i)));
	assert_false(features_has(f, "urn"));
	assert_false(features_has(f, "urn:a+"));
	assert_false(features_has(f, "urn:c"));
	assert_false(features_has(f, ""));
	features_unref(&f);
}

/* The node, whole: not what begins like it, nor the feature without +notify. */
static void
nodes_that_it_asks_for(void **state)
{
	struct features *f = some();

	(void)state;
	assert_true(features_wants(f, "urn:a"));
	assert_true(features_wants(f, "urn:a:b"));
	assert_false(features_wants(f, "urn:b"));
	assert_false(features_wants(f, "urn:a:"));
	assert_false(features_wants(f, "urn:"));
	assert_false(features_wants(f, "urn:a+notify"));
	assert_false(features_wants(f, "urn:a:b:c"));
	features_unref(&f);
}

static void
nothing_is_known(void **state)
{
	struct features *none = features_new(NULL, 0);

	(void)state;
	assert_int_equal(features_count(NULL), 0);
	assert_false(features_has(NULL, "urn:a"));
	assert_false(features_wants(NULL, "urn:a"));
	assert_false(features_has(none, "urn:a"));
	assert_false(features_wants(none, "urn:a"));
	assert_null(features_of_notify(NULL));
	assert_null(features_of_notify(none));
	/* Nothing is something else than not to know. */
	assert_false(features_equal(none, NULL));
	assert_true(features_equal(NULL, NULL));
	features_unref(&none);
}

static void
notify_alone(void **state)
{
	struct features *f = some(), *notify = features_of_notify(f);

	(void)state;
	assert_int_equal(features_count(notify), 2);
	assert_string_equal(features_at(notify, 0), "urn:a+notify");
	assert_string_equal(features_at(notify, 1), "urn:a:b+notify");
	features_unref(&notify);
	features_unref(&f);
}

static void
packed_and_back(void **state)
{
	struct features *f = some(), *again;
	struct buf b = { 0 };
	struct unpack u;

	(void)state;
	features_pack(f, &b);
	unpack_init(&u, b.data, b.len);
	again = features_unpack(&u);
	assert_true(unpack_is_good(&u));
	assert_true(features_equal(f, again));
	features_unref(&again);
	for (size_t len = 0; len < b.len; len++) {
		unpack_init(&u, b.data, len);
		again = features_unpack(&u);
		assert_false(unpack_is_good(&u));
		features_unref(&again);
	}
	buf_free(&b);
	features_unref(&f);
}

static void
one_set_for_all(void **state)
{
	struct features *f = some(), *same = features_ref(f);

	(void)state;
	assert_ptr_equal(f, same);
	features_unref(&f);
	assert_true(features_has(same, "urn:a"));
	features_unref(&same);
	assert_null(features_ref(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_each_once),
		cmocka_unit_test(what_is_there_is_found),
		cmocka_unit_test(nodes_that_it_asks_for),
		cmocka_unit_test(nothing_is_known),
		cmocka_unit_test(notify_alone),
		cmocka_unit_test(packed_and_back),
		cmocka_unit_test(one_set_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
