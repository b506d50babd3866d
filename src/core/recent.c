#include "core/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"

struct memory {
	UT_hash_handle hh;
	uint64_t value;
	char key[];
};

/* The table keeps the order in which its members were added: by age. */
struct recent {
	struct memory *memories;
	size_t max;
	void (*on_forget)(void *arg, const char *key);
	void *arg;
};

struct recent *
recent_new(size_t max)
{
	struct recent *r;

	r = mem_alloc(sizeof(*r));
	r->max = max;
	return r;
}

static struct memory *
find(const struct recent *r, const char *key)
{
	struct memory *m;

	HASH_FIND(hh, r->memories, key, strlen(key), m);
	return m;
}

static void
forget(struct recent *r, struct memory *m)
{
	HASH_DEL(r->memories, m);
	free(m);
}

void
recent_free(struct recent **holder)
{
	struct recent *r = *holder;

	*holder = NULL;
	if (r == NULL)
		return;
	while (r->memories != NULL)
		forget(r, r->memories);
	free(r);
}

void
recent_on_forget(struct recent *r, void (*fn)(void *arg, const char *key),
    void *arg)
{
	r->on_forget = fn;
	r->arg = arg;
}

static void
forget_oldest(struct recent *r)
{
	if (r->on_forget != NULL)
		r->on_forget(r->arg, r->memories->key);
	forget(r, r->memories);
}

static struct memory *
memory_new(const char *key)
{
	struct memory *m;
	size_t len = strlen(key);

	m = mem_alloc(sizeof(*m) + len + 1);
	memcpy(m->key, key, len);
	return m;
}

void
recent_set(struct recent *r, const char *key, uint64_t value)
{
	struct memory *m;

	if (r->max == 0)
		return;
	if ((m = find(r, key)) != NULL) {
		HASH_DEL(r->memories, m);
	} else {
		if (HASH_COUNT(r->memories) >= r->max)
			forget_oldest(r);
		m = memory_new(key);
	}
	m->value = value;
	HASH_ADD(hh, r->memories, key, strlen(m->key), m);
}

bool
recent_get(const struct recent *r, const char *key, uint64_t *value)
{
	struct memory *m;

	if ((m = find(r, key)) == NULL)
		return false;
	if (value != NULL)
		*value = m->value;
	return true;
}

void
recent_remove(struct recent *r, const char *key)
{
	struct memory *m;

	if ((m = find(r, key)) != NULL)
		forget(r, m);
}

void
recent_each(const struct recent *r,
    void (*fn)(void *arg, const char *key, uint64_t value), void *arg)
{
	const struct memory *m;

	for (m = r->memories; m != NULL; m = m->hh.next)
		fn(arg, m->key, m->value);
}

size_t
recent_count(const struct recent *r)
{
	return HASH_COUNT(r->memories);
}
