/*
 * The rosters of a user's accounts made one, as node view shows it (stanzas.md, Node
 * view). An item in several of them has the union of their groups, the strongest
 * subscription, and the first name in the configuration's order. It is a roster of its
 * own, user->roster, with numbers and a version of its own: so a client is told of what
 * changed in the same way as in account view.
 */
#ifndef CORE_NODE_ROSTER_H
#define CORE_NODE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "xmpp/elem.h"

struct account;
struct roster;
struct roster_item;
struct user;

/*
 * What an account calls a JID, bare or full, and what node view does: the account's own
 * bare JID is the user's. Arena memory, or the argument. NULL: the account has no contact
 * of that name, for there it is its own.
 */
const char *node_jid_down(const struct account *, struct arena *,
    const char *jid);
const char *node_jid_up(const struct account *, struct arena *,
    const char *view);

/*
 * Made when it is first asked for, of what was saved of it and what the accounts' are
 * now; from then on it has to be told of each change.
 */
struct roster *node_roster(struct user *);
/* Of those changes of the account's that have a higher number; false: it is the same. */
bool node_roster_follow(struct account *, uint64_t since);
/* The accounts are others. Nothing happens where it was never asked for. */
void node_roster_rebuild(struct user *);
void node_roster_free(struct user *);

/* Some account's roster is known. */
bool node_roster_is_known(const struct user *);
/* One more is about to be known: its server is there, or is being tried. */
bool node_roster_is_awaited(const struct user *);

/* The account's item of a JID in node view's terms; NULL: it has none. */
const struct roster_item *node_roster_item(const struct account *,
    struct arena *, const char *view);

/* `into`, an <item/>, becomes that which stands for both; it goes before `other`. */
void node_roster_join(struct elem *into, const struct elem *other);

#endif
