#include "support_store.h"

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

/* Though who had it last is gone. */
static void
no_number_is_given_twice(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct err err;
	uint64_t user = store_user(s, "alice", &err);
	uint64_t account = store_account(s, user, "a@b", &err);

	(void)state;
	store_close(&s);
	store_change(path, "DELETE FROM user; DELETE FROM account");
	s = store_must_open(path);
	assert_true(store_user(s, "bob", &err) > user);
	assert_true(store_account(s, user, "a@c", &err) > account);
	store_close(&s);
	free(path);
}

/* 2^23 - 1 are as many as there is room for in the number of an entry. */
static void
users_are_limited(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct err err = { "" };

	(void)state;
	store_user(s, "alice", &err);
	store_close(&s);
	store_change(path,
	    "UPDATE sqlite_sequence SET seq = 8388606"
	    " WHERE name = 'user'");
	s = store_must_open(path);
	assert_int_equal(store_user(s, "bob", &err), 8388607);
	assert_int_equal(store_user(s, "carol", &err), 0);
	assert_non_null(strstr(err.text, "no more users fit in"));
	store_close(&s);
	free(path);
}

static bool
count(void *arg, struct entry *e)
{
	(void)e;
	++*(unsigned *)arg;
	return true;
}

/* More peers than are remembered: the first ones are found in the file again. */
static void
peers_beyond_the_cache_are_found(void **state)
{
	struct store *s = store_must_open(":memory:");
	struct store_query q = { .user = 1,
		.to = UINT64_MAX,
		.limit = 9,
		.bare = "3@d" };
	struct err err = { "" };
	struct batch b;
	unsigned i, found = 0;
	char peer[32];

	(void)state;
	batch_init(&b);
	for (i = 1; i <= 20000; i++) {
		snprintf(peer, sizeof(peer), "%u@d", i % 10000);
		store_append(&b, 1, store_entry(i, 1, peer));
	}
	store_must_commit(s, &b);
	assert_int_equal(store_read(s, &q, count, &found, &err), 0);
	assert_int_equal(found, 2);
	batch_fini(&b);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_keep_their_numbers),
		cmocka_unit_test(no_number_is_given_twice),
		cmocka_unit_test(users_are_limited),
		cmocka_unit_test(peers_beyond_the_cache_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
