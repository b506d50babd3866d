#include "io/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define LISTEN_BACKLOG  512
#define LISTEN_BATCH    64 /* accepted in one turn */
#define LISTEN_PAUSE_MS 1000

struct listener {
	struct loop *loop;
	int fd;
	struct loop_source *source;
	struct timer pause;
	void (*accepted)(void *arg, struct transport *, const char *peer);
	void *arg;
	bool is_short;         /* since the last one that was accepted */
	bool accepting, freed; /* freed by accepted(): the memory goes later */
};

static void
name_peer(const struct sockaddr_storage *from, char out[LISTEN_PEER_SIZE])
{
	const struct sockaddr_in6 *v6 = (const void *)from;
	const struct sockaddr_in *v4 = (const void *)from;
	const void *address = &v4->sin_addr;
	int family = from->ss_family;

	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		family = AF_INET;
		address = &v6->sin6_addr.s6_addr[12];
	} else if (family == AF_INET6)
		address = &v6->sin6_addr;
	if (inet_ntop(family, address, out, LISTEN_PEER_SIZE) == NULL)
		strcpy(out, "?");
}

static void
resume(void *arg)
{
	struct listener *l = arg;

	loop_source_events(l->source, EPOLLIN);
}

static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

static void
pause_accepting(struct listener *l, int error)
{
	loop_source_events(l->source, 0);
	timer_set(&l->pause, LISTEN_PAUSE_MS);
	if (l->is_short)
		return;
	l->is_short = true;
	log_event(LEVEL_WARN, "proxy", "accepting-pauses", "reason=%s",
	    LOG_Q(strerror(error)));
}

/* false where there is nobody left to accept, or nothing to do it with. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	char peer[LISTEN_PEER_SIZE];
	int fd;

	fd = accept4(l->fd, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (is_shortage(errno)) {
			pause_accepting(l, errno);
			return false;
		}
		return errno == ECONNABORTED || errno == EINTR;
	}
	l->is_short = false;
	name_peer(&from, peer);
	l->accepted(l->arg, transport_socket(fd), peer);
	return true;
}

static void
on_ready(void *arg, uint32_t events)
{
	struct listener *l = arg;

	(void)events;
	l->accepting = true;
	for (int i = 0; i < LISTEN_BATCH; i++)
		if (!accept_one(l) || l->freed)
			break;
	l->accepting = false;
	if (l->freed)
		free(l);
}

static int
bind_socket(const struct addrinfo *ai, struct err *err)
{
	int fd, on = 1, off = 0;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0)
		return err_errno(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	err_errno(err, "bind");
	close(fd);
	return -1;
}

/* A machine without IPv6 has no "::": all its addresses are IPv4 ones. */
static const char *
numeric(const char *address)
{
	int fd;

	if (strcasecmp(address, "localhost") == 0)
		return "127.0.0.1";
	if (strcmp(address, "::") != 0)
		return address;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return "0.0.0.0";
	close(fd);
	return address;
}

static int
open_socket(const char *address, uint16_t port, struct err *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct sockaddr_in *at;
	struct addrinfo *ai;
	int fd, rc;

	rc = getaddrinfo(numeric(address), NULL, &hints, &ai);
	if (rc != 0)
		return err_set(err, "%s: not an address", address);
	/* The port stands at the same place in both kinds. */
	at = (struct sockaddr_in *)ai->ai_addr;
	at->sin_port = htons(port);
	fd = bind_socket(ai, err);
	freeaddrinfo(ai);
	if (fd < 0)
		return err_prefix(err, "%s port %u", address, port);
	return fd;
}

struct listener *
listen_new(struct loop *loop, const char *address, uint16_t port,
    void (*accepted)(void *arg, struct transport *, const char *peer),
    void *arg, struct err *err)
{
	struct listener *l;
	int fd = open_socket(address, port, err);

	if (fd < 0)
		return NULL;
	l = mem_alloc(sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->accepted = accepted;
	l->arg = arg;
	timer_init(&l->pause, loop, resume, l);
	l->source = loop_watch(loop, fd, EPOLLIN, on_ready, l);
	if (l->source == NULL) {
		err_errno(err, "epoll_ctl");
		listen_free(&l);
	}
	return l;
}

void
listen_free(struct listener **holder)
{
	struct listener *l = *holder;

	if (l == NULL)
		return;
	timer_stop(&l->pause);
	loop_unwatch(&l->source);
	close(l->fd);
	l->freed = true;
	if (!l->accepting)
		free(l);
	*holder = NULL;
}

uint16_t
listen_port(const struct listener *l)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	getsockname(l->fd, (struct sockaddr *)&at, &len);
	return ntohs(((const struct sockaddr_in *)&at)->sin_port);
}

bool
listen_is_loopback(const char *address)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (strcasecmp(address, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, address, &v6) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}
