#include "core/archive_id.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"

_Static_assert(STORE_KEY_SIZE == 2 * 2 * sizeof(uint64_t), "two keys");

/* `which` half of the key; the same on every machine that has the file. */
static uint64_t
keyed(const unsigned char *key, unsigned which, const void *bytes, size_t len)
{
	uint64_t seed[2];

	memcpy(seed, key + which * sizeof(seed), sizeof(seed));
	seed[0] = le64toh(seed[0]);
	seed[1] = le64toh(seed[1]);
	return table_siphash(seed, bytes, len);
}

/* What proves that the id is ours. */
static uint64_t
tag_of(const unsigned char *key, uint64_t user, uint64_t seq)
{
	uint64_t numbers[2] = { htole64(user), htole64(seq) };

	return keyed(key, 0, numbers, sizeof(numbers));
}

/* What hides the number beside it. */
static uint64_t
mask_of(const unsigned char *key, uint64_t tag)
{
	uint64_t number = htole64(tag);

	return keyed(key, 1, &number, sizeof(number));
}

char *
archive_id(char out[ARCHIVE_ID_SIZE], const unsigned char key[STORE_KEY_SIZE],
    uint64_t user, uint64_t seq)
{
	uint64_t tag = tag_of(key, user, seq);

	snprintf(out, ARCHIVE_ID_SIZE, "%016" PRIx64 "%016" PRIx64, tag,
	    seq ^ mask_of(key, tag));
	return out;
}

static uint64_t
hex(const char *digits)
{
	static const char all[] = "0123456789abcdef";
	uint64_t number = 0;

	for (int i = 0; i < 16; i++)
		number = number << 4 | (uint64_t)(strchr(all, digits[i]) - all);
	return number;
}

uint64_t
archive_id_seq(const unsigned char key[STORE_KEY_SIZE], uint64_t user,
    const char *id)
{
	uint64_t tag, seq;

	if (strlen(id) != ARCHIVE_ID_SIZE - 1 ||
	    strspn(id, "0123456789abcdef") != ARCHIVE_ID_SIZE - 1)
		return 0;
	tag = hex(id);
	seq = hex(id + 16) ^ mask_of(key, tag);
	if (seq >= STORE_SEQ_MAX || tag_of(key, user, seq) != tag)
		return 0;
	return seq;
}
