#include "core/sent.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/table.h"
#include "core/account.h"
#include "core/history.h"
#include "core/message.h"
#include "core/session.h"
#include "xmpp/jid.h"

#define AGAIN_MS 300000
#define KEY_SIZE 4096

/* The device is known by its resource. */
static bool
repeat_key(char key[KEY_SIZE], const struct session *s, const struct entry *e)
{
	int len;

	if (e->id == NULL)
		return false;
	len = snprintf(key, KEY_SIZE, "%" PRIx32 " %s %s %s",
	    table_hash(blob_data(e->body), blob_len(e->body)), s->resource,
	    e->peer, e->id);
	return len > 0 && len < KEY_SIZE;
}

/* Who answers for a bare JID may do so with a resource. */
static bool
failed_key(char key[KEY_SIZE], const char *peer, const char *id)
{
	int len = snprintf(key, KEY_SIZE, "failed %.*s %s",
	    (int)jid_bare_len(peer), peer, id);

	return len > 0 && len < KEY_SIZE;
}

bool
sent_is_repeated(struct session *s, const struct entry *e)
{
	struct recent *sent = s->user->sent;
	char key[KEY_SIZE], failed[KEY_SIZE];
	uint64_t at;

	if (!repeat_key(key, s, e) || !failed_key(failed, e->peer, e->id))
		return false;
	if (recent_get(sent, key, &at) && clock_now() - at < AGAIN_MS &&
	    !recent_get(sent, failed, NULL))
		return true;
	recent_remove(sent, failed);
	recent_set(sent, key, clock_now());
	return false;
}

void
sent_remember_failed(struct user *u, const char *peer, const char *id)
{
	char key[KEY_SIZE];

	if (failed_key(key, peer, id))
		recent_set(u->sent, key, clock_now());
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

	if (id != NULL && make_key(key, "self", id))
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

/* "<account> <bare peer>", or with an id behind it; false: longer than any is. */
static bool
peer_key(char key[KEY_SIZE], const struct account *a, const char *peer,
    const char *id)
{
	int len = snprintf(key, KEY_SIZE, "%" PRIu64 " %.*s%s%s", a->id,
	    (int)jid_bare_len(peer), peer, id != NULL ? " " : "",
	    id != NULL ? id : "");

	return len > 0 && len < KEY_SIZE;
}

bool
sent_receipt_is_first(const struct account *a, const char *peer, const char *id)
{
	char key[KEY_SIZE];

	return !peer_key(key, a, peer, id) ||
	    !recent_get(a->user->receipts, key, NULL);
}

/* The number of what the marker speaks of; 0: it is not in the log. */
static uint64_t
marked(const struct account *a, const char *peer, const char *id)
{
	const struct entry *e;

	e = history_find(a->user->history, a->id, DIR_IN, peer, id);
	if (e == NULL)
		e = history_find(a->user->history, a->id, DIR_BESIDE, peer, id);
	return e != NULL ? e->seq : 0;
}

bool
sent_marker_is_forward(const struct account *a, const char *peer,
    const char *id)
{
	char key[KEY_SIZE];
	uint64_t seq = marked(a, peer, id), last;

	if (seq == 0)
		return !peer_key(key, a, peer, id) ||
		    !recent_get(a->user->displayed, key, NULL);
	return !peer_key(key, a, peer, NULL) ||
	    !recent_get(a->user->displayed, key, &last) || seq > last;
}

void
sent_remember_answers(struct account *a, const char *peer,
    const struct elem *message)
{
	const char *receipt = message_receipt_id(message);
	const char *displayed = message_displayed_id(message);
	char key[KEY_SIZE];
	uint64_t seq;

	if (receipt != NULL && peer_key(key, a, peer, receipt))
		recent_set(a->user->receipts, key, clock_now());
	if (displayed == NULL || !sent_marker_is_forward(a, peer, displayed))
		return;
	seq = marked(a, peer, displayed);
	if (peer_key(key, a, peer, seq == 0 ? displayed : NULL))
		recent_set(a->user->displayed, key, seq);
}

/* One number for both: ids of sessions are small. */
void
sent_remember_live(struct account *a, const struct entry *e)
{
	char key[KEY_SIZE];

	if (e->id != NULL && peer_key(key, a, e->peer, e->id))
		recent_set(a->user->live, key, e->origin << 1 | e->is_eligible);
}

bool
sent_find_live(const struct account *a, const char *peer, const char *id,
    uint64_t *session, bool *is_eligible)
{
	char key[KEY_SIZE];
	uint64_t value;

	if (!peer_key(key, a, peer, id) ||
	    !recent_get(a->user->live, key, &value))
		return false;
	*session = value >> 1;
	*is_eligible = value & 1;
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
