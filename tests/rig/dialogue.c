/* What goes to the proxy, and what has to come from it. */
#include <string.h>

#include "rig/run.h"
#include "xmpp/ns.h"

static char *
next_name(struct run *run, const char **names)
{
	size_t len = strcspn(*names, ",");
	char *name = arena_strndup(run->arena, *names, len);

	*names += len + ((*names)[len] == ',');
	return len > 0 ? name : NULL;
}

static int
send_one(struct run *run, const char *name, const char *xml)
{
	struct peer *p = run_peer(run, name);

	if (p == NULL)
		return -1;
	rig_trace_text(run->rig, name, ">", xml);
	if (peer_send(p, xml) != 0)
		return run_fail(run, "%s is not connected (%s)", name,
		    p->cond != NULL ? p->cond : "-");
	rig_run(run->rig);
	return 0;
}

int
run_send(struct run *run, const char *names, const char *xml)
{
	const char *text = run_expand(run, xml, true);
	const char *name;

	if (text == NULL)
		return -1;
	while ((name = next_name(run, &names)) != NULL) {
		if (send_one(run, name, text) != 0)
			return -1;
	}
	return 0;
}

static const char *
written(struct run *run, const struct elem *e)
{
	struct buf b = { 0 };
	const char *text;

	elem_write(&b, e, NS_CLIENT);
	text = arena_strdup(run->arena, b.data);
	buf_free(&b);
	return text;
}

static struct elem *
find(struct run *run, struct peer *p, const struct elem *pattern)
{
	struct received *r;

	STAILQ_FOREACH(r, &p->queue, next) {
		if (match_elem(&run->vars, pattern, r->stanza, NULL))
			return r->stanza;
	}
	return NULL;
}

/* A client's own bare JID; servers have to get no stanza-id at all. */
static const char *
archive_of(struct run *run, const struct peer *p)
{
	if (p->full == NULL || rig_server(run->rig, p->name) != NULL)
		return NULL;
	return arena_strndup(run->arena, p->full, strcspn(p->full, "/"));
}

static int
expect_one(struct run *run, const char *name, const char *xml, bool anywhere)
{
	struct peer *p = run_peer(run, name);
	struct elem *pattern, *got;
	struct err why = { "" };

	if (p == NULL)
		return -1;
	run->vars.archive = run->is_strict ? NULL : archive_of(run, p);
	if ((pattern = match_parse(run->arena, xml, &why)) == NULL)
		return run_fail(run, "no pattern: %s: %s", why.text, xml);
	got = anywhere ? find(run, p, pattern) : peer_next(p);
	if (got == NULL && (peer_next(p) == NULL || !anywhere))
		return run_fail(run, "%s got nothing%s%s\n  expected: %s", name,
		    p->was_closed ? ", was closed: " : "",
		    p->was_closed && p->cond != NULL ? p->cond : "", xml);
	if (got == NULL)
		return run_fail(run,
		    "%s did not get this\n  expected: %s\n  first of all got: "
		    "%s",
		    name, xml, written(run, peer_next(p)));
	if (!anywhere && !match_elem(&run->vars, pattern, got, &why))
		return run_fail(run,
		    "%s got something else: %s\n  expected: %s\n  got:      %s",
		    name, why.text, xml, written(run, got));
	peer_drop(p, got);
	return 0;
}

int
run_expect(struct run *run, const char *names, const char *xml, bool anywhere)
{
	const char *text = run_expand(run, xml, false);
	const char *name;

	if (text == NULL)
		return -1;
	while ((name = next_name(run, &names)) != NULL) {
		if (expect_one(run, name, text, anywhere) != 0)
			return -1;
	}
	return 0;
}

static int
nothing_for(struct run *run, struct peer *p)
{
	if (peer_next(p) == NULL)
		return 0;
	return run_fail(run, "%s got what nobody expected: %s", p->name,
	    written(run, peer_next(p)));
}

static int
nothing_for_all(struct run *run)
{
	struct rig_server *s;
	struct rig_client *c;

	STAILQ_FOREACH(s, &run->rig->servers, next) {
		if (nothing_for(run, &s->peer) != 0)
			return -1;
	}
	STAILQ_FOREACH(c, &run->rig->clients, next) {
		if (nothing_for(run, &c->peer) != 0)
			return -1;
	}
	return 0;
}

int
run_nothing(struct run *run, const char *names)
{
	struct peer *p;
	const char *name;

	rig_run(run->rig);
	if (*names == '\0')
		return nothing_for_all(run);
	while ((name = next_name(run, &names)) != NULL) {
		if ((p = run_peer(run, name)) == NULL ||
		    nothing_for(run, p) != 0)
			return -1;
	}
	return 0;
}
