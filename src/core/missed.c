#include "core/missed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/relay.h"
#include "core/session.h"

struct missed {
	UT_hash_handle hh;
	uint64_t account;
	char full[];
};

static struct missed *
find(struct session *s, const char *full)
{
	struct missed *m;

	HASH_FIND_STR(s->missed, full, m);
	return m;
}

size_t
missed_count(const struct session *s)
{
	return HASH_COUNT(s->missed);
}

/* As many as are kept for the accounts that it sees. */
static size_t
most(const struct session *s)
{
	const struct account *a;
	size_t count = 0;

	LIST_FOREACH(a, &s->user->accounts, next)
		count += session_sees(s, a);
	return count * s->proxy->config->limits.presences;
}

/* One that is merely inactive is told all; of one that does not read it is too much. */
static bool
make_room(struct session *s)
{
	if (missed_count(s) >= most(s))
		quiet_flush(s);
	if (missed_count(s) < most(s))
		return true;
	session_close(s, STREAM_RESOURCE_CONSTRAINT,
	    "does not read what is sent to it");
	return false;
}

void
missed_add(struct session *s, uint64_t account, const char *full)
{
	size_t len = strlen(full);
	struct missed *m = find(s, full);

	if (m != NULL) {
		m->account = account;
		return;
	}
	/* First: full may be scratch memory, which making room uses. */
	m = mem_alloc(sizeof(*m) + len + 1);
	memcpy(m->full, full, len + 1);
	m->account = account;
	if (make_room(s))
		HASH_ADD_KEYPTR(hh, s->missed, m->full, len, m);
	else
		free(m);
}

void
missed_remove(struct session *s, const char *full)
{
	struct missed *m = find(s, full);

	if (m == NULL)
		return;
	HASH_DEL(s->missed, m);
	free(m);
}

void
missed_flush(struct session *s)
{
	struct missed *m;

	/* Until something that matters comes: quiet.h. */
	if (s->inactive)
		return;
	/* Where the session is closed meanwhile, all of them are gone. */
	while ((m = s->missed) != NULL && session_has_room(s)) {
		HASH_DEL(s->missed, m);
		relay_now(s, m->account, m->full);
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
