/*
 * Patterns of stanzas: trees in which "..." and $variables stand for what is not
 * known beforehand. README says how they are written.
 */
#ifndef RIG_MATCH_H
#define RIG_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "xmpp/elem.h"

#define VARS_MAX 200

struct var {
	const char *name, *value;
};

/* Variables, in the order in which they were bound. */
struct vars {
	struct arena *arena;
	struct var list[VARS_MAX];
	unsigned count;
	/*
	 * A stanza-id (XEP-0359) by that JID may be where a pattern names none; NULL:
	 * none may.
	 */
	const char *archive;
};

void vars_init(struct vars *);
void vars_fini(struct vars *);
const char *vars_get(const struct vars *, const char *name, size_t len);
void vars_set(struct vars *, const char *name, size_t len, const char *value,
    size_t value_len);

/* A pattern's tree, in the arena; NULL and err. */
struct elem *match_parse(struct arena *, const char *pattern, struct err *);
/* Binds what the pattern names for the first time; not where it is false. */
bool match_elem(struct vars *, const struct elem *pattern, const struct elem *,
    struct err *why);
bool match_text(struct vars *, const char *pattern, const char *text);

#endif
