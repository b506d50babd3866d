/*
 * Presence that a session missed while its queue was full: the JIDs alone; what is
 * current is sent when there is room again (custody.md, followers).
 */
#ifndef CORE_MISSED_H
#define CORE_MISSED_H

#include <stddef.h>
#include <stdint.h>

struct session;

/*
 * full: as the session's view calls it. account: who saw it, 0 for a session of the
 * user. Where there are more JIDs than presences are kept, one that is inactive is sent
 * all, and else the session is closed.
 */
void missed_add(struct session *, uint64_t account, const char *full);
/* What is current of that JID has just been sent. */
void missed_remove(struct session *, const char *full);
size_t missed_count(const struct session *);
/* Sends what is current of each, while there is room. */
void missed_flush(struct session *);
void missed_clear(struct session *);

#endif
