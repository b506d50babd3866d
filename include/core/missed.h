/*
 * Presence that a session missed while its queue was full: the JIDs alone; what is
 * current is sent when there is room again (custody.md, followers).
 */
#ifndef CORE_MISSED_H
#define CORE_MISSED_H

struct account;
struct session;

void missed_add(struct session *, struct account *, const char *full);
/* Sends what is current of each, while there is room. */
void missed_flush(struct session *);
void missed_clear(struct session *);

#endif
