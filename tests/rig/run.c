#include "rig/run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "xmpp/ns.h"

#define PAD_MAX (32 << 20)

static const struct var builtin[] = {
	{ "OID", "<origin-id xmlns='" NS_SID "' .../>" },
	{ "DELAY", "<delay xmlns='" NS_DELAY "' .../>" },
	{ "SENT",
	    "<sent xmlns='" NS_CARBONS "'><forwarded xmlns='" NS_FORWARD "'>" },
	{ "/SENT", "</forwarded></sent>" },
	{ "RECEIVED",
	    "<received xmlns='" NS_CARBONS "'><forwarded xmlns='" NS_FORWARD
	    "'>" },
	{ "/RECEIVED", "</forwarded></received>" },
};

int
run_fail(struct run *run, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	free(run->why);
	run->why = buf_take(&b);
	return -1;
}

/* --- filling in --- */

static int
expand_brace(struct run *run, struct buf *b, const char *name, size_t len)
{
	const char *value = vars_get(&run->lets, name, len);
	char *inner;
	long pad;

	if (value != NULL) {
		inner = run_expand(run, value, false);
		buf_puts(b, inner);
	} else if (len == 1 && *name == 'n') {
		buf_printf(b, "%u", run->n);
	} else if (len > 6 && strncmp(name, "error ", 6) == 0) {
		buf_printf(b,
		    "<error ...><%.*s xmlns='" NS_STANZA_ERROR "'/>...</error>",
		    (int)len - 6, name + 6);
	} else if (len > 5 && strncmp(name, "caps:", 5) == 0) {
		rig_client_write_caps(rig_client(run->rig,
					  arena_strndup(run->arena, name + 5,
					      len - 5)),
		    b);
	} else if (len > 4 && strncmp(name, "pad:", 4) == 0) {
		pad = strtol(name + 4, NULL, 10);
		for (long i = 0; i < pad && i < PAD_MAX; i++)
			buf_putc(b, 'x');
	} else {
		return run_fail(run, "nothing is named {%.*s}", (int)len, name);
	}
	return 0;
}

static size_t
name_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static int
expand_var(struct run *run, struct buf *b, const char **at)
{
	size_t len = name_len(*at + 1);
	const char *value = vars_get(&run->vars, *at + 1, len);

	if (value == NULL)
		return run_fail(run, "nothing is known of $%.*s", (int)len,
		    *at + 1);
	buf_puts(b, value);
	*at += len;
	return 0;
}

static int
expand_into(struct run *run, struct buf *b, const char *s, bool for_sending)
{
	const char *end;

	for (; *s != '\0'; s++) {
		if (*s == '{' && (end = strchr(s, '}')) != NULL) {
			if (expand_brace(run, b, s + 1,
				(size_t)(end - s - 1)) != 0)
				return -1;
			s = end;
		} else if (for_sending && *s == '$' && name_len(s + 1) > 0) {
			if (expand_var(run, b, &s) != 0)
				return -1;
		} else {
			s += for_sending && s[0] == '$' && s[1] == '$';
			buf_putc(b, *s);
		}
	}
	return 0;
}

char *
run_expand(struct run *run, const char *text, bool for_sending)
{
	struct buf b = { 0 };
	char *result = NULL;

	if (expand_into(run, &b, text, for_sending) == 0)
		result = arena_strdup(run->arena, b.len > 0 ? b.data : "");
	buf_free(&b);
	return result;
}

char *
run_option(struct run *run, const char *rest, const char *key)
{
	size_t len = strlen(key);
	char *word;

	while ((word = script_word(run->arena, &rest)) != NULL) {
		if (strncmp(word, key, len) == 0 && word[len] == '=')
			return word + len + 1;
	}
	return NULL;
}

bool
run_has_word(struct run *run, const char *rest, const char *word)
{
	const char *w;

	while ((w = script_word(run->arena, &rest)) != NULL) {
		if (strcmp(w, word) == 0)
			return true;
	}
	return false;
}

/* --- the rig --- */

struct peer *
run_peer(struct run *run, const char *name)
{
	struct rig_server *s;

	if (name != NULL && name[0] == 'C' && name_len(name) == strlen(name))
		return &rig_client(run->rig, name)->peer;
	if (name != NULL && (s = rig_server(run->rig, name)) != NULL)
		return &s->peer;
	run_fail(run, "there is no '%s'", name != NULL ? name : "");
	return NULL;
}

void
run_drain(struct run *run)
{
	struct rig_server *s;
	struct rig_client *c;

	STAILQ_FOREACH(s, &run->rig->servers, next)
		peer_drain(&s->peer);
	STAILQ_FOREACH(c, &run->rig->clients, next)
		peer_drain(&c->peer);
}

struct rig_server *
run_server(struct run *run, const char **rest)
{
	const char *after = *rest;
	const char *name = script_word(run->arena, &after);
	struct rig_server *s = NULL;

	if (name != NULL && name[0] == 'S')
		s = rig_server(run->rig, name);
	if (s != NULL)
		*rest = after;
	return s != NULL ? s : rig_server(run->rig, "S");
}

