#include "base/pack.h"

#include <string.h>

#include "base/mem.h"

#define SEVEN_BITS 0x7f
#define MORE       0x80

void
pack_uint(struct buf *b, uint64_t n)
{
	char bytes[10];
	size_t len = 0;

	for (; n > SEVEN_BITS; n >>= 7)
		bytes[len++] = (char)(MORE | (n & SEVEN_BITS));
	bytes[len++] = (char)n;
	buf_add(b, bytes, len);
}

void
pack_bytes(struct buf *b, const void *bytes, size_t len)
{
	pack_uint(b, len);
	buf_add(b, bytes, len);
}

/* The length and one more, so that 0 is NULL. */
void
pack_string(struct buf *b, const char *s)
{
	size_t len;

	if (s == NULL) {
		pack_uint(b, 0);
		return;
	}
	len = strlen(s);
	pack_uint(b, (uint64_t)len + 1);
	buf_add(b, s, len);
}

void
unpack_init(struct unpack *u, const void *bytes, size_t len)
{
	u->at = bytes;
	u->end = len > 0 ? u->at + len : u->at;
	u->failed = false;
}

uint64_t
unpack_uint(struct unpack *u)
{
	uint64_t n = 0;
	unsigned shift;

	for (shift = 0; !u->failed && shift < 64 && u->at < u->end;
	     shift += 7) {
		unsigned char byte = *u->at++;

		if (shift == 63 && byte > 1)
			break;
		n |= (uint64_t)(byte & SEVEN_BITS) << shift;
		if ((byte & MORE) == 0)
			return n;
	}
	u->failed = true;
	return 0;
}

/* The next len bytes, or NULL. */
static const unsigned char *
take(struct unpack *u, uint64_t len)
{
	const unsigned char *bytes = u->at;

	if (u->failed || len > (uint64_t)(u->end - u->at)) {
		u->failed = true;
		return NULL;
	}
	u->at += len;
	return bytes;
}

const void *
unpack_bytes(struct unpack *u, size_t *len)
{
	uint64_t given = unpack_uint(u);
	const void *bytes = take(u, given);

	*len = bytes == NULL ? 0 : (size_t)given;
	return bytes;
}

char *
unpack_string(struct unpack *u)
{
	uint64_t given = unpack_uint(u);
	const unsigned char *bytes;

	if (given == 0 || (bytes = take(u, given - 1)) == NULL)
		return NULL;
	return mem_strndup((const char *)bytes, (size_t)given - 1);
}

bool
unpack_is_good(const struct unpack *u)
{
	return !u->failed;
}

bool
unpack_is_over(const struct unpack *u)
{
	return u->failed || u->at == u->end;
}
