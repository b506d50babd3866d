/*
 * The two messages of SCRAM (RFC 5802 section 7) that are looked at before
 * libgsasl sees them.
 */
#ifndef XMPP_SCRAM_WIRE_H
#define XMPP_SCRAM_WIRE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "xmpp/scram.h"

/* The user name of a client-first message, unescaped. -1 where it is malformed. */
int scram_wire_user(const char *in, size_t len, struct buf *name, struct err *);
/* Salt and iterations of a server-first message; within our bounds, or -1. */
int scram_wire_salt(const char *in, size_t len, struct scram_keys *,
    struct err *);

#endif
