#include "support_store.h"

#include "base/clock.h"
#include "base/random.h"

struct log {
	struct store *store;
	struct batch batch;
	uint64_t user, account, other; /* accounts of the user */
	struct err err;
};

static struct log *
log_new(void)
{
	struct log *log = mem_alloc(sizeof(*log));

	log->store = store_must_open(":memory:");
	batch_init(&log->batch);
	log->user = store_user(log->store, "alice", &log->err);
	log->account = store_account(log->store, log->user, "a@b", &log->err);
	log->other = store_account(log->store, log->user, "a@c", &log->err);
	assert_true(log->user > 0 && log->account > 0 && log->other > 0);
	return log;
}

static void
log_free(struct log *log)
{
	batch_fini(&log->batch);
	store_close(&log->store);
	free(log);
}

static struct entry *
add(struct log *log, uint64_t seq, const char *peer)
{
	struct entry *e = store_entry(seq, log->account, peer);

	store_append(&log->batch, log->user, e);
	return e;
}

static bool
note(void *arg, struct entry *e)
{
	buf_printf(arg, "%llu ", (unsigned long long)e->seq);
	return true;
}

/* The numbers that are read, each with a space behind it. */
static void
reads(struct log *log, const struct store_query *query, const char *expected)
{
	struct store_query q = *query;
	struct buf got = { 0 };

	q.user = q.user == 0 ? log->user : q.user;
	q.to = q.to == 0 ? UINT64_MAX : q.to;
	q.limit = q.limit == 0 ? 100 : q.limit;
	buf_puts(&got, "");
	if (store_read(log->store, &q, note, &got, &log->err) < 0)
		fail_msg("%s", log->err.text);
	assert_string_equal(got.data, expected);
	buf_free(&got);
}

#define READS(log, expected, ...) \
	reads(log, &(struct store_query){ __VA_ARGS__ }, expected)

static bool
take(void *arg, struct entry *e)
{
	*(struct entry **)arg = entry_ref(e);
	return false;
}

static struct entry *
read_one(struct log *log, uint64_t seq)
{
	struct store_query q = { .user = log->user,
		.from = seq,
		.to = seq + 1,
		.limit = 1 };
	struct entry *e = NULL;

	assert_int_equal(store_read(log->store, &q, take, &e, &log->err), 0);
	assert_non_null(e);
	return e;
}

static void
assert_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
assert_same(const struct entry *a, const struct entry *b)
{
	assert_true(a->seq == b->seq && a->account == b->account);
	assert_int_equal(a->class, b->class);
	assert_int_equal(a->direction, b->direction);
	assert_int_equal(a->type, b->type);
	assert_true(a->time == b->time && a->stamp == b->stamp);
	assert_same_text(a->peer, b->peer);
	assert_same_text(a->local, b->local);
	assert_same_text(a->id, b->id);
	assert_same_text(a->lang, b->lang);
	assert_same_text(a->stanza_id, b->stanza_id);
	assert_true(a->origin == b->origin && a->device == b->device);
	assert_true(a->only == b->only && a->addresses == b->addresses);
	assert_int_equal(a->has_body, b->has_body);
	assert_int_equal(a->is_encrypted, b->is_encrypted);
	assert_int_equal(a->is_eligible, b->is_eligible);
	assert_int_equal(a->has_delay, b->has_delay);
	assert_int_equal(a->is_room_private, b->is_room_private);
	assert_int_equal(a->is_event, b->is_event);
	assert_int_equal(a->body == NULL, b->body == NULL);
	assert_int_equal(blob_len(a->body), blob_len(b->body));
	if (a->body != NULL)
		assert_memory_equal(blob_data(a->body), blob_data(b->body),
		    blob_len(a->body));
}

static char *
some_text(void)
{
	static const char *const texts[] = { NULL, "", "a", "\xc3\xa9\xe2\x82",
		"it's \"so\"" };

	return mem_strdup(texts[random_below(5)]);
}

