/*
 * A dial with a fake DNS server, its own loopback ports and a clock that stands
 * still. What the dial tells is noted, and may be answered from inside.
 */
#ifndef TESTS_DIAL_FIXTURE_H
#define TESTS_DIAL_FIXTURE_H

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
#define DIRECT   "_xmpps-client._tcp.a.example"
#define TRY_MS   1000
#define TOTAL_MS 10000
#define SOCKETS  24
#define BACKLOG  128 /* nobody accepts */

/* What an event does besides being noted. */
enum reaction { NOTE, FREE, NEXT };

struct fixture {
	struct loop *loop;
	struct fake_dns *dns;
	struct resolver *resolver;
	struct dial *dial;
	struct dial_target target;
	enum reaction reaction;
	bool inside; /* a dial_*() call */
	unsigned calls, connects, failures, warnings;
	bool direct;
	char text[1024]; /* where, or the reason */
	char warning[1024];
	int sockets[SOCKETS];
	size_t socket_count;
};

static inline void
on_log(enum log_level level, const char *line, void *arg)
{
	struct fixture *f = arg;

	if (level != LEVEL_WARN)
		return;
	f->warnings++;
	snprintf(f->warning, sizeof(f->warning), "%s", line);
}

static inline int
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
		.try_ms = TRY_MS,
		.total_ms = TOTAL_MS };
	*state = f;
	return 0;
}

static inline int
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

static inline int
keep(struct fixture *f, int fd)
{
	assert_true(fd >= 0 && f->socket_count < SOCKETS);
	f->sockets[f->socket_count++] = fd;
	return fd;
}

/* Binds; 0 where the port is taken. */
static inline uint16_t
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

static inline uint16_t
listen_at(struct fixture *f, const char *address, uint16_t port)
{
	int fd;

	port = bind_at(f, address, port, &fd);
	if (port != 0)
		assert_int_equal(listen(fd, BACKLOG), 0);
	return port;
}

/* A port that is ours and refuses. */
static inline uint16_t
closed_port(struct fixture *f)
{
	int fd;

	return bind_at(f, "127.0.0.1", 0, &fd);
}

/* A port with so full a backlog that it does not answer. */
static inline uint16_t
stalled_port(struct fixture *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd, i;

	at.sin_port = htons(bind_at(f, "127.0.0.1", 0, &fd));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(listen(fd, 0), 0);
	for (i = 0; i < 4; i++)
		connect(keep(f,
			    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)),
		    (void *)&at, sizeof(at));
	return ntohs(at.sin_port);
}

static inline void
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

static inline void
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

static inline void
on_failed(void *arg, const char *reason)
{
	struct fixture *f = arg;

	assert_false(f->inside);
	f->failures++;
	snprintf(f->text, sizeof(f->text), "%s", reason);
	react(f);
}

static const struct dial_events events = { on_connected, on_failed };

static inline void
start(struct fixture *f)
{
	f->inside = true;
	f->dial = dial_new(f->resolver, &f->target, &events, f);
	f->inside = false;
}

static inline void
next(struct fixture *f, const char *reason)
{
	f->inside = true;
	dial_next(f->dial, reason);
	f->inside = false;
}

/* Until the next event. */
static inline void
run(struct fixture *f)
{
	unsigned i, calls = f->calls + 1;

	for (i = 0; i < 1000 && f->calls < calls; i++)
		loop_turn(f->loop, 10);
	assert_int_equal(f->calls, calls);
}

/* Some turns in which nothing may be told. */
static inline void
idle(struct fixture *f)
{
	unsigned i, calls = f->calls;

	for (i = 0; i < 10; i++)
		loop_turn(f->loop, 1);
	assert_int_equal(f->calls, calls);
}

static inline void
assert_connects(struct fixture *f, uint16_t port, bool direct)
{
	char end[16];

	run(f);
	snprintf(end, sizeof(end), "]:%u", port);
	assert_int_equal(f->failures, 0);
	assert_non_null(strstr(f->text, end));
	assert_int_equal(f->direct, direct);
}

static inline void
assert_fails(struct fixture *f, const char *reason)
{
	run(f);
	assert_int_equal(f->failures, 1);
	assert_non_null(strstr(f->text, reason));
	idle(f);
}

static inline void
dial_host(struct fixture *f, const char *host, uint16_t port, enum dial_tls tls)
{
	dial_free(&f->dial);
	f->target.host = host;
	f->target.port = port;
	f->target.tls = tls;
	start(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
