#include "support_core.h"

#include "core/history.h"
#include "core/log_query.h"

static struct core *core;

static int
set_up(void **state)
{
	(void)state;
	core = core_new(CORE_ALICE(""));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	core_free(core);
	return 0;
}

static struct entry *
add_sent(const char *peer, uint64_t time)
{
	struct user *u = core_user(core, "alice");
	struct entry *e = entry_new();

	e->account = core_account(core, "alice")->id;
	e->type = TYPE_CHAT;
	e->peer = mem_strdup(peer);
	e->time = time;
	e->body = blob_new("x", 1);
	history_append(u->history, e);
	return e;
}

static struct entry *
add(const char *peer)
{
	return add_sent(peer, clock_wall());
}

/* What is said before it is on disk; the tail alone stays in memory. */
static void
commit(void)
{
	core_run(core);
}

struct reading {
	struct buf got;
	unsigned slices, most;
};

static bool
note(void *arg, struct entry *e)
{
	struct reading *r = arg;

	buf_printf(&r->got, "%llu ", (unsigned long long)e->seq);
	return --r->most > 0;
}

/* The numbers, in so many slices. */
static unsigned
reads(struct store_query q, unsigned most, const char *expected)
{
	struct user *u = core_user(core, "alice");
	struct reading r = { .most = most };
	struct err err = { "" };

	buf_puts(&r.got, "");
	q.to = q.to == 0 ? UINT64_MAX : q.to;
	log_query_begin(u, &q);
	while (q.from < q.to && r.most > 0) {
		r.slices++;
		if (log_query_go_on(u, &q, note, &r, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_string_equal(r.got.data, expected);
	buf_free(&r.got);
	return r.slices;
}

#define READS(most, expected, ...) \
	reads((struct store_query){ __VA_ARGS__ }, most, expected)

static void
what_is_not_committed_is_there(void **state)
{
	(void)state;
	READS(9, "", .from = 0);
	add("a@b");
	add("c@b/x");
	READS(9, "1 2 ", .from = 0);
	READS(9, "2 1 ", .backwards = true);
	commit();
	READS(9, "1 2 ", .from = 0);
	add("a@b/y");
	READS(9, "1 2 3 ", .from = 0);
	READS(9, "3 2 1 ", .backwards = true);
	READS(2, "3 2 ", .backwards = true);
	READS(9, "1 3 ", .bare = "a@b");
	READS(9, "3 ", .bare = "a@b", .resource = "y");
	READS(9, "2 ", .from = 2, .to = 3);
	READS(9, "", .from = 4);
}

static void
filters_hold_on_both_sides(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		add("a@b");
		add("room@b/x")->type = TYPE_GROUPCHAT;
		add("c@b")->account = 99;
		add("d@b")->unserved = ARCHIVE_OF_NODE;
	}
	for (int i = 0; i < 2; i++) {
		READS(9, "1 2 3 4 5 6 7 8 ", .from = 0);
		READS(9, "1 3 4 5 7 8 ", .rooms = ROOMS_NOT);
		READS(9, "2 6 ", .rooms = ROOMS_ONLY);
		READS(9, "3 7 ", .account = 99);
		READS(9, "1 2 3 5 6 7 ", .archive = ARCHIVE_OF_NODE);
		READS(9, "1 2 3 4 5 6 7 8 ", .archive = ARCHIVE_OF_ACCOUNT);
		commit();
	}
}

static void
times_are_those_of_sending(void **state)
{
	uint64_t zero = clock_wall();

	(void)state;
	for (int i = 0; i < 200; i++) {
		add("a@b");
		clock_advance(1000);
		commit();
	}
	add_sent("a@b", 0);
	READS(9, "", .start = zero + 200001);
	READS(9, "200 ", .start = zero + 199000, .end = zero + 199999);
	READS(9, "3 4 5 ", .start = zero + 2000, .end = zero + 4000);
	READS(9, "5 4 3 ", .start = zero + 1001, .end = zero + 4999,
	    .backwards = true);
	READS(9, "1 2 201 ", .end = zero + 1999);
	READS(9, "201 ", .start = 0, .end = zero - 1);
}

static void
late_ones_are_found(void **state)
{
	uint64_t zero = clock_wall();

	(void)state;
	for (int i = 0; i < 100; i++) {
		add("a@b");
		clock_advance(1000);
		commit();
	}
	add_sent("a@b", zero + 10500);
	for (int i = 0; i < 100; i++) {
		add("a@b");
		clock_advance(1000);
		commit();
	}
	READS(9, "11 12 101 ", .start = zero + 10000, .end = zero + 11000);
	READS(9, "101 12 11 ", .start = zero + 10000, .end = zero + 11000,
	    .backwards = true);
}

/* Nobody makes all that is asked for by time slow, or slips into what was long ago. */
static void
a_time_long_before_it_came_does_not_count(void **state)
{
	uint64_t zero = clock_wall(), came;

	(void)state;
	add_sent("a@b", 0);
	for (int i = 0; i < 200; i++) {
		add("a@b");
		clock_advance(1000);
		commit();
	}
	came = clock_wall();
	add_sent("a@b", 1000);
	for (int i = 0; i < 2; i++) {
		READS(9, "1 ", .end = zero - ENTRY_LATE_MS);
		READS(9, "1 202 ", .end = came - ENTRY_LATE_MS);
		READS(9, "202 ", .start = came - ENTRY_LATE_MS,
		    .end = zero - 1);
		assert_int_equal(READS(9, "",
				     .end = zero - ENTRY_LATE_MS - 2000),
		    0);
		for (int n = 0; n < 100 && i == 0; n++)
			add("c@b");
		commit();
	}
}

static void
a_slice_is_short(void **state)
{
	(void)state;
	for (int i = 1; i <= 10000; i++) {
		add(i % 1000 == 500 ? "rare@b" : "room@b/x")->type = i % 1000 ==
			500 ?
		    TYPE_CHAT :
		    TYPE_GROUPCHAT;
		if (i % 100 == 0)
			commit();
	}
	/* By the index there is little to look at. */
	assert_int_equal(READS(3, "500 1500 2500 ", .bare = "rare@b"), 1);
	assert_int_equal(
	    READS(99, "9500 8500 7500 6500 5500 4500 3500 2500 1500 500 ",
		.bare = "rare@b", .backwards = true),
	    1);
	/* Else in several goes, and none is lost between two. */
	assert_int_equal(
	    READS(99, "500 1500 2500 3500 4500 5500 6500 7500 8500 9500 ",
		.rooms = ROOMS_NOT),
	    5);
	assert_int_equal(
	    READS(99, "9500 8500 7500 6500 5500 4500 3500 2500 1500 500 ",
		.rooms = ROOMS_NOT, .backwards = true),
	    5);
	assert_int_equal(READS(99, "", .bare = "room@b", .rooms = ROOMS_NOT),
	    20);
	assert_int_equal(READS(99, "", .bare = "nobody@b"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_committed_is_there,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(filters_hold_on_both_sides,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_are_those_of_sending,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(late_ones_are_found, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_time_long_before_it_came_does_not_count, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_slice_is_short, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
