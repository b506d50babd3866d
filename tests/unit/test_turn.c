#include "support_broken.h"
#include "support_client.h"

#include "core/device.h"
#include "core/history.h"
#include "core/turn.h"

#define ENABLE   "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
#define PING(id) "<iq type='get' id='" id "'><ping xmlns='urn:xmpp:ping'/></iq>"
#define CHAT(id) \
	"<message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>hi</body></message>"
#define MESSAGE(id) \
	"<message to='bob@b.example' type='chat' id='" id "'>" \
	"<body>hello</body></message>"

/* A client that is available, and its server; all of it is saved. */
struct bench {
	struct core *core;
	struct core_client client;
	char *path;
};

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->path = store_fresh_path();
	b->core = core_new_in(b->path, CORE_ALICE(""));
	core_connect(b->core);
	client_login(&b->client, b->core, "alice", "r");
	client_say(&b->client, ENABLE "<presence/>");
	core_wait(b->core, 10000);
	buf_clear(&b->client.got);
	buf_puts(&b->client.got, "");
	buf_clear(&b->core->log);
	buf_puts(&b->core->log, "");
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	client_end(&b->client);
	core_free(b->core);
	free(b->path);
	free(b);
	return 0;
}

static unsigned
count(const struct buf *text, const char *what)
{
	const char *at = text->data;
	unsigned n = 0;

	for (; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

/* So many turns were committed, ever. */
static unsigned
commits(const struct bench *b)
{
	return store_unfolded(b->core->store);
}

static unsigned
failures(const struct bench *b)
{
	return count(&b->core->log, "event=commit-failed");
}

static struct user *
user(const struct bench *b)
{
	return core_user(b->core, "alice");
}

/* --- when --- */

static void
where_nothing_happens_nothing_is_committed(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	core_wait(b->core, 60000);
	assert_int_equal(commits(b), before);
}

/* Custody: in the turn that took it, whoever it is from. */
static void
what_is_taken_into_custody_is_committed_at_once(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	core_server_say(b->core, CHAT("m1"));
	core_run(b->core);
	assert_true(commits(b) > before);
	assert_int_equal(store_last(b->core->store, user(b)->id), 1);
	expect(&b->client.got, "id='m1'");
	client_say(&b->client, MESSAGE("o1"));
	assert_int_equal(store_last(b->core->store, user(b)->id), 2);
	expect(&b->core->server->got, "id='o1'");
}

/* Whatever its size: many at once share one commit. */
static void
one_turn_is_one_commit(void **state)
{
	struct bench *b = *state;
	unsigned before;

	core_server_say(b->core, CHAT("1") CHAT("2") CHAT("3") CHAT("4"));
	loop_turn(b->core->peers, 0);
	before = commits(b);
	loop_turn(b->core->loop, 0);
	assert_int_equal(commits(b), before + 1);
	assert_int_equal(store_last(b->core->store, user(b)->id), 4);
}

static void
what_changed_waits_a_while(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	user_touch(user(b));
	core_run(b->core);
	clock_advance(199);
	core_run(b->core);
	assert_int_equal(commits(b), before);
	clock_advance(1);
	core_run(b->core);
	assert_int_equal(commits(b), before + 1);
	core_wait(b->core, 5000);
	assert_int_equal(commits(b), before + 1);
}

/* Since the first change, not the last. */
static void
it_does_not_wait_for_ever(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	for (unsigned i = 0; i < 10; i++) {
		device_of(user(b), 0, "x");
		clock_advance(50);
		core_run(b->core);
	}
	assert_in_range(commits(b), before + 2, before + 3);
}

static void
what_is_urgent_does_not_wait(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	user_touch(user(b));
	turn_urge(b->core->proxy);
	loop_turn(b->core->loop, 0);
	assert_int_equal(commits(b), before + 1);
}

/* Numbering 1: no h leaves that is not committed. */
static void
a_count_is_committed_before_it_is_told(void **state)
{
	struct bench *b = *state;

	client_say(&b->client, PING("1"));
	store_break(b->path);
	client_say(&b->client, "<r xmlns='urn:xmpp:sm:3'/>");
	assert_false(has(&b->client.got, "<a "));
	store_mend(b->path);
	core_wait(b->core, 100);
	expect(&b->client.got, "<a xmlns='urn:xmpp:sm:3' h='2'/>");
}

/* The end does not wait either. */
static void
at_the_end_all_is_saved(void **state)
{
	struct bench *b = *state;
	unsigned before = commits(b);

	user_touch(user(b));
	proxy_stop(b->core->proxy);
	loop_turn(b->core->loop, 0);
	assert_int_equal(commits(b), before + 1);
}

/* --- where it fails --- */

static void
nothing_is_written_before_it_is_committed(void **state)
{
	struct bench *b = *state;

	store_break(b->path);
	core_server_say(b->core, CHAT("m1"));
	core_run(b->core);
	assert_int_equal(failures(b), 1);
	assert_false(has(&b->client.got, "id='m1'"));
	assert_int_equal(history_next(user(b)->history), 2);
	core_wait(b->core, 2000);
	assert_false(has(&b->client.got, "id='m1'"));
	store_mend(b->path);
	core_wait(b->core, 2000);
	expect(&b->client.got, "id='m1'");
	assert_int_equal(count(&b->client.got, "id='m1'"), 1);
	expect(&b->core->log, "event=commit-recovered");
	assert_int_equal(store_last(b->core->store, user(b)->id), 1);
}

/* Neither side is read: bytes wait in the kernel. */
static void
nothing_is_read_until_it_works(void **state)
{
	struct bench *b = *state;

	store_break(b->path);
	core_server_say(b->core, CHAT("m1"));
	core_run(b->core);
	client_say(&b->client, MESSAGE("o1") PING("p1"));
	core_server_say(b->core, CHAT("m2"));
	core_wait(b->core, 1000);
	assert_int_equal(history_next(user(b)->history), 2);
	assert_false(has(&b->client.got, "id='p1'"));
	store_mend(b->path);
	core_wait(b->core, 1000);
	assert_int_equal(history_next(user(b)->history), 4);
	expect(&b->client.got, "id='m2'");
	expect(&b->client.got, "id='p1'");
	expect(&b->core->server->got, "id='o1'");
}

/* 100 ms, twice as long each time, 10 s at most; then the process is to end. */
static void
it_is_tried_again_and_given_up(void **state)
{
	static const uint64_t waits[] = { 100, 200, 400, 800, 1600, 3200, 6400,
		10000 };
	struct bench *b = *state;
	size_t i;

	store_break(b->path);
	core_server_say(b->core, CHAT("m1"));
	core_run(b->core);
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(failures(b), i + 1);
		core_wait(b->core, waits[i] - 1);
		assert_int_equal(failures(b), i + 1);
		assert_false(b->core->proxy->is_failed);
		core_wait(b->core, 1);
	}
	assert_int_equal(failures(b), i + 1);
	assert_true(b->core->proxy->is_failed);
	assert_false(has(&b->client.got, "id='m1'"));
	/* Left as it is, streams can be resumed by the next process. */
	store_mend(b->path);
	assert_false(b->client.closed);
}

/* A failure that is over is forgotten: the next begins at 100 ms. */
static void
each_failure_begins_anew(void **state)
{
	struct bench *b = *state;

	for (unsigned round = 1; round <= 3; round++) {
		store_break(b->path);
		core_server_say(b->core, CHAT("m1"));
		core_run(b->core);
		core_wait(b->core, 99);
		store_mend(b->path);
		assert_int_equal(failures(b), round);
		core_wait(b->core, 1);
		assert_int_equal(store_last(b->core->store, user(b)->id),
		    round);
	}
}

/* What changes meanwhile goes with it, and does not hurry it. */
static void
what_changes_meanwhile_is_kept(void **state)
{
	struct bench *b = *state;
	uint64_t id;

	store_break(b->path);
	core_server_say(b->core, CHAT("m1"));
	core_run(b->core);
	core_wait(b->core, 100);
	core_wait(b->core, 200);
	assert_int_equal(failures(b), 3);
	id = device_of(user(b), 0, "meanwhile")->id;
	core_wait(b->core, 250);
	assert_int_equal(failures(b), 3);
	store_mend(b->path);
	core_wait(b->core, 150);
	core_kill(b->core);
	core_start(b->core, CORE_ALICE(""));
	core_run(b->core);
	assert_string_equal(device_find(user(b), id)->resource, "meanwhile");
	assert_int_equal(history_next(user(b)->history), 2);
}

/* One that dies while it fails has told nobody what it did not keep. */
static void
what_was_never_committed_was_never_told(void **state)
{
	struct bench *b = *state;

	store_break(b->path);
	core_server_say(b->core, CHAT("m1"));
	client_say(&b->client, MESSAGE("o1"));
	core_wait(b->core, 500);
	core_kill(b->core);
	store_mend(b->path);
	loop_turn(b->core->peers, 0);
	assert_false(has(&b->client.got, "id='m1'"));
	assert_false(has(&b->core->server->got, "id='o1'"));
	core_start(b->core, CORE_ALICE(""));
	assert_int_equal(history_next(user(b)->history), 1);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(where_nothing_happens_nothing_is_committed),
		bench_test(what_is_taken_into_custody_is_committed_at_once),
		bench_test(one_turn_is_one_commit),
		bench_test(what_changed_waits_a_while),
		bench_test(it_does_not_wait_for_ever),
		bench_test(what_is_urgent_does_not_wait),
		bench_test(a_count_is_committed_before_it_is_told),
		bench_test(at_the_end_all_is_saved),
		bench_test(nothing_is_written_before_it_is_committed),
		bench_test(nothing_is_read_until_it_works),
		bench_test(it_is_tried_again_and_given_up),
		bench_test(each_failure_begins_anew),
		bench_test(what_changes_meanwhile_is_kept),
		bench_test(what_was_never_committed_was_never_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
