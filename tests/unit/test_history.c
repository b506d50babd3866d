#include "support_broken.h"

#include "base/clock.h"
#include "core/history.h"

#define WALL 1735689600000 /* 2025-01-01T00:00:00Z */
#define USER 1

struct bench {
	struct store *store;
	struct batch batch;
	struct history *h;
};

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	clock_fake(1000, WALL);
	b->store = store_must_open(":memory:");
	batch_init(&b->batch);
	b->h = history_new(b->store, &b->batch, USER);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	history_free(&b->h);
	assert_null(b->h);
	history_free(&b->h);
	batch_fini(&b->batch);
	store_close(&b->store);
	clock_real();
	free(b);
	return 0;
}

static struct entry *
entry(const char *peer, const char *id)
{
	struct entry *e = entry_new();

	e->account = 1;
	e->type = TYPE_CHAT;
	e->peer = mem_strdup(peer);
	e->id = mem_strdup(id);
	e->time = e->stamp;
	e->body = blob_new("<body>hi</body>", 15);
	return e;
}

static struct entry *
add(struct bench *b, const char *id)
{
	struct entry *e = entry("a@b", id);

	history_append(b->h, e);
	return e;
}

static void
add_of_room(struct bench *b)
{
	struct entry *e = entry("room@m/nick", "r");

	e->type = TYPE_GROUPCHAT;
	history_append(b->h, e);
}

/* Entries with their numbers as ids, committed every `each`. */
static void
add_many(struct bench *b, unsigned count, unsigned each)
{
	char id[24];

	for (unsigned i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%u", (unsigned)history_next(b->h));
		add(b, id);
		if (i % each == each - 1)
			store_must_commit(b->store, &b->batch);
	}
	store_must_commit(b->store, &b->batch);
}

/* The proxy is started anew: what was packed is there. */
static void
reopen(struct bench *b)
{
	struct buf packed = { 0 };
	struct unpack u;

	store_must_commit(b->store, &b->batch);
	history_pack(b->h, &packed);
	history_free(&b->h);
	store_reopened(b->store);
	b->h = history_new(b->store, &b->batch, USER);
	unpack_init(&u, packed.data, packed.len);
	history_unpack(b->h, &u);
	assert_true(unpack_is_good(&u) && unpack_is_over(&u));
	buf_free(&packed);
}

/* So much and no more of both kinds, whatever its age. */
static struct history_limits
keep(uint64_t chats, uint64_t rooms)
{
	return (struct history_limits){ .chats = chats,
		.chat_bytes = UINT64_MAX,
		.rooms = rooms };
}

static void
trim(struct bench *b, struct history_limits limits)
{
	unsigned slices = 0;

	store_must_commit(b->store, &b->batch);
	while (history_trim(b->h, &limits))
		assert_true(++slices < 1000);
	assert_false(history_is_over(b->h, &limits));
}

static struct entry *
find(struct bench *b, const char *peer, const char *id)
{
	return history_find(b->h, 1, DIR_IN, peer, id);
}

/* --- numbers --- */

static void
the_first_is_number_one(void **state)
{
	struct bench *b = *state;
	struct entry *e;

	assert_int_equal(history_next(b->h), 1);
	assert_int_equal(history_floor(b->h), 1);
	assert_null(history_at(b->h, 1));
	assert_null(history_from(b->h, 0));
	assert_null(find(b, "a@b", "1"));
	e = add(b, "1");
	assert_int_equal(e->seq, 1);
	assert_int_equal(history_next(b->h), 2);
	assert_int_equal(history_floor(b->h), 1);
	assert_ptr_equal(history_at(b->h, 1), e);
	assert_null(history_at(b->h, 0));
	assert_null(history_at(b->h, 2));
	assert_ptr_equal(history_from(b->h, 0), e);
	assert_null(history_from(b->h, 2));
}

/* Custody: it is in the batch as the very entry, before anything is written. */
static void
what_is_appended_is_in_the_batch(void **state)
{
	struct bench *b = *state;
	struct entry *e = add(b, "1");

	assert_int_equal(b->batch.count, 1);
	assert_ptr_equal(b->batch.entries[0].entry, e);
	assert_int_equal(b->batch.entries[0].user, USER);
	assert_true(b->batch.urgent);
	assert_true(e->is_pending);
	store_must_commit(b->store, &b->batch);
	assert_false(e->is_pending);
	assert_int_equal(store_last(b->store, USER), 1);
}

