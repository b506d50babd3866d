#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "core/presences.h"

static bool
set(struct presences *p, const char *from, const char *body)
{
	struct blob *b = blob_new(body, strlen(body));
	bool ok = presences_set(p,
	    &(struct presence){ .from = (char *)from, .body = b });

	blob_unref(&b);
	return ok;
}

static void
list_one(void *arg, const struct presence *one)
{
	buf_printf(arg, "%s ", one->from);
}

static void
expect_list(struct presences *p, const char *bare, const char *want)
{
	struct buf list = { 0 };

	presences_each(p, bare, list_one, &list);
	assert_string_equal(list.data == NULL ? "" : list.data, want);
	buf_free(&list);
}

static void
test_set_and_find(void **state)
{
	struct presences *p = presences_new(10);
	const struct presence *one;

	(void)state;
	assert_null(presences_find(p, "a@b/1"));
	assert_true(presences_set(p,
	    &(struct presence){ .from = (char *)"a@b/1",
		.id = (char *)"id",
		.lang = (char *)"de" }));
	one = presences_find(p, "a@b/1");
	assert_string_equal(one->from, "a@b/1");
	assert_string_equal(one->id, "id");
	assert_string_equal(one->lang, "de");
	assert_null(one->body);
	/* A part of itself is a proper argument. */
	assert_true(presences_set(p,
	    &(struct presence){ .from = one->from,
		.id = one->lang,
		.lang = one->id }));
	assert_string_equal(one->id, "de");
	assert_string_equal(one->lang, "id");
	assert_true(set(p, "a@b/1", "<show/>"));
	assert_null(one->id);
	assert_string_equal(blob_data(one->body), "<show/>");
	assert_int_equal(presences_count(p), 1);
	assert_null(presences_find(p, "a@b"));
	presences_free(&p);
	assert_null(p);
	presences_free(&p);
}

static void
test_order_and_bare(void **state)
{
	struct presences *p = presences_new(10);

	(void)state;
	set(p, "a@b/1", "");
	set(p, "c@d/1", "");
	set(p, "a@b/2", "");
	set(p, "a@b", "");
	set(p, "a@bc/1", "");
	set(p, "a@b/1", "again");
	expect_list(p, NULL, "a@b/1 c@d/1 a@b/2 a@b a@bc/1 ");
	expect_list(p, "a@b", "a@b/1 a@b/2 a@b ");
	expect_list(p, "c@d", "c@d/1 ");
	expect_list(p, "a", "");
	assert_true(presences_has_bare(p, "a@b"));
	assert_false(presences_has_bare(p, "a@"));
	presences_free(&p);
}

static void
test_remove(void **state)
{
	struct presences *p = presences_new(10);

	(void)state;
	set(p, "a@b/1", "");
	set(p, "a@b/2", "");
	assert_false(presences_remove(p, "a@b"));
	assert_true(presences_remove(p, "a@b/1"));
	assert_false(presences_remove(p, "a@b/1"));
	assert_true(presences_has_bare(p, "a@b"));
	assert_true(presences_remove(p, presences_find(p, "a@b/2")->from));
	assert_false(presences_has_bare(p, "a@b"));
	assert_int_equal(presences_count(p), 0);
	presences_free(&p);
}

/* The bodies have a limit in all: a KiB for each place. */
static void
test_bytes(void **state)
{
	struct presences *p = presences_new(4);
	char body[2049] = { 0 };

	(void)state;
	memset(body, 'x', 2048);
	assert_true(set(p, "a@b/1", body));
	assert_true(set(p, "a@b/2", body));
	assert_false(set(p, "a@b/3", "<show/>"));
	assert_true(set(p, "a@b/2", "<show/>"));
	assert_true(set(p, "a@b/3", "<show/>"));
	/* One that is known and grows too much is known no more. */
	assert_true(set(p, "a@b/4", body + 100));
	assert_false(set(p, "a@b/2", body));
	assert_null(presences_find(p, "a@b/2"));
	presences_clear(p);
	assert_true(set(p, "a@b/1", body));
	assert_true(set(p, "a@b/2", body));
	presences_free(&p);
}

