/* Blocking (XEP-0191), between its files. */
#ifndef MOD_BLOCKING_H
#define MOD_BLOCKING_H

#include "core/hooks.h"

struct account;
struct session;
struct user;

/* The list that the session sees: its account's, or in node view the union. */
struct blocklist *blocking_list(const struct session *);
/* Some account's list is another: the union follows, and sessions are told. */
void blocking_changed(struct user *);

/* --- block_set.c --- */

const char *block_set_on_block(struct session *, struct route *);
const char *block_set_on_unblock(struct session *, struct route *);
/* What the server does not know yet; it is up. */
void block_set_send_wishes(struct account *);

/* --- block_here.c: what contacts see where we block ourselves --- */

/* It was blocked just now; it is not any more. */
void block_here_hide(struct account *, const char *jid);
void block_here_show(struct account *, const char *jid);
/* We block from now on: all that are blocked are hidden. */
void block_here_hide_all(struct account *);

/* --- block_kept.c --- */

/* Reads what is on disk, and keeps it from now on. */
void block_kept_load(struct account *);

#endif
