#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/history.h"

static struct entry *
entry(const char *peer, const char *id)
{
	struct entry *e = entry_new();

	e->account = 1;
	e->peer = mem_strdup(peer);
	e->id = mem_strdup(id);
	return e;
}

static struct entry *
find(const struct history *h, const char *peer, const char *id)
{
	return history_find(h, 1, DIR_IN, peer, id);
}

static void
test_numbers(void **state)
{
	struct history *h = history_new(10, 1 << 20);
	struct entry *e = entry("a@b", "1");

	(void)state;
	assert_int_equal(history_next(h), 1);
	assert_int_equal(history_floor(h), 1);
	assert_null(history_at(h, 1));
	assert_null(find(h, "a@b", "1"));
	history_append(h, e);
	assert_int_equal(e->seq, 1);
	assert_int_equal(history_next(h), 2);
	assert_int_equal(history_floor(h), 1);
	assert_ptr_equal(history_at(h, 1), e);
	assert_null(history_at(h, 0));
	assert_null(history_at(h, 2));
	assert_int_equal(history_bytes(h), entry_size(e));
	history_free(&h);
	assert_null(h);
	history_free(&h);
}

static void
test_entries_are_bounded(void **state)
{
	struct history *h = history_new(100, 1 << 30);
	struct entry *e;
	uint64_t seq;

	(void)state;
	for (seq = 1; seq <= 1000; seq++) {
		e = entry("a@b", NULL);
		e->time = seq;
		history_append(h, e);
		assert_int_equal(history_next(h), seq + 1);
		assert_int_equal(history_floor(h), seq > 100 ? seq - 99 : 1);
	}
	assert_null(history_at(h, 900));
	for (seq = 901; seq <= 1000; seq++) {
		assert_int_equal(history_at(h, seq)->seq, seq);
		assert_int_equal(history_at(h, seq)->time, seq);
	}
	assert_int_equal(history_bytes(h), 100 * entry_size(e));
	history_set_max(h, 10, 1 << 30);
	assert_int_equal(history_floor(h), 991);
	assert_int_equal(history_bytes(h), 10 * entry_size(e));
	history_free(&h);
}

static struct entry *
heavy(size_t bytes)
{
	struct entry *e = entry("a@b", "1");
	char *body = mem_alloc(bytes);

	e->body = blob_new(body, bytes);
	mem_free_string(&body);
	return e;
}

static void
test_bytes_are_bounded(void **state)
{
	struct history *h = history_new(1000, 10000);
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		history_append(h, heavy(4000));
		assert_true(history_bytes(h) <= 10000);
	}
	assert_int_equal(history_next(h) - history_floor(h), 2);
	history_free(&h);
}

static void
test_newest_stays_whatever_its_size(void **state)
{
	struct history *h = history_new(1000, 10000);

	(void)state;
	history_append(h, heavy(1000));
	history_append(h, heavy(20000));
	assert_int_equal(history_floor(h), 2);
	assert_non_null(history_at(h, 2));
	history_append(h, heavy(1000));
	assert_int_equal(history_floor(h), 3);
	history_set_max(h, 0, 0);
	assert_non_null(history_at(h, 3));
	history_free(&h);
}

static void
test_evicted_lives_with_its_references(void **state)
{
	struct history *h = history_new(1, 1 << 20);
	struct entry *e = entry("a@b", "1");

	(void)state;
	entry_ref(e);
	history_append(h, e);
	history_append(h, entry("a@b", "2"));
	assert_string_equal(e->id, "1");
	assert_int_equal(e->refs, 1);
	entry_unref(&e);
	history_free(&h);
}

static void
test_find_takes_all_of_the_key(void **state)
{
	struct history *h = history_new(100, 1 << 20);
	struct entry *in = entry("a@b/phone", "1"), *out = entry("a@b", "1");
	struct entry *other = entry("a@b", "1");

	(void)state;
	out->direction = DIR_OUT;
	other->account = 2;
	history_append(h, in);
	history_append(h, out);
	history_append(h, other);
	history_append(h, entry("a@bc", "1"));
	history_append(h, entry("a@b", "2"));
	history_append(h, entry("a@b", NULL));
	assert_ptr_equal(find(h, "a@b", "1"), in);
	assert_ptr_equal(find(h, "a@b/tablet", "1"), in);
	assert_ptr_equal(history_find(h, 1, DIR_OUT, "a@b", "1"), out);
	assert_ptr_equal(history_find(h, 2, DIR_IN, "a@b", "1"), other);
	assert_null(history_find(h, 2, DIR_OUT, "a@b", "1"));
	assert_null(history_find(h, 1, DIR_BESIDE, "a@b", "1"));
	assert_null(find(h, "a@b", "3"));
	assert_null(find(h, "a", "1"));
	history_free(&h);
}

static void
test_find_gives_the_newest(void **state)
{
	struct history *h = history_new(3, 1 << 20);
	struct entry *old = entry("a@b", "1"), *new = entry("a@b", "1");

	(void)state;
	history_append(h, old);
	assert_ptr_equal(find(h, "a@b", "1"), old);
	history_append(h, new);
	assert_ptr_equal(find(h, "a@b", "1"), new);
	/* The old one goes, the new one is still found; then it goes too. */
	history_append(h, entry("a@b", "2"));
	history_append(h, entry("a@b", "3"));
	assert_ptr_equal(find(h, "a@b", "1"), new);
	history_append(h, entry("a@b", "4"));
	assert_null(find(h, "a@b", "1"));
	assert_non_null(find(h, "a@b", "2"));
	history_free(&h);
}

static void
test_find_among_many(void **state)
{
	struct history *h = history_new(1000, 1 << 30);
	struct entry *e;
	char id[24];
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		history_append(h, entry("a@b", id));
	}
	for (i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		e = find(h, "a@b", id);
		if (i < 4000)
			assert_null(e);
		else
			assert_int_equal(e->seq, i + 1);
	}
	history_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_entries_are_bounded),
		cmocka_unit_test(test_bytes_are_bounded),
		cmocka_unit_test(test_newest_stays_whatever_its_size),
		cmocka_unit_test(test_evicted_lives_with_its_references),
		cmocka_unit_test(test_find_takes_all_of_the_key),
		cmocka_unit_test(test_find_gives_the_newest),
		cmocka_unit_test(test_find_among_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
