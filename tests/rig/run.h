/* Running a script: what the verbs share (README says what each does). */
#ifndef RIG_RUN_H
#define RIG_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "rig/match.h"
#include "rig/rig.h"
#include "rig/script.h"

struct run {
	struct script *script;
	struct arena *arena;
	struct rig *rig; /* NULL before the first verb that needs it */
	bool has_begun;  /* the upstreams have come up */
	size_t cut;
	bool is_traced;
	bool is_direct;
	bool is_strict;   /* stanza-ids are not overlooked */
	struct vars vars; /* $x */
	struct vars lets; /* {x} */
	struct buf user, account, accounts, limits,
	    users; /* of the configuration */
	size_t log_seen;
	unsigned n; /* {n}: of a repetition */
	char *why;  /* the script failed */
};

/* Which the script may use when: the first that needs the rig makes it. */
enum phase { PHASE_ANY, PHASE_CONFIG, PHASE_SETUP, PHASE_ACTION };

struct verb {
	const char *name;
	enum phase phase;
	int (*run)(struct run *, const char *rest);
};
/* setup.c, clients.c, verbs.c; each ends with a NULL name. */
extern const struct verb setup_verbs[], client_verbs[], acting_verbs[];

/* 0, or -1 and run->why; *at is the statement. */
int run_script(struct run *, const struct statement **at);
int run_verb(struct run *, const char *verb, const char *rest);
void run_fini(struct run *);
int run_fail(struct run *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* {n}, {pad:20}, {NAME} filled in; $x too where for_sending. */
char *run_expand(struct run *, const char *text, bool for_sending);
/* "C1" or "S2"; NULL and a failure. */
struct peer *run_peer(struct run *, const char *name);
/* The server named in front of *rest, which moves behind it; else S. */
struct rig_server *run_server(struct run *, const char **rest);
void run_drain(struct run *); /* every queue */
/* $C1, $S are what was bound. */
void run_name(struct run *, const struct peer *);
void run_name_servers(struct run *);
/* Of the words in *rest the one "key=..."; NULL without it. */
char *run_option(struct run *, const char *rest, const char *key);
bool run_has_word(struct run *, const char *rest, const char *word);

/* dialogue.c: "C1>" and "C1<". */
int run_send(struct run *, const char *names, const char *xml);
int run_expect(struct run *, const char *names, const char *xml, bool anywhere);
int run_nothing(struct run *, const char *names);

#endif
