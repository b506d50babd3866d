/* What went up lately: messages sent twice, and those sent to oneself. */
#ifndef CORE_SENT_H
#define CORE_SENT_H

#include <stdbool.h>
#include <stdint.h>

struct account;
struct entry;
struct session;
struct user;

/*
 * The same device sent the same id with the same content within minutes (after a
 * failed resumption, say). Remembers it otherwise.
 */
bool sent_is_repeated(struct session *, const struct entry *);
/* A message to the own bare JID: what comes back belongs to this session. */
void sent_remember_self(struct user *, const char *id, uint64_t session);
uint64_t sent_find_self(struct user *, const char *id); /* 0: none */

/*
 * Receipts: whether it is the first for that id to that peer from the account. Remembers
 * it. The peer's resource does not count.
 */
bool sent_receipt_is_first(struct account *, const char *peer, const char *id);

/* A note that we made up: what answers it ends here. */
void sent_remember_note(struct user *, const char *id);
bool sent_is_note(struct user *, const char *id);

#endif
