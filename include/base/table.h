/*
 * uthash with a hash that a peer cannot predict (SipHash-1-3 with a random
 * seed). Include this, never <uthash.h>.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

uint32_t table_hash(const void *key, size_t len);
/* The hash itself; apart from table_hash() so that vectors can test it. */
uint64_t table_siphash(const uint64_t seed[2], const void *key, size_t len);

#define HASH_FUNCTION(key, len, hashv) \
	((hashv) = table_hash((key), (size_t)(len)))
#define uthash_fatal(msg) abort()

#include <uthash.h>

#endif
