/*
 * SHA-1 (RFC 3174), for identifiers that protocols build with it (XEP-0115).
 * Nothing that has to be secure rests on it.
 */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include <stddef.h>

#define SHA1_SIZE 20

void sha1(const void *bytes, size_t len, unsigned char out[SHA1_SIZE]);

#endif
