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
on_ready(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	struct rig_client *c = arg;

	(void)features;
	peer_take_stream(&c->peer, stream, full);
	connect_free(&c->connect);
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
	.failed = on_failed,
};

/* The proxy's keepalive is no script's business. */
static bool
answer_ping(struct peer *p, struct elem *iq)
{
	if (stanza_type(iq) != TYPE_GET || stanza_kind(iq) != STANZA_IQ ||
	    elem_find(iq, NS_PING, "ping") == NULL)
		return false;
	peer_send_elem(p, stanza_result(iq));
	return true;
}

int
rig_login(struct rig_client *c, const char *domain, const char *name,
    const char *resource)
{
	struct rig *rig = c->peer.rig;
	struct transport *ours, *theirs;
	struct connect_options options = {
		.domain = domain,
		.domain_ascii = domain,
		.name = name,
		.password = RIG_PASSWORD,
		.resource = resource,
		.tls = CONNECT_PLAIN,
		.limits = { 16 << 20, 1024, 1024, 262144 },
		.tls_ms = 10000,
		.total_ms = 60000,
	};

	mem_free_string(&c->failure);
	peer_cut(&c->peer);
	if (rig->proxy == NULL) {
		c->failure = mem_strdup("there is no proxy");
		return -1;
	}
	wire_new(rig->cut, &rig->activity, &theirs, &ours);
	c->peer.wire = ours;
	c->peer.answer = answer_ping;
	proxy_accept(rig->proxy, theirs, "192.0.2.1", ACCEPT_PLAIN);
	c->connect = connect_new(rig->peers,
	    conn_new(rig->peers, ours, c->peer.name, NULL, NULL), &options,
	    &events, c);
	rig_run(rig);
	if (c->connect != NULL) /* a refusal may take its time */
		rig_wait(rig, REFUSAL_MS);
	if (c->connect != NULL) {
		connect_free(&c->connect);
		c->failure = mem_strdup("the proxy does not answer");
	}
	return c->failure == NULL ? 0 : -1;
}

void
rig_client_free(struct rig_client *c)
{
	connect_free(&c->connect);
	peer_fini(&c->peer);
	mem_free_string(&c->failure);
	free(c);
}
