/*
 * Stored credentials (RFC 5802, 7677), as `xmpproxy --hash-password` prints them
 * and passwd="..." takes them:
 *
 *   SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>
 *
 * base64 each (RFC 5803); one such item a hash, joined by a comma.
 */
#ifndef XMPP_SCRAM_H
#define XMPP_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum scram_hash { SCRAM_SHA256, SCRAM_SHA1, SCRAM_HASHES };

#define SCRAM_KEY_MAX        32
#define SCRAM_SALT_MAX       64
#define SCRAM_ITERATIONS     10000 /* what we store */
#define SCRAM_ITERATIONS_MIN 4096
#define SCRAM_ITERATIONS_MAX 1000000 /* what a server may ask of us */

struct scram_keys {
	bool known;
	uint32_t iterations;
	size_t salt_len;
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored[SCRAM_KEY_MAX], server[SCRAM_KEY_MAX];
};

struct scram_credential {
	struct scram_keys keys[SCRAM_HASHES];
};

size_t scram_key_len(enum scram_hash);
const char *scram_name(enum scram_hash); /* "SCRAM-SHA-256" */
/* Whether a passwd is meant as a stored credential (it begins as one). */
bool scram_is_credential(const char *passwd);
int scram_parse(struct scram_credential *, const char *text, struct err *);
void scram_format(struct buf *, const struct scram_credential *);
/* PBKDF2: takes milliseconds. The password is prepared (SASLprep); -1 where it cannot be. */
int scram_salted(enum scram_hash, const char *password, const void *salt,
    size_t salt_len, uint32_t iterations, unsigned char out[SCRAM_KEY_MAX],
    struct err *);
int scram_derive(struct scram_keys *, enum scram_hash, const char *password,
    struct err *); /* salt and iterations are set in it; fills the keys */
/* Both hashes with fresh salts. */
int scram_make(struct scram_credential *, const char *password, struct err *);

#endif
