/*
 * What the tests of src/core share: a proxy whose dialler and workers are the
 * test's, and a fake server for each connection that the test lets through; all in
 * memory, on a clock that stands still.
 */
#ifndef TESTS_UNIT_SUPPORT_CORE_H
#define TESTS_UNIT_SUPPORT_CORE_H

#include "support_io.h"

#include <sys/queue.h>

#include "base/log.h"
#include "base/text.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/store.h"
#include "core/upstream.h"
#include "core/user.h"
#include "mod/modules.h"
#include "rig/wire.h"
#include "xmpp/accept.h"
#include "xmpp/ns.h"

#define CORE_LIMITS \
	{ \
		16 << 20, 1024, 1024, 262144 \
	}
#define CORE_PEER "192.0.2.1"
#define CORE_ALICE(more) \
	"<user name='alice' passwd='secret' " more ">" \
	"<account jid='alice@a.example' passwd='up' host='127.0.0.1' " \
	"tls='none' resource='proxy'/></user>"

/* One attempt of an upstream; the test says what becomes of it. */
struct core_dial {
	TAILQ_ENTRY(core_dial) next;
	struct core *core;
	const struct dial_events *events;
	void *arg;
	char *domain, *host;
	uint16_t port;
	unsigned nexts; /* dial_next() */
	char *reason;   /* of the last one */
};

struct core_job {
	STAILQ_ENTRY(core_job) next;
	void (*work)(void *), (*done)(void *);
	void *job;
};

enum server_does {
	SERVER_BINDS,
	SERVER_REFUSES,   /* the password */
	SERVER_POSTPONES, /* temporary-auth-failure */
	SERVER_CONFLICTS, /* the resource */
	SERVER_ENDS,      /* with core->cond and core->where, at the login */
};

/* The far end of one connection that the proxy made. */
struct core_server {
	LIST_ENTRY(core_server) next;
	struct core *core;
	struct transport *wire;
	struct accept *accept;
	struct stream *stream; /* bound */
	struct buf got;        /* stanzas, one after the other */
	char *full;
	char *cond; /* the proxy's stream error */
	bool closed;
};

struct core {
	const char *const *features; /* more of the servers; may be NULL */
	struct store *store;
	char *store_path; /* NULL: it is in memory */
	struct loop *loop, *peers;
	struct proxy *proxy;
	uint64_t activity;
	struct buf log;
	TAILQ_HEAD(core_dials, core_dial) dials;
	unsigned dialled; /* ever */
	STAILQ_HEAD(, core_job) jobs;
	bool is_busy, holds_jobs; /* workers: no room; nothing is done */
	/* Of the servers. */
	enum server_does does;
	enum stream_cond cond;
	const char *where, *password, *gives;
	char *asked; /* the resource */
	enum accept_tls tls;
	struct tls_certs *certs;
	LIST_HEAD(, core_server) servers;
	struct core_server *server; /* the last one that was bound */
};

/* --- the dialler and the workers --- */

static inline struct dial *
core_dial_new(void *arg, const struct dial_target *target,
    const struct dial_events *events, void *events_arg)
{
	struct core *c = arg;
	struct core_dial *d = mem_alloc(sizeof(*d));

	d->core = c;
	d->events = events;
	d->arg = events_arg;
	d->domain = mem_strdup(target->domain);
	d->host = mem_strdup(target->host);
	d->port = target->port;
	TAILQ_INSERT_TAIL(&c->dials, d, next);
	c->dialled++;
	return (struct dial *)d;
}

static inline void
core_dial_next(struct dial *dial, const char *reason)
{
	struct core_dial *d = (struct core_dial *)dial;

	d->nexts++;
	free(d->reason);
	d->reason = mem_strdup(reason);
}

static inline void
core_dial_free(struct dial **holder)
{
	struct core_dial *d = (struct core_dial *)*holder;

	if (d == NULL)
		return;
	TAILQ_REMOVE(&d->core->dials, d, next);
	free(d->domain);
	free(d->host);
	free(d->reason);
	free(d);
	*holder = NULL;
}

static inline int
core_work(void *arg, void (*work)(void *), void (*done)(void *), void *job)
{
	struct core *c = arg;
	struct core_job *j;

	if (c->is_busy)
		return -1;
	j = mem_alloc(sizeof(*j));
	j->work = work;
	j->done = done;
	j->job = job;
	STAILQ_INSERT_TAIL(&c->jobs, j, next);
	return 0;
}