/* A wall clock that is set back does not put the log out of order. */
static void
stamps_go_forward_only(void **state)
{
	struct bench *b = *state;
	struct entry *first = add(b, "1"), *e = entry("a@b", "2");

	e->stamp = WALL - 5000;
	e->time = WALL + 5000;
	history_append(b->h, e);
	assert_int_equal(e->stamp, first->stamp);
	assert_int_equal(e->time, e->stamp);
	reopen(b);
	e = entry("a@b", "3");
	e->stamp = e->time = WALL - 10000;
	history_append(b->h, e);
	assert_int_equal(e->stamp, WALL);
}

static void
how_late_entries_come_is_known(void **state)
{
	struct bench *b = *state;
	struct entry *e = entry("a@b", "1");

	assert_int_equal(history_max_late(b->h), 0);
	e->time = e->stamp - 60000;
	history_append(b->h, e);
	add(b, "2");
	assert_int_equal(history_max_late(b->h), 60000);
	reopen(b);
	assert_int_equal(history_max_late(b->h), 60000);
	/* Nobody makes it as long as they like. */
	e = entry("a@b", "3");
	e->time = 0;
	history_append(b->h, e);
	assert_int_equal(e->time, 0);
	assert_int_equal(history_max_late(b->h), ENTRY_LATE_MS);
}

/* --- what is in memory, and what is read --- */

static void
a_follower_reads_all_in_order(void **state)
{
	struct bench *b = *state;
	struct entry *e;
	char id[24];
	uint64_t seq = 0;

	add_many(b, 1000, 7);
	while ((e = history_from(b->h, seq + 1)) != NULL) {
		assert_int_equal(e->seq, seq + 1);
		seq = e->seq;
		snprintf(id, sizeof(id), "%u", (unsigned)seq);
		assert_string_equal(e->id, id);
	}
	assert_int_equal(seq, 1000);
	/* And in any order. */
	for (uint64_t n = 0; n < 1000; n++) {
		seq = n * 7919 % 1000 + 1;
		assert_int_equal(history_at(b->h, seq)->seq, seq);
	}
}

/* Reading sees what is committed: the rest is in memory, however much it is. */
static void
what_is_not_committed_is_read_as_well(void **state)
{
	struct bench *b = *state;
	uint64_t seq;

	add_many(b, 200, 50);
	for (unsigned i = 0; i < 300; i++)
		add(b, "x");
	for (seq = 1; seq <= 500; seq++)
		assert_int_equal(history_at(b->h, seq)->seq, seq);
	assert_null(history_at(b->h, 501));
}

static void
large_entries_leave_memory_sooner(void **state)
{
	struct bench *b = *state;
	char *body = mem_alloc(50000);
	struct entry *big, *e;

	memset(body, ' ', 50000);
	for (unsigned i = 0; i < 5; i++) {
		e = entry("a@b", "1");
		blob_unref(&e->body);
		e->body = blob_new(body, 50000);
		entry_ref(e);
		history_append(b->h, e);
		store_must_commit(b->store, &b->batch);
		if (i == 0)
			big = e;
		else
			entry_unref(&e);
	}
	assert_int_equal(big->refs, 1); /* ours */
	assert_int_equal(blob_len(history_at(b->h, 1)->body), 50000);
	entry_unref(&big);
	free(body);
}

/* A follower stays where it is, and does not pass over what cannot be read. */
static void
what_cannot_be_read_is_not_passed_over(void **state)
{
	char *path = store_fresh_path();
	struct bench b = { .store = store_must_open(path) };

	(void)state;
	batch_init(&b.batch);
	b.h = history_new(b.store, &b.batch, USER);
	add_many(&b, 300, 10);
	assert_int_equal(history_from(b.h, 1)->seq, 1);
	assert_null(history_trouble(b.h));
	store_change(path, "ALTER TABLE log RENAME TO gone");
	assert_null(history_from(b.h, 150));
	assert_non_null(history_trouble(b.h));
	/* The end is in memory. */
	assert_int_equal(history_from(b.h, 290)->seq, 290);
	assert_null(history_trouble(b.h));
	assert_null(history_at(b.h, 100));
	store_change(path, "ALTER TABLE gone RENAME TO log");
	assert_int_equal(history_from(b.h, 100)->seq, 100);
	assert_null(history_trouble(b.h));
	history_free(&b.h);
	batch_fini(&b.batch);
	store_close(&b.store);
	free(path);
}

