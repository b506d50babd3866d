#include "support_core.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/entry.h"

static void
test_entry_size(void **state)
{
	struct entry *e = entry_new();
	size_t empty = entry_size(e);

	(void)state;
	e->peer = mem_strdup("12345");
	assert_int_equal(entry_size(e), empty + 6);
	e->body = blob_new("1234567890", 10);
	assert_int_equal(entry_size(e), empty + 16);
	e->local = mem_strdup("1");
	e->id = mem_strdup("1");
	e->lang = mem_strdup("1");
	e->stanza_id = mem_strdup("1");
	assert_int_equal(entry_size(e), empty + 24);
	entry_unref(&e);
	assert_null(e);
	entry_unref(&e);
}

static void
test_text(void **state)
{
	static const char bytes[] =
	    "<body>a &amp; b</body><x xmlns='urn:x'><body>no</body></x>";
	struct arena *arena = arena_new();
	struct entry *e = entry_new();

	(void)state;
	e->body = blob_new(bytes, strlen(bytes));
	assert_null(entry_text(e, arena));
	e->has_body = true;
	assert_string_equal(entry_text(e, arena), "a & b");
	entry_unref(&e);
	arena_free(&arena);
}

static void
test_stamp_is_now(void **state)
{
	struct entry *e;

	(void)state;
	clock_fake(1, 1735689600000);
	e = entry_new();
	assert_true(e->stamp == 1735689600000);
	assert_false(entry_is_of_room(e));
	e->type = TYPE_GROUPCHAT;
	assert_true(entry_is_of_room(e));
	entry_unref(&e);
	clock_real();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_size),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_stamp_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
