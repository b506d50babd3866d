#include "support_store.h"

#include "base/buf.h"
#include "base/random.h"

enum { OWNERS = 3, KEYS = 20 };

/* What should be there; NULL: nothing. */
struct model {
	char *values[OWNERS][KEYS];
};

static void
model_free(struct model *m)
{
	unsigned owner, key;

	for (owner = 0; owner < OWNERS; owner++)
		for (key = 0; key < KEYS; key++)
			free(m->values[owner][key]);
}

static void
change_one(struct batch *b, struct model *m)
{
	unsigned owner = (unsigned)random_below(OWNERS);
	unsigned key = (unsigned)random_below(KEYS);
	char **value = &m->values[owner][key];
	unsigned char name = (unsigned char)(key * 13);

	mem_free_string(value);
	if (random_below(3) == 0) {
		batch_delete(b, STATE_DEVICE, owner, &name, 1);
		return;
	}
	*value = mem_printf("%*u", (int)random_below(50), key);
	batch_put(b, STATE_DEVICE, owner, &name, 1, *value, strlen(*value));
}

static void
write_one(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	assert_int_equal(key_len, 1);
	buf_printf(arg, "%u=%.*s;", *(const unsigned char *)key, (int)len,
	    (const char *)value);
}

static void
is_as_the_model(struct store *s, const struct model *m)
{
	struct buf expected = { 0 }, got = { 0 };
	struct err err = { "" };
	unsigned owner, key;

	for (owner = 0; owner < OWNERS; owner++) {
		buf_clear(&expected);
		buf_clear(&got);
		buf_puts(&expected, "");
		buf_puts(&got, "");
		for (key = 0; key < KEYS; key++)
			if (m->values[owner][key] != NULL)
				buf_printf(&expected, "%u=%s;", key * 13,
				    m->values[owner][key]);
		if (store_each(s, STATE_DEVICE, owner, write_one, &got, &err) <
		    0)
			fail_msg("%s", err.text);
		assert_string_equal(got.data, expected.data);
	}
	buf_free(&expected);
	buf_free(&got);
}

static void
some_commits(struct store *s, struct model *m)
{
	unsigned commits, changes;
	struct batch b;

	batch_init(&b);
	for (commits = 1 + (unsigned)random_below(10); commits > 0; commits--) {
		changes = 1 + (unsigned)random_below(8);
		for (; changes > 0; changes--)
			change_one(&b, m);
		store_must_commit(s, &b);
	}
	batch_fini(&b);
}

/* However it is folded: not at all, in slices, by reading, at the next start. */
static void
folding_changes_nothing(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct model m = { 0 };
	struct err err = { "" };
	unsigned round, left;

	(void)state;
	for (round = 0; round < 300; round++) {
		some_commits(s, &m);
		switch (random_below(10)) {
		case 0:
			is_as_the_model(s, &m);
			assert_int_equal(store_unfolded(s), 0);
			break;
		case 1:
			store_close(&s);
			s = store_must_open(path);
			assert_int_equal(store_unfolded(s), 0);
			break;
		case 2:
			break;
		default:
			assert_int_equal(store_fold(s,
					     (unsigned)random_below(9), &left,
					     &err),
			    0);
		}
	}
	is_as_the_model(s, &m);
	store_close(&s);
	s = store_must_open(path);
	is_as_the_model(s, &m);
	store_close(&s);
	model_free(&m);
	free(path);
}

static void
folding_takes_so_many(void **state)
{
	struct store *s = store_must_open(":memory:");
	struct err err = { "" };
	unsigned i, left;
	struct batch b;

	(void)state;
	batch_init(&b);
	for (i = 0; i < 10; i++) {
		batch_put(&b, STATE_USER, i, "k", 1, "v", 1);
		store_must_commit(s, &b);
	}
	assert_int_equal(store_unfolded(s), 10);
	assert_int_equal(store_fold(s, 3, &left, &err), 0);
	assert_int_equal(left, 7);
	assert_int_equal(store_unfolded(s), 7);
	assert_int_equal(store_fold(s, 0, &left, &err), 0);
	assert_int_equal(left, 7);
	assert_int_equal(store_fold(s, 100, &left, &err), 0);
	assert_int_equal(left, 0);
	assert_int_equal(store_fold(s, 100, &left, &err), 0);
	assert_int_equal(left, 0);
	batch_fini(&b);
	store_close(&s);
}

static void
note_all(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	assert_non_null(key);
	assert_non_null(value);
	buf_printf(arg, "%zu:%.*s=%zu;", key_len, (int)key_len,
	    (const char *)key, len);
}

/* The owner of one kind is not that of another; what is empty is there. */
static void
kinds_and_owners_are_apart(void **state)
{
	struct store *s = store_must_open(":memory:");
	struct err err = { "" };
	struct buf got = { 0 };
	struct batch b;

	(void)state;
	batch_init(&b);
	batch_put(&b, STATE_USER, 1, "", 0, "", 0);
	batch_put(&b, STATE_USER, 1, "ab", 2, "12345", 5);
	batch_put(&b, STATE_USER, 1, "b", 1, "1", 1);
	batch_put(&b, STATE_USER, 1, "a", 1, "12", 2);
	batch_put(&b, STATE_USER, 2, "c", 1, "1", 1);
	batch_put(&b, STATE_PREFS, 1, "d", 1, "1", 1);
	batch_put(&b, STATE_PREFS, UINT64_MAX, "e", 1, "1", 1);
	store_must_commit(s, &b);
	batch_fini(&b);
	assert_int_equal(store_each(s, STATE_USER, 1, note_all, &got, &err), 0);
	assert_string_equal(got.data, "0:=0;1:a=2;2:ab=5;1:b=1;");
	buf_clear(&got);
	store_each(s, STATE_USER, 2, note_all, &got, &err);
	store_each(s, STATE_PREFS, 1, note_all, &got, &err);
	store_each(s, STATE_PREFS, UINT64_MAX, note_all, &got, &err);
	store_each(s, STATE_SIBLING, 1, note_all, &got, &err);
	assert_string_equal(got.data, "1:c=1;1:d=1;1:e=1;");
	buf_free(&got);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding_changes_nothing),
		cmocka_unit_test(folding_takes_so_many),
		cmocka_unit_test(kinds_and_owners_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
