#include "dial_fixture.h"

static void
test_order_by_priority(void **state)
{
	struct fixture *f = *state;
	uint16_t a = listen_at(f, "127.0.0.1", 0);
	uint16_t b = listen_at(f, "127.0.0.1", 0);
	uint16_t c = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 300, 0, c, "h.example");
	fake_dns_srv(f->dns, STARTTLS, 2, 0, a, "h.example");
	fake_dns_srv(f->dns, STARTTLS, 10, 0, b, "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	start(f);
	assert_connects(f, a, false);
	assert_int_equal(strncmp(f->text, "h.example [127.0.0.1]:", 22), 0);
	next(f, "no TLS");
	assert_connects(f, b, false);
	next(f, "no TLS");
	assert_connects(f, c, false);
	next(f, "certificate expired");
	assert_fails(f, "]:");
	assert_non_null(strstr(f->text, "certificate expired"));
}

static void
test_kinds_are_mixed(void **state)
{
	struct fixture *f = *state;
	uint16_t a = listen_at(f, "127.0.0.1", 0);
	uint16_t b = listen_at(f, "127.0.0.1", 0);
	uint16_t c = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 2, 0, b, "h.example");
	fake_dns_srv(f->dns, DIRECT, 1, 0, a, "h.example");
	fake_dns_srv(f->dns, DIRECT, 3, 0, c, "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	start(f);
	assert_connects(f, a, true);
	next(f, "x");
	assert_connects(f, b, false);
	next(f, "x");
	assert_connects(f, c, true);
}

/* Even weights over many dials: neither kind is preferred. */
static void
test_weights_over_both_kinds(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);
	unsigned i, direct = 0;

	fake_dns_srv(f->dns, STARTTLS, 1, 50, port, "127.0.0.1");
	fake_dns_srv(f->dns, DIRECT, 1, 50, port, "127.0.0.1");
	for (i = 0; i < 100; i++) {
		start(f);
		run(f);
		direct += f->direct;
		dial_free(&f->dial);
	}
	assert_in_range(direct, 20, 80);
}

static void
test_only_the_wanted_kind(void **state)
{
	struct fixture *f = *state;
	uint16_t a = listen_at(f, "127.0.0.1", 0);
	uint16_t b = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 2, 0, a, "h.example");
	fake_dns_srv(f->dns, DIRECT, 1, 0, b, "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	f->target.tls = DIAL_STARTTLS;
	start(f);
	assert_connects(f, a, false);
	assert_int_equal(fake_dns_asked(f->dns, DIRECT, DNS_SRV), 0);
	dial_free(&f->dial);
	f->target.tls = DIAL_NONE;
	start(f);
	assert_connects(f, a, false);
	assert_int_equal(fake_dns_asked(f->dns, DIRECT, DNS_SRV), 0);
	dial_free(&f->dial);
	f->target.tls = DIAL_DIRECT;
	start(f);
	assert_connects(f, b, true);
	assert_int_equal(fake_dns_asked(f->dns, STARTTLS, DNS_SRV), 2);
}

static void
test_dot_means_no_service(void **state)
{
	struct fixture *f = *state;

	fake_dns_srv(f->dns, STARTTLS, 0, 0, 0, "");
	fake_dns_srv(f->dns, DIRECT, 0, 0, 0, "");
	fake_dns_address(f->dns, "a.example", "127.0.0.1");
	start(f);
	assert_fails(f, "\".\"");
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_A), 0);
}

static void
test_dot_of_one_kind(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, DIRECT, 0, 0, 0, "");
	fake_dns_srv(f->dns, STARTTLS, 5, 0, port, "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	start(f);
	assert_connects(f, port, false);
}

/* XEP-0368 5: no A/AAAA, since the domain does know SRV. */
static void
test_dot_of_one_kind_alone(void **state)
{
	struct fixture *f = *state;

	fake_dns_srv(f->dns, DIRECT, 0, 0, 0, "");
	fake_dns_address(f->dns, "a.example", "127.0.0.1");
	start(f);
	assert_fails(f, "\".\"");
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_A), 0);
}

