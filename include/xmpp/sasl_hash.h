/*
 * The hashing of SCRAM, by libgsasl: for scram.c, since sasl.c alone knows that
 * library. No state is shared: threads may call it.
 */
#ifndef XMPP_SASL_HASH_H
#define XMPP_SASL_HASH_H

#include "base/err.h"
#include "xmpp/scram.h"

/*
 * SaltedPassword, StoredKey and ServerKey of RFC 5802 section 3, by the salt and
 * the iterations in `keys`. -1 where SASLprep refuses the password: control
 * characters, no UTF-8, or code points that Unicode 3.2 does not assign.
 */
int sasl_hash_password(enum scram_hash, const char *password,
    struct scram_keys *keys, unsigned char salted[SCRAM_KEY_MAX], struct err *);

#endif
