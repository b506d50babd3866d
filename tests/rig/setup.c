/* Verbs that say what there is: the configuration, and the servers. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rig/run.h"

/* --- before the rig: configuration --- */

/* "a=1 b=2" becomes " a='1' b='2'". */
static int
add_attributes(struct run *run, struct buf *b, const char *rest)
{
	char *word, *value;

	while ((word = script_word(run->arena, &rest)) != NULL) {
		if ((value = strchr(word, '=')) == NULL)
			return run_fail(run, "'%s' is no name=value", word);
		*value++ = '\0';
		buf_printf(b, " %s='%s'", word, value);
	}
	return 0;
}

static int
on_user(struct run *run, const char *rest)
{
	return add_attributes(run, &run->user, rest);
}

static int
on_account(struct run *run, const char *rest)
{
	return add_attributes(run, &run->account, rest);
}

static int
on_limits(struct run *run, const char *rest)
{
	return add_attributes(run, &run->limits, rest);
}

static int
on_users(struct run *run, const char *rest)
{
	buf_puts(&run->users, rest);
	return 0;
}

static int
on_accounts(struct run *run, const char *rest)
{
	buf_puts(&run->accounts, rest);
	return 0;
}

static int
on_let(struct run *run, const char *rest)
{
	const char *name = script_word(run->arena, &rest);

	if (name == NULL)
		return run_fail(run, "let what?");
	vars_set(&run->lets, name, strlen(name), rest, strlen(rest));
	return 0;
}

static int
on_direct(struct run *run, const char *rest)
{
	(void)rest;
	run->is_direct = true;
	return 0;
}

static int
on_cut(struct run *run, const char *rest)
{
	if (run->cut > 0)
		run->cut = strtoul(rest, NULL, 10);
	return 0;
}

/* --- before it runs: servers --- */

static int
set_text(char **field, const char *text)
{
	free(*field);
	*field = mem_strdup(text);
	return 0;
}

static int
on_roster(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->roster, rest);
}

static int
on_info(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->info, rest);
}

static int
on_domain_info(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->domain_info, rest);
}

static int
on_items(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->items, rest);
}

static int
on_gives(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->resource, rest);
}

static int
on_refuses(struct run *run, const char *rest)
{
	return set_text(&run_server(run, &rest)->refusal, rest);
}

static int
on_manual(struct run *run, const char *rest)
{
	run_server(run, &rest)->is_manual = true;
	return 0;
}

static int
on_auto(struct run *run, const char *rest)
{
	run_server(run, &rest)->is_manual = false;
	return 0;
}

static int
on_no_carbons(struct run *run, const char *rest)
{
	run_server(run, &rest)->has_carbons = false;
	return 0;
}

static int
on_blocks(struct run *run, const char *rest)
{
	struct rig_server *s = run_server(run, &rest);

	s->has_no_blocking = false;
	return set_text(&s->blocks, rest);
}

static int
on_no_blocking(struct run *run, const char *rest)
{
	run_server(run, &rest)->has_no_blocking = true;
	return 0;
}

static int
on_off(struct run *run, const char *rest)
{
	run_server(run, &rest)->is_down = true;
	return 0;
}

static int
on_on(struct run *run, const char *rest)
{
	run_server(run, &rest)->is_down = false;
	return 0;
}

static int
on_rejects(struct run *run, const char *rest)
{
	run_server(run, &rest)->rejects = true;
	return 0;
}

static int
on_features(struct run *run, const char *rest)
{
	return set_text(&run->rig->features, rest);
}

static int
on_sm(struct run *run, const char *rest)
{
	struct managed *m = &run_server(run, &rest)->peer.managed;

	m->is_offered = true;
	m->asks = !run_has_word(run, rest, "quiet");
	m->is_mute = run_has_word(run, rest, "mute");
	return 0;
}

static int
on_forgets(struct run *run, const char *rest)
{
	struct rig_server *s = run_server(run, &rest);

	managed_forget(&s->peer.managed, run_has_word(run, rest, "h"));
	return 0;
}

const struct verb setup_verbs[] = {
	{ "user", PHASE_CONFIG, on_user },
	{ "account", PHASE_CONFIG, on_account },
	{ "limits", PHASE_CONFIG, on_limits },
	{ "accounts", PHASE_CONFIG, on_accounts },
	{ "users", PHASE_CONFIG, on_users },
	{ "cut", PHASE_CONFIG, on_cut },
	{ "direct", PHASE_CONFIG, on_direct },
	{ "let", PHASE_ANY, on_let },
	{ "roster", PHASE_SETUP, on_roster },
	{ "info", PHASE_SETUP, on_info },
	{ "domain-info", PHASE_SETUP, on_domain_info },
	{ "items", PHASE_SETUP, on_items },
	{ "gives", PHASE_SETUP, on_gives },
	{ "refuses", PHASE_SETUP, on_refuses },
	{ "manual", PHASE_SETUP, on_manual },
	{ "auto", PHASE_SETUP, on_auto },
	{ "no-carbons", PHASE_SETUP, on_no_carbons },
	{ "blocks", PHASE_SETUP, on_blocks },
	{ "no-blocking", PHASE_SETUP, on_no_blocking },
	{ "off", PHASE_SETUP, on_off },
	{ "on", PHASE_SETUP, on_on },
	{ "rejects", PHASE_SETUP, on_rejects },
	{ "features", PHASE_SETUP, on_features },
	{ "sm", PHASE_SETUP, on_sm },
	{ "forgets", PHASE_SETUP, on_forgets },
	{ NULL, PHASE_ANY, NULL },
};
