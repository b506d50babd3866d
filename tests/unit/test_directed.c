#include "support_io.h"

#include "core/directed.h"

static void
a_target_is_found_by_itself_and_by_its_bare_jid(void **state)
{
	struct directed *set = NULL;

	(void)state;
	assert_true(directed_add(&set, "r@x/nick", 7, true, "<presence/>", 9));
	assert_non_null(directed_find(set, "r@x/nick"));
	assert_null(directed_find(set, "r@x"));
	assert_null(directed_find(set, "r@x/other"));
	assert_ptr_equal(directed_find_bare(set, "r@x/other"),
	    directed_find(set, "r@x/nick"));
	assert_non_null(directed_find_bare(set, "r@x"));
	assert_null(directed_find_bare(set, "s@x/nick"));
	assert_int_equal(directed_find(set, "r@x/nick")->account, 7);
	directed_clear(&set);
	assert_null(set);
}

/* A later presence in the room has no <x/>: it is a room all the same. */
static void
again_it_is_the_same_target_with_the_last_presence(void **state)
{
	struct directed *set = NULL;
	const struct directed *d;

	(void)state;
	assert_true(directed_add(&set, "r@x/n", 1, true, "<presence/>", 9));
	assert_true(directed_add(&set, "r@x/n", 2, false, "<p2/>", 9));
	assert_int_equal(HASH_COUNT(set), 1);
	d = directed_find(set, "r@x/n");
	assert_true(d->is_room);
	assert_int_equal(d->account, 2);
	assert_string_equal(d->xml, "<p2/>");
	directed_clear(&set);
}

/* Another nick in the same room. */
static void
a_target_may_get_another_name(void **state)
{
	struct directed *set = NULL;

	(void)state;
	assert_true(directed_add(&set, "r@x/n", 7, true, "<p/>", 9));
	directed_rename(&set, directed_find(set, "r@x/n"), "r@x/n");
	assert_true(directed_add(&set, "r@x/m", 8, false, "<q/>", 9));
	directed_rename(&set, directed_find(set, "r@x/n"), "r@x/m");
	assert_int_equal(HASH_COUNT(set), 1);
	assert_string_equal(set->target, "r@x/m");
	assert_string_equal(set->xml, "<p/>");
	assert_int_equal(set->account, 7);
	assert_true(set->is_room);
	directed_clear(&set);
}

static void
one_is_removed_once(void **state)
{
	struct directed *set = NULL;

	(void)state;
	assert_false(directed_remove(&set, "a@x"));
	assert_true(directed_add(&set, "a@x", 1, false, "<p/>", 9));
	assert_true(directed_remove(&set, "a@x"));
	assert_false(directed_remove(&set, "a@x"));
	assert_null(set);
}

/* directed-presences */
static void
over_the_limit_only_known_ones_change(void **state)
{
	struct directed *set = NULL;

	(void)state;
	assert_true(directed_add(&set, "a@x", 1, false, "<p/>", 2));
	assert_true(directed_add(&set, "b@x", 1, false, "<p/>", 2));
	assert_false(directed_add(&set, "c@x", 1, false, "<p/>", 2));
	assert_null(directed_find(set, "c@x"));
	assert_true(directed_add(&set, "a@x", 1, false, "<q/>", 2));
	assert_string_equal(directed_find(set, "a@x")->xml, "<q/>");
	assert_true(directed_remove(&set, "b@x"));
	assert_true(directed_add(&set, "c@x", 1, false, "<p/>", 2));
	directed_clear(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_target_is_found_by_itself_and_by_its_bare_jid),
		cmocka_unit_test(
		    again_it_is_the_same_target_with_the_last_presence),
		cmocka_unit_test(a_target_may_get_another_name),
		cmocka_unit_test(one_is_removed_once),
		cmocka_unit_test(over_the_limit_only_known_ones_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
