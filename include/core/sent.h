/* What went up lately: messages sent twice, and those sent to oneself. */
#ifndef CORE_SENT_H
#define CORE_SENT_H

#include <stdbool.h>
#include <stdint.h>

struct account;
struct elem;
struct entry;
struct session;
struct user;

/*
 * The same device sent the same id with the same content within minutes (after a
 * failed resumption, say), and it did not come back with an error. By the log: what is
 * not kept may go up twice.
 */
bool sent_is_repeated(struct session *, const struct entry *);
/* A message to the own bare JID: what comes back belongs to this session. */
void sent_remember_self(struct user *, const char *id, uint64_t session);
uint64_t sent_find_self(struct user *, const char *id); /* 0: none */

/*
 * Receipts: whether none for that id went up to that peer from the account. The peer's
 * resource does not count, but for occupants of rooms. Over restarts too, as all that
 * answered.h keeps.
 */
bool sent_receipt_is_first(const struct account *, const char *peer,
    const char *id);
/*
 * Displayed markers: whether it goes beyond the last one that went up; of what is not in
 * the log, whether it is the first for that id.
 */
bool sent_marker_is_forward(const struct account *, const char *peer,
    const char *id);
/*
 * Errors that answer a message: whether none went up for that id, nor a receipt, which
 * says that some client has it.
 */
bool sent_error_is_first(const struct account *, const char *peer,
    const char *id);
/* What a message that went up answers: by a receipt, a marker, a decline, an error. */
void sent_remember_answers(struct account *, const char *peer,
    const struct elem *message);

/*
 * The session last active in the conversation with that peer; 0: a device directly on
 * the server. false: it is not known.
 */
void sent_remember_active(struct account *, const char *peer, uint64_t session);
bool sent_find_active(const struct account *, const char *peer,
    uint64_t *session);

/* A message that is not in the log, for the error that may answer it. */
void sent_remember_live(struct account *, const struct entry *);
/* false: there was none. */
bool sent_find_live(const struct account *, const char *peer, const char *id,
    uint64_t *session, bool *is_eligible);

/* A note that we made up: what answers it ends here. */
void sent_remember_note(struct user *, const char *id);
bool sent_is_note(struct user *, const char *id);

#endif
