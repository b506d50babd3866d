/* Writing to the end: lingering, and peers that do not read. */
#include "support_io.h"

#include <fcntl.h>

static struct loop *loop;
static struct transport *far;
static struct owner o;
static bool is_committed;

static uint64_t
on_commit(void *arg, uint64_t turn)
{
	(void)arg;
	return is_committed ? turn : 0;
}

static int
setup(void **state)
{
	struct loop_hooks hooks = { .commit = on_commit };
	struct transport *near;

	(void)state;
	loop = io_loop();
	is_committed = true;
	loop_set_hooks(loop, &hooks);
	transport_memory(&near, &far);
	owner_init(&o, loop, near);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	owner_fini(&o);
	loop_free(&loop);
	far->ops->free(far);
	return 0;
}

/* -1: nothing, 0: the end, else so many bytes. */
static ssize_t
far_read(char *out, size_t size)
{
	struct err err;

	memset(out, 0, size);
	return far->ops->read(far, out, size - 1, &err);
}

static void
queue(const char *text)
{
	conn_send(o.conn, text, strlen(text), NULL, NULL);
}

static bool
is_writable(void)
{
	struct err err;

	return far->ops->write(far, "x", 1, &err) == 1;
}

static void
test_finish_writes_and_ends(void **state)
{
	struct conn *conn = o.conn;
	char text[16];

	(void)state;
	queue("bye");
	conn_finish(&o.conn, 1000);
	assert_null(o.conn);
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 3);
	assert_string_equal(text, "bye");
	assert_int_equal(far_read(text, sizeof(text)), 0);
	/* It is there until the peer ends too. What it says is thrown away. */
	assert_true(is_writable());
	conn_poke(conn);
	loop_turn(loop, 0);
	assert_int_equal(o.calls, 0);
	assert_true(is_writable());
	far->ops->shut(far);
	conn_poke(conn);
	loop_turn(loop, 0);
	assert_int_equal(o.closed, 0);
	assert_int_equal(far_read(text, sizeof(text)), 0);
}

static void
test_finish_waits_no_longer(void **state)
{
	char text[16];

	(void)state;
	transport_memory_faults(far)->room = 2;
	queue("never read");
	conn_finish(&o.conn, 1000);
	clock_advance(999);
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 2);
	assert_int_equal(far_read(text, sizeof(text)), IO_AGAIN);
	clock_advance(1);
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 0);
	assert_false(is_writable());
}

static void
test_finish_is_gated(void **state)
{
	char text[16];

	(void)state;
	is_committed = false;
	queue("bye");
	conn_finish(&o.conn, 1000);
	io_turns(loop, 3);
	assert_int_equal(far_read(text, sizeof(text)), IO_AGAIN);
	is_committed = true;
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 3);
	assert_int_equal(far_read(text, sizeof(text)), 0);
}

/* What was never committed never leaves, even at the end. */
static void
test_finish_uncommitted(void **state)
{
	char text[16];

	(void)state;
	is_committed = false;
	queue("bye");
	conn_finish(&o.conn, 1000);
	loop_turn(loop, 0);
	clock_advance(1000);
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 0);
}

static void
test_finish_without_time(void **state)
{
	char text[16];

	(void)state;
	queue("bye");
	conn_finish(&o.conn, 0);
	io_turns(loop, 2);
	assert_int_equal(far_read(text, sizeof(text)), IO_END);
}

static bool
answer_and_finish(struct owner *owner, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	conn_send(owner->conn, "</stream>", 9, NULL, NULL);
	conn_finish(&owner->conn, 0);
	return false;
}

/* In a turn's reads even no time is enough for that turn's flush. */
static void
test_finish_in_data(void **state)
{
	char text[16];

	(void)state;
	o.on_data = answer_and_finish;
	io_put(far, "x");
	conn_poke(o.conn);
	loop_turn(loop, 0);
	assert_int_equal(far_read(text, sizeof(text)), 9);
}

static void
test_finish_after_failure(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	transport_memory_faults(near)->fail_read = true;
	owner_init(&p, loop, near);
	io_turns(loop, 2);
	assert_int_equal(p.closed, 1);
	conn_finish(&p.conn, 1000);
	loop_turn(loop, 0);
	assert_false(conns_are_ready(loop_conns(loop)));
	owner_fini(&p);
	other->ops->free(other);
}

/* A peer that stops reading costs its queue; when it reads, all comes. */
static void
test_slow_reader(void **state)
{
	struct buf wanted = { 0 }, got = { 0 };
	char text[65536];
	struct owner p;
	ssize_t n;
	int fds[2];

	(void)state;
	io_pair(fds);
	owner_init(&p, loop, transport_socket(fds[0]));
	conn_set_window(p.conn, 60, 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "<frame number='%0500d'/>", i);
		conn_send(p.conn, text, strlen(text), NULL, "\n");
		buf_printf(&wanted, "%s\n", text);
		if (i % 10 == 0)
			loop_turn(loop, 0);
	}
	io_turns(loop, 3);
	assert_true(conn_queued_frames(p.conn) > 1000);
	assert_false(conns_are_ready(loop_conns(loop)));
	assert_int_equal(p.drained, 0);
	while (got.len < wanted.len) {
		if ((n = read(fds[1], text, sizeof(text))) > 0)
			buf_add(&got, text, (size_t)n);
		loop_turn(loop, 0);
	}
	assert_string_equal(got.data, wanted.data);
	assert_int_equal(conn_frames_written(p.conn), 3000);
	assert_int_equal(p.drained, 1);
	buf_free(&got);
	buf_free(&wanted);
	owner_fini(&p);
	close(fds[1]);
}

/* What is written and was not taken is told apart from what was. */
static void
test_unacknowledged(void **state)
{
	char text[16];
	struct owner p;
	int fds[2];

	(void)state;
	io_pair(fds);
	owner_init(&p, loop, transport_socket(fds[0]));
	conn_send(p.conn, "hello", 5, NULL, NULL);
	assert_int_equal(conn_unacknowledged_bytes(p.conn), 0);
	loop_turn(loop, 0);
	assert_int_equal(conn_queued_bytes(p.conn), 0);
	assert_true(conn_unacknowledged_bytes(p.conn) > 0);
	assert_int_equal(read(fds[1], text, sizeof(text)), 5);
	assert_int_equal(conn_unacknowledged_bytes(p.conn), 0);
	owner_fini(&p);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_finish_writes_and_ends),
		TEST(test_finish_waits_no_longer),
		TEST(test_finish_is_gated),
		TEST(test_finish_uncommitted),
		TEST(test_finish_without_time),
		TEST(test_finish_in_data),
		TEST(test_finish_after_failure),
		TEST(test_slow_reader),
		TEST(test_unacknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
