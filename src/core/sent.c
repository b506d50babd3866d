#include "core/sent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/account.h"
#include "core/history.h"
#include "core/invitation.h"
#include "core/message.h"
#include "core/place.h"
#include "core/session.h"
#include "xmpp/jid.h"

#define AGAIN_MS 300000
#define KEY_SIZE 4096

/* The device is known by its resource. What is not kept may go up twice. */
bool
sent_is_repeated(struct session *s, const struct entry *e)
{
	const struct entry *old = history_find_same(s->user->history, e,
	    DIR_OUT);

	return old != NULL && !old->failed && old->local != NULL &&
	    clock_wall() - old->stamp < AGAIN_MS &&
	    strcmp(jid_resource(old->local), s->resource) == 0;
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

/* --- receipts and markers --- */

bool
sent_receipt_is_first(const struct account *a, const char *peer, const char *id)
{
	char *conversation = place_conversation(a, peer);
	bool is_first;

	is_first = !answered_get(a, ANSWERED_RECEIPT, conversation, id, NULL);
	free(conversation);
	return is_first;
}

bool
sent_error_is_first(const struct account *a, const char *peer, const char *id)
{
	char *conversation = place_conversation(a, peer);
	bool is_first;

	is_first = !answered_get(a, ANSWERED_ERROR, conversation, id, NULL) &&
	    !answered_get(a, ANSWERED_RECEIPT, conversation, id, NULL);
	free(conversation);
	return is_first;
}

static bool
is_forward(const struct account *a, const char *conversation, const char *id,
    uint64_t seq)
{
	uint64_t last;

	if (seq == 0)
		return !answered_get(a, ANSWERED_MARKER, conversation, id,
		    NULL);
	return !answered_get(a, ANSWERED_MARKER, conversation, NULL, &last) ||
	    seq > last;
}

bool
sent_marker_is_forward(const struct account *a, const char *peer,
    const char *id)
{
	char *conversation = place_conversation(a, peer);
	bool is;

	is = is_forward(a, conversation, id, place_of_message(a, peer, id));
	free(conversation);
	return is;
}

static void
remember_marker(struct account *a, const char *conversation, const char *id)
{
	uint64_t seq = place_of_message(a, conversation, id);

	if (is_forward(a, conversation, id, seq))
		answered_set(a, ANSWERED_MARKER, conversation,
		    seq == 0 ? id : NULL, seq);
}

void
sent_remember_answers(struct account *a, const char *peer,
    const struct elem *message)
{
	const char *receipt = message_receipt_id(message);
	const char *displayed = message_displayed_id(message);
	const char *id = elem_attr(message, "id");
	char *conversation = place_conversation(a, peer);

	/* An error has in it what it answers. */
	if (stanza_type(message) == TYPE_ERROR) {
		if (id != NULL)
			answered_set(a, ANSWERED_ERROR, conversation, id, 0);
	} else {
		if (receipt != NULL)
			answered_set(a, ANSWERED_RECEIPT, conversation, receipt,
			    0);
		if (displayed != NULL)
			remember_marker(a, conversation, displayed);
		invitation_declined(a, peer, message);
	}
	free(conversation);
}

/* --- who is active --- */

void
sent_remember_active(struct account *a, const char *peer, uint64_t session)
{
	char *conversation = place_conversation(a, peer);

	recent_set(a->active, conversation, session);
	free(conversation);
}

bool
sent_find_active(const struct account *a, const char *peer, uint64_t *session)
{
	char *conversation = place_conversation(a, peer);
	bool is_known = recent_get(a->active, conversation, session);

	free(conversation);
	return is_known;
}

/* --- what is not in the log --- */

/* "<account> <bare peer> <id>"; false: longer than any is. */
static bool
peer_key(char key[KEY_SIZE], const struct account *a, const char *peer,
    const char *id)
{
	int len = snprintf(key, KEY_SIZE, "%" PRIu64 " %.*s %s", a->id,
	    (int)jid_bare_len(peer), peer, id);

	return len > 0 && len < KEY_SIZE;
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
