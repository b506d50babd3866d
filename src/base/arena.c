#include "base/arena.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	ALIGN = 16,
	FIRST_BLOCK = 2048,
	LARGEST_BLOCK = 65536,
	SMALL_BLOCK = 128
};

/*
 * For AddressSanitizer what is not handed out is poisoned, with a gap between
 * neighbours; else the macros of its header are nothing.
 */
#if __has_feature(address_sanitizer) || defined(__SANITIZE_ADDRESS__)
enum { GAP = ALIGN };
#else
enum { GAP = 0 };
#endif

struct block {
	struct block *older;
	size_t size, used;
	char data[] __attribute__((aligned(ALIGN)));
};

struct arena {
	struct block *newest; /* allocations come from this one alone */
	size_t used;
};

static struct block *
block_new(size_t size, struct block *older)
{
	struct block *b = mem_grow(NULL, sizeof(*b) + size);

	b->older = older;
	b->size = size;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	return b;
}

static struct arena *
make(size_t first)
{
	struct arena *a = mem_alloc(sizeof(*a));

	a->newest = block_new(first, NULL);
	return a;
}

struct arena *
arena_new(void)
{
	return make(FIRST_BLOCK);
}

struct arena *
arena_new_small(void)
{
	return make(SMALL_BLOCK);
}

/* The oldest block stays: it is the small one. */
void
arena_reset(struct arena *a)
{
	struct block *b;

	while ((b = a->newest)->older != NULL) {
		a->newest = b->older;
		free(b);
	}
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	b->used = 0;
	a->used = 0;
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	arena_reset(*a);
	free((*a)->newest);
	free(*a);
	*a = NULL;
}

static void
add_block(struct arena *a, size_t at_least)
{
	size_t size = a->newest->size * 2;

	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	if (size < at_least)
		size = at_least;
	a->newest = block_new(size, a->newest);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct block *b;
	size_t taken;
	void *p;

	assert(size < SIZE_MAX / 2);
	taken = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (a->newest->size - a->newest->used < taken + GAP)
		add_block(a, taken + GAP);
	b = a->newest;
	p = b->data + b->used;
	b->used += taken + GAP;
	a->used += taken;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return memset(p, 0, size);
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy;

	if (s == NULL)
		return NULL;
	len = strnlen(s, len);
	copy = arena_alloc(a, len + 1);
	return memcpy(copy, s, len);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	s = arena_alloc(a, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return s;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
