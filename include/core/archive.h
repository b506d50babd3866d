/*
 * The message archive (XEP-0313): whose a session sees, and what ours serves
 * (custody.md, "Which archive"). Ours is the log; one belongs to each account's view,
 * and one, with all accounts, to node view.
 */
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/archive_id.h"
#include "core/entry.h"

struct account;
struct elem;
struct session;

/*
 * What the server said of the own bare JID (disco#info; NULL: it does not say) when
 * the account was first up: fixed from then on.
 */
void archive_settle(struct account *, const struct elem *info);
/* False also in account view as long as it is not known. */
bool archive_is_ours(const struct session *);
bool archive_is_servers(const struct session *);
unsigned archive_of(const struct session *); /* ARCHIVE_OF_* */

/*
 * Who does not serve that entry, by the preferences (XEP-0441) of now and the hint
 * no-permanent-store (XEP-0334). Its account and addresses are set.
 */
unsigned archive_unserved(const struct account *, const struct entry *,
    const struct elem *message);
/* The session's archive is ours, and has that entry. */
bool archive_serves(const struct session *, const struct entry *);
char *archive_id_of(const struct session *, const struct entry *,
    char out[ARCHIVE_ID_SIZE]);
/* The stanza-id by the account's bare JID (XEP-0359), or NULL. */
const char *archive_stanza_id(const struct account *,
    const struct elem *message);
/*
 * Takes every stanza-id by the own bare JID, of the account or of node view, out of
 * the message (XEP-0359 3): that of the account, or NULL; the caller frees.
 */
char *archive_take_stanza_id(const struct account *, struct elem *message);

#endif
