/* Some accounts of a user, to all of which something goes, or to none. */
#ifndef CORE_ACCOUNT_SET_H
#define CORE_ACCOUNT_SET_H

#include <stddef.h>

#include "base/arena.h"

struct account;
struct session;
struct user;

struct account_set {
	struct account **all; /* in the configuration's order; the arena's */
	size_t count;
};

/* Empty, with room for all of the user's. */
struct account_set account_set_new(const struct user *, struct arena *);
void account_set_add(struct account_set *, struct account *);
/* Adds those whose roster has that item, as node view calls it. */
void account_set_add_holders(struct account_set *, const struct user *,
    struct arena *, const char *view);
/* The log says that these carry a stanza of the session to that JID, and why. */
void account_set_log(const struct account_set *, const struct session *,
    const char *to, const char *reason);
/* Which one's server is not connected, as a text that names it; NULL: all are. */
const char *account_set_away(const struct account_set *, struct arena *);

#endif