/* --- the restart --- */

static void
numbers_go_on_over_a_restart(void **state)
{
	struct bench *b = *state;

	add_many(b, 100, 10);
	reopen(b);
	assert_int_equal(history_next(b->h), 101);
	assert_int_equal(history_floor(b->h), 1);
	assert_string_equal(history_at(b->h, 100)->id, "100");
	assert_int_equal(add(b, "x")->seq, 101);
	assert_string_equal(history_at(b->h, 1)->id, "1");
}

/* Though nothing with so high a number is there any more. */
static void
no_number_is_given_twice(void **state)
{
	struct bench *b = *state;

	add_many(b, 20, 10);
	clock_advance(1000);
	trim(b,
	    (struct history_limits){ .chats = 1000,
		.chat_bytes = UINT64_MAX,
		.rooms = 1000,
		.chats_before = WALL + 1 });
	assert_int_equal(store_last(b->store, USER), 0);
	assert_int_equal(history_floor(b->h), 21);
	reopen(b);
	assert_int_equal(history_next(b->h), 21);
	assert_int_equal(history_floor(b->h), 21);
	assert_null(history_from(b->h, 1));
	assert_int_equal(add(b, "x")->seq, 21);
	assert_int_equal(history_from(b->h, 1)->seq, 21);
}

/* --- finding --- */

static void
find_takes_all_of_the_key(void **state)
{
	struct bench *b = *state;
	struct entry *in = entry("a@b/phone", "1"), *out = entry("a@b", "1");
	struct entry *other = entry("a@b", "1");

	out->direction = DIR_OUT;
	other->account = 2;
	history_append(b->h, in);
	history_append(b->h, out);
	history_append(b->h, other);
	history_append(b->h, entry("a@bc", "1"));
	history_append(b->h, entry("a@b", "2"));
	history_append(b->h, entry("a@b", NULL));
	assert_ptr_equal(find(b, "a@b", "1"), in);
	assert_ptr_equal(find(b, "a@b/tablet", "1"), in);
	assert_ptr_equal(history_find(b->h, 1, DIR_OUT, "a@b", "1"), out);
	assert_ptr_equal(history_find(b->h, 2, DIR_IN, "a@b", "1"), other);
	assert_null(history_find(b->h, 2, DIR_OUT, "a@b", "1"));
	assert_null(history_find(b->h, 1, DIR_BESIDE, "a@b", "1"));
	assert_null(find(b, "a@b", "3"));
	assert_null(find(b, "a", "1"));
}

static void
find_gives_the_newest(void **state)
{
	struct bench *b = *state;

	add(b, "1");
	assert_int_equal(find(b, "a@b", "1")->seq, 1);
	add(b, "1");
	assert_int_equal(find(b, "a@b", "1")->seq, 2);
	add_many(b, 200, 10);
	assert_int_equal(find(b, "a@b", "1")->seq, 2);
}

/* The last thousand; of one peer search() goes further back. */
static void
find_is_bounded_and_search_goes_further(void **state)
{
	struct bench *b = *state;
	struct entry *e = entry("old@b/x", "old");

	history_append(b->h, e);
	add_many(b, 2000, 100);
	assert_null(find(b, "old@b", "old"));
	assert_int_equal(history_search(b->h, 1, DIR_IN, "old@b/y", "old")->seq,
	    1);
	assert_null(history_search(b->h, 1, DIR_OUT, "old@b", "old"));
	assert_null(history_search(b->h, 2, DIR_IN, "old@b", "old"));
	assert_null(history_search(b->h, 1, DIR_IN, "old@b", "other"));
	for (unsigned seq = 1002; seq <= 2001; seq++) {
		char id[24];

		snprintf(id, sizeof(id), "%u", seq);
		assert_int_equal(find(b, "a@b", id)->seq, seq);
	}
	assert_int_equal(history_search(b->h, 1, DIR_IN, "a@b", "2001")->seq,
	    2001);
	/* What search() found does not get in the way of those who follow. */
	assert_non_null(history_search(b->h, 1, DIR_IN, "old@b", "old"));
	assert_int_equal(history_from(b->h, 2)->seq, 2);
}

