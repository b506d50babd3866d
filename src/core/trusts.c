#include "core/trusts.h"

#include <string.h>

#include "base/mem.h"
#include "base/table.h"

struct trusted {
	UT_hash_handle hh;
	struct tls_trust *trust;
	char ca[]; /* "" for the system's roots */
};

struct trusts {
	struct trusted *all;
};

struct trusts *
trusts_new(void)
{
	return mem_alloc(sizeof(struct trusts));
}

void
trusts_free(struct trusts **holder)
{
	struct trusted *t, *tmp;

	if (*holder == NULL)
		return;
	HASH_ITER(hh, (*holder)->all, t, tmp) {
		HASH_DEL((*holder)->all, t);
		tls_trust_unref(&t->trust);
		free(t);
	}
	free(*holder);
	*holder = NULL;
}

struct tls_trust *
trusts_get(struct trusts *trusts, const char *ca, struct err *err)
{
	const char *key = ca != NULL ? ca : "";
	size_t len = strlen(key);
	struct tls_trust *trust;
	struct trusted *t;

	HASH_FIND(hh, trusts->all, key, len, t);
	if (t != NULL)
		return tls_trust_ref(t->trust);
	if ((trust = tls_trust_new(ca, err)) == NULL)
		return NULL;
	t = mem_alloc(sizeof(*t) + len + 1);
	memcpy(t->ca, key, len + 1);
	t->trust = trust;
	HASH_ADD_KEYPTR(hh, trusts->all, t->ca, len, t);
	return tls_trust_ref(trust);
}
