#include "core/peers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"

struct peer {
	UT_hash_handle hh;
	unsigned count;
	char key[];
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

void
peers_key(const char *address, char out[PEERS_KEY_SIZE])
{
	char network[INET6_ADDRSTRLEN];
	struct in6_addr v6;

	if (inet_pton(AF_INET6, address, &v6) != 1) {
		snprintf(out, PEERS_KEY_SIZE, "%s", address);
		return;
	}
	memset(&v6.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &v6, network, sizeof(network));
	snprintf(out, PEERS_KEY_SIZE, "%s/64", network);
}

static struct peer *
find(const struct peers *peers, const char *address)
{
	char key[PEERS_KEY_SIZE];
	struct peer *p;

	peers_key(address, key);
	HASH_FIND_STR(peers->all, key, p);
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
	char key[PEERS_KEY_SIZE];
	size_t len;

	if (p == NULL) {
		peers_key(address, key);
		len = strlen(key);
		p = mem_alloc(sizeof(*p) + len + 1);
		memcpy(p->key, key, len + 1);
		HASH_ADD_KEYPTR(hh, peers->all, p->key, len, p);
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
