/* One connection: frames, gates, ends. Who is served when: test_conns.c. */
#include "support_io.h"

static struct loop *loop;
static struct transport *far; /* the peer's end */
static struct owner o;
static uint64_t committed; /* what the commit hook says */

static uint64_t
on_commit(void *arg, uint64_t turn)
{
	(void)arg;
	return committed < turn ? committed : turn;
}

static int
setup(void **state)
{
	struct loop_hooks hooks = { .commit = on_commit };
	struct transport *near;

	(void)state;
	loop = io_loop();
	loop_set_hooks(loop, &hooks);
	committed = UINT64_MAX;
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

static const char *
got(void)
{
	static char text[100000];

	io_take(far, text, sizeof(text));
	return text;
}

static void
put(const char *text)
{
	io_put(far, text);
	conn_poke(o.conn);
}

static void
queue(const char *text)
{
	conn_send(o.conn, text, strlen(text), NULL, NULL);
}

static void
test_bytes_come(void **state)
{
	(void)state;
	put("hello");
	clock_advance(5);
	loop_turn(loop, 0);
	assert_string_equal(owner_text(&o), "hello");
	assert_int_equal(conn_bytes_in(o.conn), 5);
	assert_int_equal(conn_last_read(o.conn), clock_now());
	loop_turn(loop, 0);
	assert_int_equal(o.calls, 1);
	assert_string_equal(conn_id(o.conn), "c1");
	conn_set_id(o.conn, "c2");
	assert_string_equal(conn_id(o.conn), "c2");
}

static void
test_send_waits_for_the_flush(void **state)
{
	struct blob *body = blob_new("body", 4);

	(void)state;
	conn_send(o.conn, "<a>", 3, body, "</a>");
	blob_unref(&body);
	assert_int_equal(conn_queued_frames(o.conn), 1);
	assert_int_equal(conn_queued_bytes(o.conn), 11);
	assert_string_equal(got(), "");
	loop_turn(loop, 0);
	assert_string_equal(got(), "<a>body</a>");
	assert_int_equal(conn_queued_frames(o.conn), 0);
	assert_int_equal(conn_queued_bytes(o.conn), 0);
	assert_int_equal(conn_frames_sent(o.conn), 1);
	assert_int_equal(conn_frames_written(o.conn), 1);
	assert_int_equal(conn_bytes_out(o.conn), 11);
}

static void
test_commit_gates(void **state)
{
	(void)state;
	committed = 0;
	queue("1");
	loop_turn(loop, 0);
	queue("2");
	io_turns(loop, 3);
	assert_string_equal(got(), "");
	/* A gated queue does not keep the loop busy. */
	assert_false(conns_are_ready(loop_conns(loop)));
	committed = 1;
	loop_turn(loop, 0);
	assert_string_equal(got(), "1");
	assert_int_equal(conn_queued_frames(o.conn), 1);
	committed = 2;
	loop_turn(loop, 0);
	assert_string_equal(got(), "2");
}

static void
send_more(struct owner *owner)
{
	conn_send(owner->conn, "more", 4, NULL, NULL);
	owner->on_drained = NULL;
}

/* What drained() queues is of the next turn and waits for its commit. */
static void
test_queued_in_the_flush(void **state)
{
	(void)state;
	conn_set_window(o.conn, 3, 0);
	o.on_drained = send_more;
	committed = 1;
	queue("1");
	loop_turn(loop, 0);
	assert_string_equal(got(), "1");
	assert_true(conns_are_ready(loop_conns(loop)));
	loop_turn(loop, 0);
	assert_string_equal(got(), "");
	committed = 2;
	loop_turn(loop, 0);
	assert_string_equal(got(), "more");
}

/* A transport that refuses every other write, and notes what it was offered. */
struct fussy {
	struct transport base;
	struct buf offered, taken;
	unsigned writes;
};

static ssize_t
fussy_read(struct transport *io, void *bytes, size_t size, struct err *err)
{
	(void)io;
	(void)bytes;
	(void)size;
	(void)err;
	return IO_AGAIN;
}

static ssize_t
fussy_write(struct transport *io, const void *bytes, size_t len,
    struct err *err)
{
	struct fussy *f = (struct fussy *)io;

	(void)err;
	assert_true(len >= f->offered.len);
	if (f->offered.len > 0)
		assert_memory_equal(bytes, f->offered.data, f->offered.len);
	buf_clear(&f->offered);
	if (f->writes++ % 2 == 0) {
		buf_add(&f->offered, bytes, len);
		return IO_AGAIN;
	}
	len = len / 3 + 1;
	buf_add(&f->taken, bytes, len);
	return (ssize_t)len;
}

static void
fussy_free(struct transport *io)
{
	struct fussy *f = (struct fussy *)io;

	buf_free(&f->offered);
}

static const struct transport_ops fussy_ops = {
	.read = fussy_read,
	.write = fussy_write,
	.free = fussy_free,
};

static void
test_offer_is_frozen(void **state)
{
	struct fussy f = { .base = { .ops = &fussy_ops, .fd = -1 } };
	struct buf wanted = { 0 };
	struct owner p;
	char text[40];

	(void)state;
	owner_init(&p, loop, &f.base);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "<frame number='%d'/>", i);
		conn_send(p.conn, text, strlen(text), NULL, "tail");
		buf_printf(&wanted, "%stail", text);
		loop_turn(loop, 0);
		conn_poke(p.conn);
	}
	while (f.taken.len < wanted.len) {
		loop_turn(loop, 0);
		conn_poke(p.conn);
	}
	assert_string_equal(f.taken.data, wanted.data);
	owner_fini(&p);
	loop_turn(loop, 0);
	buf_free(&f.taken);
	buf_free(&wanted);
}

