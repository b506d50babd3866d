#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conn_impl.h"

static struct conn_tls_start *
ask_for_tls(struct conn *c, const char *name, unsigned timeout_ms)
{
	assert(c->phase == CONN_PLAIN && c->io->fd >= 0);
	c->start = mem_alloc(sizeof(*c->start));
	c->start->name = mem_strdup(name);
	c->start->after = c->out.sent;
	c->phase = CONN_TLS_PENDING;
	c->held = false;
	c->throttled = false;
	timer_set(&c->timer, timeout_ms);
	conns_mark_dirty(c);
	return c->start;
}

void
conn_start_tls_server(struct conn *c, struct tls_certs *certs, const char *hint,
    unsigned timeout_ms)
{
	if (!c->broken)
		ask_for_tls(c, hint, timeout_ms)->certs = tls_certs_ref(certs);
}

void
conn_start_tls_client(struct conn *c, struct tls_trust *trust,
    const char *domain, bool direct, unsigned timeout_ms)
{
	struct conn_tls_start *start;

	if (c->broken)
		return;
	start = ask_for_tls(c, domain, timeout_ms);
	start->trust = tls_trust_ref(trust);
	start->direct = direct;
}

void
conn_drop_tls_start(struct conn *c)
{
	if (c->start == NULL)
		return;
	tls_certs_unref(&c->start->certs);
	tls_trust_unref(&c->start->trust);
	free(c->start->name);
	free(c->start);
	c->start = NULL;
}

void
conn_begin_tls(struct conn *c)
{
	struct conn_tls_start *start = c->start;
	struct tls *tls;

	if (start->certs != NULL)
		tls = tls_accept(start->certs, c->io->fd, start->name);
	else
		tls = tls_connect(start->trust, c->io->fd, start->name,
		    start->direct);
	c->io = transport_tls(&c->io, tls);
	conn_drop_tls_start(c);
	c->phase = CONN_HANDSHAKE;
	c->stirred = true;
	conns_mark_ready(c);
}

void
conn_handshake(struct conn *c)
{
	struct err err = { "" };
	int rc;

	c->stirred = false;
	rc = c->io->ops->handshake(c->io, &err);
	if (rc == 0)
		return;
	if (rc < 0) {
		c->at_end = true;
		err_prefix(&err, "TLS");
		conn_break(c, err.text);
		return;
	}
	c->phase = CONN_SECURE;
	timer_stop(&c->timer);
	/* What the handshake saw of the socket is not known here: try. */
	c->readable = true;
	c->writable = true;
	conns_mark_dirty(c);
	if (c->events->secured != NULL)
		c->events->secured(c->arg);
	conns_mark_ready(c);
}
