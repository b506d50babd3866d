#include "core/message.h"

#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

struct name {
	const char *ns, *name; /* name NULL: any of the namespace */
};

/* Payloads that are kept though they are no text. */
static const struct {
	struct name name;
	const char *reason;
} playback[] = {
	{ { NS_RECEIPTS, "received" }, "receipt" }, /* XEP-0184 */
	{ { NS_MARKERS, "received" },
	    "receipt" }, /* 0333 as it was until 0.4 */
	{ { NS_MARKERS, "displayed" }, "marker" },      /* XEP-0333 */
	{ { NS_RETRACT, "retract" }, "retraction" },    /* XEP-0424, 0425 */
	{ { NS_REACTIONS, "reactions" }, "reactions" }, /* XEP-0444 */
	/*
	 * XEP-0353: what stops the ringing, and how it ended. A propose or
	 * ringing that comes late is of no use: it stays where its sender asks
	 * for <store/>.
	 */
	{ { NS_JINGLE_MESSAGE, "accept" }, "call answered" },
	{ { NS_JINGLE_MESSAGE, "proceed" }, "call answered" },
	{ { NS_JINGLE_MESSAGE, "reject" }, "call ended" },
	{ { NS_JINGLE_MESSAGE, "retract" }, "call ended" },
	{ { NS_JINGLE_MESSAGE, "finish" }, "call ended" },
	{ { NS_CONFERENCE, "x" }, "invitation" }, /* XEP-0249 */
	/*
	 * Without <payload/>: it moves the ratchet, and says nothing. XEP-0384.
	 */
	{ { NS_OMEMO, "encrypted" }, "empty OMEMO message" },
	{ { NS_OMEMO_OLD, "encrypted" }, "empty OMEMO message" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_groupchat(const struct elem *m)
{
	return stanza_type(m) == TYPE_GROUPCHAT;
}

bool
message_has_body(const struct elem *m)
{
	return elem_find(m, NS_CLIENT, "body") != NULL;
}

/*
 * With OMEMO the payload counts: an empty OMEMO message may carry XEP-0380's
 * element too.
 */
bool
message_is_encrypted(const struct elem *m)
{
	const struct elem *omemo, *old;

	omemo = elem_find(m, NS_OMEMO, "encrypted");
	old = elem_find(m, NS_OMEMO_OLD, "encrypted");
	if (omemo != NULL || old != NULL)
		return (omemo != NULL &&
			   elem_find(omemo, NS_OMEMO, "payload") != NULL) ||
		    (old != NULL &&
			elem_find(old, NS_OMEMO_OLD, "payload") != NULL);
	return elem_find(m, NS_OPENPGP, "openpgp") != NULL ||
	    elem_find(m, NS_PGP, "x") != NULL ||
	    elem_find(m, NS_EME, "encryption") != NULL;
}

/* An error may carry the hints of what it answers (XEP-0334 section 5). */
bool
message_has_hint(const struct elem *m, const char *hint)
{
	return stanza_type(m) != TYPE_ERROR &&
	    elem_find(m, NS_HINTS, hint) != NULL;
}

/* no-copy says nothing of a bare JID (XEP-0334 4.3). */
bool
message_is_private(const struct elem *m)
{
	const char *to = elem_attr(m, "to");

	if (elem_find(m, NS_CARBONS, "private") != NULL)
		return true;
	return to != NULL && strchr(to, '/') != NULL &&
	    message_has_hint(m, "no-copy");
}

const struct elem *
message_stream_data(const struct elem *m)
{
	return elem_find(m, NS_IBB, "data");
}

bool
message_is_event(const struct elem *m)
{
	return elem_find(m, NS_PUBSUB_EVENT, "event") != NULL;
}

const struct elem *
message_archive_result(const struct elem *m)
{
	return elem_find(m, NS_MAM, "result");
}

/* XEP-0045 7.8.2 */
static bool
is_mediated_invitation(const struct elem *m)
{
	const struct elem *x = elem_find(m, NS_MUC_USER, "x");

	return x != NULL && elem_find(x, NS_MUC_USER, "invite") != NULL;
}

/*
 * The room marks a private message with an empty <x/>; with an invitation, a
 * status or an item in it, it is the room itself that speaks.
 */
bool
message_is_room_private(const struct elem *m)
{
	const struct elem *x = elem_find(m, NS_MUC_USER, "x");

	return x != NULL && elem_first(x) == NULL && !is_groupchat(m);
}

static const char *
playback_reason(const struct elem *m)
{
	size_t i;

	for (i = 0; i < COUNT(playback); i++)
		if (elem_find(m, playback[i].name.ns, playback[i].name.name))
			return playback[i].reason;
	if (is_mediated_invitation(m))
		return "invitation";
	/* A room's subject is the room's state. */
	if (!is_groupchat(m) && elem_find(m, NS_CLIENT, "subject") != NULL)
		return "subject";
	return NULL;
}

/*
 * What has it kept, and as what, where nothing forbids it; NULL where nothing.
 */
static const char *
content_reason(const struct elem *m, enum message_class *class)
{
	*class = CLASS_ARCHIVE;
	if (message_has_hint(m, "store"))
		return "hint store";
	if (stanza_type(m) == TYPE_HEADLINE)
		return NULL;
	if (message_has_body(m))
		return "body";
	if (message_is_encrypted(m))
		return "encrypted";
	*class = CLASS_PLAYBACK;
	return message_is_event(m) ? NULL : playback_reason(m);
}

/* What it is that is not kept. */
static const char *
live_reason(const struct elem *m)
{
	if (stanza_type(m) == TYPE_HEADLINE)
		return "headline";
	if (message_is_event(m))
		return "event";
	return message_chat_state(m) != NULL ? "chat state" : "no content";
}

static enum message_class
classify(const struct elem *m, const char **reason)
{
	enum message_class class;

	*reason = "error";
	if (stanza_type(m) == TYPE_ERROR)
		return CLASS_LIVE;
	*reason = "hint no-store";
	if (message_has_hint(m, "no-store"))
		return CLASS_LIVE;
	if ((*reason = content_reason(m, &class)) == NULL) {
		*reason = live_reason(m);
		return CLASS_LIVE;
	}
	/* To be held until it is delivered, and no longer (XEP-0334 4.1). */
	if (message_has_hint(m, "no-permanent-store")) {
		*reason = "hint no-permanent-store";
		return CLASS_PLAYBACK;
	}
	return class;
}

enum message_class
message_class(const struct elem *m, const char **reason)
{
	const char *unwanted;

	return classify(m, reason == NULL ? &unwanted : reason);
}

/* Empty OMEMO messages as well: each client's ratchet goes on by them. */
static bool
is_encrypted_in_any_way(const struct elem *m)
{
	return message_is_encrypted(m) ||
	    elem_find(m, NS_OMEMO, "encrypted") != NULL ||
	    elem_find(m, NS_OMEMO_OLD, "encrypted") != NULL;
}

/* "payload elements typically used in IM" */
static bool
has_im_payload(const struct elem *m)
{
	return elem_find(m, NS_RECEIPTS, NULL) != NULL ||
	    elem_find(m, NS_CHATSTATES, NULL) != NULL ||
	    elem_find(m, NS_MARKERS, NULL) != NULL ||
	    is_encrypted_in_any_way(m);
}

bool
message_is_eligible(const struct elem *m, bool outgoing)
{
	enum stanza_type type = stanza_type(m);

	if (type == TYPE_GROUPCHAT || type == TYPE_ERROR ||
	    message_is_private(m) || message_stream_data(m) != NULL)
		return false;
	if (message_is_room_private(m))
		return outgoing;
	if (type == TYPE_CHAT || (type == TYPE_NORMAL && message_has_body(m)))
		return true;
	return has_im_payload(m) || is_mediated_invitation(m) ||
	    elem_find(m, NS_CONFERENCE, "x") != NULL;
}

static const char *
child_id(const struct elem *m, const char *ns, const char *name)
{
	const struct elem *e = elem_find(m, ns, name);

	return e == NULL ? NULL : elem_attr(e, "id");
}

const char *
message_receipt_id(const struct elem *m)
{
	const char *id = child_id(m, NS_RECEIPTS, "received");

	return id != NULL ? id : child_id(m, NS_MARKERS, "received");
}

const char *
message_displayed_id(const struct elem *m)
{
	return child_id(m, NS_MARKERS, "displayed");
}

const char *
message_chat_state(const struct elem *m)
{
	const struct elem *e = elem_find(m, NS_CHATSTATES, NULL);

	return e == NULL ? NULL : e->name;
}

/* What says nothing of its own beside a chat state. */
static const struct name beside_state[] = {
	{ NS_CHATSTATES, NULL },
	{ NS_HINTS, NULL },
	{ NS_CLIENT, "thread" }, /* XEP-0085 5.1 */
	{ NS_SID, NULL },
	{ NS_CARBONS, "private" },
	{ NS_MUC_USER, "x" }, /* of a private message in a room */
	{ NS_DELAY, "delay" },
};

static bool
is_beside_state(const struct elem *e)
{
	const struct name *n;
	size_t i;

	for (i = 0; i < COUNT(beside_state); i++) {
		n = &beside_state[i];
		if (text_equals(e->ns, n->ns) &&
		    (n->name == NULL || text_equals(e->name, n->name)))
			return true;
	}
	return false;
}

bool
message_says_nothing(const struct elem *m)
{
	ELEM_EACH(e, m)
		if (!is_beside_state(e))
			return false;
	return !is_mediated_invitation(m) && message_chat_state(m) == NULL;
}

const char *
message_lone_chat_state(const struct elem *m)
{
	ELEM_EACH(e, m)
		if (!is_beside_state(e))
			return NULL;
	return is_mediated_invitation(m) ? NULL : message_chat_state(m);
}

static void
remove_stanza_ids(struct elem *m)
{
	struct elem *e;

	while ((e = elem_find(m, NS_SID, "stanza-id")) != NULL)
		elem_remove(e);
}

void
message_complete(struct elem *m)
{
	struct elem *origin;
	char fresh[RANDOM_ID_SIZE];

	remove_stanza_ids(m);
	/* The id of an error is that of what it answers. */
	if (stanza_type(m) == TYPE_ERROR)
		return;
	if ((origin = elem_find(m, NS_SID, "origin-id")) == NULL)
		origin = elem_child(m, NS_SID, "origin-id");
	if (elem_attr(m, "id") == NULL)
		elem_set(m, "id", elem_attr(origin, "id"));
	if (elem_attr(m, "id") == NULL)
		elem_set(m, "id", random_id(fresh));
	if (elem_attr(origin, "id") == NULL)
		elem_set(origin, "id", elem_attr(m, "id"));
}
