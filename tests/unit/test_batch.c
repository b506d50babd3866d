#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/batch.h"

static void
a_change(const struct batch *b, size_t *at, enum state_kind kind,
    uint64_t owner, const char *key, const char *value)
{
	struct change c;

	assert_true(batch_next_change(b->record.data, b->record.len, at, &c));
	assert_int_equal(c.kind, kind);
	assert_true(c.owner == owner);
	assert_int_equal(c.key_len, strlen(key));
	assert_memory_equal(c.key, key, c.key_len);
	if (value == NULL) {
		assert_null(c.value);
		return;
	}
	assert_non_null(c.value);
	assert_int_equal(c.len, strlen(value));
	assert_memory_equal(c.value, value, c.len);
}

static void
changes_come_back_in_order(void **state)
{
	struct batch b;
	struct change c;
	size_t at = 0;

	(void)state;
	batch_init(&b);
	batch_put(&b, STATE_ROSTER, 7, "a@b", 3, "value", 5);
	batch_delete(&b, STATE_OUTBOX, UINT64_MAX, "key", 3);
	batch_put(&b, STATE_ROSTER, 7, "", 0, "", 0);
	batch_put(&b, STATE_ROSTER, 7, NULL, 0, NULL, 0);
	a_change(&b, &at, STATE_ROSTER, 7, "a@b", "value");
	a_change(&b, &at, STATE_OUTBOX, UINT64_MAX, "key", NULL);
	a_change(&b, &at, STATE_ROSTER, 7, "", "");
	a_change(&b, &at, STATE_ROSTER, 7, "", "");
	assert_false(batch_next_change(b.record.data, b.record.len, &at, &c));
	assert_int_equal(at, b.record.len);
	batch_fini(&b);
}

static void
it_is_urgent_with_an_entry(void **state)
{
	struct entry *e = entry_new();
	struct batch b;
	unsigned i;

	(void)state;
	batch_init(&b);
	assert_true(batch_is_empty(&b));
	batch_put(&b, STATE_USER, 1, "", 0, "", 0);
	assert_false(batch_is_empty(&b));
	assert_false(b.urgent);
	for (i = 1; i <= 100; i++) {
		e->seq = i;
		batch_append(&b, 5, e);
	}
	assert_true(b.urgent);
	assert_int_equal(b.count, 100);
	assert_int_equal(b.entries[99].user, 5);
	assert_ptr_equal(b.entries[99].entry, e);
	assert_int_equal(e->refs, 101);
	batch_clear(&b);
	assert_int_equal(e->refs, 1);
	assert_true(batch_is_empty(&b));
	assert_false(b.urgent);
	batch_append(&b, 5, e);
	assert_false(batch_is_empty(&b));
	batch_fini(&b);
	entry_unref(&e);
}

/* A record that is cut ends before its last change; at says where. */
static void
what_is_cut_is_noticed(void **state)
{
	struct batch b;
	struct change c;
	size_t at, cut, first;

	(void)state;
	batch_init(&b);
	batch_put(&b, STATE_USER, 1, "key", 3, "value", 5);
	first = b.record.len;
	batch_put(&b, STATE_USER, 1, "key2", 4, "value", 5);
	for (cut = 0; cut < b.record.len; cut++) {
		at = 0;
		while (batch_next_change(b.record.data, cut, &at, &c))
			;
		assert_int_equal(at, cut >= first ? first : 0);
	}
	batch_fini(&b);
}

static void
unknown_changes_are_damage(void **state)
{
	static const char *const records[] = { "\x03\x01\x01\x01k",
		"\x02\x80\x01\x01\x05k", "\x02\xff\xff\xff\xff\x0f\x01\x01k" };
	struct change c;
	size_t at = 0, i;

	(void)state;
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		assert_false(
		    batch_next_change(records[i], strlen(records[i]), &at, &c));
	/* Of no kind. */
	assert_false(batch_next_change("\x02\x00\x01\x01k", 5, &at, &c));
	assert_int_equal(at, 0);
	assert_true(batch_next_change("\x02\x01\x01\x01k", 5, &at, &c));
	assert_int_equal(at, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_come_back_in_order),
		cmocka_unit_test(it_is_urgent_with_an_entry),
		cmocka_unit_test(what_is_cut_is_noticed),
		cmocka_unit_test(unknown_changes_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