static void
find_same_compares_the_body(void **state)
{
	struct bench *b = *state;
	struct entry *same = entry("a@b/tablet", "1");

	history_append(b->h, entry("a@b/phone", "1"));
	assert_int_equal(history_find_same(b->h, same, DIR_IN)->seq, 1);
	assert_null(history_find_same(b->h, same, DIR_OUT));
	blob_unref(&same->body);
	same->body = blob_new("<body>ho</body>", 15);
	assert_null(history_find_same(b->h, same, DIR_IN));
	entry_unref(&same);
	same = entry("a@b", NULL);
	history_append(b->h, entry("a@b", NULL));
	assert_null(history_find_same(b->h, same, DIR_IN));
	entry_unref(&same);
}

static void
talk(struct bench *b, const char *peer, uint64_t account,
    enum message_class class)
{
	struct entry *e = entry(peer, NULL);

	e->account = account;
	e->class = class;
	history_append(b->h, e);
}

/* In memory or not; chat states and receipts are no conversation. */
static void
the_account_of_the_last_conversation_is_found(void **state)
{
	struct bench *b = *state;

	assert_int_equal(history_account_of(b->h, "c@d"), 0);
	talk(b, "c@d/x", 2, CLASS_ARCHIVE);
	talk(b, "c@d/x", 3, CLASS_PLAYBACK);
	talk(b, "c@de", 4, CLASS_ARCHIVE);
	assert_int_equal(history_account_of(b->h, "c@d"), 2);
	add_many(b, 300, 10);
	assert_int_equal(history_account_of(b->h, "c@d"), 2);
	reopen(b);
	assert_int_equal(history_account_of(b->h, "c@d"), 2);
	talk(b, "c@d", 1, CLASS_ARCHIVE);
	assert_int_equal(history_account_of(b->h, "c@d"), 1);
}

static void
what_came_last_is_found_after_a_restart(void **state)
{
	struct bench *b = *state;

	add_many(b, 400, 50);
	reopen(b);
	assert_int_equal(find(b, "a@b", "400")->seq, 400);
	assert_int_equal(find(b, "a@b", "200")->seq, 200);
	/* That far back it does not look. */
	assert_null(find(b, "a@b", "100"));
	assert_int_equal(history_search(b->h, 1, DIR_IN, "a@b", "150")->seq,
	    150);
}

/* --- retention --- */

/* The oldest go; the numbers of the others stay. */
static void
entries_are_bounded(void **state)
{
	struct bench *b = *state;
	struct history_limits l = keep(100, 100);

	add_many(b, 1000, 100);
	assert_true(history_is_over(b->h, &l));
	assert_true(history_trim(b->h, &l)); /* a slice */
	assert_in_range(history_floor(b->h), 2, 500);
	trim(b, l);
	assert_int_equal(history_floor(b->h), 901);
	assert_null(history_at(b->h, 900));
	assert_int_equal(history_from(b->h, 1)->seq, 901);
	for (uint64_t seq = 901; seq <= 1000; seq++)
		assert_int_equal(history_at(b->h, seq)->seq, seq);
	assert_false(history_trim(b->h, &l));
	/* Of those in memory, too. */
	trim(b, keep(10, 100));
	assert_null(history_at(b->h, 990));
	assert_int_equal(history_from(b->h, 1)->seq, 991);
}

static void
bytes_are_bounded(void **state)
{
	struct bench *b = *state;

	add_many(b, 100, 10);
	trim(b,
	    (struct history_limits){ .chats = 1000,
		.chat_bytes = 15 * 10,
		.rooms = 1000 });
	assert_int_equal(history_floor(b->h), 91);
}

/* Followers have yet to take it. */
static void
the_newest_stays_whatever_its_size(void **state)
{
	struct bench *b = *state;

	add_many(b, 3, 1);
	trim(b,
	    (struct history_limits){ .chats = 1000,
		.chat_bytes = 1,
		.rooms = 1000 });
	assert_int_equal(history_floor(b->h), 3);
	assert_non_null(history_at(b->h, 3));
}

