#include "io/conn.h"

#include <linux/sockios.h>

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conn_impl.h"

#define CONN_EPOLL (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void
watch(struct conn *c)
{
	struct err err;

	c->source = loop_watch(c->loop, c->io->fd, CONN_EPOLL, conn_event, c);
	if (c->source != NULL)
		return;
	err_errno(&err, "epoll_ctl");
	c->at_end = true;
	conn_break(c, err.text);
}

struct conn *
conn_new(struct loop *loop, struct transport *io, const char *id,
    const struct conn_events *events, void *arg)
{
	struct conn *c = mem_alloc(sizeof(*c));

	c->loop = loop;
	c->conns = loop_conns(loop);
	c->io = io;
	c->id = mem_strdup(id);
	c->events = events;
	c->arg = arg;
	c->writable = true;
	timer_init(&c->timer, loop, conn_timer, c);
	TAILQ_INSERT_TAIL(&c->conns->all, c, all);
	conns_join(c, 0);
	if (io->fd >= 0)
		watch(c);
	else
		conn_poke(c);
	return c;
}

void
conn_set_owner(struct conn *c, const struct conn_events *events, void *arg)
{
	c->events = events;
	c->arg = arg;
}

void
conn_bury(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->finishing)
		c->conns->lingering--;
	c->events = NULL;
	conns_unmark(c);
	conns_leave(c);
	outq_clear(&c->out);
	timer_stop(&c->timer);
	conn_drop_tls_start(c);
	loop_unwatch(&c->source);
	TAILQ_REMOVE(&c->conns->all, c, all);
	TAILQ_INSERT_TAIL(&c->conns->dead, c, all);
}

void
conn_abort(struct conn **holder)
{
	if (*holder == NULL)
		return;
	conn_bury(*holder);
	*holder = NULL;
}

void
conn_finish(struct conn **holder, unsigned linger_ms)
{
	struct conn *c = *holder;

	if (c == NULL)
		return;
	*holder = NULL;
	c->events = NULL;
	if (c->broken || c->phase == CONN_HANDSHAKE) {
		conn_bury(c);
		return;
	}
	c->finishing = true;
	c->conns->lingering++;
	timer_set(&c->timer, linger_ms);
	conns_mark_dirty(c);
	conns_mark_ready(c);
}

void
conn_end(struct conn *c, const char *reason)
{
	if (c->finishing || c->dead)
		return;
	if (c->reason == NULL)
		c->reason = mem_strdup(reason);
	conns_mark_ready(c);
}

void
conn_break(struct conn *c, const char *reason)
{
	if (c->finishing) {
		conn_bury(c);
		return;
	}
	c->broken = true;
	outq_clear(&c->out);
	if (!c->at_end)
		c->readable = true; /* what came before is still there */
	conn_end(c, reason);
}

/* The kernel's word for a transport that ended while nobody was reading. */
static void
break_unread(struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(c->io->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	conn_break(c, error != 0 ? strerror(error) : CONN_ENDED);
}

void
conn_event(void *arg, uint32_t events)
{
	struct conn *c = arg;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->is_ending = true;
	if ((events & EPOLLOUT) && !c->writable) {
		/* A TLS read may have waited for this as well. */
		c->readable = true;
		c->writable = true;
		conns_mark_dirty(c);
	}
	c->stirred = true;
	if ((events & (EPOLLHUP | EPOLLERR)) && c->paused)
		break_unread(c);
	conns_mark_ready(c);
}

void
conn_poke(struct conn *c)
{
	conn_event(c, EPOLLIN | EPOLLOUT);
}

void
conn_timer(void *arg)
{
	struct conn *c = arg;

	if (c->finishing) {
		if (!c->was_shut)
			c->io->ops->shut(c->io);
		conn_bury(c);
	} else if (c->phase == CONN_TLS_PENDING || c->phase == CONN_HANDSHAKE) {
		c->at_end = true;
		conn_break(c, "the TLS handshake took too long");
	} else {
		c->throttled = false;
		conns_mark_ready(c);
	}
}

void
conn_set_group(struct conn *c, uint64_t group)
{
	conns_unmark_ready(c);
	conns_leave(c);
	conns_join(c, group);
	conns_mark_ready(c);
}

void
conn_pause(struct conn *c, bool paused)
{
	c->paused = paused;
	conns_mark_ready(c);
}

void
conn_set_rate(struct conn *c, size_t bytes_per_second, size_t burst)
{
	c->rate = bytes_per_second;
	c->burst = burst > 0 ? burst : 1;
	c->tokens = (uint64_t)c->burst * 1000;
	c->filled = clock_now();
	c->throttled = false;
	conns_mark_ready(c);
}

bool
conn_is_secure(const struct conn *c)
{
	return c->phase == CONN_SECURE;
}

struct tls *
conn_tls(struct conn *c)
{
	return c->phase == CONN_SECURE ? transport_tls_of(c->io) : NULL;
}

struct loop *
conn_loop(const struct conn *c)
{
	return c->loop;
}

const char *
conn_id(const struct conn *c)
{
	return c->id;
}

void
conn_set_id(struct conn *c, const char *id)
{
	free(c->id);
	c->id = mem_strdup(id);
}

void
conn_send(struct conn *c, const char *head, size_t len, struct blob *body,
    const char *tail)
{
	struct outq *q = &c->out;
	size_t before = q->bytes;

	if (c->broken) {
		q->sent++;
		return;
	}
	outq_add(q, loop_turn_number(c->loop), head, len, body, tail);
	c->bytes_out += q->bytes - before;
	if (!c->above)
		c->above = conn_is_above(c);
	conns_mark_dirty(c);
}

bool
conn_is_above(const struct conn *c)
{
	size_t frames = c->out.count, bytes = c->out.bytes;

	if (c->window_frames > 0 && frames * 3 >= c->window_frames)
		return true;
	return c->window_bytes > 0 && bytes * 3 >= c->window_bytes;
}

void
conn_set_window(struct conn *c, size_t frames, size_t bytes)
{
	c->window_frames = frames;
	c->window_bytes = bytes;
	c->above = conn_is_above(c);
}

size_t
conn_queued_frames(const struct conn *c)
{
	return c->out.count;
}

size_t
conn_queued_bytes(const struct conn *c)
{
	return c->out.bytes;
}

size_t
conn_unacknowledged_bytes(const struct conn *c)
{
	int bytes = 0;

	if (c->io->fd < 0 || ioctl(c->io->fd, SIOCOUTQ, &bytes) == -1)
		return 0;
	return bytes > 0 ? (size_t)bytes : 0;
}

uint64_t
conn_frames_sent(const struct conn *c)
{
	return c->out.sent;
}

uint64_t
conn_frames_written(const struct conn *c)
{
	return c->out.written;
}

uint64_t
conn_bytes_in(const struct conn *c)
{
	return c->bytes_in;
}

uint64_t
conn_bytes_out(const struct conn *c)
{
	return c->bytes_out;
}

uint64_t
conn_last_read(const struct conn *c)
{
	return c->last_read;
}
