#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/archive_prefs.h"

static void
all_is_wanted_unless_said(void **state)
{
	struct archive_prefs p = { 0 };

	(void)state;
	assert_true(archive_prefs_want(&p, "a@b/c", false));
	p.by_default = ARCHIVE_NEVER;
	assert_false(archive_prefs_want(&p, "a@b/c", true));
	p.by_default = ARCHIVE_ROSTER;
	assert_true(archive_prefs_want(&p, "a@b/c", true));
	assert_false(archive_prefs_want(&p, "a@b/c", false));
	archive_prefs_fini(&p);
}

/* XEP-0441 2.3.1 */
static void
a_listed_jid_decides(void **state)
{
	struct archive_prefs p = { .by_default = ARCHIVE_NEVER };

	(void)state;
	archive_jids_add(&p.always, "a@b");
	archive_jids_add(&p.always, "d@b/x");
	archive_jids_add(&p.never, "a@b/x");
	archive_jids_add(&p.never, "d@b");
	archive_jids_add(&p.always, "both@b");
	archive_jids_add(&p.never, "both@b");
	assert_true(archive_prefs_want(&p, "a@b", false));
	assert_true(archive_prefs_want(&p, "a@b/y", false));
	assert_false(archive_prefs_want(&p, "a@b/x", false));
	assert_true(archive_prefs_want(&p, "d@b/x", false));
	assert_false(archive_prefs_want(&p, "d@b/y", true));
	assert_true(archive_prefs_want(&p, "both@b", true));
	assert_false(archive_prefs_want(&p, "a@bc", false));
	archive_prefs_fini(&p);
	assert_int_equal(p.always.count, 0);
	assert_true(archive_prefs_want(&p, "d@b", false));
}

static void
they_come_back_from_disk(void **state)
{
	struct archive_prefs p = { .by_default = ARCHIVE_ROSTER }, q = { 0 };
	struct buf b = { 0 };
	struct unpack u;

	(void)state;
	archive_jids_add(&p.always, "a@b");
	archive_jids_add(&p.never, "c@b/x");
	archive_jids_add(&p.never, "d@b");
	archive_prefs_pack(&p, &b);
	unpack_init(&u, b.data, b.len);
	archive_prefs_unpack(&q, &u);
	assert_true(unpack_is_over(&u));
	assert_int_equal(q.by_default, ARCHIVE_ROSTER);
	assert_int_equal(q.always.count, 1);
	assert_string_equal(q.always.list[0], "a@b");
	assert_int_equal(q.never.count, 2);
	assert_string_equal(q.never.list[1], "d@b");
	archive_prefs_fini(&q);
	/* Cut anywhere they are damaged, and all is archived. */
	for (size_t len = 0; len < b.len; len++) {
		unpack_init(&u, b.data, len);
		archive_prefs_unpack(&q, &u);
		assert_int_equal(q.by_default, ARCHIVE_ALWAYS);
		assert_int_equal(q.never.count, 0);
		archive_prefs_fini(&q);
	}
	b.data[0] = 9;
	unpack_init(&u, b.data, b.len);
	archive_prefs_unpack(&q, &u);
	assert_int_equal(q.by_default, ARCHIVE_ALWAYS);
	archive_prefs_fini(&q);
	archive_prefs_fini(&p);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_wanted_unless_said),
		cmocka_unit_test(a_listed_jid_decides),
		cmocka_unit_test(they_come_back_from_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
