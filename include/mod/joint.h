/*
 * One answer for a client's request that goes to several accounts' servers: once all of
 * them have answered, the first error or, without one, an empty result.
 */
#ifndef MOD_JOINT_H
#define MOD_JOINT_H

#include "core/hooks.h"

struct elem;
struct joint;
struct session;

/*
 * With one part open, the caller's. NULL: the client has iqs_per_session such requests
 * open (limits.h), and was told.
 */
struct joint *joint_new(struct session *, const struct route *);
/* One part more: a server is about to be asked. */
void joint_open(struct joint *);
/* One part less; with the last the client gets its answer, and all is freed. */
void joint_done(struct joint *);
/* The same where it failed, with that <error/> of jabber:client, or NULL: without one. */
void joint_fail(struct joint *, const struct elem *error);
/* With an error of ours. */
void joint_fail_with(struct joint *, enum error_cond, const char *text);

#endif
