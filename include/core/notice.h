/* Words of the proxy itself to a person, as a message from the node. */
#ifndef CORE_NOTICE_H
#define CORE_NOTICE_H

struct session;
struct user;

/* To each session of the user that is there; not kept. */
void notice_user(struct user *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void notice_session(struct session *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
