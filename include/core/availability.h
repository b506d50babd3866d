/*
 * The account's own presence, made from that of all sessions that see it
 * (stanzas.md, Presence): the best by priority, then show, then the latest.
 */
#ifndef CORE_AVAILABILITY_H
#define CORE_AVAILABILITY_H

#include <stdbool.h>

struct account;
struct arena;
struct elem;
struct session;

/* Sends it up where it differs from what was sent; nothing while the upstream is away. */
void availability_update(struct account *);
/* The same for all accounts that the session sees. */
void availability_session_changed(struct session *);
/* The stanza as it would be sent now, in the arena. */
struct elem *availability_presence(struct account *, struct arena *);
/* The best of the sessions that see the account; NULL where none is available. */
struct session *availability_best(const struct account *);
/* The best that is awake and says that it has that feature (XEP-0115). */
struct session *availability_capable(const struct account *, const char *ns);
/* The best that is awake and does not say what it has. */
struct session *availability_untold(const struct account *);

#endif
