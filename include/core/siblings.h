/*
 * Which sessions were told to each other as available: on disk, so that one whose
 * stream goes on after a restart hears of those that are gone.
 */
#ifndef CORE_SIBLINGS_H
#define CORE_SIBLINGS_H

struct session;
struct user;

/* Its availability has changed. */
void siblings_note(struct session *);
/* What stands on disk; the sessions that may go on are there already. */
void siblings_load(struct user *);
/* After a restart: presence of all of them is owed to it (missed.h). */
void siblings_owe(struct session *);

#endif
