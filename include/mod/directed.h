/* Leaving all that a session sent directed presence to. */
#ifndef MOD_DIRECTED_H
#define MOD_DIRECTED_H

struct session;

/* The last session of the user at a target leaves there (RFC 6121 4.6.3). */
void directed_leave_all(struct session *);

#endif
