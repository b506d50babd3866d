/*
 * Bytes of a stream through struct xml: whole, byte by byte, cut anywhere and
 * with a budget they give the same events and the same end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "unit/xml_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The same for the same input, so that a finding can be replayed. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static uint32_t
seed_of(const uint8_t *data, size_t size)
{
	uint32_t seed = 2166136261;

	while (size-- > 0)
		seed = (seed ^ *data++) * 16777619;
	return seed;
}

/* Pieces of 1 to `most` bytes, each on the heap for AddressSanitizer. */
static void
feed_pieces(struct trace *t, const uint8_t *data, size_t size, size_t most)
{
	uint32_t seed = seed_of(data, size);
	size_t len;
	char *piece;

	for (; size > 0; data += len, size -= len) {
		len = 1 + next_random(&seed) % most;
		if (len > size)
			len = size;
		piece = mem_grow(NULL, len);
		memcpy(piece, data, len);
		trace_feed(t, piece, len);
		free(piece);
	}
}

static bool
is_either(enum xml_result a, enum xml_result b, enum xml_result one,
    enum xml_result other)
{
	return (a == one && b == other) || (a == other && b == one);
}

/*
 * Text between stanzas that is not well-formed either ("x]]>") is one or the
 * other: expat reports text before what is wrong in it only in a read before.
 * Behind the root's end the stream is over: there a token that is cut short
 * ("r" and half a character) may be wrong already, or wait for the rest.
 */
static bool
same_end(const struct trace *a, const struct trace *b)
{
	bool is_closed = a->log.len > 0 && strstr(a->log.data, "close\n");

	return a->result == b->result ||
	    is_either(a->result, b->result, XML_BAD_FORMAT,
		XML_NOT_WELL_FORMED) ||
	    (is_closed &&
		is_either(a->result, b->result, XML_OK, XML_NOT_WELL_FORMED));
}

static void
expect_same(const struct trace *whole, const uint8_t *data, size_t size,
    const struct xml_limits *limits, size_t most, unsigned budget)
{
	struct trace t;

	trace_init(&t, limits, budget);
	feed_pieces(&t, data, size, most);
	if (!same_end(&t, whole) || t.log.len != whole->log.len ||
	    (t.log.len > 0 && strcmp(t.log.data, whole->log.data) != 0)) {
		fprintf(stderr,
		    "whole:\n%s%s\npieces of %zu, budget %u:\n"
		    "%s%s\n",
		    whole->log.len > 0 ? whole->log.data : "",
		    trace_result_name(whole->result), most, budget,
		    t.log.len > 0 ? t.log.data : "",
		    trace_result_name(t.result));
		abort();
	}
	trace_fini(&t);
}

static void
run(const uint8_t *data, size_t size, const struct xml_limits *limits)
{
	struct trace whole;

	trace_init(&whole, limits, 0);
	if (size > 0)
		trace_feed(&whole, (const char *)data, size);
	expect_same(&whole, data, size, limits, 1, 0);
	expect_same(&whole, data, size, limits, 7, 1);
	expect_same(&whole, data, size, limits, 64, 0);
	expect_same(&whole, data, size, limits, size + 1, 2);
	trace_fini(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xml_limits narrow = { 120, 3, 4, 6 };
	static const struct xml_limits wide = { 262144, 64, 64, 8192 };

	/* A token that comes in too many pieces is refused: not here. */
	if (size > 4096)
		return 0;
	run(data, size, &narrow);
	run(data, size, &wide);
	return 0;
}
