#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The last millisecond that four digits of a year can say. */
#define STAMP_MAX UINT64_C(253402300799999)

bool
text_equals(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* The length of the character at p, 0 where there is none (RFC 3629, 4). */
static size_t
utf8_length(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool
text_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t step;

	for (; len > 0; p += step, len -= step)
		if ((step = utf8_length(p, len)) == 0)
			return false;
	return true;
}

size_t
text_utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

bool
text_to_uint(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (s == NULL || *s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (unsigned)(*s - '0'), &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_base64(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	unsigned bits;
	char four[4];

	for (; len > 0; p += 3) {
		bits = (unsigned)p[0] << 16;
		if (len > 1)
			bits |= (unsigned)p[1] << 8;
		if (len > 2)
			bits |= p[2];
		four[0] = base64[bits >> 18];
		four[1] = base64[bits >> 12 & 63];
		four[2] = len > 1 ? base64[bits >> 6 & 63] : '=';
		four[3] = len > 2 ? base64[bits & 63] : '=';
		buf_add(out, four, 4);
		len -= len > 3 ? 3 : len;
	}
}

/* Four characters into 24 bits; the number of '=' at their end, or -1. */
static int
decode_four(const char *s, unsigned *bits)
{
	const char *found;
	int padding, i;

	padding = s[3] != '=' ? 0 : s[2] != '=' ? 1 : 2;
	*bits = 0;
	for (i = 0; i < 4; i++) {
		*bits <<= 6;
		if (i >= 4 - padding)
			continue;
		if (s[i] == '\0' || (found = strchr(base64, s[i])) == NULL)
			return -1;
		*bits |= (unsigned)(found - base64);
	}
	/* Bits that belong to no byte are zero (RFC 4648, 3.5). */
	if ((*bits & ((1U << 8 * padding) - 1)) != 0)
		return -1;
	return padding;
}

int
text_base64_decode(struct buf *out, const char *s, size_t len)
{
	size_t before = out->len;
	unsigned bits;
	int padding;

	if (len % 4 != 0)
		return -1;
	for (; len > 0; s += 4, len -= 4) {
		padding = decode_four(s, &bits);
		if (padding < 0 || (padding > 0 && len > 4))
			goto wrong;
		buf_putc(out, (char)(bits >> 16));
		if (padding < 2)
			buf_putc(out, (char)(bits >> 8));
		if (padding < 1)
			buf_putc(out, (char)bits);
	}
	return 0;
wrong:
	buf_truncate(out, before);
	return -1;
}

void
text_hex(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (; len > 0; p++, len--) {
		buf_putc(out, "0123456789abcdef"[*p >> 4]);
		buf_putc(out, "0123456789abcdef"[*p & 15]);
	}
}

char *
text_stamp(char out[TEXT_STAMP_SIZE], uint64_t wall_ms)
{
	char fraction[8] = "";
	time_t seconds;
	struct tm tm;
	size_t len;

	if (wall_ms > STAMP_MAX)
		wall_ms = STAMP_MAX;
	seconds = (time_t)(wall_ms / 1000);
	gmtime_r(&seconds, &tm);
	len = strftime(out, TEXT_STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (wall_ms % 1000 != 0)
		snprintf(fraction, sizeof(fraction), ".%03u",
		    (unsigned)(wall_ms % 1000));
	snprintf(out + len, TEXT_STAMP_SIZE - len, "%sZ", fraction);
	return out;
}

/*
 * Reads `pattern` from *s: a digit for each of a number's '0's, itself for
 * anything else. Numbers come out in their order.
 */
static bool
scan(const char **s, const char *pattern, int *numbers)
{
	const char *p = *s;

	for (; *pattern != '\0'; pattern++, p++) {
		if (*pattern != '0') {
			if (*p != *pattern)
				return false;
			numbers++;
			*numbers = 0;
			continue;
		}
		if (!isdigit((unsigned char)*p))
			return false;
		*numbers = *numbers * 10 + (*p - '0');
	}
	*s = p;
	return true;
}

/* "Z", "+hh:mm" or "-hh:mm", and nothing behind it; seconds east of UTC. */
static bool
parse_zone(const char *s, int *seconds)
{
	int n[2] = { 0 };
	char sign = *s;

	*seconds = 0;
	if (strcmp(s, "Z") == 0)
		return true;
	s++;
	if ((sign != '+' && sign != '-') || !scan(&s, "00:00", n))
		return false;
	if (*s != '\0' || n[0] > 14 || n[1] > 59)
		return false;
	*seconds = (n[0] * 60 + n[1]) * (sign == '+' ? 60 : -60);
	return true;
}

/* ".d" and any number of further digits; what is below 1 ms is dropped. */
static bool
parse_fraction(const char **s, unsigned *ms)
{
	unsigned worth = 100;

	*ms = 0;
	if (**s != '.')
		return true;
	if (!isdigit((unsigned char)*++*s))
		return false;
	for (; isdigit((unsigned char)**s); ++*s, worth /= 10)
		*ms += worth * (unsigned)(**s - '0');
	return true;
}

bool
text_parse_stamp(const char *s, uint64_t *wall_ms)
{
	int n[6] = { 0 }, zone;
	unsigned ms;
	int64_t seconds;
	struct tm tm;

	if (s == NULL || !scan(&s, "0000-00-00T00:00:00", n))
		return false;
	if (!parse_fraction(&s, &ms) || !parse_zone(s, &zone))
		return false;
	if (n[3] > 23 || n[4] > 59 || n[5] > 59)
		return false;
	tm = (struct tm){ .tm_year = n[0] - 1900,
		.tm_mon = n[1] - 1,
		.tm_mday = n[2],
		.tm_hour = n[3],
		.tm_min = n[4],
		.tm_sec = n[5] };
	seconds = (int64_t)timegm(&tm) - zone;
	/* timegm() carries a day or month that does not exist. */
	if (tm.tm_mday != n[2] || tm.tm_mon != n[1] - 1 || seconds < 0)
		return false;
	*wall_ms = (uint64_t)seconds * 1000 + ms;
	return true;
}

bool
text_secret_equals(const char *a, const char *b)
{
	volatile unsigned char different;
	size_t len, other, i;

	if (a == NULL || b == NULL)
		return false;
	len = strlen(a);
	other = strlen(b);
	different = len != other;
	for (i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ (i < other ? b[i] : 0));
	return different == 0;
}
