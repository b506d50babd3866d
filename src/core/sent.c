#include "core/sent.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/table.h"
#include "core/account.h"
#include "core/history.h"
#include "core/session.h"
#include "xmpp/jid.h"

#define AGAIN_MS 300000
#define KEY_SIZE 4096

bool
sent_is_repeated(struct session *s, const struct entry *e)
{
	char key[KEY_SIZE];
	uint64_t at;
	int len;

	len = snprintf(key, sizeof(key), "%" PRIx32 " %s %s %s",
	    table_hash(blob_data(e->body), blob_len(e->body)), s->resource,
	    e->peer, e->id);
	if (len < 0 || (size_t)len >= sizeof(key))
		return false;
	if (recent_get(s->user->sent, key, &at) && clock_now() - at < AGAIN_MS)
		return true;
	recent_set(s->user->sent, key, clock_now());
	return false;
}

static bool
make_key(char key[KEY_SIZE], const char *what, const char *id)
{
	int len = snprintf(key, KEY_SIZE, "%s %s", what, id);

	return len > 0 && len < KEY_SIZE;
}

void
sent_remember_self(struct user *u, const char *id, uint64_t session)
{
	char key[KEY_SIZE];

	if (make_key(key, "self", id))
		recent_set(u->sent, key, session);
}

uint64_t
sent_find_self(struct user *u, const char *id)
{
	char key[KEY_SIZE];
	uint64_t session;

	if (id == NULL || !make_key(key, "self", id) ||
	    !recent_get(u->sent, key, &session))
		return 0;
	return session;
}

bool
sent_receipt_is_first(struct account *a, const char *peer, const char *id)
{
	char key[KEY_SIZE];
	int len = snprintf(key, sizeof(key), "%" PRIu64 " %.*s %s", a->id,
	    (int)jid_bare_len(peer), peer, id);

	if (len < 0 || (size_t)len >= sizeof(key) ||
	    recent_get(a->user->receipts, key, NULL))
		return false;
	recent_set(a->user->receipts, key, clock_now());
	return true;
}

void
sent_remember_note(struct user *u, const char *id)
{
	char key[KEY_SIZE];

	if (make_key(key, "note", id))
		recent_set(u->notes, key, clock_now());
}

bool
sent_is_note(struct user *u, const char *id)
{
	char key[KEY_SIZE];

	return id != NULL && make_key(key, "note", id) &&
	    recent_get(u->notes, key, NULL);
}