static struct entry *
some_entry(struct log *log, uint64_t seq)
{
	static const char *const peers[] = { NULL, "a@b", "a@b/r", "b", "b/r/s",
		"a@b/ ", "" };
	static const size_t sizes[] = { 0, 1, 300, 5000, 100000 };
	size_t size = sizes[random_below(5)];
	char *body = mem_alloc(size);
	struct entry *e = entry_new();

	e->seq = seq;
	e->account = random_below(2) ? log->account : log->other;
	e->class = random_below(3);
	e->direction = random_below(3);
	e->type = random_below(TYPE_ERROR + 1);
	e->time = random_below(UINT64_MAX / 2);
	e->peer = mem_strdup(peers[random_below(7)]);
	e->local = some_text();
	e->id = some_text();
	e->lang = some_text();
	e->stanza_id = some_text();
	random_bytes(&e->origin, sizeof(e->origin));
	random_bytes(&e->device, sizeof(e->device));
	random_bytes(&e->only, sizeof(e->only));
	e->has_body = random_below(2);
	e->is_encrypted = random_below(2);
	e->is_eligible = random_below(2);
	e->has_delay = random_below(2);
	e->is_room_private = random_below(2);
	e->is_event = random_below(2);
	e->addresses = (unsigned)random_below(4);
	random_bytes(body, size);
	if (random_below(5) > 0)
		e->body = blob_new(body, size);
	free(body);
	return e;
}

static void
entries_come_back_as_they_were(void **state)
{
	struct log *log = log_new();
	struct entry *in[500], *out;
	uint64_t i;

	(void)state;
	for (i = 0; i < 500; i++) {
		in[i] = some_entry(log, i + 1);
		batch_append(&log->batch, log->user, in[i]);
	}
	store_must_commit(log->store, &log->batch);
	for (i = 0; i < 500; i++) {
		out = read_one(log, i + 1);
		assert_same(in[i], out);
		assert_false(out->failed || out->is_pending);
		entry_unref(&in[i]);
		entry_unref(&out);
	}
	log_free(log);
}

static void
reading_goes_both_ways(void **state)
{
	struct log *log = log_new();
	uint64_t seq, bob = store_user(log->store, "bob", &log->err);

	(void)state;
	store_append(&log->batch, bob, store_entry(1, 9, "c@d"));
	for (seq = 1; seq <= 5; seq++)
		add(log, seq, "c@d");
	store_append(&log->batch, bob, store_entry(7, 9, "c@d"));
	READS(log, "", .from = 1);
	store_must_commit(log->store, &log->batch);
	READS(log, "1 2 3 4 5 ", .from = 0);
	READS(log, "2 3 ", .from = 2, .to = 4);
	READS(log, "2 3 ", .from = 2, .limit = 2);
	READS(log, "5 4 3 2 1 ", .backwards = true);
	READS(log, "3 2 ", .from = 2, .to = 4, .backwards = true);
	READS(log, "5 4 ", .backwards = true, .limit = 2);
	READS(log, "", .from = 6);
	READS(log, "", .from = 4, .to = 2);
	READS(log, "1 7 ", .user = bob);
	READS(log, "", .user = bob + 1);
	log_free(log);
}

/* What is left of the query's range when it is to look at two rows. */
static void
narrows(struct log *log, struct store_query q, uint64_t from, uint64_t to)
{
	q.user = log->user;
	assert_int_equal(store_narrow(log->store, &q, 2, &log->err), 0);
	assert_int_equal(q.from, from);
	assert_int_equal(q.to, to);
}

static void
a_range_is_narrowed(void **state)
{
	struct log *log = log_new();

	(void)state;
	for (uint64_t seq = 10; seq < 20; seq++)
		add(log, seq, seq % 3 == 0 ? "c@d/x" : "e@d");
	add(log, 20, "c@d")->account = log->other;
	store_must_commit(log->store, &log->batch);
	/* Without a peer it is the numbers that count. */
	narrows(log, (struct store_query){ .from = 1, .to = 21 }, 1, 3);
	narrows(log, (struct store_query){ .from = 1, .to = 3 }, 1, 3);
	narrows(log, (struct store_query){ .from = 4, .to = 3 }, 4, 3);
	narrows(log,
	    (struct store_query){ .from = 1, .to = 21, .backwards = true }, 19,
	    21);
	/* Of c@d there are 12, 15, 18, and 20 of another account. */
	narrows(log, (struct store_query){ .from = 1, .to = 21, .bare = "c@d" },
	    1, 18);
	narrows(log,
	    (struct store_query){ .from = 13, .to = 21, .bare = "c@d" }, 13,
	    21);
	narrows(log,
	    (struct store_query){ .from = 1,
		.to = 21,
		.bare = "c@d",
		.backwards = true },
	    13, 21);
	narrows(log,
	    (struct store_query){ .from = 1,
		.to = 18,
		.bare = "c@d",
		.backwards = true },
	    1, 18);
	narrows(log, (struct store_query){ .from = 1, .to = 21, .bare = "x@d" },
	    1, 21);
	log_free(log);
}

