/* Verbs of clients. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rig/run.h"
#include "xmpp/ns.h"

/* --- logging in --- */

static int
log_in(struct run *run, struct rig_client *c, const char *options)
{
	const char *view = run_option(run, options, "view");
	const char *as = run_option(run, options, "as");
	const char *resource = run_option(run, options, "resource");
	char *lower = arena_strdup(run->arena, c->peer.name);
	struct rig_login login = { 0 };

	if (as == NULL)
		as = view != NULL && strcmp(view, "node") == 0 ?
		    "alice@proxy.example" :
		    "alice@a.example";
	lower[0] = 'c';
	if (resource == NULL)
		resource = lower;
	login.domain = strchr(as, '@') + 1;
	login.name = arena_strndup(run->arena, as, strcspn(as, "@"));
	login.resource = *resource != '\0' ? resource : NULL;
	return rig_login(c, &login);
}

/* "h=3"; "h=-3", "h=+3": so many less or more than it is. */
static uint32_t
claimed_h(const struct managed *m, const char *h)
{
	uint32_t n;

	if (h == NULL)
		return sm_h(&m->sm);
	n = (uint32_t)strtol(h, NULL, 10);
	return *h == '-' || *h == '+' ? sm_h(&m->sm) + n : n;
}

/* As who it was before, with "h=" and "previd=" in place of the truth. */
static int
log_in_again(struct run *run, struct rig_client *c, const char *h,
    const char *previd)
{
	const struct managed *m = &c->peer.managed;
	const char *full = c->peer.full, *domain;
	struct rig_login login = { .resume_h = claimed_h(m, h) };

	if (previd != NULL && (previd = run_expand(run, previd, true)) == NULL)
		return -1;
	login.resume_id = previd != NULL ? previd : m->id;
	if (full == NULL || login.resume_id == NULL) {
		mem_free_string(&c->failure);
		c->failure = mem_strdup("it has nothing to resume");
		return -1;
	}
	domain = strchr(full, '@') + 1;
	login.name = arena_strndup(run->arena, full, domain - 1 - full);
	login.domain = arena_strndup(run->arena, domain, strcspn(domain, "/"));
	login.resource = strchr(domain, '/') + 1;
	return rig_login(c, &login);
}

static int
fail_login(struct run *run, const struct rig_client *c)
{
	return run_fail(run, "%s cannot log in: %s", c->peer.name, c->failure);
}

static int
enable(struct run *run, struct peer *p)
{
	struct managed *m = &p->managed;

	managed_enable(p);
	rig_run(run->rig);
	if (m->failure != NULL)
		return run_fail(run, "%s has no stream management: %s", p->name,
		    m->failure);
	if (m->is_enabling)
		return run_fail(run, "%s got no <enabled/>", p->name);
	return 0;
}

/* "sm", "sm=ask", "sm=mute", "sm=ask,mute" */
static int
enable_as_wanted(struct run *run, struct peer *p, const char *options)
{
	const char *how = run_option(run, options, "sm");

	if (how == NULL && !run_has_word(run, options, "sm"))
		return 0;
	p->managed.asks = how != NULL && strstr(how, "ask") != NULL;
	p->managed.is_mute = how != NULL && strstr(how, "mute") != NULL;
	return enable(run, p);
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
		return fail_login(run, c);
	run_name(run, p);
	return enable_as_wanted(run, p, rest);
}

/* "refused C1 text of the failure [options]" */
static int
on_refused(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	const char *text = script_word(run->arena, &rest);
	struct peer *p = run_peer(run, name);
	struct rig_client *c;
	int rc;

	if (p == NULL)
		return -1;
	c = rig_client(run->rig, name);
	if (run_has_word(run, rest, "resume"))
		rc = log_in_again(run, c, run_option(run, rest, "h"),
		    run_option(run, rest, "previd"));
	else
		rc = log_in(run, c, rest);
	if (rc == 0)
		return run_fail(run, "%s can log in", name);
	if (text != NULL && strstr(c->failure, text) == NULL)
		return fail_login(run, c);
	return 0;
}

static int
on_resume(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	struct rig_client *c;

	if (run_peer(run, name) == NULL)
		return -1;
	c = rig_client(run->rig, name);
	if (log_in_again(run, c, run_option(run, rest, "h"),
		run_option(run, rest, "previd")) != 0)
		return fail_login(run, c);
	if (!c->was_resumed)
		return run_fail(run, "%s was not resumed", name);
	return 0;
}

static int
on_unresumed(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	const char *h = run_option(run, rest, "h");
	struct peer *p = run_peer(run, name);
	struct rig_client *c;

	if (p == NULL)
		return -1;
	c = rig_client(run->rig, name);
	if (log_in_again(run, c, NULL, run_option(run, rest, "previd")) != 0)
		return fail_login(run, c);
	if (c->was_resumed)
		return run_fail(run, "%s was resumed", name);
	if (h != NULL && strcmp(h, c->known_h) != 0)
		return run_fail(run, "%s was told h=%s", name, c->known_h);
	run_name(run, p);
	if (enable(run, p) != 0)
		return -1;
	managed_send_again(p);
	rig_run(run->rig);
	return 0;
}

/* --- the rest --- */

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
	if (run_has_word(run, options, "caps"))
		rig_client_write_caps(rig_client(run->rig, p->name), &b);
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

/* "can C1 feature...", "can C1 ?": the script answers. */
static int
on_can(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);
	const char *vars = run_expand(run, rest, true);
	struct rig_client *c;

	if (vars == NULL || run_peer(run, name) == NULL)
		return -1;
	c = rig_client(run->rig, name);
	c->is_manual = strcmp(vars, "?") == 0;
	if (!c->is_manual)
		rig_client_can(c, vars);
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

/* "unacked C1 3": so many that it sent were not acknowledged. */
static int
on_unacked(struct run *run, const char *rest)
{
	struct peer *p = run_peer(run, script_word(run->arena, &rest));
	unsigned kept;

	if (p == NULL)
		return -1;
	rig_run(run->rig);
	kept = managed_kept(&p->managed);
	if (kept != strtoul(rest, NULL, 10))
		return run_fail(run, "%u of %s are not acknowledged", kept,
		    p->name);
	return 0;
}

const struct verb client_verbs[] = {
	{ "connect", PHASE_ACTION, on_connect },
	{ "refused", PHASE_ACTION, on_refused },
	{ "resume", PHASE_ACTION, on_resume },
	{ "unresumed", PHASE_ACTION, on_unresumed },
	{ "unacked", PHASE_ACTION, on_unacked },
	{ "login", PHASE_ACTION, on_login },
	{ "logout", PHASE_ACTION, on_logout },
	{ "presence", PHASE_ACTION, on_presence },
	{ "can", PHASE_ACTION, on_can },
	{ "close", PHASE_ACTION, on_close },
	{ "lose", PHASE_ACTION, on_lose },
	{ "stall", PHASE_ACTION, on_stall },
	{ "unstall", PHASE_ACTION, on_unstall },
	{ "closed", PHASE_ACTION, on_closed },
	{ NULL, PHASE_ANY, NULL },
};
