#include "rig/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/store.h"
#include "io/conn.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

/* So many turns without anything happening, and nothing will. */
#define QUIET_TURNS 4
#define STEP_MS     1000

static void
take_line(enum log_level level, const char *line, void *arg)
{
	struct rig *rig = arg;

	if (rig->is_traced)
		fprintf(stderr, "    log %d %s\n", (int)level, line);
	buf_puts(&rig->log, line);
	buf_putc(&rig->log, '\n');
}

static void
add_servers(struct rig *rig, const struct config *config)
{
	const struct user_config *u;
	const struct account_config *a;
	struct rig_server *s;
	char name[16];
	int n = 0;

	STAILQ_FOREACH(u, &config->users, next) {
		STAILQ_FOREACH(a, &u->accounts, next) {
			s = mem_alloc(sizeof(*s));
			snprintf(name, sizeof(name), "S%d", ++n);
			rig_server_init(rig, s, a, n == 1 ? "S" : name);
			STAILQ_INSERT_TAIL(&rig->servers, s, next);
		}
	}
}

static struct config *
read_config(struct rig *rig, struct err *err)
{
	return config_parse(rig->config_xml, strlen(rig->config_xml),
	    "/rig/proxy.xml", err);
}

static int
make_peers(struct rig *rig, struct err *err)
{
	struct config *config = read_config(rig, err);

	if (config == NULL)
		return -1;
	add_servers(rig, config);
	config_free(&config);
	return (rig->peers = loop_new(err)) != NULL ? 0 : -1;
}

int
rig_start(struct rig *rig, struct err *err)
{
	struct proxy_env env = rig_env(rig);
	struct config *config;

	if (rig->is_stopped)
		rig_kill(rig);
	if (rig->proxy != NULL)
		return err_set(err, "the proxy is up");
	if ((config = read_config(rig, err)) == NULL)
		return -1;
	if (rig->has_run)
		store_reopened(rig->store);
	rig->has_run = true;
	rig->proxy = proxy_new(rig->loop, config, rig->store, &env, modules);
	return 0;
}

/* Its connections go with the loop, and with them all that was not written. */
void
rig_kill(struct rig *rig)
{
	proxy_abandon(&rig->proxy);
	loop_free(&rig->loop);
	rig->loop = loop_new(NULL);
	rig->is_stopped = false;
}

struct rig *
rig_new(const char *config_xml, size_t cut, struct err *err)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->config_xml = mem_strdup(config_xml);
	rig->cut = cut;
	STAILQ_INIT(&rig->servers);
	STAILQ_INIT(&rig->clients);
	LIST_INIT(&rig->attempts);
	LIST_INIT(&rig->dials);
	STAILQ_INIT(&rig->jobs);
	clock_fake(1000000, RIG_WALL);
	log_capture(take_line, rig);
	rig->store = store_open(":memory:", STORE_SYNC_NORMAL, err);
	if (rig->store == NULL || make_peers(rig, err) != 0 ||
	    (rig->loop = loop_new(err)) == NULL || rig_start(rig, err) != 0)
		rig_free(&rig);
	return rig;
}

static void
free_peers(struct rig *rig)
{
	struct rig_client *c;
	struct rig_server *s;

	while ((c = STAILQ_FIRST(&rig->clients)) != NULL) {
		STAILQ_REMOVE_HEAD(&rig->clients, next);
		rig_client_free(c);
	}
	rig_server_drop_attempts(rig);
	while ((s = STAILQ_FIRST(&rig->servers)) != NULL) {
		STAILQ_REMOVE_HEAD(&rig->servers, next);
		rig_server_free(s);
	}
}

void
rig_stop(struct rig *rig)
{
	if (rig->proxy == NULL || rig->is_stopped)
		return;
	rig->is_stopped = true;
	proxy_stop(rig->proxy);
	rig_run(rig);
}

void
rig_free(struct rig **holder)
{
	struct rig *rig = *holder;

	if (rig == NULL)
		return;
	rig_stop(rig);
	if (rig->proxy != NULL)
		proxy_free(&rig->proxy);
	free_peers(rig);
	loop_free(&rig->peers);
	loop_free(&rig->loop);
	store_close(&rig->store);
	free(rig->salted);
	free(rig->features);
	free(rig->config_xml);
	free(rig->fault);
	log_capture(NULL, NULL);
	buf_free(&rig->log);
	clock_real();
	free(rig);
	*holder = NULL;
}

static bool
is_busy(const struct rig *rig, uint64_t before)
{
	return rig->activity != before ||
	    conns_are_ready(loop_conns(rig->loop)) ||
	    conns_are_ready(loop_conns(rig->peers));
}

void
rig_run(struct rig *rig)
{
	unsigned quiet = 0;
	uint64_t before;

	while (quiet < QUIET_TURNS) {
		before = rig->activity;
		loop_turn(rig->loop, 0);
		rig_env_run_jobs(rig);
		loop_turn(rig->peers, 0);
		quiet = is_busy(rig, before) ? 0 : quiet + 1;
	}
}

void
rig_wait(struct rig *rig, uint64_t ms)
{
	uint64_t step;

	rig_run(rig);
	for (; ms > 0; ms -= step) {
		step = ms < STEP_MS ? ms : STEP_MS;
		clock_advance(step);
		rig_run(rig);
	}
}

void
rig_fault(struct rig *rig, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (rig->fault == NULL)
		rig->fault = buf_take(&b);
	buf_free(&b);
}

void
rig_trace_text(struct rig *rig, const char *who, const char *arrow,
    const char *xml)
{
	if (rig->is_traced)
		fprintf(stderr, "%s%s %s\n", who, arrow, xml);
}

void
rig_trace(struct rig *rig, const char *who, const char *arrow,
    const struct elem *stanza)
{
	struct buf b = { 0 };

	if (!rig->is_traced)
		return;
	elem_write(&b, stanza, NS_CLIENT);
	rig_trace_text(rig, who, arrow, b.data);
	buf_free(&b);
}

struct rig_client *
rig_client(struct rig *rig, const char *name)
{
	struct rig_client *c;

	STAILQ_FOREACH(c, &rig->clients, next) {
		if (strcmp(c->peer.name, name) == 0)
			return c;
	}
	c = mem_alloc(sizeof(*c));
	peer_init(&c->peer, rig, name);
	STAILQ_INSERT_TAIL(&rig->clients, c, next);
	return c;
}

struct rig_server *
rig_server(struct rig *rig, const char *name)
{
	struct rig_server *s;

	if (strcmp(name, "S1") == 0)
		name = "S";
	STAILQ_FOREACH(s, &rig->servers, next) {
		if (strcmp(s->peer.name, name) == 0)
			return s;
	}
	return NULL;
}

struct rig_server *
rig_server_of(struct rig *rig, const char *jid)
{
	struct rig_server *s;

	STAILQ_FOREACH(s, &rig->servers, next) {
		if (strcmp(s->jid, jid) == 0)
			return s;
	}
	return NULL;
}
