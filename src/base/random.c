#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			perror("xmpproxy: getrandom");
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

uint64_t
random_below(uint64_t limit)
{
	uint64_t n, uneven;

	if (limit == 0)
		return 0;
	/* 2^64 mod limit: below it some remainders would come once more. */
	uneven = (UINT64_MAX - limit + 1) % limit;
	do {
		random_bytes(&n, sizeof(n));
	} while (n < uneven);
	return n % limit;
}

char *
random_id(char out[RANDOM_ID_SIZE])
{
	unsigned char bytes[16];
	unsigned bits = 0, count = 0;
	size_t in = 0, i;

	random_bytes(bytes, sizeof(bytes));
	for (i = 0; i < RANDOM_ID_SIZE - 1; i++) {
		if (count < 6) {
			/* The last character has two bits left; zeros fill it. */
			bits = bits << 8 | (in < sizeof(bytes) ? bytes[in] : 0);
			in++;
			count += 8;
		}
		count -= 6;
		out[i] = base64url[bits >> count & 63];
	}
	out[i] = '\0';
	return out;
}
