/* Reading: slices, rates, and what a socket says of itself. */
#include "support_io.h"

#include <fcntl.h>

static struct loop *loop;
static struct transport *far;
static struct owner o;

static int
setup(void **state)
{
	struct transport *near;

	(void)state;
	loop = io_loop();
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

static void
flood(struct transport *io, size_t size)
{
	char *bytes = mem_alloc(size);
	struct err err;

	memset(bytes, 'x', size);
	assert_int_equal(io->ops->write(io, bytes, size, &err), size);
	free(bytes);
}

static bool
note_slice(struct owner *owner, const char *bytes, size_t len)
{
	assert_true(len <= 16384);
	buf_add(&owner->in, bytes, len);
	loop_spend(owner->loop, 256);
	return false;
}

/* Small reads are gathered: one data() a slice. */
static void
test_slices(void **state)
{
	(void)state;
	o.on_data = note_slice;
	transport_memory_faults(far)->chunk = 0;
	flood(far, 40000);
	conn_poke(o.conn);
	loop_turn(loop, 0);
	assert_int_equal(o.in.len, 16384);
	assert_true(conns_are_ready(loop_conns(loop)));
	loop_turn(loop, 0);
	assert_int_equal(o.in.len, 32768);
	loop_turn(loop, 0);
	assert_int_equal(o.in.len, 40000);
	assert_int_equal(o.calls, 3);
	loop_turn(loop, 0);
	assert_false(conns_are_ready(loop_conns(loop)));
}

static void
test_chunks_are_gathered(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	transport_memory_faults(near)->chunk = 100;
	owner_init(&p, loop, near);
	flood(other, 5000);
	loop_turn(loop, 0);
	assert_int_equal(p.calls, 1);
	assert_int_equal(p.in.len, 5000);
	owner_fini(&p);
	other->ops->free(other);
}

/* 1000 bytes a second after a burst of 500, over 20 seconds of flood. */
static void
test_rate(void **state)
{
	uint64_t start = clock_now();

	(void)state;
	conn_set_rate(o.conn, 1000, 500);
	flood(far, 100000);
	conn_poke(o.conn);
	loop_turn(loop, 0);
	assert_int_equal(o.in.len, 500);
	io_turns(loop, 5);
	assert_int_equal(o.in.len, 500);
	assert_false(conns_are_ready(loop_conns(loop)));
	while (clock_now() < start + 20000) {
		clock_advance(10);
		io_turns(loop, 2);
		assert_true(o.in.len <= 500 + clock_now() - start);
	}
	assert_true(o.in.len >= 500 + 20000 - 200);
	/* Some ten wakes a second, not one a millisecond. */
	assert_true(o.calls < 250);
	conn_set_rate(o.conn, 0, 0);
	io_turns(loop, 10);
	assert_int_equal(o.in.len, 100000);
}

static void
test_rate_saves_a_burst_only(void **state)
{
	(void)state;
	conn_set_rate(o.conn, 1000, 500);
	clock_advance(UINT64_C(1) << 40);
	flood(far, 2000);
	conn_poke(o.conn);
	io_turns(loop, 3);
	assert_int_equal(o.in.len, 500);
}

static void
test_rate_hides_no_end(void **state)
{
	(void)state;
	conn_set_rate(o.conn, 1000, 500);
	flood(far, 600);
	far->ops->shut(far);
	conn_poke(o.conn);
	io_turns(loop, 3);
	assert_int_equal(o.closed, 0);
	clock_advance(200);
	io_turns(loop, 3);
	assert_int_equal(o.in.len, 600);
	assert_int_equal(o.closed, 1);
}

/* What a broken transport still holds is little, and nobody's flood. */
static void
test_rate_ends_with_a_failure(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	transport_memory_faults(near)->fail_write = true;
	owner_init(&p, loop, near);
	conn_set_rate(p.conn, 1000, 500);
	flood(other, 3000);
	conn_send(p.conn, "x", 1, NULL, NULL);
	io_turns(loop, 4);
	assert_int_equal(p.in.len, 3000);
	assert_int_equal(p.closed, 1);
	owner_fini(&p);
	other->ops->free(other);
}

/*
 * A short read is taken for an empty socket, without IO_AGAIN; what comes
 * later, an end included, has to be seen all the same.
 */
static void
test_socket_to_the_end(void **state)
{
	struct owner p;
	int fds[2];

	(void)state;
	io_pair(fds);
	owner_init(&p, loop, transport_socket(fds[0]));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(write(fds[1], "abc", 3), 3);
		loop_turn(loop, 0);
		assert_int_equal(p.in.len, 3 * (i + 1));
		assert_false(conns_are_ready(loop_conns(loop)));
	}
	assert_int_equal(write(fds[1], "end", 3), 3);
	close(fds[1]);
	io_turns(loop, 3);
	assert_int_equal(p.in.len, 33);
	assert_int_equal(p.closed, 1);
	owner_fini(&p);
}

static void
test_socket_half_closed(void **state)
{
	struct owner p;
	int fds[2];
	char text[8];

	(void)state;
	io_pair(fds);
	owner_init(&p, loop, transport_socket(fds[0]));
	loop_turn(loop, 0);
	shutdown(fds[1], SHUT_WR);
	io_turns(loop, 2);
	assert_int_equal(p.closed, 1);
	conn_send(p.conn, "bye", 3, NULL, NULL);
	conn_finish(&p.conn, 1000);
	loop_turn(loop, 0);
	assert_int_equal(read(fds[1], text, sizeof(text)), 3);
	assert_int_equal(read(fds[1], text, sizeof(text)), 0);
	/* Both have ended: nothing to linger for. */
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	owner_fini(&p);
	close(fds[1]);
}

/* Nobody reads, nothing is queued: only the event tells. */
static void
test_socket_gone_while_paused(void **state)
{
	struct owner p;
	int fds[2];

	(void)state;
	io_pair(fds);
	owner_init(&p, loop, transport_socket(fds[0]));
	conn_pause(p.conn, true);
	loop_turn(loop, 0);
	close(fds[1]);
	io_turns(loop, 2);
	assert_int_equal(p.closed, 1);
	owner_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_slices),
		TEST(test_chunks_are_gathered),
		TEST(test_rate),
		TEST(test_rate_saves_a_burst_only),
		TEST(test_rate_hides_no_end),
		TEST(test_rate_ends_with_a_failure),
		TEST(test_socket_to_the_end),
		TEST(test_socket_half_closed),
		TEST(test_socket_gone_while_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
