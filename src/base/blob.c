#include "base/blob.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct blob {
	size_t count, len;
	char data[];
};

struct blob *
blob_new(const void *bytes, size_t len)
{
	struct blob *b;

	assert(len < SIZE_MAX - sizeof(*b));
	b = mem_alloc(sizeof(*b) + len + 1);
	b->count = 1;
	b->len = len;
	if (len > 0)
		memcpy(b->data, bytes, len);
	return b;
}

struct blob *
blob_ref(struct blob *b)
{
	if (b != NULL)
		b->count++;
	return b;
}

void
blob_unref(struct blob **holder)
{
	struct blob *b = *holder;

	*holder = NULL;
	if (b != NULL && --b->count == 0)
		free(b);
}

const char *
blob_data(const struct blob *b)
{
	return b->data;
}

size_t
blob_len(const struct blob *b)
{
	return b != NULL ? b->len : 0;
}
