/* Listening, on loopback: sockets are the thing under test here. */
#include "support_io.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "base/log.h"
#include "io/listen.h"

#define PEERS 200

static struct loop *loop;
static struct listener *listener;
static struct transport *got[PEERS];
static char peer[LISTEN_PEER_SIZE];
static unsigned count;
static bool frees;

static void
on_accepted(void *arg, struct transport *io, const char *from)
{
	assert_ptr_equal(arg, &loop);
	assert_true(fcntl(io->fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(io->fd, F_GETFL) & O_NONBLOCK);
	snprintf(peer, sizeof(peer), "%s", from);
	got[count++] = io;
	if (frees)
		listen_free(&listener);
}

static int
setup(void **state)
{
	(void)state;
	loop = io_loop();
	count = 0;
	frees = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	while (count > 0) {
		count--;
		got[count]->ops->free(got[count]);
	}
	listen_free(&listener);
	loop_free(&loop);
	return 0;
}

static void
start(const char *address)
{
	struct err err = { "" };

	listener = listen_new(loop, address, 0, on_accepted, &loop, &err);
	assert_string_equal(err.text, "");
	assert_non_null(listener);
	assert_int_not_equal(listen_port(listener), 0);
}

static int
dial(const char *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), rc;

	inet_pton(AF_INET, address, &v4.sin_addr);
	v4.sin_port = v6.sin6_port = htons(listen_port(listener));
	rc = is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6)) :
		     connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	assert_int_equal(rc, 0);
	return fd;
}

static bool
has_v6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	close(fd);
	return has;
}

static void
test_v4(void **state)
{
	char byte = 0;
	int fd;

	(void)state;
	start("127.0.0.1");
	fd = dial("127.0.0.1");
	loop_turn(loop, -1);
	assert_int_equal(count, 1);
	assert_string_equal(peer, "127.0.0.1");
	io_put(got[0], "x");
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(fd);
}

static void
test_both_kinds(void **state)
{
	int fd;

	(void)state;
	start("::");
	fd = dial("127.0.0.1");
	loop_turn(loop, -1);
	assert_string_equal(peer, "127.0.0.1");
	close(fd);
	if (!has_v6())
		return;
	fd = dial("::1");
	loop_turn(loop, -1);
	assert_int_equal(count, 2);
	assert_string_equal(peer, "::1");
	close(fd);
}

/* More than one turn accepts; none is forgotten. */
static void
test_many(void **state)
{
	int fds[100];

	(void)state;
	start("localhost");
	for (int i = 0; i < 100; i++)
		fds[i] = dial("127.0.0.1");
	loop_turn(loop, -1);
	assert_int_equal(count, 64);
	loop_turn(loop, -1);
	assert_int_equal(count, 100);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
}

static void
test_freed_in_accepted(void **state)
{
	int fds[2];

	(void)state;
	start("127.0.0.1");
	fds[0] = dial("127.0.0.1");
	fds[1] = dial("127.0.0.1");
	frees = true;
	io_turns(loop, 3);
	assert_int_equal(count, 1);
	assert_null(listener);
	close(fds[0]);
	close(fds[1]);
}

static void
on_log(enum log_level level, const char *line, void *warnings)
{
	assert_int_equal(level, LEVEL_WARN);
	assert_non_null(strstr(line, "event=accepting-pauses"));
	(*(unsigned *)warnings)++;
}

/*
 * Without descriptors it pauses for a second, and does not keep the loop busy.
 */
static void
test_pause_at_emfile(void **state)
{
	struct rlimit before, now;
	unsigned warnings = 0;
	int fds[3], next;

	(void)state;
	start("127.0.0.1");
	log_capture(on_log, &warnings);
	fds[0] = dial("127.0.0.1");
	fds[1] = dial("127.0.0.1");
	next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = before;
	now.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	loop_turn(loop, 0);
	assert_int_equal(count, 0);
	assert_int_equal(timers_wait(loop_timers(loop)), 1000);
	clock_advance(1000);
	io_turns(loop, 2);
	assert_int_equal(timers_wait(loop_timers(loop)), 1000);
	assert_int_equal(warnings, 1);
	setrlimit(RLIMIT_NOFILE, &before);
	fds[2] = dial("127.0.0.1");
	clock_advance(999);
	loop_turn(loop, 0);
	assert_int_equal(count, 0);
	clock_advance(1);
	loop_turn(loop, 0);
	loop_turn(loop, -1);
	/* Valgrind, which plays the limit, takes one each time and drops it. */
	assert_in_range(count, 1, 3);
	log_capture(NULL, NULL);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void
test_errors(void **state)
{
	struct listener *second;
	struct err err = { "" };

	(void)state;
	assert_null(
	    listen_new(loop, "example.org", 0, on_accepted, NULL, &err));
	assert_string_equal(err.text, "example.org: not an address");
	start("127.0.0.1");
	second = listen_new(loop, "127.0.0.1", listen_port(listener),
	    on_accepted, NULL, &err);
	assert_null(second);
	assert_memory_equal(err.text, "127.0.0.1 port ", 15);
	assert_non_null(strstr(err.text, "Address already in use"));
}

static void
test_loopback(void **state)
{
	(void)state;
	assert_true(listen_is_loopback("127.0.0.1"));
	assert_true(listen_is_loopback("127.8.9.10"));
	assert_true(listen_is_loopback("::1"));
	assert_true(listen_is_loopback("::ffff:127.0.0.1"));
	assert_true(listen_is_loopback("localhost"));
	assert_false(listen_is_loopback("0.0.0.0"));
	assert_false(listen_is_loopback("::"));
	assert_false(listen_is_loopback("128.0.0.1"));
	assert_false(listen_is_loopback("::ffff:10.0.0.1"));
	assert_false(listen_is_loopback("127.0.0.1.example.org"));
	assert_false(listen_is_loopback(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_v4),
		TEST(test_both_kinds),
		TEST(test_many),
		TEST(test_freed_in_accepted),
		TEST(test_pause_at_emfile),
		TEST(test_errors),
		TEST(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
