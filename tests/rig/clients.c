/* Verbs of clients. */
#include <string.h>

#include "base/text.h"
#include "rig/run.h"
#include "xmpp/ns.h"

static int
log_in(struct run *run, struct rig_client *c, const char *options)
{
	const char *view = run_option(run, options, "view");
	const char *as = run_option(run, options, "as");
	const char *resource = run_option(run, options, "resource");
	char *lower = arena_strdup(run->arena, c->peer.name);

	if (as == NULL)
		as = view != NULL && strcmp(view, "node") == 0 ?
		    "alice@proxy.example" :
		    "alice@a.example";
	lower[0] = 'c';
	if (resource == NULL)
		resource = lower;
	return rig_login(c, strchr(as, '@') + 1,
	    arena_strndup(run->arena, as, strcspn(as, "@")),
	    *resource != '\0' ? resource : NULL);
}

static int
on_connect(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	struct peer *p = run_peer(run, name);
	struct rig_client *c;

	if (p == NULL)
		return -1;
	c = rig_client(run->rig, name);
	if (log_in(run, c, rest) != 0)
		return run_fail(run, "%s cannot log in: %s", name, c->failure);
	run_name(run, p);
	return 0;
}

/* "refused C1 text of the failure [options]" */
static int
on_refused(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	const char *text = script_word(run->arena, &rest);
	struct peer *p = run_peer(run, name);
	struct rig_client *c;

	if (p == NULL)
		return -1;
	c = rig_client(run->rig, name);
	if (log_in(run, c, rest) == 0)
		return run_fail(run, "%s can log in", name);
	if (text != NULL && strstr(c->failure, text) == NULL)
		return run_fail(run, "%s cannot log in: %s", name, c->failure);
	return 0;
}

static void
send_presence(struct run *run, struct peer *p, const char *options)
{
	const char *priority = run_option(run, options, "priority");
	const char *show = run_option(run, options, "show");
	struct buf b = { 0 };

	buf_puts(&b, "<presence>");
	if (show != NULL)
		buf_printf(&b, "<show>%s</show>", show);
	if (priority != NULL)
		buf_printf(&b, "<priority>%s</priority>", priority);
	buf_puts(&b, "</presence>");
	rig_trace_text(run->rig, p->name, ">", b.data);
	peer_send(p, b.data);
	buf_free(&b);
	rig_run(run->rig);
}

static int
on_presence(struct run *run, const char *rest)
{
	struct peer *p = run_peer(run, script_word(run->arena, &rest));

	if (p == NULL)
		return -1;
	send_presence(run, p, rest);
	return 0;
}

/* As clients begin: roster, carbons, presence. What that gives is routine. */
static int
on_login(struct run *run, const char *rest)
{
	const char *after = rest;
	const char *name = script_word(run->arena, &after);
	struct peer *p;

	if (on_connect(run, rest) != 0)
		return -1;
	p = run_peer(run, name);
	if (!run_has_word(run, after, "noroster"))
		peer_send(p,
		    "<iq type='get' id='login-roster'>"
		    "<query xmlns='" NS_ROSTER "'/></iq>");
	if (run_has_word(run, after, "carbons"))
		peer_send(p,
		    "<iq type='set' id='login-carbons'>"
		    "<enable xmlns='" NS_CARBONS "'/></iq>");
	if (!run_has_word(run, after, "nopresence"))
		send_presence(run, p, after);
	rig_run(run->rig);
	if (p->stream == NULL)
		return run_fail(run, "%s was closed: %s", name,
		    p->cond != NULL ? p->cond : "-");
	run_drain(run);
	return 0;
}

static int
on_logout(struct run *run, const char *rest)
{
	struct peer *p = run_peer(run, script_word(run->arena, &rest));

	if (p == NULL)
		return -1;
	peer_send(p, "<presence type='unavailable'/>");
	peer_close(p);
	rig_run(run->rig);
	run_drain(run);
	return 0;
}

static int
with_peer(struct run *run, const char *rest, void (*act)(struct peer *))
{
	struct peer *p = run_peer(run, script_word(run->arena, &rest));

	if (p == NULL)
		return -1;
	act(p);
	rig_run(run->rig);
	return 0;
}

static int
on_close(struct run *run, const char *rest)
{
	return with_peer(run, rest, peer_close);
}

static int
on_lose(struct run *run, const char *rest)
{
	return with_peer(run, rest, peer_cut);
}

static void
stall(struct peer *p)
{
	peer_stall(p, 1024);
}

static void
unstall(struct peer *p)
{
	peer_stall(p, 0);
}

static int
on_stall(struct run *run, const char *rest)
{
	return with_peer(run, rest, stall);
}

static int
on_unstall(struct run *run, const char *rest)
{
	return with_peer(run, rest, unstall);
}

static int
on_closed(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	struct peer *p = run_peer(run, name);

	if (p == NULL)
		return -1;
	rig_run(run->rig);
	if (!p->was_closed)
		return run_fail(run, "%s was not closed", name);
	if (strcmp(rest, "...") != 0 &&
	    !text_equals(p->cond, *rest != '\0' ? rest : NULL))
		return run_fail(run, "%s was closed with %s (%s)", name,
		    p->cond != NULL ? p->cond : "no error", p->reason);
	return 0;
}

const struct verb client_verbs[] = {
	{ "connect", PHASE_ACTION, on_connect },
	{ "refused", PHASE_ACTION, on_refused },
	{ "login", PHASE_ACTION, on_login },
	{ "logout", PHASE_ACTION, on_logout },
	{ "presence", PHASE_ACTION, on_presence },
	{ "close", PHASE_ACTION, on_close },
	{ "lose", PHASE_ACTION, on_lose },
	{ "stall", PHASE_ACTION, on_stall },
	{ "unstall", PHASE_ACTION, on_unstall },
	{ "closed", PHASE_ACTION, on_closed },
	{ NULL, PHASE_ANY, NULL },
};
