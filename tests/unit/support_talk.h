/*
 * Lines of the dialogues (tests/rig/README.md) in a unit test, and what the proxy
 * holds between them.
 */
#ifndef UNIT_SUPPORT_TALK_H
#define UNIT_SUPPORT_TALK_H

#include "support_io.h"

#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/user.h"
#include "rig/run.h"

struct talk {
	struct run run;
	struct script script; /* none: the lines come from the test */
};

static inline int
talk_setup(void **state)
{
	struct talk *t = mem_alloc(sizeof(*t));
	const struct statement *at;

	STAILQ_INIT(&t->script.statements);
	t->run.script = &t->script;
	/* Of no lines: it makes ready, and says that nothing was done. */
	(void)run_script(&t->run, &at);
	*state = t;
	return 0;
}

static inline int
talk_teardown(void **state)
{
	struct talk *t = *state;

	run_fini(&t->run);
	free(t);
	return 0;
}

#define talk_test(name) \
	cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)

/* One line, "C1> <presence/>"; the test fails where it does. */
static inline void
talk(void **state, const char *line)
{
	struct talk *t = *state;
	const char *rest = line;
	char *verb = script_word(t->run.arena, &rest);

	while (*rest == ' ')
		rest++;
	if (run_verb(&t->run, verb, rest) != 0)
		fail_msg("%s: %s", line, t->run.why);
}

/* All of them; ends with NULL. */
static inline void
talk_all(void **state, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		talk(state, *lines);
}

#define TALK(state, ...) \
	talk_all(state, (const char *const[]){ __VA_ARGS__, NULL })

static inline struct rig *
talk_rig(void **state)
{
	return ((struct talk *)*state)->run.rig;
}

static inline struct user *
talk_user(void **state)
{
	return proxy_find_user(talk_rig(state)->proxy, "alice");
}

static inline struct account *
talk_account(void **state)
{
	return LIST_FIRST(&talk_user(state)->accounts);
}

static inline struct session *
talk_session(void **state, const char *name)
{
	struct rig_client *c = rig_client(talk_rig(state), name);
	struct session *s;

	LIST_FOREACH(s, &talk_user(state)->sessions, next) {
		if (c->peer.full != NULL && strcmp(s->full, c->peer.full) == 0)
			return s;
	}
	fail_msg("%s has no session", name);
	return NULL;
}

#endif
