#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/message.h"
#include "parsed.h"
#include "support_arena.h"

#define M(type, payload) "<message type='" type "'>" payload "</message>"
#define CHAT(payload)    M("chat", payload)

#define BODY               "<body>x</body>"
#define STORE              "<store xmlns='urn:xmpp:hints'/>"
#define NO_STORE           "<no-store xmlns='urn:xmpp:hints'/>"
#define NO_PERMANENT_STORE "<no-permanent-store xmlns='urn:xmpp:hints'/>"
#define RECEIVED           "<received xmlns='urn:xmpp:receipts' id='r1'/>"
#define REQUEST            "<request xmlns='urn:xmpp:receipts'/>"
#define OLD_RECEIVED       "<received xmlns='urn:xmpp:chat-markers:0' id='o1'/>"
#define DISPLAYED          "<displayed xmlns='urn:xmpp:chat-markers:0' id='d1'/>"
#define MARKABLE           "<markable xmlns='urn:xmpp:chat-markers:0'/>"
#define COMPOSING          "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
#define CALL(name)         "<" name " xmlns='urn:xmpp:jingle-message:0' id='c'/>"
#define EVENT \
	"<event xmlns='http://jabber.org/protocol/pubsub#event'>" \
	"<items node='n'/></event>"
#define MUC_USER(in)  "<x xmlns='http://jabber.org/protocol/muc#user'>" in "</x>"
#define INVITE        MUC_USER("<invite from='a@b'/>")
#define DIRECT_INVITE "<x xmlns='jabber:x:conference' jid='r@c'/>"
#define EME \
	"<encryption xmlns='urn:xmpp:eme:0' " \
	"namespace='eu.siacs.conversations.axolotl'/>"
#define OMEMO_OLD(in) \
	"<encrypted xmlns='eu.siacs.conversations.axolotl'>" \
	"<header sid='1'/>" in "</encrypted>"
#define OMEMO(in) \
	"<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/>" in \
	"</encrypted>"
#define PRIVATE "<private xmlns='urn:xmpp:carbons:2'/>"
#define NO_COPY "<no-copy xmlns='urn:xmpp:hints'/>"