static void
filters_pick(void **state)
{
	struct log *log = log_new();

	(void)state;
	add(log, 1, "c@d/one");
	add(log, 2, "c@d/two")->class = CLASS_PLAYBACK;
	add(log, 3, "room@d/one")->type = TYPE_GROUPCHAT;
	add(log, 4, "C@d")->account = log->other;
	add(log, 5, "c@d")->account = log->other;
	add(log, 6, NULL)->class = CLASS_LIVE;
	log->batch.entries[3].entry->unserved = ARCHIVE_OF_NODE;
	log->batch.entries[4].entry->unserved = ARCHIVE_OF_ACCOUNT;
	log->batch.entries[5].entry->unserved = ARCHIVE_OF_NODE |
	    ARCHIVE_OF_ACCOUNT;
	add(log, 7, "room@d/one")->class = CLASS_PLAYBACK;
	store_must_commit(log->store, &log->batch);
	READS(log, "1 2 3 6 7 ", .account = log->account);
	READS(log, "4 5 ", .account = log->other);
	READS(log, "1 2 5 ", .bare = "c@d");
	READS(log, "5 2 1 ", .bare = "c@d", .backwards = true);
	READS(log, "1 2 ", .bare = "c@d", .account = log->account);
	READS(log, "5 ", .bare = "c@d", .account = log->other);
	READS(log, "2 ", .bare = "c@d", .resource = "two");
	READS(log, "", .bare = "c@d", .resource = "three");
	READS(log, "", .bare = "e@d");
	READS(log, "3 ", .rooms = ROOMS_ONLY);
	READS(log, "1 2 4 5 6 7 ", .rooms = ROOMS_NOT);
	READS(log, "1 2 3 5 7 ", .archive = ARCHIVE_OF_NODE);
	READS(log, "1 2 3 4 7 ", .archive = ARCHIVE_OF_ACCOUNT);
	READS(log, "1 2 5 7 ", .archive = ARCHIVE_OF_NODE, .rooms = ROOMS_NOT);
	READS(log, "3 ", .archive = ARCHIVE_OF_NODE, .rooms = ROOMS_ONLY);
	READS(log, "3 4 5 6 7 ", .start = 1003);
	READS(log, "1 2 3 ", .end = 1003);
	READS(log, "2 5 ", .start = 1002, .end = 1006, .bare = "c@d");
	READS(log, "1 2 3 4 5 6 7 ", .end = UINT64_MAX);
	READS(log, "", .start = UINT64_MAX);
	log_free(log);
}

/* As many numbers for one JID as there are accounts that know it. */
static void
peers_of_several_accounts_are_merged(void **state)
{
	struct log *log = log_new();
	uint64_t seq;

	(void)state;
	for (seq = 1; seq <= 300; seq++) {
		add(log, seq, seq % 5 == 0 ? "x@y" : "c@d")->account = seq % 3 +
		    1;
		if (seq % 7 == 0)
			store_must_commit(log->store, &log->batch);
	}
	store_must_commit(log->store, &log->batch);
	READS(log, "1 2 3 4 6 7 8 9 11 ", .bare = "c@d", .limit = 9);
	READS(log, "101 102 103 104 106 ", .bare = "c@d", .from = 100,
	    .limit = 5);
	READS(log, "99 98 97 96 94 ", .bare = "c@d", .to = 101, .limit = 5,
	    .backwards = true);
	READS(log, "2 8 11 ", .bare = "c@d", .account = 3, .limit = 3);
	READS(log, "5 10 15 ", .bare = "x@y", .limit = 3);
	log_free(log);
}

static void
fn_may_end_it(void **state)
{
	struct log *log = log_new();
	struct entry *e;

	(void)state;
	add(log, 1, "c@d");
	add(log, 2, "c@d");
	store_must_commit(log->store, &log->batch);
	e = read_one(log, 2);
	assert_int_equal(e->seq, 2);
	assert_int_equal(e->refs, 1);
	entry_unref(&e);
	log_free(log);
}

static void
places_are_found(void **state)
{
	struct log *log = log_new();
	uint64_t bob = store_user(log->store, "bob", &log->err), stamp;

	(void)state;
	assert_int_equal(store_last(log->store, log->user), 0);
	assert_int_equal(store_seq_at(log->store, log->user, 0), 1);
	store_append(&log->batch, bob, store_entry(77, 9, "c@d"));
	add(log, 10, "c@d")->stamp = 100;
	add(log, 20, "c@d")->stamp = 200;
	add(log, 21, "c@d")->stamp = 200;
	add(log, 500, "c@d")->stamp = 300;
	store_must_commit(log->store, &log->batch);
	assert_int_equal(store_last(log->store, log->user), 500);
	assert_int_equal(store_last(log->store, bob), 77);
	assert_int_equal(store_last(log->store, bob + 1), 0);
	for (stamp = 0; stamp <= 310; stamp++)
		assert_int_equal(store_seq_at(log->store, log->user, stamp),
		    stamp <= 100     ? 10 :
			stamp <= 200 ? 20 :
			stamp <= 300 ? 500 :
				       501);
	assert_int_equal(store_seq_at(log->store, log->user, UINT64_MAX), 501);
	log_free(log);
}

