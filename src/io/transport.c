#include "io/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/tls.h"

struct secure {
	struct transport base;
	struct tls *tls;
};

static ssize_t
failed(struct err *err, const char *what)
{
	if (errno == EAGAIN || errno == EINTR)
		return IO_AGAIN;
	err_errno(err, what);
	return IO_ERROR;
}

static ssize_t
socket_read(struct transport *io, void *bytes, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = recv(io->fd, bytes, size, 0);
	while (n < 0 && errno == EINTR);
	io->drained = n > 0 && (size_t)n < size;
	return n >= 0 ? n : failed(err, "read");
}

static ssize_t
socket_write(struct transport *io, const void *bytes, size_t len,
    struct err *err)
{
	ssize_t n;

	do
		n = send(io->fd, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? n : failed(err, "write");
}

static bool
socket_has_pending(struct transport *io)
{
	(void)io;
	return false;
}

static void
socket_shut(struct transport *io)
{
	shutdown(io->fd, SHUT_WR);
}

static void
socket_free(struct transport *io)
{
	close(io->fd);
	free(io);
}

static const struct transport_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.has_pending = socket_has_pending,
	.shut = socket_shut,
	.free = socket_free,
};

struct transport *
transport_socket(int fd)
{
	struct transport *io = mem_alloc(sizeof(*io));
	int on = 1;

	/* Both fail harmlessly on what is not TCP. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	io->ops = &socket_ops;
	io->fd = fd;
	return io;
}

static struct tls *
tls_of(struct transport *io)
{
	return ((struct secure *)io)->tls;
}

static ssize_t
secure_read(struct transport *io, void *bytes, size_t size, struct err *err)
{
	return tls_read(tls_of(io), bytes, size, &io->drained, err);
}

static ssize_t
secure_write(struct transport *io, const void *bytes, size_t len,
    struct err *err)
{
	return tls_write(tls_of(io), bytes, len, err);
}

static bool
secure_has_pending(struct transport *io)
{
	return tls_has_pending(tls_of(io));
}

static int
secure_handshake(struct transport *io, struct err *err)
{
	return tls_handshake(tls_of(io), err);
}

static void
secure_shut(struct transport *io)
{
	tls_shut(tls_of(io));
	shutdown(io->fd, SHUT_WR);
}

static void
secure_free(struct transport *io)
{
	struct secure *secure = (struct secure *)io;

	tls_free(&secure->tls);
	close(io->fd);
	free(secure);
}

static const struct transport_ops secure_ops = {
	.read = secure_read,
	.write = secure_write,
	.has_pending = secure_has_pending,
	.handshake = secure_handshake,
	.shut = secure_shut,
	.free = secure_free,
};

struct transport *
transport_tls(struct transport **socket, struct tls *tls)
{
	struct secure *secure = mem_alloc(sizeof(*secure));

	assert((*socket)->ops == &socket_ops);
	secure->base.ops = &secure_ops;
	secure->base.fd = (*socket)->fd;
	secure->tls = tls;
	free(*socket);
	*socket = NULL;
	return &secure->base;
}

struct tls *
transport_tls_of(struct transport *io)
{
	return io->ops == &secure_ops ? tls_of(io) : NULL;
}
