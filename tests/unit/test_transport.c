#include "support_io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "io/transport.h"

static void
test_socket(void **state)
{
	struct transport *a, *b;
	char text[100];
	struct err err;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	a = transport_socket(fds[0]);
	b = transport_socket(fds[1]);
	assert_true(fcntl(a->fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(a->ops->read(a, text, 10, &err), IO_AGAIN);
	io_put(b, "hello");
	assert_int_equal(a->ops->read(a, text, 5, &err), 5);
	assert_false(a->drained);
	io_put(b, "hello");
	assert_int_equal(a->ops->read(a, text, sizeof(text), &err), 5);
	assert_true(a->drained);
	assert_memory_equal(text, "hello", 5);
	io_put(b, "x");
	b->ops->shut(b);
	assert_int_equal(a->ops->read(a, text, 1, &err), 1);
	assert_int_equal(a->ops->read(a, text, 1, &err), IO_END);
	io_put(a, "back");
	assert_int_equal(io_take(b, text, sizeof(text)), 4);
	a->ops->free(a);
	b->ops->free(b);
}

static void
test_socket_options(void **state)
{
	struct transport *io;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	io = transport_socket(fd);
	getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	assert_int_not_equal(on, 0);
	on = 0;
	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len);
	assert_int_not_equal(on, 0);
	io->ops->free(io);
}

/* With SIGPIPE's default the process would be gone. */
static void
test_socket_fails(void **state)
{
	struct transport *io;
	struct err err = { "" };
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	io_pair(fds);
	io = transport_socket(fds[0]);
	close(fds[1]);
	assert_int_equal(io->ops->write(io, "x", 1, &err), IO_ERROR);
	assert_string_equal(err.text, "write: Broken pipe");
	io->ops->free(io);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_socket_options),
		cmocka_unit_test(test_socket_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
