/* The client's side: logs in to the proxy. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rig/rig.h"
#include "rig/wire.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

#define CACHED     8
#define REFUSAL_MS 5000

/* PBKDF2 once for each salt; clients of a user get the same one. */
struct salted_cache {
	struct {
		enum scram_hash hash;
		struct scram_keys salt;
		unsigned char key[SCRAM_KEY_MAX];
	} entry[CACHED];
	unsigned count;
};

static const unsigned char *
salted(struct rig *rig, enum scram_hash hash, const struct scram_keys *salt)
{
	struct salted_cache *c = rig->salted;
	unsigned i;

	if (c == NULL)
		c = rig->salted = mem_alloc(sizeof(*c));
	for (i = 0; i < c->count; i++) {
		if (c->entry[i].hash == hash &&
		    c->entry[i].salt.salt_len == salt->salt_len &&
		    memcmp(c->entry[i].salt.salt, salt->salt, salt->salt_len) ==
			0)
			return c->entry[i].key;
	}
	i = c->count < CACHED ? c->count++ : 0;
	c->entry[i].hash = hash;
	c->entry[i].salt = *salt;
	if (scram_salted(hash, RIG_PASSWORD, salt->salt, salt->salt_len,
		salt->iterations, c->entry[i].key, NULL) != 0)
		return NULL;
	return c->entry[i].key;
}

static void
on_salted(void *arg, enum scram_hash hash, const struct scram_keys *salt)
{
	struct rig_client *c = arg;

	connect_salted(c->connect, salted(c->peer.rig, hash, salt));
}

static void
take_stream(struct rig_client *c, struct stream *stream, const char *full)
{
	peer_take_stream(&c->peer, stream, full);
	c->peer.wire = c->wire;
	connect_free(&c->connect);
}

static void
on_ready(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	(void)features;
	take_stream(arg, stream, full);
}

static void
on_resumed(void *arg, struct stream *stream, uint32_t h,
    const struct elem *features)
{
	struct rig_client *c = arg;

	(void)features;
	take_stream(c, stream, c->peer.full);
	c->was_resumed = true;
	/* What it claimed not to have, it is given again. */
	if (sm_h(&c->peer.managed.sm) != c->resume_h)
		c->peer.managed.sm.in = c->resume_h;
	managed_resumed(&c->peer, h);
}

static void
on_not_resumed(void *arg, bool has_h, uint32_t h)
{
	struct rig_client *c = arg;

	mem_free_string(&c->known_h);
	c->known_h = has_h ? mem_printf("%u", (unsigned)h) : mem_strdup("none");
	managed_unresumed(&c->peer, has_h, h);
}

static void
on_failed(void *arg, enum connect_failure failure, const char *text)
{
	struct rig_client *c = arg;

	(void)failure;
	c->failure = mem_strdup(text);
	connect_free(&c->connect);
}

static const struct connect_events events = {
	.salted = on_salted,
	.ready = on_ready,
	.resumed = on_resumed,
	.not_resumed = on_not_resumed,
	.failed = on_failed,
};

/* The proxy's keepalive is no script's business, nor, mostly, what the client can do. */
static bool
answer(struct peer *p, struct elem *iq)
{
	const struct rig_client *c = rig_client(p->rig, p->name);

	if (rig_client_is_about_info(iq) && !c->is_manual) {
		peer_send_elem(p, rig_client_info(c, iq));
		return true;
	}
	if (stanza_type(iq) != TYPE_GET || stanza_kind(iq) != STANZA_IQ ||
	    elem_find(iq, NS_PING, "ping") == NULL)
		return false;
	peer_send_elem(p, stanza_result(iq));
	return true;
}

/* What was there before it. */
static void
leave_stream(struct rig_client *c, bool is_resumed)
{
	mem_free_string(&c->failure);
	mem_free_string(&c->known_h);
	c->was_resumed = false;
	if (is_resumed && c->peer.stream != NULL) {
		conn_pause(stream_conn(c->peer.stream), true);
	} else if (!is_resumed) {
		peer_cut(&c->peer);
		managed_reset(&c->peer.managed);
	}
}

static void
start_login(struct rig_client *c, const struct rig_login *login)
{
	struct rig *rig = c->peer.rig;
	struct transport *theirs;
	struct connect_options options = {
		.domain = login->domain,
		.domain_ascii = login->domain,
		.name = login->name,
		.password = RIG_PASSWORD,
		.resource = login->resource,
		.resume_id = login->resume_id,
		.resume_h = login->resume_h,
		.tls = CONNECT_PLAIN,
		.limits = { 16 << 20, 1024, 1024, 262144 },
		.tls_ms = 10000,
		.total_ms = 60000,
	};

	wire_new(rig->cut, &rig->activity, &theirs, &c->wire);
	c->peer.answer = answer;
	c->resume_h = login->resume_h;
	if (rig->is_direct)
		rig_server_accept(rig, theirs);
	else
		proxy_accept(rig->proxy, theirs, "192.0.2.1", ACCEPT_PLAIN);
	c->connect = connect_new(rig->peers,
	    conn_new(rig->peers, c->wire, c->peer.name, NULL, NULL), &options,
	    &events, c);
}

int
rig_login(struct rig_client *c, const struct rig_login *login)
{
	struct rig *rig = c->peer.rig;

	leave_stream(c, login->resume_id != NULL);
	if (rig->proxy == NULL && !rig->is_direct) {
		c->failure = mem_strdup("there is no proxy");
		return -1;
	}
	start_login(c, login);
	rig_run(rig);
	if (c->connect != NULL) /* a refusal may take its time */
		rig_wait(rig, REFUSAL_MS);
	if (c->connect != NULL) {
		connect_free(&c->connect);
		c->failure = mem_strdup("the proxy does not answer");
	}
	if (c->failure != NULL)
		peer_cut(&c->peer);
	return c->failure == NULL ? 0 : -1;
}

void
rig_client_free(struct rig_client *c)
{
	connect_free(&c->connect);
	peer_fini(&c->peer);
	mem_free_string(&c->failure);
	mem_free_string(&c->known_h);
	mem_free_string(&c->features);
	free(c);
}
