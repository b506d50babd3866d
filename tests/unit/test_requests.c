#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/requests.h"
#include "parsed.h"

struct fixture {
	struct arena *arena;
	struct requests *requests;
	struct buf kept;
};

static void
keep(void *arg, const char *bare, const char *xml)
{
	buf_printf(arg, "%s %s\n", bare, xml != NULL ? xml : "-");
}

static int
set_up(void **state)
{
	static struct fixture f;

	f.arena = arena_new();
	f.requests = requests_new(3);
	requests_set_keeper(f.requests, keep, &f.kept);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	requests_free(&f->requests);
	arena_free(&f->arena);
	buf_free(&f->kept);
	return 0;
}

static bool
ask(struct fixture *f, const char *bare, const char *status)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "<presence type='subscribe'><status>%s</status></presence>",
	    status);
	return requests_add(f->requests, bare, parsed(f->arena, text));
}

#define ASKED(status) \
	"<presence type='subscribe'><status>" status "</status></presence>"

static void
test_in_order_of_arrival(void **state)
{
	struct fixture *f = *state;
	struct buf list = { 0 };

	assert_true(ask(f, "a@b", "1"));
	assert_true(ask(f, "c@d", "1"));
	assert_true(ask(f, "a@b", "2"));
	requests_each(f->requests, keep, &list);
	assert_string_equal(list.data,
	    "a@b " ASKED("2") "\nc@d " ASKED("1") "\n");
	buf_free(&list);
	assert_true(requests_is_open(f->requests, "a@b"));
	assert_true(requests_remove(f->requests, "a@b"));
	assert_false(requests_is_open(f->requests, "a@b"));
	assert_false(requests_remove(f->requests, "a@b"));
}

/* roster-items */
static void
test_bounded(void **state)
{
	struct fixture *f = *state;

	assert_true(ask(f, "1@b", ""));
	assert_true(ask(f, "2@b", ""));
	assert_true(ask(f, "3@b", ""));
	assert_false(ask(f, "4@b", ""));
	assert_true(ask(f, "1@b", "again"));
	assert_true(requests_remove(f->requests, "2@b"));
	assert_true(ask(f, "4@b", ""));
}

static void
test_kept(void **state)
{
	struct fixture *f = *state;

	assert_true(ask(f, "x@b", "1"));
	assert_string_equal(f->kept.data, "x@b " ASKED("1") "\n");
	buf_clear(&f->kept);
	assert_true(requests_remove(f->requests, "x@b"));
	assert_string_equal(f->kept.data, "x@b -\n");
}

static void
test_restored(void **state)
{
	struct fixture *f = *state;

	requests_restore(f->requests, "x@b", "<presence/>");
	assert_int_equal(f->kept.len, 0);
	requests_each(f->requests, keep, &f->kept);
	assert_string_equal(f->kept.data, "x@b <presence/>\n");
}

#define request_test(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		request_test(test_in_order_of_arrival),
		request_test(test_bounded),
		request_test(test_kept),
		request_test(test_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
