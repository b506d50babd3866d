#include "core/peers.h"

#include <string.h>

#include "base/mem.h"
#include "base/table.h"

struct peer {
	UT_hash_handle hh;
	unsigned count;
	char address[];
};

struct peers {
	struct peer *all;
};

struct peers *
peers_new(void)
{
	return mem_alloc(sizeof(struct peers));
}

void
peers_free(struct peers **holder)
{
	struct peer *p, *tmp;

	if (*holder == NULL)
		return;
	HASH_ITER(hh, (*holder)->all, p, tmp) {
		HASH_DEL((*holder)->all, p);
		free(p);
	}
	free(*holder);
	*holder = NULL;
}

static struct peer *
find(const struct peers *peers, const char *address)
{
	struct peer *p;

	HASH_FIND_STR(peers->all, address, p);
	return p;
}

unsigned
peers_count(const struct peers *peers, const char *address)
{
	struct peer *p = find(peers, address);

	return p != NULL ? p->count : 0;
}

void
peers_add(struct peers *peers, const char *address)
{
	struct peer *p = find(peers, address);
	size_t len = strlen(address);

	if (p == NULL) {
		p = mem_alloc(sizeof(*p) + len + 1);
		memcpy(p->address, address, len + 1);
		HASH_ADD_KEYPTR(hh, peers->all, p->address, len, p);
	}
	p->count++;
}

void
peers_remove(struct peers *peers, const char *address)
{
	struct peer *p = find(peers, address);

	if (p == NULL || --p->count > 0)
		return;
	HASH_DEL(peers->all, p);
	free(p);
}
