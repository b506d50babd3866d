/*
 * A client that comes back takes its resource over (RFC 6120 7.7.2.2). Until it sends
 * presence of its own the old session's stands for it, so that contacts see nothing of
 * the change.
 */
#ifndef CORE_STAND_IN_H
#define CORE_STAND_IN_H

struct session;

/* Before the old one is closed. */
void stand_in_begin(struct session *, const struct session *old);
/* Its own presence is there, or it goes; the account's presence is the caller's to update. */
void stand_in_end(struct session *);
void stand_in_expired(void *session); /* its timer's */

#endif
