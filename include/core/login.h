/* A connection that is on its way to being a session: who it is, and whether it may. */
#ifndef CORE_LOGIN_H
#define CORE_LOGIN_H

#include "xmpp/accept.h"

struct login;
struct proxy;

/* Takes the transport; refuses at the limits. */
void login_start(struct proxy *, struct transport *, const char *peer,
    enum accept_tls);
void login_free(struct login **);
/* The proxy ends: with a word to the client. */
void login_shut_down(struct login *);

#endif
