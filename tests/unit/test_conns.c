/* Who is served when: the round robin and the budgets of a turn. */
#include "support_io.h"

#define OWNERS 12

static struct loop *loop;
static struct transport *far[OWNERS];
static struct owner owners[OWNERS];
static char served[256];

static int
setup(void **state)
{
	struct transport *near;

	(void)state;
	loop = io_loop();
	for (int i = 0; i < OWNERS; i++) {
		transport_memory(&near, &far[i]);
		owner_init(&owners[i], loop, near);
	}
	io_turns(loop, OWNERS);
	assert_false(conns_are_ready(loop_conns(loop)));
	served[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < OWNERS; i++) {
		owner_fini(&owners[i]);
		far[i]->ops->free(far[i]);
	}
	loop_free(&loop);
	return 0;
}

static bool
note_served(struct owner *o, const char *bytes, size_t len)
{
	char name = (char)('a' + (o - owners));

	(void)bytes;
	(void)len;
	if (strlen(served) < sizeof(served) - 1)
		strncat(served, &name, 1);
	return false;
}

/* Always more of it than a slice may handle. */
static bool
note_flood(struct owner *o, const char *bytes, size_t len)
{
	note_served(o, bytes, len);
	return true;
}

static void
start(int i, bool floods, uint64_t group)
{
	owners[i].on_data = floods ? note_flood : note_served;
	owners[i].spend = floods ? 32 : 1;
	conn_set_group(owners[i].conn, group);
	io_put(far[i], "x");
	conn_poke(owners[i].conn);
}

static void
test_stanzas_a_turn(void **state)
{
	(void)state;
	start(0, true, 0);
	loop_turn(loop, 0);
	assert_string_equal(served, "aaaaaaaa"); /* 8 of 32: 256 */
	assert_true(conns_are_ready(loop_conns(loop)));
	loop_turn(loop, 0);
	assert_int_equal(strlen(served), 16);
}

static void
test_milliseconds_a_turn(void **state)
{
	(void)state;
	start(0, true, 0);
	owners[0].takes_ms = 2;
	owners[0].spend = 0;
	loop_turn(loop, 0);
	assert_string_equal(served, "aa");
}

static void
test_a_slice_at_least(void **state)
{
	struct loop_budget budget = *loop_budget(loop);

	(void)state;
	budget.ms = 0;
	loop_set_budget(loop, &budget);
	start(0, true, 0);
	loop_turn(loop, 0);
	assert_string_equal(served, "a");
}

/* Ten connections of one user get no more than the one of another. */
static void
test_groups_take_turns(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		start(i, true, 77);
	start(10, true, 0);
	start(11, true, 78);
	loop_turn(loop, 0);
	assert_string_equal(served, "aklbklck");
	served[0] = '\0';
	loop_turn(loop, 0);
	assert_string_equal(served,
	    "ldklekl"
	    "f");
}

static void
test_flood_delays_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		start(i, true, 77);
	io_turns(loop, 5);
	for (int round = 0; round < 20; round++) {
		served[0] = '\0';
		start(10, false, 0);
		start(11, false, 78);
		loop_turn(loop, 0);
		assert_non_null(strchr(served, 'k'));
		assert_non_null(strchr(served, 'l'));
	}
}

static void
test_group_changes_while_ready(void **state)
{
	(void)state;
	start(0, true, 5);
	start(1, true, 5);
	start(2, true, 0);
	conn_set_group(owners[1].conn, 6);
	conn_set_group(owners[2].conn, 6);
	conn_set_group(owners[0].conn, 0);
	loop_turn(loop, 0);
	assert_string_equal(served, "bacabaca");
	conn_abort(&owners[1].conn);
	served[0] = '\0';
	loop_turn(loop, 0);
	assert_string_equal(served, "cacacaca");
}

static bool
abort_all(struct owner *o, const char *bytes, size_t len)
{
	note_served(o, bytes, len);
	for (int i = 0; i < OWNERS; i++)
		conn_abort(&owners[i].conn);
	return true;
}

static void
test_abort_of_all_ready(void **state)
{
	(void)state;
	for (int i = 0; i < OWNERS; i++) {
		start(i, true, i % 3);
		conn_send(owners[i].conn, "x", 1, NULL, NULL);
		owners[i].on_data = abort_all;
	}
	io_turns(loop, 3);
	assert_int_equal(strlen(served), 1);
	assert_false(conns_are_ready(loop_conns(loop)));
}

/* The loop goes while some are owned, linger or are dead. */
static void
test_freed_with_connections(void **state)
{
	struct loop *other = loop_new(NULL);
	struct transport *near[3], *ends[3];
	struct owner o[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		transport_memory(&near[i], &ends[i]);
		owner_init(&o[i], other, near[i]);
		conn_set_group(o[i].conn, 9);
		conn_send(o[i].conn, "x", 1, NULL, NULL);
	}
	conn_abort(&o[1].conn);
	conn_finish(&o[2].conn, 1000);
	loop_free(&other);
	for (int i = 0; i < 3; i++)
		ends[i]->ops->free(ends[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_stanzas_a_turn),
		TEST(test_milliseconds_a_turn),
		TEST(test_a_slice_at_least),
		TEST(test_groups_take_turns),
		TEST(test_flood_delays_nobody),
		TEST(test_group_changes_while_ready),
		TEST(test_abort_of_all_ready),
		TEST(test_freed_with_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