static struct store_trimmed
trimmed(struct log *log, enum rooms rooms, uint64_t from, unsigned max,
    uint64_t before)
{
	struct store_trim what = { log->user, rooms, from, max, before, 0 };
	struct store_trimmed done;

	if (store_trim(log->store, &what, &done, &log->err) < 0)
		fail_msg("%s", log->err.text);
	return done;
}

static void
trimming_takes_the_oldest_of_a_kind(void **state)
{
	struct log *log = log_new();
	struct store_trimmed done;
	uint64_t seq;

	(void)state;
	for (seq = 1; seq <= 10; seq++)
		if (seq % 2 == 0)
			add(log, seq, "r@d/one")->type = TYPE_GROUPCHAT;
		else
			add(log, seq, "c@d");
	store_must_commit(log->store, &log->batch);
	done = trimmed(log, ROOMS_ONLY, 0, 2, UINT64_MAX);
	assert_int_equal(done.count, 2);
	assert_int_equal(done.bytes, 30);
	assert_int_equal(done.from, 6);
	READS(log, "1 3 5 6 7 8 9 10 ", .from = 1);
	/* What was taken in later stays. */
	done = trimmed(log, ROOMS_NOT, 1, 100, 1005);
	assert_int_equal(done.count, 2);
	assert_int_equal(done.from, 5);
	READS(log, "5 6 7 8 9 10 ", .from = 1);
	done = trimmed(log, ROOMS_NOT, 5, 0, UINT64_MAX);
	assert_int_equal(done.count, 0);
	assert_int_equal(done.from, 5);
	done = trimmed(log, ROOMS_ONLY, 6, 100, UINT64_MAX);
	assert_int_equal(done.count, 3);
	assert_int_equal(done.from, 11);
	READS(log, "5 7 9 ", .from = 1);
	READS(log, "", .bare = "r@d");
	done = trimmed(log, ROOMS_ONLY, 11, 100, UINT64_MAX);
	assert_int_equal(done.count, 0);
	assert_int_equal(done.from, 11);
	log_free(log);
}

/* The room's JID got a number again. */
static void
a_peer_comes_back_after_its_last_entry(void **state)
{
	struct log *log = log_new();

	(void)state;
	add(log, 1, "c@d");
	add(log, 2, "e@d");
	store_must_commit(log->store, &log->batch);
	assert_int_equal(trimmed(log, ROOMS_NOT, 1, 2, UINT64_MAX).count, 2);
	add(log, 3, "e@d");
	add(log, 4, "c@d");
	store_must_commit(log->store, &log->batch);
	READS(log, "3 ", .bare = "e@d");
	READS(log, "4 ", .bare = "c@d");
	log_free(log);
}

static void
trimming_looks_at_a_bounded_number(void **state)
{
	struct log *log = log_new();
	struct store_trimmed done;
	uint64_t seq;

	(void)state;
	for (seq = 1; seq <= 10000; seq++)
		add(log, seq, "c@d");
	add(log, 10001, "r@d")->type = TYPE_GROUPCHAT;
	store_must_commit(log->store, &log->batch);
	done = trimmed(log, ROOMS_ONLY, 1, 10, UINT64_MAX);
	assert_int_equal(done.count, 0);
	assert_int_equal(done.from, 4097);
	done = trimmed(log, ROOMS_ONLY, done.from, 10, UINT64_MAX);
	done = trimmed(log, ROOMS_ONLY, done.from, 10, UINT64_MAX);
	assert_int_equal(done.count, 1);
	assert_int_equal(done.from, 10002);
	assert_int_equal(trimmed(log, ROOMS_NOT, 1, UINT32_MAX, UINT64_MAX)
			     .count,
	    4096);
	log_free(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back_as_they_were),
		cmocka_unit_test(reading_goes_both_ways),
		cmocka_unit_test(a_range_is_narrowed),
		cmocka_unit_test(filters_pick),
		cmocka_unit_test(peers_of_several_accounts_are_merged),
		cmocka_unit_test(fn_may_end_it),
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(trimming_takes_the_oldest_of_a_kind),
		cmocka_unit_test(a_peer_comes_back_after_its_last_entry),
		cmocka_unit_test(trimming_looks_at_a_bounded_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