static void
test_dead_records_are_the_end(void **state)
{
	struct fixture *f = *state;

	fake_dns_srv(f->dns, STARTTLS, 1, 0, 5222, "nowhere.example");
	fake_dns_srv(f->dns, DIRECT, 2, 0, closed_port(f), "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	fake_dns_address(f->dns, "a.example", "127.0.0.1");
	start(f);
	assert_fails(f, "h.example [127.0.0.1]:");
	assert_non_null(strstr(f->text, "refused"));
	assert_int_equal(fake_dns_asked(f->dns, "nowhere.example", DNS_A), 1);
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_A), 0);
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_AAAA), 0);
}

static void
test_unknown_target(void **state)
{
	struct fixture *f = *state;

	fake_dns_srv(f->dns, STARTTLS, 1, 0, 5222, "nowhere.example");
	start(f);
	assert_fails(f, "nowhere.example: no such name");
}

/* Whether somebody listens on 5222 here is not ours to say. */
static void
assert_tries(struct fixture *f, const char *where)
{
	run(f);
	assert_non_null(strstr(f->text, where));
}

static void
test_without_records_the_domain(void **state)
{
	struct fixture *f = *state;

	fake_dns_address(f->dns, "a.example", "127.77.3.1");
	start(f);
	assert_tries(f, "a.example [127.77.3.1]:5222");
	assert_false(f->direct);
	assert_int_equal(fake_dns_asked(f->dns, STARTTLS, DNS_SRV), 1);
	assert_int_equal(fake_dns_asked(f->dns, DIRECT, DNS_SRV), 1);
	dial_free(&f->dial);
	f->target.tls = DIAL_DIRECT;
	start(f);
	assert_tries(f, "a.example [127.77.3.1]:5223");
}

static void
test_unknown_domain(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_fails(f, "a.example: no such name");
	assert_int_equal(f->warnings, 0);
}

/* RFC 6120 3.2.1 step 9; and it is not silent. */
static void
test_failing_dns_tries_the_domain(void **state)
{
	struct fixture *f = *state;

	fake_dns_rcode(f->dns, STARTTLS, DNS_SRV, DNS_SERVFAIL);
	fake_dns_rule(f->dns, DIRECT, DNS_SRV, DNS_SILENT);
	fake_dns_address(f->dns, "a.example", "127.77.3.1");
	clock_real();
	start(f);
	assert_tries(f, "a.example [127.77.3.1]:5222");
	assert_int_equal(f->warnings, 1);
	assert_non_null(strstr(f->warning, "event=srv-failed"));
	assert_non_null(strstr(f->warning, "_tcp.a.example"));
}

static void
test_failing_dns_is_in_the_reason(void **state)
{
	struct fixture *f = *state;

	fake_dns_rcode(f->dns, STARTTLS, DNS_SRV, DNS_SERVFAIL);
	fake_dns_rcode(f->dns, DIRECT, DNS_SRV, DNS_SERVFAIL);
	fake_dns_rcode(f->dns, "a.example", DNS_A, DNS_SERVFAIL);
	fake_dns_rcode(f->dns, "a.example", DNS_AAAA, DNS_SERVFAIL);
	start(f);
	assert_fails(f, "address of a.example");
	assert_non_null(strstr(f->text, "SRV of _xmpp"));
}

static void
test_one_kind_fails_the_other_serves(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	fake_dns_rcode(f->dns, DIRECT, DNS_SRV, DNS_SERVFAIL);
	fake_dns_srv(f->dns, STARTTLS, 1, 0, port, "127.0.0.1");
	fake_dns_address(f->dns, "a.example", "127.0.0.1");
	start(f);
	assert_connects(f, port, false);
	next(f, "no TLS");
	assert_fails(f, "no TLS");
	assert_non_null(strstr(f->text, DIRECT));
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_A), 0);
}

