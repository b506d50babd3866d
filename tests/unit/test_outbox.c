#include "support_io.h"

#include "core/outbox.h"
#include "xmpp/stream.h"

#define WALL 1735689600000 /* 2025-01-01T00:00:00Z */

/* An outbox, and the stream that it goes to, seen from its other end. */
struct bench {
	struct loop *loop;
	struct outbox *box;
	struct stream *stream;
	struct transport *far;
	char out[65536];
};

static void
connect_stream(struct bench *b)
{
	static const struct xml_limits limits = { 4096, 8, 16, 64 };
	struct transport *near;

	transport_memory(&near, &b->far);
	b->stream = stream_new(STREAM_CLIENT,
	    conn_new(b->loop, near, "u", NULL, NULL), &limits, NULL, NULL);
}

static void
lose_stream(struct bench *b)
{
	outbox_rewind(b->box, b->stream);
	stream_abort(&b->stream);
	io_turns(b->loop, 1);
	b->far->ops->free(b->far);
}

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->loop = io_loop();
	clock_fake(1000, WALL);
	b->box = outbox_new(3);
	connect_stream(b);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	lose_stream(b);
	outbox_free(&b->box);
	assert_null(b->box);
	loop_free(&b->loop);
	clock_real();
	free(b);
	return 0;
}

static void
add(struct bench *b, const char *id, bool keep)
{
	struct blob *body = blob_new("<b/>", 4);
	struct buf head = { 0 };

	buf_printf(&head, "<message id='%s'", id);
	outbox_add(b->box, &head, body, keep, "a@x");
	buf_free(&head);
	blob_unref(&body);
}

static void
pump(struct bench *b, size_t max_bytes)
{
	outbox_pump(b->box, b->stream, max_bytes);
}

static const char *
written(struct bench *b)
{
	io_turns(b->loop, 2);
	io_take(b->far, b->out, sizeof(b->out));
	return b->out;
}

#define LATE(id) \
	"<message id='" id "'><delay xmlns='urn:xmpp:delay' from='a@x' " \
	"stamp='2025-01-01T00:00:00Z'/><b/></message>"

static void
what_waits_goes_in_order_and_says_since_when(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", false);
	clock_advance(5000);
	pump(b, 1000);
	add(b, "3", true);
	pump(b, 1000);
	assert_string_equal(written(b),
	    LATE("1") LATE("2") "<message id='3'><b/></message>");
}

/* outbox-entries */
static void
it_is_full_until_something_was_written(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", true);
	assert_false(outbox_is_full(b->box));
	add(b, "3", true);
	assert_true(outbox_is_full(b->box));
	pump(b, 1000);
	assert_true(outbox_is_full(b->box));
	(void)written(b);
	pump(b, 1000);
	assert_int_equal(outbox_count(b->box), 0);
	assert_false(outbox_is_full(b->box));
}

/* outbox-entries limits the bytes, too: 16 KiB each. */
static void
it_is_full_of_large_messages_before(void **state)
{
	struct bench *b = *state;
	struct buf head = { 0 };
	char *text = mem_alloc(49152);
	struct blob *body;

	memset(text, 'x', 49151);
	buf_puts(&head, "<message");
	body = blob_new(text, 49152 - head.len - 1);
	outbox_add(b->box, &head, body, true, "o@x");
	assert_false(outbox_is_full(b->box));
	blob_unref(&body);
	body = blob_new("x", 1);
	buf_clear(&head);
	outbox_add(b->box, &head, body, false, "o@x");
	assert_true(outbox_is_full(b->box));
	/* What does not survive the stream makes room again. */
	lose_stream(b);
	connect_stream(b);
	assert_int_equal(outbox_count(b->box), 1);
	assert_false(outbox_is_full(b->box));
	blob_unref(&body);
	buf_free(&head);
	free(text);
}

/* upstream-queue-bytes */
static void
no_more_is_handed_over_than_the_queue_takes(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", true);
	pump(b, 1);
	assert_int_equal(conn_queued_frames(stream_conn(b->stream)), 1);
	pump(b, 1);
	assert_int_equal(conn_queued_frames(stream_conn(b->stream)), 1);
	assert_string_equal(written(b), LATE("1"));
	pump(b, 1);
	assert_string_equal(written(b), LATE("2"));
}

/* Only what is whole on the wire has left our hands. */
static void
what_was_not_written_goes_up_again(void **state)
{
	struct bench *b = *state;

	pump(b, 1000);
	add(b, "1", true);
	pump(b, 1000);
	assert_string_equal(written(b), "<message id='1'><b/></message>");
	transport_memory_faults(b->far)->room = 5;
	add(b, "2", true);
	add(b, "3", false);
	pump(b, 1000);
	assert_string_equal(written(b), "<mess");
	lose_stream(b);
	assert_int_equal(outbox_count(b->box), 1);
	connect_stream(b);
	add(b, "4", true);
	pump(b, 1000);
	assert_string_equal(written(b), LATE("2") LATE("4"));
}

/* The end of a stream that was closed properly comes behind all it was handed. */
static void
what_a_closed_stream_was_handed_is_not_sent_again(void **state)
{
	struct bench *b = *state;

	pump(b, 1000);
	add(b, "1", true);
	pump(b, 1000);
	add(b, "2", true);
	outbox_leave(b->box);
	assert_int_equal(outbox_count(b->box), 1);
	assert_string_equal(written(b), "<message id='1'><b/></message>");
	pump(b, 1000);
	assert_string_equal(written(b), LATE("2"));
}

static void
from_is_escaped(void **state)
{
	struct bench *b = *state;
	struct buf head = { 0 };

	buf_puts(&head, "<message");
	outbox_add(b->box, &head, NULL, true, "o'n@x");
	buf_free(&head);
	pump(b, 1000);
	assert_string_equal(written(b),
	    "<message><delay xmlns='urn:xmpp:delay' from='o&apos;n@x' "
	    "stamp='2025-01-01T00:00:00Z'/></message>");
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(what_waits_goes_in_order_and_says_since_when),
		bench_test(it_is_full_until_something_was_written),
		bench_test(it_is_full_of_large_messages_before),
		bench_test(no_more_is_handed_over_than_the_queue_takes),
		bench_test(what_was_not_written_goes_up_again),
		bench_test(what_a_closed_stream_was_handed_is_not_sent_again),
		bench_test(from_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
