#include "base/sha1.h"

#include <stdint.h>
#include <string.h>

#define BLOCK       64
#define LENGTH_SIZE 8 /* the message's, in bits, at the end of the last block */

static uint32_t
rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
load(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

static void
store(unsigned char *at, uint32_t x)
{
	at[0] = x >> 24;
	at[1] = x >> 16;
	at[2] = x >> 8;
	at[3] = x;
}

/* f(t) + K(t) of RFC 3174 section 5. */
static uint32_t
mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void
add_block(uint32_t h[5], const unsigned char *block)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], x;

	for (unsigned t = 0; t < 16; t++)
		w[t] = load(block + t * 4);
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (unsigned t = 0; t < 80; t++) {
		x = rotate(a, 5) + mix(t, b, c, d) + e + w[t];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = x;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* What is left of the message, a one bit, zeroes and the length (section 4). */
static void
add_end(uint32_t h[5], const unsigned char *rest, size_t rest_len, uint64_t len)
{
	unsigned char end[2 * BLOCK] = { 0 };
	size_t size = rest_len + 1 + LENGTH_SIZE <= BLOCK ? BLOCK : 2 * BLOCK;

	if (rest_len > 0)
		memcpy(end, rest, rest_len);
	end[rest_len] = 0x80;
	store(end + size - 8, len >> 29);
	store(end + size - 4, len << 3);
	for (size_t at = 0; at < size; at += BLOCK)
		add_block(h, end + at);
}

void
sha1(const void *bytes, size_t len, unsigned char out[SHA1_SIZE])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };
	const unsigned char *at = bytes;
	size_t left = len;

	for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
		add_block(h, at);
	add_end(h, at, left, len);
	for (unsigned i = 0; i < 5; i++)
		store(out + i * 4, h[i]);
}
