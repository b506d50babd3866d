/* disco#info (XEP-0030) as the table of modules makes it: pure functions. */
#ifndef MOD_INFO_H
#define MOD_INFO_H

#include <stdbool.h>

#include "core/features.h"
#include "core/hooks.h"
#include "xmpp/elem.h"

/*
 * What contacts see of us: one identity, the modules' peer_features and those of clients
 * (NULL: none), sorted. Entity capabilities (mod/caps.h) are the hash of exactly this.
 */
struct elem *info_for_peers(struct arena *, const struct module *const *,
    const struct features *);

/*
 * Turns what a server says of the account or of its domain into what clients see:
 * takes out what is hidden, adds what the modules have.
 */
void info_overlay(struct elem *query, const struct module *const *);
/*
 * Adds what the node itself answers: the namespaces of the requests that modules
 * take there, except hidden ones.
 */
void info_add_node(struct elem *query, const struct module *const *);

/* Features one by one; patterns as those of `hidden`. */
void info_add(struct elem *query, const char *var);
void info_remove(struct elem *query, const char *pattern);

/* By name, or by what stands before a '*' at the end of the pattern. */
bool info_matches(const char *pattern, const char *var);

/* Whether a <query/>, as bytes (NULL: none is known), says so. */
bool info_says_feature(const char *query, const char *var);
bool info_says_identity(const char *query, const char *category,
    const char *type);

/* <query/> with one identity, no features yet. name NULL: none. */
struct elem *info_new(struct arena *, const char *category, const char *type,
    const char *name);

#endif
