/* Clients of the proxy of support_core.h, which log in by SCRAM. */
#ifndef TESTS_UNIT_SUPPORT_CLIENT_H
#define TESTS_UNIT_SUPPORT_CLIENT_H

#include "support_core.h"

#include "xmpp/connect.h"
#include "xmpp/stanza.h"

#define CORE_PEER "192.0.2.1"

struct core_client {
	struct core *core;
	struct transport *wire;
	struct connect *connect;
	struct stream *stream;
	struct buf got;
	char *full, *failure, *cond, *reason;
	enum connect_failure kind;
	const char *password;
	struct scram_keys salt; /* that it was given */
	bool closed;
};

static inline void
client_salted(void *arg, enum scram_hash hash, const struct scram_keys *salt)
{
	struct core_client *cl = arg;
	unsigned char key[SCRAM_KEY_MAX];

	cl->salt = *salt;
	assert_int_equal(scram_salted(hash, cl->password, salt->salt,
			     salt->salt_len, salt->iterations, key, NULL),
	    0);
	connect_salted(cl->connect, key);
}

/* The proxy's keepalive is answered. */
static inline void
client_stanza(void *arg, struct elem *e)
{
	struct core_client *cl = arg;

	if (elem_find(e, NS_PING, "ping") != NULL)
		stream_send(cl->stream, stanza_result(e));
	else
		elem_write(&cl->got, e, NS_CLIENT);
}

static inline void
client_closed(void *arg, const char *cond, const char *reason)
{
	struct core_client *cl = arg;

	cl->closed = true;
	cl->cond = mem_strdup(cond);
	cl->reason = mem_strdup(reason);
	stream_close(&cl->stream);
}

static inline void
client_ready(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	static const struct stream_events events = { .stanza = client_stanza,
		.closed = client_closed };
	struct core_client *cl = arg;

	(void)features;
	cl->stream = stream;
	cl->full = mem_strdup(full);
	stream_set_owner(stream, &events, cl);
	connect_free(&cl->connect);
}

static inline void
client_failed(void *arg, enum connect_failure kind, const char *text)
{
	struct core_client *cl = arg;

	cl->kind = kind;
	cl->failure = mem_strdup(text);
	connect_free(&cl->connect);
}

static inline void
client_begin(struct core_client *cl, struct core *c, const char *peer,
    const char *domain, const char *name, const char *password,
    const char *resource)
{
	static const struct connect_events events = {
		.salted = client_salted,
		.ready = client_ready,
		.failed = client_failed,
	};
	struct connect_options options = {
		.domain = domain,
		.domain_ascii = domain,
		.name = name,
		.password = password,
		.resource = resource,
		.tls = CONNECT_PLAIN,
		.limits = CORE_LIMITS,
		.tls_ms = 10000,
		.total_ms = 7200000,
	};
	struct transport *theirs;

	*cl = (struct core_client){ .core = c, .password = password };
	buf_puts(&cl->got, "");
	wire_new(0, &c->activity, &theirs, &cl->wire);
	proxy_accept(c->proxy, theirs, peer, ACCEPT_PLAIN);
	cl->connect = connect_new(c->peers,
	    conn_new(c->peers, cl->wire, "client", NULL, NULL), &options,
	    &events, cl);
	core_run(c);
}

/* With the right password, in node view. */
static inline void
client_login(struct core_client *cl, struct core *c, const char *name,
    const char *resource)
{
	client_begin(cl, c, CORE_PEER, "proxy.example", name, "secret",
	    resource);
	if (cl->stream == NULL)
		fail_msg("%s", cl->failure);
}

static inline void
client_say(struct core_client *cl, const char *xml)
{
	assert_non_null(cl->stream);
	stream_send_text(cl->stream, xml);
	core_run(cl->core);
}

static inline void
client_end(struct core_client *cl)
{
	connect_free(&cl->connect);
	stream_abort(&cl->stream);
	buf_free(&cl->got);
	free(cl->full);
	free(cl->failure);
	free(cl->cond);
	free(cl->reason);
	*cl = (struct core_client){ 0 };
}

#endif
