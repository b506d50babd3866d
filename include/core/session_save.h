/*
 * Sessions on disk: what is needed for a stream to be resumed after the proxy was
 * started anew (custody.md, Numbering).
 */
#ifndef CORE_SESSION_SAVE_H
#define CORE_SESSION_SAVE_H

struct session;
struct user;

/* What changed goes into the batch; sessions that cannot be resumed have no record. */
void session_save(struct session *);
void session_unsave(struct session *);
/*
 * Those that were there, asleep from now on; streams that may not be resumed are
 * forgotten, but for what ended.h keeps of them.
 */
void session_load_all(struct user *);

#endif