static void
test_short_writes(void **state)
{
	struct buf wanted = { 0 };
	char text[40];

	(void)state;
	transport_memory_faults(far)->room = 7;
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "<frame number='%d'/>", i);
		queue(text);
		buf_puts(&wanted, text);
	}
	while (o.in.len < wanted.len) {
		loop_turn(loop, 0);
		buf_puts(&o.in, got());
		conn_poke(o.conn);
	}
	assert_string_equal(o.in.data, wanted.data);
	assert_int_equal(conn_frames_written(o.conn), 50);
	buf_free(&wanted);
}

static void
test_retried_only_when_writable(void **state)
{
	(void)state;
	transport_memory_faults(far)->room = 2;
	queue("abcd");
	loop_turn(loop, 0);
	assert_string_equal(got(), "ab");
	/* There is room again, but nobody has said so. */
	queue("ef");
	io_turns(loop, 3);
	assert_false(conns_are_ready(loop_conns(loop)));
	assert_string_equal(got(), "");
	conn_poke(o.conn);
	loop_turn(loop, 0);
	assert_string_equal(got(), "cd");
}

static void
test_big_frame(void **state)
{
	size_t size = 50000;
	char *bytes = mem_alloc(size + 1);
	struct blob *body;

	(void)state;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('a' + i % 23);
	body = blob_new(bytes, size);
	conn_send(o.conn, "", 0, body, NULL);
	blob_unref(&body);
	loop_turn(loop, 0);
	assert_string_equal(got(), bytes);
	free(bytes);
}

static void
test_drained_below_a_third(void **state)
{
	(void)state;
	conn_set_window(o.conn, 9, 0);
	transport_memory_faults(far)->room = 1;
	for (int i = 0; i < 9; i++)
		queue("x");
	for (int left = 8; left >= 0; left--) {
		conn_poke(o.conn);
		loop_turn(loop, 0);
		assert_int_equal(conn_queued_frames(o.conn), left);
		assert_int_equal(o.drained, left < 3);
		got();
	}
	queue("y");
	queue("z");
	conn_poke(o.conn);
	io_turns(loop, 2);
	assert_int_equal(o.drained, 1);
}

static void
resume_when_drained(struct owner *owner)
{
	conn_pause(owner->conn, false);
}

static bool
fill_and_pause(struct owner *owner, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	for (int i = 0; i < 9; i++)
		conn_send(owner->conn, "x", 1, NULL, NULL);
	conn_pause(owner->conn, true);
	return false;
}

