#include "core/missed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/relay.h"
#include "core/session.h"

struct missed {
	UT_hash_handle hh;
	uint64_t account;
	char full[];
};

void
missed_add(struct session *s, struct account *a, const char *full)
{
	size_t len = strlen(full);
	struct missed *m;

	HASH_FIND(hh, s->missed, full, len, m);
	if (m == NULL) {
		m = mem_alloc(sizeof(*m) + len + 1);
		memcpy(m->full, full, len + 1);
		HASH_ADD_KEYPTR(hh, s->missed, m->full, len, m);
	}
	m->account = a->id;
}

static void
catch_up(struct session *s, const struct missed *m)
{
	struct account *a = user_find_account(s->user, m->account);
	const struct presence *p;

	if (a == NULL)
		return;
	if ((p = presences_find(a->presences, m->full)) != NULL)
		relay_presence(s, a, p);
	else
		relay_unavailable(s, a, m->full);
}

void
missed_flush(struct session *s)
{
	struct missed *m, *tmp;

	HASH_ITER(hh, s->missed, m, tmp) {
		if (!session_has_room(s))
			return;
		HASH_DEL(s->missed, m);
		catch_up(s, m);
		free(m);
	}
}

void
missed_clear(struct session *s)
{
	struct missed *m, *tmp;

	HASH_ITER(hh, s->missed, m, tmp) {
		HASH_DEL(s->missed, m);
		free(m);
	}
}