static int
make_rig(struct run *run)
{
	struct buf b = { 0 };
	struct err err = { "" };

	buf_printf(&b,
	    "<config><node name='proxy.example'/><store path=':memory:'/>"
	    "<limits%s/><user name='alice' passwd='" RIG_PASSWORD "'%s>"
	    "<account jid='alice@a.example' passwd='" RIG_PASSWORD "'"
	    " resource='up' host='127.0.0.1' "
	    "tls='none'%s/>%s</user>%s</config>",
	    run->limits.data != NULL ? run->limits.data : "",
	    run->user.data != NULL ? run->user.data : "",
	    run->account.data != NULL ? run->account.data : "",
	    run->accounts.data != NULL ? run->accounts.data : "",
	    run->users.data != NULL ? run->users.data : "");
	run->rig = rig_new(b.data, run->cut, &err);
	buf_free(&b);
	if (run->rig == NULL)
		return run_fail(run, "the configuration: %s", err.text);
	run->rig->is_traced = run->is_traced;
	if (run->is_direct)
		rig_kill(run->rig);
	run->rig->is_direct = run->is_direct;
	return 0;
}

void
run_name(struct run *run, const struct peer *p)
{
	const char *full = p->full != NULL ? p->full : "";

	vars_set(&run->vars, p->name, strlen(p->name), full, strlen(full));
}

void
run_name_servers(struct run *run)
{
	struct rig_server *s;

	STAILQ_FOREACH(s, &run->rig->servers, next)
		run_name(run, &s->peer);
}

/* The first login upstream is routine; manual servers show it to the script. */
static void
begin(struct run *run)
{
	struct rig_server *s;

	run->has_begun = true;
	rig_run(run->rig);
	STAILQ_FOREACH(s, &run->rig->servers, next) {
		if (!s->is_manual)
			peer_drain(&s->peer);
	}
	run_name_servers(run);
}

static int
enter_phase(struct run *run, enum phase phase)
{
	if (phase == PHASE_CONFIG && run->rig != NULL)
		return run_fail(run, "the configuration stands already");
	if (phase >= PHASE_SETUP && run->rig == NULL && make_rig(run) != 0)
		return -1;
	if (phase == PHASE_ACTION && !run->has_begun)
		begin(run);
	return 0;
}

/* --- statements --- */

/* "C1>", "C1<", "C1,C2<~"; 1: it is none of them. */
static int
run_arrow(struct run *run, const char *verb, const char *rest)
{
	size_t len = strcspn(verb, "<>");
	const char *names = arena_strndup(run->arena, verb, len);
	const char *arrow = verb + len;

	if (*arrow == '\0')
		return 1;
	if (enter_phase(run, PHASE_ACTION) != 0)
		return -1;
	if (strcmp(arrow, ">") == 0)
		return run_send(run, names, rest);
	if (strcmp(arrow, "<") == 0 || strcmp(arrow, "<~") == 0)
		return run_expect(run, names, rest, arrow[1] == '~');
	return run_fail(run, "there is no arrow '%s'", arrow);
}

static const struct verb *
find_verb(const struct verb *v, const char *name)
{
	while (v->name != NULL && strcmp(v->name, name) != 0)
		v++;
	return v->name != NULL ? v : NULL;
}

static const struct verb *
find_any_verb(const char *name)
{
	static const struct verb *const tables[] = { setup_verbs, client_verbs,
		acting_verbs };
	const struct verb *v = NULL;

	for (size_t i = 0; i < 3 && v == NULL; i++)
		v = find_verb(tables[i], name);
	return v;
}

static int
run_named(struct run *run, const char *verb, const char *rest)
{
	const struct verb *v = find_any_verb(verb);

	if (v == NULL)
		return run_fail(run, "there is no verb '%s'", verb);
	return enter_phase(run, v->phase) != 0 ? -1 : v->run(run, rest);
}

int
run_verb(struct run *run, const char *verb, const char *rest)
{
	int rc = run_arrow(run, verb, rest);

	if (rc > 0)
		rc = run_named(run, verb, rest);
	if (run->rig != NULL && run->rig->fault != NULL)
		return run_fail(run, "%s", run->rig->fault);
	return rc;
}

int
run_script(struct run *run, const struct statement **at)
{
	struct statement *st;

	run->arena = arena_new();
	vars_init(&run->vars);
	vars_init(&run->lets);
	for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++)
		vars_set(&run->lets, builtin[i].name, strlen(builtin[i].name),
		    builtin[i].value, strlen(builtin[i].value));
	STAILQ_FOREACH(st, &run->script->statements, next) {
		*at = st;
		if (run_verb(run, st->verb, st->rest) != 0)
			return -1;
	}
	return run->rig == NULL ? run_fail(run, "it does nothing") :
				  run_nothing(run, "");
}

void
run_fini(struct run *run)
{
	rig_free(&run->rig);
	vars_fini(&run->vars);
	vars_fini(&run->lets);
	arena_free(&run->arena);
	buf_free(&run->user);
	buf_free(&run->account);
	buf_free(&run->accounts);
	buf_free(&run->limits);
	buf_free(&run->users);
	free(run->why);
}