/* One that said all it had to say may still read. */
static void
test_drained_after_the_end(void **state)
{
	(void)state;
	conn_set_window(o.conn, 9, 0);
	transport_memory_faults(far)->room = 1;
	o.on_data = fill_and_pause;
	o.on_drained = resume_when_drained;
	io_put(far, "y");
	far->ops->shut(far);
	for (int i = 0; i < 12; i++) {
		conn_poke(o.conn);
		loop_turn(loop, 0);
		got();
	}
	assert_int_equal(o.drained, 1);
	assert_int_equal(o.closed, 1);
}

static void
test_drained_needs_both(void **state)
{
	(void)state;
	conn_set_window(o.conn, 3, 300);
	transport_memory_faults(far)->room = 10;
	for (int i = 0; i < 2; i++)
		queue("0123456789");
	conn_set_window(o.conn, 300, 30);
	loop_turn(loop, 0);
	assert_int_equal(conn_queued_bytes(o.conn), 10);
	assert_int_equal(o.drained, 0);
	got();
	conn_poke(o.conn);
	loop_turn(loop, 0);
	assert_int_equal(o.drained, 1);
}

static void
test_end_after_data(void **state)
{
	(void)state;
	io_put(far, "last words");
	far->ops->shut(far);
	conn_poke(o.conn);
	io_turns(loop, 2);
	assert_string_equal(owner_text(&o), "last words");
	assert_int_equal(o.closed, 1);
	assert_string_equal(o.reason, "the peer closed the connection");
	/* What a peer that ended is owed still goes. */
	queue("bye");
	loop_turn(loop, 0);
	assert_string_equal(got(), "bye");
	io_turns(loop, 2);
	assert_int_equal(o.closed, 1);
}

static unsigned held_calls;

static bool
hold_three(struct owner *owner, const char *bytes, size_t len)
{
	if (bytes != NULL)
		buf_add(&owner->in, bytes, len);
	else
		assert_int_equal(len, 0);
	return ++held_calls < 4;
}

static void
test_held_before_the_end(void **state)
{
	(void)state;
	held_calls = 0;
	o.on_data = hold_three;
	io_put(far, "stanzas");
	far->ops->shut(far);
	conn_poke(o.conn);
	io_turns(loop, 8);
	assert_int_equal(held_calls, 4);
	assert_string_equal(owner_text(&o), "stanzas");
	assert_int_equal(o.closed, 1);
}

static void
test_no_read_while_held(void **state)
{
	struct loop_budget budget = *loop_budget(loop);

	(void)state;
	budget.stanzas = 1;
	o.spend = 1;
	loop_set_budget(loop, &budget);
	held_calls = 0;
	o.on_data = hold_three;
	put("one");
	loop_turn(loop, 0);
	put("two");
	io_turns(loop, 2);
	assert_string_equal(owner_text(&o), "one");
	io_turns(loop, 3);
	assert_string_equal(owner_text(&o), "onetwo");
}

static void
test_read_failure(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	transport_memory_faults(near)->fail_read = true;
	owner_init(&p, loop, near);
	io_turns(loop, 2);
	assert_int_equal(p.closed, 1);
	assert_string_equal(p.reason, "read: failed as told");
	conn_send(p.conn, "x", 1, NULL, NULL);
	assert_int_equal(conn_queued_frames(p.conn), 0);
	assert_int_equal(conn_frames_sent(p.conn), 1);
	assert_int_equal(conn_frames_written(p.conn), 0);
	owner_fini(&p);
	other->ops->free(other);
}

/* What came before the write failed is handed over first. */
static void
test_write_failure(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	owner_init(&p, loop, near);
	loop_turn(loop, 0);
	transport_memory_faults(near)->fail_write = true;
	io_put(other, "before");
	conn_send(p.conn, "x", 1, NULL, NULL);
	io_turns(loop, 4);
	assert_string_equal(owner_text(&p), "before");
	assert_int_equal(p.closed, 1);
	assert_string_equal(p.reason, "write: failed as told");
	assert_int_equal(conn_queued_bytes(p.conn), 0);
	owner_fini(&p);
	other->ops->free(other);
}

static void
test_write_failure_while_paused(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	owner_init(&p, loop, near);
	conn_pause(p.conn, true);
	transport_memory_faults(near)->fail_write = true;
	conn_send(p.conn, "x", 1, NULL, NULL);
	io_turns(loop, 2);
	assert_int_equal(p.closed, 1);
	owner_fini(&p);
	other->ops->free(other);
}