static void
test_class(void **state)
{
	static const struct {
		const char *text;
		enum message_class class;
		const char *reason;
	} rows[] = {
		{ CHAT(BODY), CLASS_ARCHIVE, "body" },
		{ "<message>" BODY "</message>", CLASS_ARCHIVE, "body" },
		{ M("groupchat", BODY), CLASS_ARCHIVE, "body" },
		{ CHAT(BODY RECEIVED COMPOSING), CLASS_ARCHIVE, "body" },
		{ M("strange", BODY), CLASS_ARCHIVE, "body" },
		{ M("normal", EVENT BODY), CLASS_ARCHIVE, "body" },
		{ CHAT(OMEMO("<payload/>")), CLASS_ARCHIVE, "encrypted" },
		{ CHAT(OMEMO_OLD("<payload/>")), CLASS_ARCHIVE, "encrypted" },
		{ CHAT(EME), CLASS_ARCHIVE, "encrypted" },
		{ CHAT(RECEIVED STORE), CLASS_ARCHIVE, "hint store" },
		{ CHAT(STORE), CLASS_ARCHIVE, "hint store" },
		{ M("headline", BODY STORE), CLASS_ARCHIVE, "hint store" },

		{ CHAT(RECEIVED), CLASS_PLAYBACK, "receipt" },
		{ CHAT(DISPLAYED), CLASS_PLAYBACK, "marker" },
		{ CHAT(CALL("accept")), CLASS_PLAYBACK, "call answered" },
		{ CHAT(CALL("proceed")), CLASS_PLAYBACK, "call answered" },
		{ CHAT(CALL("reject")), CLASS_PLAYBACK, "call ended" },
		{ CHAT(CALL("retract")), CLASS_PLAYBACK, "call ended" },
		{ CHAT(CALL("finish")), CLASS_PLAYBACK, "call ended" },
		{ CHAT("<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"),
		    CLASS_PLAYBACK, "retraction" },
		{ CHAT("<reactions xmlns='urn:xmpp:reactions:0' id='1'/>"),
		    CLASS_PLAYBACK, "reactions" },
		{ CHAT(OMEMO("") EME), CLASS_PLAYBACK, "empty OMEMO message" },
		{ CHAT(OMEMO_OLD("")), CLASS_PLAYBACK, "empty OMEMO message" },
		{ M("normal", INVITE), CLASS_PLAYBACK, "invitation" },
		{ M("normal", DIRECT_INVITE), CLASS_PLAYBACK, "invitation" },
		{ M("normal", "<subject>x</subject>"), CLASS_PLAYBACK,
		    "subject" },
		{ CHAT(BODY NO_PERMANENT_STORE), CLASS_PLAYBACK,
		    "hint no-permanent-store" },

		{ M("error", BODY STORE), CLASS_LIVE, "error" },
		{ CHAT(BODY NO_STORE), CLASS_LIVE, "hint no-store" },
		{ CHAT(BODY STORE NO_STORE), CLASS_LIVE, "hint no-store" },
		{ M("headline", BODY), CLASS_LIVE, "headline" },
		{ M("headline", EVENT), CLASS_LIVE, "headline" },
		{ M("normal", EVENT), CLASS_LIVE, "event" },
		{ CHAT(COMPOSING), CLASS_LIVE, "chat state" },
		{ CHAT(COMPOSING NO_PERMANENT_STORE), CLASS_LIVE,
		    "chat state" },
		{ CHAT(CALL("propose")), CLASS_LIVE, "no content" },
		{ CHAT(CALL("ringing")), CLASS_LIVE, "no content" },
		{ CHAT(REQUEST), CLASS_LIVE, "no content" },
		{ CHAT(MARKABLE), CLASS_LIVE, "no content" },
		{ M("groupchat", "<subject>x</subject>"), CLASS_LIVE,
		    "no content" },
		{ "<message/>", CLASS_LIVE, "no content" },
		{ "<message><o xmlns='x'>" BODY "</o></message>", CLASS_LIVE,
		    "no content" },
	};
	const struct elem *m;
	const char *reason;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = parsed(*state, rows[i].text);
		if (message_class(m, &reason) != rows[i].class ||
		    strcmp(reason, rows[i].reason) != 0)
			fail_msg("%s: %s", rows[i].text, reason);
		assert_int_equal(message_class(m, NULL), rows[i].class);
	}
}

