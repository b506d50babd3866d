/*
 * Ids of our archive (XEP-0313 3, XEP-0359): a user's entry as 32 hex digits that say
 * nothing and cannot be guessed, and that need no index to find the entry again.
 */
#ifndef CORE_ARCHIVE_ID_H
#define CORE_ARCHIVE_ID_H

#include <stdint.h>

#include "core/store.h"

#define ARCHIVE_ID_SIZE 33 /* 32 hex digits and a NUL */

/* key: store_key()'s. Returns its argument. */
char *archive_id(char out[ARCHIVE_ID_SIZE],
    const unsigned char key[STORE_KEY_SIZE], uint64_t user, uint64_t seq);
/* The number of the entry; 0: it is none of that user's ids. */
uint64_t archive_id_seq(const unsigned char key[STORE_KEY_SIZE], uint64_t user,
    const char *id);

#endif