static bool
abort_it(struct owner *owner, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	conn_send(owner->conn, "never", 5, NULL, NULL);
	conn_abort(&owner->conn);
	return true;
}

static void
test_abort_in_data(void **state)
{
	struct err err;
	char byte;

	(void)state;
	o.on_data = abort_it;
	put("x");
	loop_turn(loop, 0);
	assert_int_equal(o.calls, 1);
	assert_null(o.conn);
	assert_int_equal(far->ops->read(far, &byte, 1, &err), IO_END);
	io_turns(loop, 2);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.closed, 0);
}

static void
abort_in_callback(struct owner *owner)
{
	conn_abort(&owner->conn);
}

static void
test_abort_in_drained_and_closed(void **state)
{
	struct transport *near, *other;
	struct owner p;

	(void)state;
	transport_memory(&near, &other);
	owner_init(&p, loop, near);
	p.on_closed = abort_in_callback;
	other->ops->shut(other);
	conn_set_window(o.conn, 1, 0);
	o.on_drained = abort_in_callback;
	queue("x");
	io_turns(loop, 3);
	assert_int_equal(o.drained, 1);
	assert_null(o.conn);
	assert_int_equal(p.closed, 1);
	assert_null(p.conn);
	other->ops->free(other);
}

static void
test_abort_drops_the_queue(void **state)
{
	(void)state;
	queue("never");
	conn_abort(&o.conn);
	assert_true(conns_are_ready(loop_conns(loop)));
	loop_turn(loop, 0);
	assert_string_equal(got(), "");
}

static void
test_pause(void **state)
{
	(void)state;
	conn_pause(o.conn, true);
	put("x");
	io_turns(loop, 3);
	assert_int_equal(o.calls, 0);
	assert_false(conns_are_ready(loop_conns(loop)));
	/* Ready already, paused before its turn. */
	conn_pause(o.conn, false);
	conn_pause(o.conn, true);
	io_turns(loop, 3);
	assert_int_equal(o.calls, 0);
	far->ops->shut(far);
	conn_pause(o.conn, false);
	io_turns(loop, 2);
	assert_string_equal(owner_text(&o), "x");
	assert_int_equal(o.closed, 1);
}

/* An end that was seen waits as well: there is held input before it. */
static bool
pause_and_hold(struct owner *owner, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	if (owner->calls > 1)
		return false;
	conn_pause(owner->conn, true);
	return true;
}

static void
test_pause_before_the_end(void **state)
{
	(void)state;
	o.on_data = pause_and_hold;
	io_put(far, "x");
	far->ops->shut(far);
	conn_poke(o.conn);
	io_turns(loop, 3);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.closed, 0);
	conn_pause(o.conn, false);
	io_turns(loop, 3);
	assert_int_equal(o.calls, 2);
	assert_int_equal(o.closed, 1);
}

static void
test_new_owner(void **state)
{
	struct owner p = { .loop = loop };

	(void)state;
	conn_set_owner(o.conn, &owner_events, &p);
	put("x");
	loop_turn(loop, 0);
	assert_int_equal(o.calls, 0);
	assert_string_equal(owner_text(&p), "x");
	buf_free(&p.in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_bytes_come),
		TEST(test_send_waits_for_the_flush),
		TEST(test_commit_gates),
		TEST(test_queued_in_the_flush),
		TEST(test_offer_is_frozen),
		TEST(test_short_writes),
		TEST(test_retried_only_when_writable),
		TEST(test_big_frame),
		TEST(test_drained_below_a_third),
		TEST(test_drained_after_the_end),
		TEST(test_drained_needs_both),
		TEST(test_end_after_data),
		TEST(test_held_before_the_end),
		TEST(test_no_read_while_held),
		TEST(test_read_failure),
		TEST(test_write_failure),
		TEST(test_write_failure_while_paused),
		TEST(test_abort_in_data),
		TEST(test_abort_in_drained_and_closed),
		TEST(test_abort_drops_the_queue),
		TEST(test_pause),
		TEST(test_pause_before_the_end),
		TEST(test_new_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
