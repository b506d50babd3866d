/*
 * Custody of what a session was sent (custody.md): acknowledgements, by stream
 * management (XEP-0198) where the client enables it, else by answers to pings; streams
 * that are asleep, and how they go on.
 */
#ifndef CORE_SESSION_SM_H
#define CORE_SESSION_SM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/session.h"
#include "xmpp/accept.h"

/* The session's own parts; session.c's. */
void session_sm_init(struct session *);
void session_sm_fini(struct session *);
/* It goes for good: what can still be told of its stream is kept (ended.h). */
void session_sm_end(struct session *);
/* The client closed its stream properly, so what was written is there. */
void session_sm_said_goodbye(struct session *);

/* Nonzas of urn:xmpp:sm:3; false: it is none. */
bool session_sm_nonza(struct session *, struct elem *);
/* A stanza was sent; takes what the flight holds. */
void session_sm_sent(struct session *, struct flight *);
/*
 * Sends a stanza that is kept until it is acknowledged; asleep: when it wakes. Takes
 * the reference. Only where the stream can be resumed.
 */
void session_sm_send(struct session *, struct blob *bytes, const char *answers);
/* What was sent last is the error to the message of that id, which was refused. */
void session_sm_refused(struct session *, const char *id);
/* The answer to our own ping; false: it is not that. */
bool session_sm_take_pong(struct session *, const char *id);

/* All up to s->sm.acked is got. */
void session_sm_acknowledged(struct session *);
/* Its cursor has moved on in the log. */
void session_sm_moved(struct session *);

/*
 * <resume/>: whether the session goes on (accept.h). Then session_sm_resume(), with
 * the stream and the address of the client.
 */
enum accept_resume session_sm_check(struct session *, uint32_t h,
    struct accept_refusal *);
void session_sm_resume(struct session *, struct stream *, uint32_t h,
    const char *peer);

/* Numbers that a restart may have forgotten (custody.md, Numbering 5). */
#define SM_SLACK 65536

#endif
