#include "dial_fixture.h"

static void
test_time_of_an_address(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 1, 0, stalled_port(f), "127.0.0.1");
	fake_dns_srv(f->dns, STARTTLS, 2, 0, port, "127.0.0.1");
	f->target.tls = DIAL_STARTTLS;
	start(f);
	while (fake_dns_asked(f->dns, STARTTLS, DNS_SRV) == 0)
		loop_turn(f->loop, 10);
	idle(f);
	clock_advance(TRY_MS - 1);
	idle(f);
	clock_advance(1);
	assert_connects(f, port, false);
}

static void
test_time_of_an_address_in_the_reason(void **state)
{
	struct fixture *f = *state;

	dial_host(f, "127.0.0.1", stalled_port(f), DIAL_ANY);
	idle(f);
	clock_advance(TRY_MS);
	assert_fails(f, "no connection within 1000 ms");
}

static void
test_total_time_with_silent_dns(void **state)
{
	struct fixture *f = *state;

	fake_dns_rule(f->dns, STARTTLS, DNS_SRV, DNS_SILENT);
	start(f);
	idle(f);
	clock_advance(TOTAL_MS - 1);
	loop_turn(f->loop, 0);
	assert_int_equal(f->calls, 0);
	clock_advance(1);
	assert_fails(f, "out of time");
}

static void
test_total_time_while_connecting(void **state)
{
	struct fixture *f = *state;

	f->target.try_ms = 2 * TOTAL_MS;
	dial_host(f, "127.0.0.1", stalled_port(f), DIAL_ANY);
	idle(f);
	clock_advance(TOTAL_MS);
	assert_fails(f, "out of time: 127.0.0.1 [127.0.0.1]:");
}

/* The time that a caller spends with a connection is not the dial's. */
static void
test_total_time_stands_still(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 1, 0, port, "127.0.0.1");
	fake_dns_srv(f->dns, STARTTLS, 2, 0, port, "127.0.0.1");
	fake_dns_srv(f->dns, STARTTLS, 3, 0, stalled_port(f), "127.0.0.1");
	f->target.try_ms = 2 * TOTAL_MS;
	start(f);
	clock_advance(TOTAL_MS / 2);
	assert_connects(f, port, false);
	clock_advance(2 * TOTAL_MS);
	idle(f);
	next(f, "no TLS");
	assert_connects(f, port, false);
	next(f, "no TLS");
	idle(f);
	clock_advance(TOTAL_MS / 2 - 1);
	idle(f);
	clock_advance(1);
	assert_fails(f, "out of time");
}

static void
test_next_inside_connected(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);
	unsigned i;

	fake_dns_srv(f->dns, STARTTLS, 1, 0, port, "127.0.0.1");
	fake_dns_srv(f->dns, STARTTLS, 2, 0, port, "127.0.0.1");
	f->reaction = NEXT;
	start(f);
	for (i = 0; i < 1000 && f->failures == 0; i++)
		loop_turn(f->loop, 10);
	assert_int_equal(f->connects, 2);
	assert_int_equal(f->failures, 1);
	assert_non_null(strstr(f->text, "not wanted"));
}

static void
test_free_at_once(void **state)
{
	struct fixture *f = *state;

	start(f);
	dial_free(&f->dial);
	dial_host(f, "127.0.0.1", 1, DIAL_ANY);
	dial_free(&f->dial);
	dial_free(&f->dial);
	idle(f);
}

static void
test_free_while_looking(void **state)
{
	struct fixture *f = *state;

	fake_dns_srv(f->dns, STARTTLS, 1, 0, 1, "h.example");
	fake_dns_rule(f->dns, "h.example", DNS_A, DNS_SILENT);
	fake_dns_rule(f->dns, "h.example", DNS_AAAA, DNS_SILENT);
	f->target.tls = DIAL_STARTTLS;
	start(f);
	while (fake_dns_asked(f->dns, "h.example", DNS_A) == 0)
		loop_turn(f->loop, 10);
	dial_free(&f->dial);
	idle(f);
}

static void
test_free_while_connecting(void **state)
{
	struct fixture *f = *state;

	dial_host(f, "127.0.0.1", stalled_port(f), DIAL_ANY);
	idle(f);
	dial_free(&f->dial);
	clock_advance(TOTAL_MS);
	idle(f);
}

static void
test_free_after_next(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	dial_host(f, "127.0.0.1", port, DIAL_ANY);
	run(f);
	next(f, "x");
	dial_free(&f->dial);
	idle(f);
}

static void
test_free_inside_connected(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	f->reaction = FREE;
	dial_host(f, "127.0.0.1", port, DIAL_ANY);
	run(f);
	assert_int_equal(f->connects, 1);
	idle(f);
}

/* Once from the answer of DNS, once from the socket, once from each timer. */
static void
test_free_inside_failed(void **state)
{
	struct fixture *f = *state;
	uint16_t stalled = stalled_port(f);

	f->reaction = FREE;
	start(f);
	run(f);
	dial_host(f, "127.0.0.1", closed_port(f), DIAL_ANY);
	run(f);
	dial_host(f, "127.0.0.1", stalled, DIAL_ANY);
	idle(f);
	clock_advance(TRY_MS);
	run(f);
	f->target.try_ms = 2 * TOTAL_MS;
	dial_host(f, "127.0.0.1", stalled, DIAL_ANY);
	idle(f);
	clock_advance(TOTAL_MS);
	run(f);
	assert_int_equal(f->failures, 4);
	idle(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_time_of_an_address),
		TEST(test_time_of_an_address_in_the_reason),
		TEST(test_total_time_with_silent_dns),
		TEST(test_total_time_while_connecting),
		TEST(test_total_time_stands_still),
		TEST(test_next_inside_connected),
		TEST(test_free_at_once),
		TEST(test_free_while_looking),
		TEST(test_free_while_connecting),
		TEST(test_free_after_next),
		TEST(test_free_inside_connected),
		TEST(test_free_inside_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
