/* A script: statements of one or more lines (README). */
#ifndef RIG_SCRIPT_H
#define RIG_SCRIPT_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/err.h"

struct statement {
	STAILQ_ENTRY(statement) next;
	unsigned line; /* of its first */
	char *verb;    /* "login", "C1>", "S<" */
	char *rest;    /* all behind it */
};

struct script {
	const char *path;
	struct arena *arena;
	STAILQ_HEAD(, statement) statements;
};

int script_load(struct script *, const char *path, struct err *);
void script_free(struct script *);
/* The next word of *text, which moves behind it; NULL at the end. */
char *script_word(struct arena *, const char **text);

#endif
