#include "io/pauses.h"

/* Below 8 a bucket each; from there on eight for each power of two. */
static unsigned
bucket_of(uint64_t us)
{
	unsigned power;

	if (us < 8)
		return (unsigned)us;
	power = 63 - (unsigned)__builtin_clzll(us);
	if (power > 33)
		return PAUSES_BUCKETS - 1;
	return (power - 2) * 8 + (unsigned)(us >> (power - 3) & 7);
}

/* The highest that counts in it. */
static uint64_t
top_of(unsigned bucket)
{
	unsigned power = bucket / 8 + 2;

	if (bucket < 8)
		return bucket;
	return ((uint64_t)(bucket % 8 + 9) << (power - 3)) - 1;
}

void
pauses_add(struct pauses *p, uint64_t us)
{
	p->count++;
	if (us > p->max)
		p->max = us;
	p->buckets[bucket_of(us)]++;
}

uint64_t
pauses_share(const struct pauses *p, unsigned thousandths)
{
	uint64_t wanted = (p->count * thousandths + 999) / 1000, seen = 0;

	for (unsigned i = 0; i < PAUSES_BUCKETS; i++) {
		seen += p->buckets[i];
		if (seen >= wanted && seen > 0)
			return top_of(i) < p->max ? top_of(i) : p->max;
	}
	return 0;
}
