#include "support_io.h"

#include "io/transport.h"

static struct transport *a, *b;

static int
setup(void **state)
{
	(void)state;
	transport_memory(&a, &b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	a->ops->free(a);
	if (b != NULL)
		b->ops->free(b);
	return 0;
}

static ssize_t
put(const char *text)
{
	struct err err;

	return a->ops->write(a, text, strlen(text), &err);
}

static ssize_t
get(char *out, size_t size)
{
	struct err err;

	return b->ops->read(b, out, size, &err);
}

static void
test_both_ways(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(a->fd, -1);
	io_put(a, "there");
	io_put(b, "back");
	io_take(b, text, sizeof(text));
	assert_string_equal(text, "there");
	io_take(a, text, sizeof(text));
	assert_string_equal(text, "back");
	assert_int_equal(get(text, 1), IO_AGAIN);
}

static void
test_chunk(void **state)
{
	char text[32];

	(void)state;
	transport_memory_faults(a)->chunk = 3;
	assert_int_equal(put("abcdef"), 3);
	transport_memory_faults(b)->chunk = 2;
	assert_true(b->ops->has_pending(b));
	assert_int_equal(get(text, sizeof(text)), 2);
	assert_int_equal(get(text, sizeof(text)), 1);
	assert_false(b->ops->has_pending(b));
}

static void
test_room_and_stall(void **state)
{
	char text[32];

	(void)state;
	transport_memory_faults(b)->room = 4;
	assert_int_equal(put("abcdef"), 4);
	assert_int_equal(put("ef"), IO_AGAIN);
	assert_int_equal(get(text, 1), 1);
	assert_int_equal(put("ef"), 1);
	transport_memory_faults(b)->room = 0;
	transport_memory_faults(a)->stall = true;
	assert_int_equal(put("x"), IO_AGAIN);
}

static void
test_faults(void **state)
{
	struct err err = { "" };
	char text[4];

	(void)state;
	transport_memory_faults(a)->fail_write = true;
	transport_memory_faults(a)->fail_read = true;
	assert_int_equal(a->ops->write(a, "x", 1, &err), IO_ERROR);
	assert_int_not_equal(err.text[0], '\0');
	assert_int_equal(a->ops->read(a, text, 1, &err), IO_ERROR);
}

static void
test_shut(void **state)
{
	char text[8];

	(void)state;
	io_put(a, "last");
	a->ops->shut(a);
	assert_int_equal(put("x"), IO_ERROR);
	assert_int_equal(get(text, sizeof(text)), 4);
	assert_int_equal(get(text, sizeof(text)), IO_END);
	io_put(b, "half");
	assert_int_equal(io_take(a, text, sizeof(text)), 4);
}

static void
test_freed_peer(void **state)
{
	struct err err;
	char text[8];

	(void)state;
	io_put(b, "last");
	b->ops->free(b);
	b = NULL;
	assert_int_equal(put("x"), IO_ERROR);
	assert_int_equal(a->ops->read(a, text, sizeof(text), &err), 4);
	assert_int_equal(a->ops->read(a, text, sizeof(text), &err), IO_END);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ways),
		TEST(test_chunk),
		TEST(test_room_and_stall),
		TEST(test_faults),
		TEST(test_shut),
		TEST(test_freed_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