static void
test_encrypted(void **state)
{
	static const struct {
		const char *text;
		bool encrypted;
	} rows[] = {
		{ CHAT(OMEMO("<payload/>")), true },
		{ CHAT(OMEMO_OLD("<payload/>")), true },
		{ CHAT(OMEMO("") OMEMO_OLD("<payload/>")), true },
		{ CHAT(OMEMO("") EME), false },
		{ CHAT("<openpgp xmlns='urn:xmpp:openpgp:0'/>"), true },
		{ CHAT("<x xmlns='jabber:x:encrypted'/>"), true },
		{ CHAT(EME), true },
		{ CHAT(BODY), false },
		{ CHAT("<encrypted xmlns='other'/>"), false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(message_is_encrypted(
				     parsed(*state, rows[i].text)),
		    rows[i].encrypted);
}

/* As XEP-0280 6.1 has it, in its order. */
static void
test_eligible(void **state)
{
	static const struct {
		const char *text;
		bool in, out;
	} rows[] = {
		{ CHAT(""), true, true },
		{ CHAT(COMPOSING), true, true },
		{ CHAT(BODY PRIVATE), false, false },
		{ M("normal", BODY), true, true },
		{ "<message>" BODY "</message>", true, true },
		{ M("normal", "<subject>x</subject>"), false, false },
		{ M("normal", EVENT), false, false },
		{ M("normal", RECEIVED), true, true },
		{ M("normal", COMPOSING), true, true },
		{ M("normal", DISPLAYED), true, true },
		/* Not in its list, but used in IM: what is encrypted. */
		{ M("normal", OMEMO("<payload/>")), true, true },
		{ M("normal", OMEMO("")), true, true },
		{ M("normal", OMEMO_OLD("")), true, true },
		{ M("normal", EME), true, true },
		{ M("normal", OMEMO("<payload/>") PRIVATE), false, false },
		{ M("groupchat", OMEMO("<payload/>")), false, false },
		{ M("headline", BODY), false, false },
		{ M("error", BODY), false, false },
		{ M("groupchat", BODY), false, false },
		{ M("groupchat", RECEIVED), false, false },
		{ M("normal", DIRECT_INVITE), true, true },
		{ M("normal", INVITE), true, true },
		{ M("normal", INVITE PRIVATE), false, false },
		{ CHAT(BODY MUC_USER("")), false, true },
		{ M("normal", MUC_USER("")), false, true },
		{ M("normal", MUC_USER("<status code='101'/>")), false, false },
	};
	const struct elem *m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = parsed(*state, rows[i].text);
		if (message_is_eligible(m, false) != rows[i].in ||
		    message_is_eligible(m, true) != rows[i].out)
			fail_msg("%s", rows[i].text);
	}
}

static void
test_private(void **state)
{
	assert_true(message_is_private(parsed(*state, CHAT(PRIVATE))));
	assert_true(message_is_private(
	    parsed(*state, "<message to='a@b/c'>" NO_COPY "</message>")));
	assert_false(message_is_private(
	    parsed(*state, "<message to='a@b'>" NO_COPY "</message>")));
	assert_false(message_is_private(parsed(*state,
	    "<message to='a@b/c' type='error'>" NO_COPY "</message>")));
	assert_false(message_is_private(parsed(*state, CHAT(BODY))));
}

static void
test_room_private(void **state)
{
	assert_true(
	    message_is_room_private(parsed(*state, CHAT(BODY MUC_USER("")))));
	assert_false(message_is_room_private(parsed(*state, CHAT(INVITE))));
	assert_false(message_is_room_private(
	    parsed(*state, CHAT(MUC_USER("<decline to='a@b'/>")))));
	assert_false(message_is_room_private(
	    parsed(*state, M("normal", MUC_USER("<status code='101'/>")))));
	assert_false(message_is_room_private(
	    parsed(*state, M("groupchat", BODY MUC_USER("")))));
	assert_false(message_is_room_private(parsed(*state, CHAT(BODY))));
}

static void
test_parts(void **state)
{
	const struct elem *m;

	m = parsed(*state,
	    CHAT(RECEIVED DISPLAYED BODY STORE EVENT
		"<result xmlns='urn:xmpp:mam:2' id='1'/>"));
	assert_string_equal(message_receipt_id(m), "r1");
	assert_string_equal(message_displayed_id(m), "d1");
	assert_true(message_has_body(m));
	assert_true(message_has_hint(m, "store"));
	assert_false(message_has_hint(m, "no-store"));
	assert_true(message_is_event(m));
	assert_string_equal(elem_attr(message_archive_result(m), "id"), "1");
	m = parsed(*state, CHAT(REQUEST MARKABLE));
	assert_null(message_receipt_id(m));
	assert_null(message_displayed_id(m));
	assert_false(message_has_body(m));
	assert_false(message_is_event(m));
	assert_null(message_archive_result(m));
	m = parsed(*state, M("error", STORE));
	assert_false(message_has_hint(m, "store"));
	m = parsed(*state, CHAT("<received xmlns='urn:xmpp:receipts'/>"));
	assert_null(message_receipt_id(m));
	m = parsed(*state, CHAT(OLD_RECEIVED));
	assert_string_equal(message_receipt_id(m), "o1");
	m = parsed(*state, CHAT(OLD_RECEIVED RECEIVED));
	assert_string_equal(message_receipt_id(m), "r1");
}

/* What is left of a message when an answer that is redundant is out of it. */
static void
test_says_nothing(void **state)
{
	static const struct {
		const char *text;
		bool nothing;
	} rows[] = {
		{ CHAT(""), true },
		{ CHAT(STORE "<thread>t</thread>" MUC_USER("")), true },
		{ CHAT(COMPOSING), false },
		{ CHAT(STORE RECEIVED), false },
		{ CHAT(INVITE), false },
		{ CHAT("<x xmlns='urn:x'/>"), false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (message_says_nothing(parsed(*state, rows[i].text)) !=
		    rows[i].nothing)
			fail_msg("%s", rows[i].text);
}

static void
test_chat_state(void **state)
{
	static const struct {
		const char *text, *state, *lone;
	} rows[] = {
		{ CHAT(COMPOSING), "composing", "composing" },
		{ CHAT(COMPOSING NO_STORE "<thread>t</thread>"), "composing",
		    "composing" },
		{ CHAT(COMPOSING "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>"),
		    "composing", "composing" },
		{ CHAT(COMPOSING MUC_USER("")), "composing", "composing" },
		{ CHAT(COMPOSING INVITE), "composing", NULL },
		{ CHAT(COMPOSING BODY), "composing", NULL },
		{ CHAT(COMPOSING RECEIVED), "composing", NULL },
		{ CHAT(BODY), NULL, NULL },
		{ CHAT(NO_STORE), NULL, NULL },
		{ "<message/>", NULL, NULL },
	};
	const struct elem *m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = parsed(*state, rows[i].text);
		assert_true(text_equals(message_chat_state(m), rows[i].state));
		assert_true(
		    text_equals(message_lone_chat_state(m), rows[i].lone));
	}
}

/* Completes it; *origin is its only origin-id's. */
static const char *
complete(struct arena *arena, const char *text, const char **origin)
{
	struct elem *m = parsed(arena, text), *e;

	message_complete(m);
	assert_null(elem_find(m, NS_SID, "stanza-id"));
	e = elem_find(m, NS_SID, "origin-id");
	*origin = e == NULL ? NULL : elem_attr(e, "id");
	if (e != NULL) {
		elem_remove(e);
		assert_null(elem_find(m, NS_SID, "origin-id"));
	}
	return elem_attr(m, "id");
}

#define ORIGIN        "<origin-id xmlns='urn:xmpp:sid:0' id='o'/>"
#define STANZA_ID(by) "<stanza-id xmlns='urn:xmpp:sid:0' id='s' by='" by "'/>"

static void
test_complete(void **state)
{
	const char *id, *origin, *other;

	id = complete(*state, "<message/>", &origin);
	assert_int_equal(strlen(id), 22);
	assert_string_equal(origin, id);
	other = complete(*state, "<message/>", &origin);
	assert_string_not_equal(id, other);
	id = complete(*state, "<message id='i'/>", &origin);
	assert_string_equal(id, "i");
	assert_string_equal(origin, "i");
	id = complete(*state, "<message id='i'>" ORIGIN "</message>", &origin);
	assert_string_equal(id, "i");
	assert_string_equal(origin, "o");
	id = complete(*state, "<message>" ORIGIN "</message>", &origin);
	assert_string_equal(id, "o");
	assert_string_equal(origin, "o");
	id = complete(*state,
	    "<message id='i'>" STANZA_ID("a@b") BODY STANZA_ID(
		"c@d") "<origin-id xmlns='urn:xmpp:sid:0'/></message>",
	    &origin);
	assert_string_equal(origin, "i");
	id = complete(*state,
	    "<message type='error'>" STANZA_ID("a@b") "</message>", &origin);
	assert_null(id);
	assert_null(origin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_class),
		TEST(test_encrypted),
		TEST(test_eligible),
		TEST(test_private),
		TEST(test_room_private),
		TEST(test_parts),
		TEST(test_says_nothing),
		TEST(test_chat_state),
		TEST(test_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
