/* Verbs of what happens: to the upstream, to the proxy, to time. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rig/run.h"
#include "xmpp/ns.h"

#define UP_SECONDS 900 /* backoff ends at five minutes */

/* --- upstream --- */

static void
take_down(struct rig_server *s, const char *cond)
{
	char *error;

	s->is_down = true;
	if (cond == NULL) {
		peer_cut(&s->peer);
		return;
	}
	error = mem_printf("<stream:error><%s xmlns='" NS_STREAM_ERROR
			   "'/></stream:error>",
	    cond);
	peer_close_with(&s->peer, error);
	free(error);
}

static int
bring_up(struct run *run, struct rig_server *s)
{
	s->is_down = false;
	for (int i = 0; i < UP_SECONDS && s->peer.stream == NULL; i++)
		rig_wait(run->rig, 1000);
	if (s->peer.stream == NULL)
		return run_fail(run, "the upstream does not come up");
	run_name(run, &s->peer);
	rig_run(run->rig);
	return 0;
}

static int
on_upstream(struct run *run, const char *rest)
{
	struct rig_server *s = run_server(run, &rest);
	const char *how = script_word(run->arena, &rest);

	if (text_equals(how, "up"))
		return bring_up(run, s);
	if (text_equals(how, "cut"))
		peer_cut(&s->peer);
	else if (text_equals(how, "down"))
		take_down(s, *rest != '\0' ? rest : NULL);
	else
		return run_fail(run, "an upstream is up, down or cut");
	rig_run(run->rig);
	return 0;
}

/* --- the rest --- */

static int
on_wait(struct run *run, const char *rest)
{
	char *unit;
	unsigned long n = strtoul(rest, &unit, 10);

	if (strcmp(unit, "ms") == 0)
		rig_wait(run->rig, n);
	else if (strcmp(unit, "s") == 0)
		rig_wait(run->rig, n * 1000);
	else if (strcmp(unit, "m") == 0)
		rig_wait(run->rig, n * 60000);
	else
		return run_fail(run, "'%s' is no time", rest);
	return 0;
}

static int
on_stop(struct run *run, const char *rest)
{
	(void)rest;
	rig_stop(run->rig);
	return 0;
}

static int
on_start(struct run *run, const char *rest)
{
	struct err err = { "" };

	(void)rest;
	if (rig_start(run->rig, &err) != 0)
		return run_fail(run, "%s", err.text);
	rig_run(run->rig);
	run_name_servers(run);
	return 0;
}

static int
on_kill(struct run *run, const char *rest)
{
	if (run->rig->proxy == NULL)
		return run_fail(run, "the proxy is dead already");
	rig_kill(run->rig);
	rig_run(run->rig);
	return strcmp(rest, "down") == 0 ? 0 : on_start(run, rest);
}

static int
on_drain(struct run *run, const char *rest)
{
	struct peer *p;
	const char *name;

	rig_run(run->rig);
	if (*rest == '\0')
		run_drain(run);
	while ((name = script_word(run->arena, &rest)) != NULL) {
		if ((p = run_peer(run, name)) == NULL)
			return -1;
		peer_drain(p);
	}
	return 0;
}

static int
on_logged(struct run *run, const char *rest)
{
	const struct buf *log = &run->rig->log;
	const char *text = run_expand(run, rest, true);
	const char *found;

	if (text == NULL)
		return -1;
	found = log->len > run->log_seen ?
	    strstr(log->data + run->log_seen, text) :
	    NULL;
	if (found == NULL)
		return run_fail(run, "the log does not say '%s'", text);
	run->log_seen = (size_t)(found - log->data) + strcspn(found, "\n");
	return 0;
}

static int
on_strict(struct run *run, const char *rest)
{
	run->is_strict = strcmp(rest, "off") != 0;
	return 0;
}

static int
on_repeat(struct run *run, const char *rest)
{
	const char *count = script_word(run->arena, &rest);
	const char *verb = script_word(run->arena, &rest);
	unsigned long n = count != NULL ? strtoul(count, NULL, 10) : 0;
	int rc = 0;

	if (n == 0 || verb == NULL)
		return run_fail(run, "repeat how often what?");
	for (run->n = 1; run->n <= n && rc == 0; run->n++)
		rc = run_verb(run, verb, rest);
	return rc;
}

const struct verb acting_verbs[] = {
	{ "repeat", PHASE_ANY, on_repeat },
	{ "strict", PHASE_ANY, on_strict },
	{ "upstream", PHASE_ACTION, on_upstream },
	{ "stop", PHASE_ACTION, on_stop },
	{ "kill", PHASE_ACTION, on_kill },
	{ "start", PHASE_ACTION, on_start },
	{ "wait", PHASE_ACTION, on_wait },
	{ "nothing", PHASE_ACTION, run_nothing },
	{ "drain", PHASE_ACTION, on_drain },
	{ "logged", PHASE_ACTION, on_logged },
	{ NULL, PHASE_ANY, NULL },
};
