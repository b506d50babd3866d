#include "support_store.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "core/db.h"

static void
put(struct batch *b, uint64_t owner, const char *key, const char *value)
{
	batch_put(b, STATE_ROSTER, owner, key, strlen(key), value,
	    strlen(value));
}

static void
note_state(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	buf_printf(arg, "%.*s=%.*s ", (int)key_len, (const char *)key, (int)len,
	    (const char *)value);
}

static void
has_state(struct store *s, uint64_t owner, const char *expected)
{
	struct err err = { "" };
	struct buf got = { 0 };

	buf_puts(&got, "");
	if (store_each(s, STATE_ROSTER, owner, note_state, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(got.data, expected);
	buf_free(&got);
}

/* One entry and one piece of state. */
static void
commit_one(struct store *s, uint64_t seq, const char *value)
{
	struct batch b;

	batch_init(&b);
	store_append(&b, 1, store_entry(seq, 1, "c@d"));
	put(&b, 1, "key", value);
	store_must_commit(s, &b);
	batch_fini(&b);
}

static mode_t
mode_of(const char *path, const char *end)
{
	char *whole = mem_printf("%s%s", path, end);
	struct stat st;

	assert_int_equal(stat(whole, &st), 0);
	free(whole);
	return st.st_mode & 07777;
}

static void
what_is_committed_is_there_again(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	unsigned char key[STORE_KEY_SIZE];

	(void)state;
	assert_int_equal(store_run(s), 1);
	assert_false(store_may_resume(s));
	memcpy(key, store_key(s), sizeof(key));
	commit_one(s, 1, "one");
	commit_one(s, 2, "two");
	assert_int_equal(mode_of(path, ""), 0600);
	assert_int_equal(mode_of(path, "-wal"), 0600);
	assert_int_equal(mode_of(path, ".run"), 0600);
	store_close(&s);
	assert_null(s);
	store_close(&s);
	s = store_must_open(path);
	assert_int_equal(store_run(s), 2);
	assert_true(store_may_resume(s));
	assert_memory_equal(key, store_key(s), sizeof(key));
	assert_int_equal(store_unfolded(s), 0);
	assert_int_equal(store_last(s, 1), 2);
	has_state(s, 1, "key=two ");
	store_close(&s);
	free(path);
}

static void
names_keep_their_numbers(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct err err;
	uint64_t alice, bob, a, b;

	(void)state;
	alice = store_user(s, "alice", &err);
	bob = store_user(s, "bob", &err);
	a = store_account(s, alice, "a@b", &err);
	b = store_account(s, bob, "a@b", &err);
	assert_true(alice > 0 && bob > 0 && alice != bob);
	assert_true(a > 0 && b > 0 && a != b);
	store_close(&s);
	s = store_must_open(path);
	assert_true(store_account(s, bob, "a@b", &err) == b);
	assert_true(store_account(s, alice, "a@b", &err) == a);
	assert_true(store_account(s, alice, "a@c", &err) > b);
	assert_true(store_user(s, "bob", &err) == bob);
	assert_true(store_user(s, "alice", &err) == alice);
	store_close(&s);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_is_there_again),
		cmocka_unit_test(names_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
