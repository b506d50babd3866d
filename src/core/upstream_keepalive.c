/* Whether the server at the other end of an upstream is still there. */
#include "base/clock.h"
#include "base/random.h"
#include "core/account.h"
#include "core/proxy.h"
#include "upstream_impl.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

/*
 * Whatever comes back is an answer, so the table of requests is not needed, which may
 * be full just where a server has gone silent.
 */
static void
ping(struct upstream *u)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");
	char id[RANDOM_ID_SIZE];

	elem_set(iq, "type", "get");
	elem_set(iq, "id", random_id(id));
	elem_set(iq, "to", u->account->domain);
	elem_child(iq, NS_PING, "ping");
	stream_send(u->stream, iq);
	u->pinged = true;
	u->pinged_at = clock_now();
	arena_free(&arena);
}

void
upstream_keep_alive(void *arg)
{
	struct upstream *u = arg;
	const struct limits *limits = &u->proxy->config->limits;
	uint64_t now = clock_now();
	uint64_t every = limits->ping_seconds * 1000;
	uint64_t patience = limits->ping_timeout_seconds * 1000;
	uint64_t read = conn_last_read(stream_conn(u->stream));

	/* While nobody reads it there is no answer to be had. */
	if (u->proxy->is_full) {
		timer_set(&u->keepalive, every);
		return;
	}
	if (u->pinged && read >= u->pinged_at)
		u->pinged = false;
	if (u->pinged && now - u->pinged_at >= patience) {
		upstream_retry_later(u, "the server does not answer a ping");
		return;
	}
	if (!u->pinged && now - read >= every)
		ping(u);
	if (u->pinged)
		timer_set(&u->keepalive, u->pinged_at + patience - now);
	else
		timer_set(&u->keepalive, read + every - now);
}