/* A busy room does not push out what people said. */
static void
rooms_and_chats_are_kept_apart(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 100; i++) {
		add_of_room(b);
		if (i % 10 == 0)
			add(b, "chat");
	}
	trim(b, keep(1000, 5));
	assert_int_equal(history_floor(b->h), 2); /* the first chat */
	assert_int_equal(history_at(b->h, 2)->type, TYPE_CHAT);
	assert_null(history_at(b->h, 3));
	assert_int_equal(history_from(b->h, 3)->seq, 13);
	reopen(b);
	trim(b, keep(1, 5));
	/* Five of the room, and the last chat. */
	assert_int_equal(history_floor(b->h), 101);
	assert_int_equal(history_from(b->h, 1)->type, TYPE_CHAT);
	assert_int_equal(history_from(b->h, 102)->seq, 106);
}

static void
each_kind_has_its_age(void **state)
{
	struct bench *b = *state;

	add(b, "1");
	add_of_room(b);
	clock_advance(10000);
	add(b, "3");
	add_of_room(b);
	trim(b,
	    (struct history_limits){ .chats = 100,
		.chat_bytes = UINT64_MAX,
		.rooms = 100,
		.chats_before = WALL,
		.rooms_before = WALL + 5000 });
	assert_int_equal(history_floor(b->h), 1);
	assert_int_equal(history_from(b->h, 2)->seq, 3);
	trim(b,
	    (struct history_limits){ .chats = 100,
		.chat_bytes = UINT64_MAX,
		.rooms = 100,
		.chats_before = WALL + 5000,
		.rooms_before = WALL + 10001 });
	assert_int_equal(history_floor(b->h), 3);
	assert_null(history_at(b->h, 4));
}

/* It is tried again when something is appended, and not at once. */
static void
a_slice_that_fails_is_the_last(void **state)
{
	char *path = store_fresh_path();
	struct bench b = { .store = store_must_open(path) };
	struct history_limits l = keep(10, 10);

	(void)state;
	batch_init(&b.batch);
	b.h = history_new(b.store, &b.batch, USER);
	add_many(&b, 300, 10);
	store_break(path);
	assert_false(history_trim(b.h, &l));
	assert_true(history_is_over(b.h, &l));
	assert_int_equal(history_kept(b.h), 300);
	store_mend(path);
	trim(&b, l);
	assert_int_equal(history_kept(b.h), 10);
	history_free(&b.h);
	batch_fini(&b.batch);
	store_close(&b.store);
	free(path);
}

/* Trimming takes nothing that is still to be committed. */
static void
what_is_in_the_batch_is_not_trimmed(void **state)
{
	struct bench *b = *state;
	struct history_limits l = keep(2, 2);

	add_many(b, 5, 5);
	for (unsigned i = 0; i < 5; i++)
		add(b, "x");
	while (history_trim(b->h, &l))
		;
	assert_int_equal(history_from(b->h, 6)->seq, 6);
	trim(b, l);
	assert_int_equal(history_floor(b->h), 9);
	assert_int_equal(store_last(b->store, USER), 10);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(the_first_is_number_one),
		bench_test(what_is_appended_is_in_the_batch),
		bench_test(stamps_go_forward_only),
		bench_test(how_late_entries_come_is_known),
		bench_test(a_follower_reads_all_in_order),
		bench_test(what_is_not_committed_is_read_as_well),
		bench_test(large_entries_leave_memory_sooner),
		cmocka_unit_test(what_cannot_be_read_is_not_passed_over),
		bench_test(numbers_go_on_over_a_restart),
		bench_test(no_number_is_given_twice),
		bench_test(find_takes_all_of_the_key),
		bench_test(find_gives_the_newest),
		bench_test(find_same_compares_the_body),
		bench_test(find_is_bounded_and_search_goes_further),
		bench_test(the_account_of_the_last_conversation_is_found),
		bench_test(what_came_last_is_found_after_a_restart),
		bench_test(entries_are_bounded),
		bench_test(bytes_are_bounded),
		bench_test(the_newest_stays_whatever_its_size),
		bench_test(rooms_and_chats_are_kept_apart),
		bench_test(each_kind_has_its_age),
		cmocka_unit_test(a_slice_that_fails_is_the_last),
		bench_test(what_is_in_the_batch_is_not_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
