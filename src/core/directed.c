#include "core/directed.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

struct directed *
directed_find(struct directed *set, const char *target)
{
	struct directed *d;

	HASH_FIND_STR(set, target, d);
	return d;
}

bool
directed_add(struct directed **set, const char *target, uint64_t account,
    bool is_room, const char *xml, size_t max)
{
	struct directed *d = directed_find(*set, target);
	size_t len = strlen(target);

	if (d == NULL && HASH_COUNT(*set) >= max)
		return false;
	if (d == NULL) {
		d = mem_alloc(sizeof(*d) + len + 1);
		memcpy(d->target, target, len + 1);
		HASH_ADD_KEYPTR(hh, *set, d->target, len, d);
	}
	d->account = account;
	d->is_room = d->is_room || is_room;
	free(d->xml);
	d->xml = mem_strdup(xml);
	return true;
}

void
directed_rename(struct directed **set, struct directed *d, const char *target)
{
	struct directed *fresh;
	size_t len = strlen(target);

	if (strcmp(d->target, target) == 0)
		return;
	directed_remove(set, target);
	fresh = mem_alloc(sizeof(*fresh) + len + 1);
	fresh->account = d->account;
	fresh->is_room = d->is_room;
	fresh->xml = d->xml;
	memcpy(fresh->target, target, len + 1);
	d->xml = NULL;
	directed_remove(set, d->target);
	HASH_ADD_KEYPTR(hh, *set, fresh->target, len, fresh);
}

bool
directed_remove(struct directed **set, const char *target)
{
	struct directed *d = directed_find(*set, target);

	if (d == NULL)
		return false;
	HASH_DEL(*set, d);
	free(d->xml);
	free(d);
	return true;
}

struct directed *
directed_find_bare(struct directed *set, const char *jid)
{
	struct directed *d, *tmp;

	HASH_ITER(hh, set, d, tmp) {
		if (jid_same_bare(d->target, jid))
			return d;
	}
	return NULL;
}

void
directed_clear(struct directed **set)
{
	struct directed *d, *tmp;

	HASH_ITER(hh, *set, d, tmp) {
		HASH_DEL(*set, d);
		free(d->xml);
		free(d);
	}
}

bool
directed_has_status(const struct elem *x, const char *code)
{
	ELEM_EACH(e, x) {
		if (elem_is(e, NS_MUC_USER, "status") &&
		    text_equals(elem_attr(e, "code"), code))
			return true;
	}
	return false;
}

bool
directed_is_self(const struct directed *d, const struct elem *x,
    const char *from)
{
	return directed_has_status(x, "110") || strcmp(d->target, from) == 0;
}
