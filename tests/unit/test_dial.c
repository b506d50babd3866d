#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fake_dns.h"
#include "io/dial.h"

#define STARTTLS "_xmpp-client._tcp.a.example"
#define DIRECT "_xmpps-client._tcp.a.example"
#define TRY_MS 1000
#define TOTAL_MS 10000
#define SOCKETS 24
#define BACKLOG 128		/* nobody accepts */

/* What an event does besides being noted. */
enum reaction { NOTE, FREE, NEXT };

struct fixture {
	struct loop *loop;
	struct fake_dns *dns;
	struct resolver *resolver;
	struct dial *dial;
	struct dial_target target;
	enum reaction reaction;
	bool inside;		/* a dial_*() call */
	unsigned calls, connects, failures, warnings;
	bool direct;
	char text[1024];	/* where, or the reason */
	char warning[1024];
	int sockets[SOCKETS];
	size_t socket_count;
};

static void
on_log(enum log_level level, const char *line, void *arg)
{
	struct fixture *f = arg;

	if (level != LEVEL_WARN)
		return;
	f->warnings++;
	snprintf(f->warning, sizeof(f->warning), "%s", line);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct resolver_options options = { .try_ms = 30, .tries = 2 };

	clock_fake(1000, 1000);
	log_capture(on_log, f);
	f->loop = loop_new(NULL);
	f->dns = fake_dns_new(f->loop);
	options.servers = f->dns->address;
	f->resolver = resolver_new_with(f->loop, &options, NULL);
	assert_non_null(f->resolver);
	f->target = (struct dial_target){ .domain = "a.example",
		.try_ms = TRY_MS, .total_ms = TOTAL_MS };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	size_t i;

	dial_free(&f->dial);
	resolver_free(&f->resolver);
	fake_dns_free(&f->dns);
	loop_free(&f->loop);
	for (i = 0; i < f->socket_count; i++)
		close(f->sockets[i]);
	log_capture(NULL, NULL);
	clock_real();
	free(f);
	return 0;
}

static int
keep(struct fixture *f, int fd)
{
	assert_true(fd >= 0 && f->socket_count < SOCKETS);
	f->sockets[f->socket_count++] = fd;
	return fd;
}

/* Binds; 0 where the port is taken. */
static uint16_t
bind_at(struct fixture *f, const char *address, uint16_t port, int *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v6 = strchr(address, ':') != NULL;
	struct sockaddr *at = is_v6 ? (void *)&v6 : (void *)&v4;
	socklen_t len = is_v6 ? sizeof(v6) : sizeof(v4);

	inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
	    is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
	v4.sin_port = v6.sin6_port = htons(port);
	*out = keep(f, socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (bind(*out, at, len) != 0)
		return 0;
	assert_int_equal(getsockname(*out, at, &len), 0);
	return ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
}

static uint16_t
listen_at(struct fixture *f, const char *address, uint16_t port)
{
	int fd;

	port = bind_at(f, address, port, &fd);
	if (port != 0)
		assert_int_equal(listen(fd, BACKLOG), 0);
	return port;
}

/* A port that is ours and refuses. */
static uint16_t
closed_port(struct fixture *f)
{
	int fd;

	return bind_at(f, "127.0.0.1", 0, &fd);
}

/* A port with so full a backlog that it does not answer. */
static uint16_t
stalled_port(struct fixture *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd, i;

	at.sin_port = htons(bind_at(f, "127.0.0.1", 0, &fd));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(listen(fd, 0), 0);
	for (i = 0; i < 4; i++)
		connect(keep(f, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)),
		    (void *)&at, sizeof(at));
	return ntohs(at.sin_port);
}

static void
react(struct fixture *f)
{
	f->calls++;
	if (f->reaction == FREE) {
		dial_free(&f->dial);
		assert_null(f->dial);
	} else if (f->reaction == NEXT && f->failures == 0) {
		f->inside = true;
		dial_next(f->dial, "not wanted");
		f->inside = false;
	}
}

static void
on_connected(void *arg, struct transport *transport, bool direct,
    const char *where)
{
	struct fixture *f = arg;

	assert_false(f->inside);
	f->connects++;
	f->direct = direct;
	snprintf(f->text, sizeof(f->text), "%s", where);
	transport->ops->free(transport);
	react(f);
}

static void
on_failed(void *arg, const char *reason)
{
	struct fixture *f = arg;

	assert_false(f->inside);
	f->failures++;
	snprintf(f->text, sizeof(f->text), "%s", reason);
	react(f);
}

static const struct dial_events events = { on_connected, on_failed };

static void
start(struct fixture *f)
{
	f->inside = true;
	f->dial = dial_new(f->resolver, &f->target, &events, f);
	f->inside = false;
}

static void
next(struct fixture *f, const char *reason)
{
	f->inside = true;
	dial_next(f->dial, reason);
	f->inside = false;
}

/* Until the next event. */
static void
run(struct fixture *f)
{
	unsigned i, calls = f->calls + 1;

	for (i = 0; i < 1000 && f->calls < calls; i++)
		loop_turn(f->loop, 10);
	assert_int_equal(f->calls, calls);
}

/* Some turns in which nothing may be told. */
static void
idle(struct fixture *f)
{
	unsigned i, calls = f->calls;

	for (i = 0; i < 10; i++)
		loop_turn(f->loop, 1);
	assert_int_equal(f->calls, calls);
}

static void
assert_connects(struct fixture *f, uint16_t port, bool direct)
{
	char end[16];

	run(f);
	snprintf(end, sizeof(end), "]:%u", port);
	assert_int_equal(f->failures, 0);
	assert_non_null(strstr(f->text, end));
	assert_int_equal(f->direct, direct);
}

static void
assert_fails(struct fixture *f, const char *reason)
{
	run(f);
	assert_int_equal(f->failures, 1);
	assert_non_null(strstr(f->text, reason));
	idle(f);
}

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
		port = listen_at(f, "127.0.0.1",
		    listen_at(f, "::1", 0));
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
dial_host(struct fixture *f, const char *host, uint16_t port,
    enum dial_tls tls)
{
	dial_free(&f->dial);
	f->target.host = host;
	f->target.port = port;
	f->target.tls = tls;
	start(f);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