static inline void
core_run_jobs(struct core *c)
{
	struct core_job *j;

	while ((j = STAILQ_FIRST(&c->jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->jobs, next);
		c->activity++;
		j->work(j->job);
		j->done(j->job);
		free(j);
	}
}

/* As the end of a worker: handed back undone. */
static inline void
core_skip_jobs(struct core *c)
{
	struct core_job *j;

	while ((j = STAILQ_FIRST(&c->jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->jobs, next);
		j->done(j->job);
		free(j);
	}
}

/* --- the servers --- */

static inline bool
server_serves(void *arg, const char *domain)
{
	struct core_server *s = arg;

	(void)domain;
	if (s->core->does != SERVER_ENDS || s->core->tls != ACCEPT_PLAIN)
		return true;
	accept_fail(&s->accept, s->core->cond, s->core->where);
	return false;
}

static inline const struct scram_keys *
server_keys(struct core *c, enum scram_hash hash)
{
	static struct scram_keys keys[SCRAM_HASHES];
	static const char *of[SCRAM_HASHES];
	struct scram_keys *k = &keys[hash];

	if (k->known && of[hash] == c->password)
		return k;
	k->iterations = SCRAM_ITERATIONS_MIN;
	k->salt_len = 4;
	memcpy(k->salt, "salt", 4);
	k->known = scram_derive(k, hash, c->password, NULL) == 0;
	of[hash] = c->password;
	return k;
}

static inline void
server_salt(void *arg, const char *domain, const char *name,
    enum scram_hash hash, struct scram_keys *out)
{
	(void)domain;
	(void)name;
	*out = *server_keys(((struct core_server *)arg)->core, hash);
}

static inline bool
server_may_try(void *arg)
{
	return ((struct core_server *)arg)->core->does != SERVER_POSTPONES;
}

static inline void
server_check(void *arg, const char *domain, const char *name,
    const char *password, enum scram_hash hash)
{
	struct core_server *s = arg;

	(void)domain;
	(void)name;
	assert_null(password);
	if (s->core->does == SERVER_ENDS)
		accept_fail(&s->accept, s->core->cond, s->core->where);
	else
		accept_keys(s->accept,
		    s->core->does == SERVER_REFUSES ?
			NULL :
			server_keys(s->core, hash));
}

static inline bool
server_authorize(void *arg, const char *domain, const char *name,
    const char *authzid)
{
	struct core_server *s = arg;

	(void)authzid;
	free(s->full);
	s->full = mem_printf("%s@%s", name, domain);
	return true;
}

static inline void
server_failed(void *arg, const char *name, const char *why)
{
	(void)arg;
	(void)name;
	(void)why;
}

static inline const char *
server_bind(void *arg, const char *resource, enum error_cond *cond)
{
	struct core_server *s = arg;
	char *bare = s->full;

	free(s->core->asked);
	s->core->asked = mem_strdup(resource);
	*cond = ERR_CONFLICT;
	if (s->core->does == SERVER_CONFLICTS)
		return NULL;
	if (resource == NULL)
		resource = s->core->gives != NULL ? s->core->gives : "made";
	s->full = mem_printf("%s/%s", bare, resource);
	free(bare);
	return s->full;
}

/* What mod/gap.c asks on a second stream: it has no archive. */
static inline void
server_stanza(void *arg, struct elem *e)
{
	struct core_server *s = arg;

	if (elem_find(e, NS_MAM, "query") != NULL &&
	    elem_attr(e, "to") == NULL) {
		stream_send(s->stream,
		    stanza_error(e, ERR_SERVICE_UNAVAILABLE, NULL));
		return;
	}
	elem_write(&((struct core_server *)arg)->got, e, NS_CLIENT);
}

static inline void
server_over(void *arg, const char *cond, const char *reason)
{
	struct core_server *s = arg;

	(void)reason;
	s->closed = true;
	s->cond = mem_strdup(cond);
	stream_close(&s->stream);
}

static inline void
server_ready(void *arg, struct stream *stream)
{
	static const struct stream_events events = { .stanza = server_stanza,
		.closed = server_over };
	struct core_server *s = arg;

	s->stream = stream;
	stream_set_owner(stream, &events, s);
	accept_free(&s->accept);
	s->core->server = s;
}

static inline void
server_closed(void *arg, const char *reason)
{
	(void)reason;
	accept_free(&((struct core_server *)arg)->accept);
}

static const struct accept_host core_server_host = {
	.serves = server_serves,
	.salt = server_salt,
	.may_try = server_may_try,
	.check = server_check,
	.authorize = server_authorize,
	.failed = server_failed,
	.bind = server_bind,
	.ready = server_ready,
	.closed = server_closed,
};

static inline struct core_server *
core_server_new(struct core *c, struct transport *wire)
{
	struct accept_options options = {
		.tls = c->tls,
		.certs = c->certs,
		.limits = CORE_LIMITS,
		.bound_limits = CORE_LIMITS,
		.auth_ms = 600000,
		.tls_ms = 10000,
		.tries = 3,
		.features = c->features,
	};
	struct core_server *s = mem_alloc(sizeof(*s));

	s->core = c;
	s->wire = wire;
	buf_puts(&s->got, "");
	LIST_INSERT_HEAD(&c->servers, s, next);
	s->accept = accept_new(c->peers,
	    conn_new(c->peers, wire, "server", NULL, NULL), &options,
	    &core_server_host, s);
	return s;
}

static inline void
core_server_say(struct core *c, const char *xml)
{
	assert_non_null(c->server);
	assert_non_null(c->server->stream);
	stream_send_text(c->server->stream, xml);
}

/* --- all of it --- */

/* Bytes that wait while commits fail are nothing to do. */
static inline bool
core_is_ready(const struct core *c)
{
	struct loop_conns *conns = loop_conns(c->loop);

	if (c->proxy != NULL && c->proxy->turn.retry_ms != 0)
		return conns_are_dirty(conns);
	return conns_are_ready(conns);
}

static inline void
core_run(struct core *c)
{
	unsigned quiet = 0;
	uint64_t before;

	while (quiet < 4) {
		before = c->activity;
		loop_turn(c->loop, 0);
		if (!c->holds_jobs)
			core_run_jobs(c);
		loop_turn(c->peers, 0);
		quiet = c->activity != before || core_is_ready(c) ||
			conns_are_ready(loop_conns(c->peers)) ?
		    0 :
		    quiet + 1;
	}
}

/* In steps of a second at most. */
static inline void
core_wait(struct core *c, uint64_t ms)
{
	uint64_t step;

	core_run(c);
	for (; ms > 0; ms -= step) {
		step = ms < 1000 ? ms : 1000;
		clock_advance(step);
		core_run(c);
	}
}

/* The oldest attempt that is open gets a connection. */
static inline void
core_connect(struct core *c)
{
	struct core_dial *d = TAILQ_FIRST(&c->dials);
	struct transport *ours, *theirs;
	int fds[2];

	assert_non_null(d);
	if (c->tls == ACCEPT_PLAIN) {
		wire_new(0, &c->activity, &theirs, &ours);
	} else {
		io_pair(fds);
		theirs = transport_socket(fds[0]);
		ours = transport_socket(fds[1]);
	}
	core_server_new(c, ours);
	d->events->connected(d->arg, theirs, c->tls == ACCEPT_DIRECT, "there");
	core_run(c);
}

static inline void
core_dial_fails(struct core *c, const char *reason)
{
	struct core_dial *d = TAILQ_FIRST(&c->dials);

	assert_non_null(d);
	d->events->failed(d->arg, reason);
	core_run(c);
}

/* ms until the next attempt begins; fails where none does within `most`. */
static inline uint64_t
core_until_dial(struct core *c, uint64_t most)
{
	unsigned before = c->dialled;
	uint64_t ms = 0, step;

	core_run(c);
	while (c->dialled == before && ms <= most) {
		step = most > 20000 ? 100 : 1;
		clock_advance(step);
		ms += step;
		loop_turn(c->loop, 0);
		loop_turn(c->peers, 0);
	}
	if (c->dialled == before)
		fail_msg("no attempt within %llu ms", (unsigned long long)most);
	core_run(c);
	return ms;
}

static inline void
core_log(enum log_level level, const char *line, void *arg)
{
	struct core *c = arg;

	(void)level;
	buf_puts(&c->log, line);
	buf_putc(&c->log, '\n');
}

static char core_folder_path[] = "/tmp/xmpproxy-core-XXXXXX";

static inline void
core_folder_remove(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", core_folder_path);
	if (system(command) != 0)
		perror(command);
}

/* Where certificates are made; goes with the program. */
static inline const char *
core_folder(void)
{
	static bool is_made;

	if (!is_made) {
		assert_non_null(mkdtemp(core_folder_path));
		atexit(core_folder_remove);
		is_made = true;
	}
	return core_folder_path;
}

/* Nothing listens unless the body says so. */
static inline void
core_drop_listens(struct config *config)
{
	struct listen_config *l;

	while ((l = STAILQ_FIRST(&config->listens)) != NULL) {
		STAILQ_REMOVE_HEAD(&config->listens, next);
		free(l->address);
		free(l);
	}
}

static inline struct config *
core_config(const char *body)
{
	struct err err = { "" };
	char *xml = mem_printf("<config><node name='proxy.example'/>"
			       "%s</config>",
	    body);
	char *path = mem_printf("%s/proxy.xml", core_folder());
	struct config *config;

	config = config_parse(xml, strlen(xml), path, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	if (strstr(body, "<listen ") == NULL)
		core_drop_listens(config);
	free(path);
	free(xml);
	return config;
}

/* The proxy is there, on the store as it is. */
static inline void
core_start(struct core *c, const char *body)
{
	struct proxy_env env = { core_dial_new, core_dial_next, core_dial_free,
		core_work, c };
	struct err err = { "" };

	c->store = store_open(c->store_path != NULL ? c->store_path :
						      ":memory:",
	    STORE_SYNC_NORMAL, &err);
	if (c->store == NULL)
		fail_msg("%s", err.text);
	c->proxy = proxy_new(c->loop, core_config(body), c->store, &env,
	    modules);
}

/*
 * Upstreams have begun to dial, and wait for the test. path: of the store; NULL: it is
 * in memory.
 */
static inline struct core *
core_new_in(const char *path, const char *body)
{
	struct core *c = mem_alloc(sizeof(*c));

	TAILQ_INIT(&c->dials);
	STAILQ_INIT(&c->jobs);
	LIST_INIT(&c->servers);
	c->password = "up";
	c->tls = ACCEPT_PLAIN;
	c->loop = io_loop();
	c->peers = loop_new(NULL);
	clock_fake(1000000, 1735689600000);
	log_capture(core_log, c);
	buf_puts(&c->log, "");
	c->store_path = mem_strdup(path);
	core_start(c, body);
	return c;
}

static inline struct core *
core_new(const char *body)
{
	return core_new_in(NULL, body);
}

/* The proxy dies without a word, and the links with it; core_start() may follow. */
static inline void
core_kill(struct core *c)
{
	core_run_jobs(c);
	proxy_abandon(&c->proxy);
	store_close(&c->store);
	loop_free(&c->loop);
	c->loop = loop_new(NULL);
}

static inline void
core_free(struct core *c)
{
	struct core_server *s;

	core_run_jobs(c);
	proxy_free(&c->proxy);
	store_close(&c->store);
	while ((s = LIST_FIRST(&c->servers)) != NULL) {
		LIST_REMOVE(s, next);
		accept_free(&s->accept);
		stream_abort(&s->stream);
		buf_free(&s->got);
		free(s->full);
		free(s->cond);
		free(s);
	}
	loop_free(&c->peers);
	loop_free(&c->loop);
	tls_certs_unref(&c->certs);
	log_capture(NULL, NULL);
	buf_free(&c->log);
	free(c->asked);
	free(c->store_path);
	free(c);
	clock_real();
}

static inline struct user *
core_user(struct core *c, const char *name)
{
	struct user *u = proxy_find_user(c->proxy, name);

	assert_non_null(u);
	return u;
}

static inline struct account *
core_account(struct core *c, const char *name)
{
	struct account *a = LIST_FIRST(&core_user(c, name)->accounts);

	assert_non_null(a);
	return a;
}

static inline bool
has(const struct buf *b, const char *what)
{
	return b->data != NULL && strstr(b->data, what) != NULL;
}

static inline void
expect(const struct buf *b, const char *what)
{
	if (!has(b, what))
		fail_msg("no \"%s\" in: %s", what, b->data);
}

#endif