static void
test_ipv6_before_ipv4(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	int i;

	for (i = 0; i < 8 && port == 0; i++)
		port = listen_at(f, "127.0.0.1", listen_at(f, "::1", 0));
	assert_int_not_equal(port, 0);
	fake_dns_srv(f->dns, STARTTLS, 1, 0, port, "h.example");
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	fake_dns_address(f->dns, "h.example", "::1");
	start(f);
	assert_connects(f, port, false);
	assert_non_null(strstr(f->text, "[::1]"));
	next(f, "x");
	assert_connects(f, port, false);
	assert_non_null(strstr(f->text, "[127.0.0.1]"));
}

static void
test_refused_then_the_next_address(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.77.3.2", 0);

	fake_dns_srv(f->dns, STARTTLS, 1, 0, port, "h.example");
	fake_dns_address(f->dns, "h.example", "127.77.3.1");
	fake_dns_address(f->dns, "h.example", "127.77.3.2");
	start(f);
	assert_connects(f, port, false);
	assert_non_null(strstr(f->text, "127.77.3.2"));
	next(f, "no TLS");
	assert_fails(f, "no TLS");
}

static void
test_refused_then_the_next_target(void **state)
{
	struct fixture *f = *state;
	uint16_t port = listen_at(f, "127.0.0.1", 0);

	fake_dns_srv(f->dns, STARTTLS, 1, 0, closed_port(f), "127.0.0.1");
	fake_dns_srv(f->dns, STARTTLS, 2, 0, port, "127.0.0.1");
	start(f);
	assert_connects(f, port, false);
}

static void
test_host_needs_no_srv(void **state)
{
	struct fixture *f = *state;
	uint16_t v4 = listen_at(f, "127.0.0.1", 0);
	uint16_t v6 = listen_at(f, "::1", 0);

	dial_host(f, "127.0.0.1", v4, DIAL_ANY);
	assert_connects(f, v4, false);
	dial_host(f, "::1", v6, DIAL_STARTTLS);
	assert_connects(f, v6, false);
	dial_host(f, "[::1]", v6, DIAL_DIRECT);
	assert_connects(f, v6, true);
	dial_host(f, "localhost", v4, DIAL_NONE);
	assert_connects(f, v4, false);
	assert_int_equal(f->dns->asked_count, 0);
	fake_dns_address(f->dns, "h.example", "127.0.0.1");
	dial_host(f, "h.example", v4, DIAL_ANY);
	assert_connects(f, v4, false);
	assert_int_equal(f->dns->asked_count, 2);
}

static void
test_default_ports(void **state)
{
	struct fixture *f = *state;

	dial_host(f, "127.77.3.1", 0, DIAL_ANY);
	assert_tries(f, "127.77.3.1 [127.77.3.1]:5222");
	dial_host(f, "127.77.3.1", 0, DIAL_DIRECT);
	assert_tries(f, "127.77.3.1 [127.77.3.1]:5223");
}

static void
test_domain_without_dns(void **state)
{
	struct fixture *f = *state;

	f->target.domain = "127.77.3.1";
	start(f);
	assert_tries(f, "[127.77.3.1]:5222");
	dial_free(&f->dial);
	f->target.domain = "localhost";
	start(f);
	run(f);
	assert_non_null(strstr(f->text, "]:5222"));
	assert_int_equal(f->dns->asked_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_by_priority),
		TEST(test_kinds_are_mixed),
		TEST(test_weights_over_both_kinds),
		TEST(test_only_the_wanted_kind),
		TEST(test_dot_means_no_service),
		TEST(test_dot_of_one_kind),
		TEST(test_dot_of_one_kind_alone),
		TEST(test_dead_records_are_the_end),
		TEST(test_unknown_target),
		TEST(test_without_records_the_domain),
		TEST(test_unknown_domain),
		TEST(test_failing_dns_tries_the_domain),
		TEST(test_failing_dns_is_in_the_reason),
		TEST(test_one_kind_fails_the_other_serves),
		TEST(test_ipv6_before_ipv4),
		TEST(test_refused_then_the_next_address),
		TEST(test_refused_then_the_next_target),
		TEST(test_host_needs_no_srv),
		TEST(test_default_ports),
		TEST(test_domain_without_dns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
