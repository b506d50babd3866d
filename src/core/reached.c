#include "core/reached.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
reached_fini(struct reached *r)
{
	free(r->bits);
	memset(r, 0, sizeof(*r));
}

static bool
has_bit(const struct reached *r, uint64_t at)
{
	return at < r->count && (r->bits[at / 8] & 1 << at % 8) != 0;
}

bool
reached_has(const struct reached *r, uint64_t seq)
{
	return seq <= r->low || has_bit(r, seq - r->low - 1);
}

/* Drops the first `n` bits, which is a multiple of 8 or all of them. */
static void
drop(struct reached *r, unsigned n)
{
	unsigned bytes = n / 8;

	r->low += n;
	if (n >= r->count) {
		r->count = 0;
		memset(r->bits, 0, r->cap);
		return;
	}
	memmove(r->bits, r->bits + bytes, r->cap - bytes);
	memset(r->bits + r->cap - bytes, 0, bytes);
	r->count -= n;
}

/* Whole bytes at a time: up to seven bits stay that could go, which costs nothing. */
static void
advance(struct reached *r)
{
	unsigned n = 0, full = 0;

	while (n < r->count && has_bit(r, n)) {
		n++;
		if (n % 8 == 0)
			full = n;
	}
	if (n == r->count && n > 0)
		full = n;
	if (full > 0)
		drop(r, full);
}

static void
make_room(struct reached *r, uint64_t at)
{
	unsigned need = (unsigned)(at / 8 + 1), cap = r->cap == 0 ? 8 : r->cap;

	if (need <= r->cap)
		return;
	while (cap < need)
		cap *= 2;
	r->bits = mem_grow(r->bits, cap);
	memset(r->bits + r->cap, 0, cap - r->cap);
	r->cap = cap;
}

void
reached_add_before(struct reached *r, uint64_t seq)
{
	uint64_t n;

	if (seq <= r->low + 1)
		return;
	n = seq - r->low - 1;
	if (n >= r->count) {
		if (r->count > 0)
			drop(r, r->count);
		r->low = seq - 1;
		return;
	}
	for (uint64_t at = 0; at < n; at++)
		r->bits[at / 8] |= (unsigned char)(1 << at % 8);
	advance(r);
}

void
reached_add(struct reached *r, uint64_t seq)
{
	uint64_t at;

	if (reached_has(r, seq))
		return;
	if (seq - r->low > REACHED_SPAN)
		reached_add_before(r, seq - REACHED_SPAN / 2);
	at = seq - r->low - 1;
	make_room(r, at);
	r->bits[at / 8] |= (unsigned char)(1 << at % 8);
	if (at >= r->count)
		r->count = (unsigned)at + 1;
	advance(r);
}

void
reached_pack(const struct reached *r, struct buf *b)
{
	pack_uint(b, r->low);
	pack_bytes(b, r->bits, (r->count + 7) / 8);
}

void
reached_unpack(struct reached *r, struct unpack *u)
{
	uint64_t low = unpack_uint(u);
	size_t len;
	const unsigned char *bits = unpack_bytes(u, &len);

	reached_fini(r);
	if (!unpack_is_good(u) || len > REACHED_SPAN / 8)
		return;
	r->low = low;
	if (len == 0)
		return;
	make_room(r, len * 8 - 1);
	memcpy(r->bits, bits, len);
	r->count = (unsigned)len * 8;
	advance(r);
}