static void
test_limit(void **state)
{
	struct presences *p = presences_new(2);

	(void)state;
	assert_true(set(p, "a@b/1", ""));
	assert_true(set(p, "a@b/2", ""));
	assert_false(set(p, "a@b/3", ""));
	assert_false(presences_has_bare(p, "c@d"));
	assert_false(set(p, "c@d/1", ""));
	assert_false(presences_has_bare(p, "c@d"));
	assert_true(set(p, "a@b/1", "new"));
	assert_true(presences_remove(p, "a@b/2"));
	assert_true(set(p, "c@d/1", ""));
	presences_free(&p);
}

static void
remove_it(void *arg, const struct presence *one)
{
	assert_true(presences_remove(arg, one->from));
}

static void
test_remove_while_walking(void **state)
{
	struct presences *p = presences_new(10);

	(void)state;
	set(p, "a@b/1", "");
	set(p, "c@d/1", "");
	set(p, "a@b/2", "");
	presences_each(p, "a@b", remove_it, p);
	expect_list(p, NULL, "c@d/1 ");
	set(p, "a@b/1", "");
	presences_each(p, NULL, remove_it, p);
	assert_int_equal(presences_count(p), 0);
	presences_free(&p);
}

struct clearing {
	struct presences *all;
	unsigned seen;
};

static void
clear_all(void *arg, const struct presence *one)
{
	struct clearing *c = arg;

	(void)one;
	c->seen++;
	presences_clear(c->all);
}

static void
remove_last(void *arg, const struct presence *one)
{
	struct clearing *c = arg;

	(void)one;
	c->seen++;
	(void)presences_remove(c->all, "a@b/2");
	(void)presences_remove(c->all, "a@b/3");
}

static void
test_any_may_go_while_walking(void **state)
{
	struct clearing c = { .all = presences_new(10) };
	static const char *const bares[] = { NULL, "a@b" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(set(c.all, "a@b/1", "x"));
		assert_true(set(c.all, "a@b/2", "x"));
		assert_true(set(c.all, "a@b/3", "x"));
		assert_true(set(c.all, "a@b/4", "x"));
		c.seen = 0;
		presences_each(c.all, bares[i], remove_last, &c);
		assert_int_equal(c.seen, 2);
		c.seen = 0;
		presences_each(c.all, bares[i], clear_all, &c);
		assert_int_equal(c.seen, 1);
		assert_int_equal(presences_count(c.all), 0);
	}
	presences_free(&c.all);
}

static void
test_hide(void **state)
{
	struct presences *p = presences_new(10);

	(void)state;
	assert_false(presences_hide(p, "a@b/1", true));
	assert_true(set(p, "a@b/1", "x"));
	assert_false(presences_hide(p, "a@b/1", false));
	assert_true(presences_hide(p, "a@b/1", true));
	assert_false(presences_hide(p, "a@b/1", true));
	assert_true(presences_hide(p, "a@b/1", false));
	presences_free(&p);
}

static void
test_clear(void **state)
{
	struct presences *p = presences_new(1000);
	char jid[32];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(jid, sizeof(jid), "%d@x/%d", i % 100, i);
		assert_true(set(p, jid, "x"));
	}
	assert_true(presences_has_bare(p, "99@x"));
	presences_clear(p);
	assert_int_equal(presences_count(p), 0);
	assert_false(presences_has_bare(p, "99@x"));
	assert_true(set(p, "a@b/1", ""));
	presences_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_find),
		cmocka_unit_test(test_order_and_bare),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_remove_while_walking),
		cmocka_unit_test(test_any_may_go_while_walking),
		cmocka_unit_test(test_hide),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
