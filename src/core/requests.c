#include "core/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "xmpp/ns.h"

struct request {
	char *xml;
	UT_hash_handle hh;
	char bare[];
};

/* The table keeps the order in which its members were added. */
struct requests {
	struct request *all;
	size_t max;
	void (*keep)(void *arg, const char *bare, const char *xml);
	void *arg;
};

struct requests *
requests_new(size_t max)
{
	struct requests *r = mem_alloc(sizeof(*r));

	r->max = max;
	return r;
}

static void
forget(struct requests *r, struct request *q)
{
	HASH_DEL(r->all, q);
	free(q->xml);
	free(q);
}

void
requests_free(struct requests **holder)
{
	struct requests *r = *holder;

	*holder = NULL;
	if (r == NULL)
		return;
	while (r->all != NULL)
		forget(r, r->all);
	free(r);
}

void
requests_set_keeper(struct requests *r,
    void (*keep)(void *arg, const char *bare, const char *xml), void *arg)
{
	r->keep = keep;
	r->arg = arg;
}

static struct request *
find(const struct requests *r, const char *bare)
{
	struct request *q;

	HASH_FIND(hh, r->all, bare, strlen(bare), q);
	return q;
}

static struct request *
find_or_make(struct requests *r, const char *bare)
{
	struct request *q = find(r, bare);
	size_t len = strlen(bare);

	if (q != NULL)
		return q;
	if (HASH_COUNT(r->all) >= r->max)
		return NULL;
	q = mem_alloc(sizeof(*q) + len + 1);
	memcpy(q->bare, bare, len);
	HASH_ADD(hh, r->all, bare, len, q);
	return q;
}

void
requests_restore(struct requests *r, const char *bare, const char *xml)
{
	struct request *q = find_or_make(r, bare);

	if (q == NULL)
		return;
	free(q->xml);
	q->xml = mem_strdup(xml);
}

bool
requests_add(struct requests *r, const char *bare, const struct elem *presence)
{
	struct request *q = find_or_make(r, bare);
	struct buf xml = { 0 };

	if (q == NULL)
		return false;
	elem_write(&xml, presence, NS_CLIENT);
	free(q->xml);
	q->xml = buf_take(&xml);
	if (r->keep != NULL)
		r->keep(r->arg, bare, q->xml);
	return true;
}

bool
requests_remove(struct requests *r, const char *bare)
{
	struct request *q = find(r, bare);

	if (q == NULL)
		return false;
	if (r->keep != NULL)
		r->keep(r->arg, bare, NULL);
	forget(r, q);
	return true;
}

bool
requests_is_open(const struct requests *r, const char *bare)
{
	return find(r, bare) != NULL;
}

void
requests_each(const struct requests *r,
    void (*fn)(void *arg, const char *bare, const char *xml), void *arg)
{
	struct request *q, *next;

	HASH_ITER(hh, r->all, q, next)
		fn(arg, q->bare, q->xml);
}
