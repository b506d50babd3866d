/* The server's side: lets the proxy log in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "rig/rig.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

#define ITERATIONS 4096

/* A stream that has not bound its resource yet. */
struct attempt {
	LIST_ENTRY(attempt) next;
	struct rig *rig;
	struct transport *wire;
	struct accept *accept;
	const char *features[4];   /* NULL-ended */
	struct rig_server *server; /* known once it has authenticated */
	char *full;
	uint32_t resume_h;
};

static const char default_info[] =
    "<identity category='account' type='registered'/>"
    "<identity category='pubsub' type='pep'/>"
    "<feature var='http://jabber.org/protocol/disco#info'/>"
    "<feature var='http://jabber.org/protocol/disco#items'/>"
    "<feature var='urn:xmpp:carbons:2'/>"
    "<feature var='urn:xmpp:ping'/>"
    "<feature var='vcard-temp'/>";

static void
attempt_free(struct attempt *a)
{
	accept_free(&a->accept);
	LIST_REMOVE(a, next);
	free(a->full);
	free(a);
}

void
rig_server_drop_attempts(struct rig *rig)
{
	while (!LIST_EMPTY(&rig->attempts))
		attempt_free(LIST_FIRST(&rig->attempts));
}

static struct rig_server *
server_at(struct rig *rig, const char *domain, const char *name)
{
	char *jid = mem_printf("%s@%s", name, domain);
	struct rig_server *s = rig_server_of(rig, jid);

	free(jid);
	return s;
}

static bool
serves(void *arg, const char *domain)
{
	struct attempt *a = arg;
	struct rig_server *s;

	STAILQ_FOREACH(s, &a->rig->servers, next) {
		if (text_equals(strchr(s->jid, '@') + 1, domain))
			return true;
	}
	return false;
}

static const struct scram_keys *
keys_of(struct rig *rig, enum scram_hash hash)
{
	struct scram_keys *k = &rig->keys[hash];

	if (k->known)
		return k;
	k->iterations = ITERATIONS;
	k->salt_len = 16;
	memcpy(k->salt, "a server's salt.", 16);
	scram_derive(k, hash, RIG_PASSWORD, NULL);
	return k;
}

static void
salt(void *arg, const char *domain, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	struct attempt *a = arg;

	(void)domain;
	(void)name;
	*out = *keys_of(a->rig, hash);
}

static bool
may_try(void *arg)
{
	(void)arg;
	return true;
}

static void
check(void *arg, const char *domain, const char *name, const char *password,
    enum scram_hash hash)
{
	struct attempt *a = arg;
	struct rig_server *s = server_at(a->rig, domain, name);

	if (password != NULL)
		accept_verdict(a->accept, strcmp(password, RIG_PASSWORD) == 0);
	else
		accept_keys(a->accept,
		    s == NULL || s->rejects ? NULL : keys_of(a->rig, hash));
}

static void
offer(struct attempt *a, const char *feature)
{
	const char **at = a->features;

	while (*at != NULL)
		at++;
	*at = feature;
}

static bool
authorize(void *arg, const char *domain, const char *name, const char *authzid)
{
	struct attempt *a = arg;

	(void)authzid;
	a->server = server_at(a->rig, domain, name);
	if (a->server == NULL || a->server->is_down)
		return false;
	if (a->server->peer.managed.is_offered)
		offer(a, "<sm xmlns='" NS_SM "'/>");
	return true;
}

static void
failed(void *arg, const char *name, const char *why)
{
	(void)arg;
	(void)name;
	(void)why;
}

static enum error_cond
cond_of(const char *name)
{
	for (int c = 0; c < ERR_COND_COUNT; c++) {
		if (strcmp(error_cond_name((enum error_cond)c), name) == 0)
			return (enum error_cond)c;
	}
	return ERR_UNDEFINED_CONDITION;
}

static const char *
bind_resource(void *arg, const char *resource, enum error_cond *cond)
{
	struct attempt *a = arg;
	char made[RANDOM_ID_SIZE];

	if (a->server->refusal != NULL) {
		*cond = cond_of(a->server->refusal);
		return NULL;
	}
	if (a->server->resource != NULL)
		resource = a->server->resource;
	if (resource == NULL)
		resource = random_id(made);
	free(a->full);
	a->full = mem_printf("%s/%s", a->server->jid, resource);
	return a->full;
}

static void
take_stream(struct attempt *a, struct stream *stream, const char *full)
{
	peer_take_stream(&a->server->peer, stream, full);
	a->server->peer.wire = a->wire;
	attempt_free(a);
}

/* What waited for the session before this one is gone. */
static void
ready(void *arg, struct stream *stream)
{
	struct attempt *a = arg;

	managed_reset(&a->server->peer.managed);
	take_stream(a, stream, a->full);
}

static enum accept_resume
resume(void *arg, const char *previd, uint32_t h,
    struct accept_refusal *refusal)
{
	struct attempt *a = arg;

	a->resume_h = h;
	return managed_may_resume(&a->server->peer, previd, h, refusal);
}

static void
resumed(void *arg, struct stream *stream)
{
	struct attempt *a = arg;
	struct peer *p = &a->server->peer;
	uint32_t h = a->resume_h;

	take_stream(a, stream, p->full);
	managed_answer_resume(p, h);
}

static void
closed(void *arg, const char *reason)
{
	(void)reason;
	attempt_free(arg);
}

static const struct accept_host host = {
	.serves = serves,
	.salt = salt,
	.may_try = may_try,
	.check = check,
	.authorize = authorize,
	.failed = failed,
	.bind = bind_resource,
	.resume = resume,
	.ready = ready,
	.resumed = resumed,
	.closed = closed,
};

void
rig_server_accept(struct rig *rig, struct transport *wire)
{
	static const char ver[] = "<ver xmlns='" NS_ROSTERVER "'/>";
	static const struct xml_limits limits = { 16 << 20, 1024, 1024,
		262144 };
	struct attempt *a = mem_alloc(sizeof(*a));
	struct accept_options options = {
		.tls = ACCEPT_PLAIN,
		.limits = limits,
		.bound_limits = limits,
		.auth_ms = 60000,
		.tls_ms = 10000,
		.tries = 3,
		.features = a->features,
	};

	a->features[0] = ver;
	a->features[1] = rig->features;
	a->rig = rig;
	a->wire = wire;
	LIST_INSERT_HEAD(&rig->attempts, a, next);
	a->accept = accept_new(rig->peers,
	    conn_new(rig->peers, wire, "server", NULL, NULL), &options, &host,
	    a);
}

void
rig_server_init(struct rig *rig, struct rig_server *s,
    const struct account_config *account, const char *name)
{
	peer_init(&s->peer, rig, name);
	s->peer.answer = rig_server_answer;
	s->jid = mem_strdup(account->jid);
	s->roster = mem_strdup("");
	s->info = mem_strdup(default_info);
	s->has_carbons = true;
}

void
rig_server_free(struct rig_server *s)
{
	peer_fini(&s->peer);
	free(s->jid);
	free(s->resource);
	free(s->roster);
	free(s->info);
	free(s->domain_info);
	free(s->blocks);
	free(s->items);
	free(s->refusal);
	free(s);
}
