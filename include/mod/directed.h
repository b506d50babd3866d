/* Leaving all that a session sent directed presence to. */
#ifndef MOD_DIRECTED_H
#define MOD_DIRECTED_H

struct account;
struct route;
struct session;

/* The last session of the user at a target leaves there (RFC 6121 4.6.3). */
void directed_leave_all(struct session *);

/* The target answered with an error: nobody of us is there. */
void directed_refused(struct account *, const char *target);
/* An unavailable presence from there: we may be out of the room, or have a new nick. */
void directed_left(struct account *, const struct route *);

#endif
