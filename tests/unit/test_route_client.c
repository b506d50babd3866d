#include "support_talk.h"

#include "core/history.h"

#define CHAT(id, body) \
	"<message to='bob@b.example' type='chat' " \
	"id='" id "'>" body "</message>"
#define PAUSED "<paused xmlns='http://jabber.org/protocol/chatstates'/>"
#define JOIN(c) \
	c "> <presence to='room@m.example/me'>" \
	  "<x xmlns='http://jabber.org/protocol/muc'/></presence>"

/* Rules without exception: the node's domain never goes up. */
static void
presence_for_the_node_does_not_go_up(void **state)
{
	TALK(state, "login C1 view=node",
	    "C1> <presence to='root@proxy.example' id='1'/>",
	    "C1< <presence from='root@proxy.example' type='error' id='1' ...>"
	    "{error service-unavailable}</presence>",
	    "C1> <presence to='root@proxy.example' type='subscribe' id='2'/>",
	    "C1< <presence type='error' id='2' ...>...</presence>",
	    "C1> <presence to='proxy.example' type='probe' id='3'/>",
	    "C1< <presence type='error' id='3' ...>...</presence>", "nothing");
}

/* What a client sends by itself does not move the conversation to it. */
static void
a_receipt_does_not_take_the_conversation(void **state)
{
	TALK(state, "login C1", "login C2", "C1> " CHAT("1", "<body>hi</body>"),
	    "C2> <message to='bob@b.example' id='2'>"
	    "<received xmlns='urn:xmpp:receipts' id='x'/></message>",
	    "drain", "C1> " CHAT("3", PAUSED),
	    "S< <message id='3' ...>...</message>", "C2> " CHAT("4", PAUSED),
	    "nothing");
}

/* Only what is nothing but an answer to a note ends here. */
static void
a_message_that_also_answers_a_note_goes_up(void **state)
{
	TALK(state, "login C1", "login C2", "C1> " CHAT("1", "<body>hi</body>"),
	    "drain S",
	    "C2< <message from='bob@b.example' id='$note' ...>...</message>",
	    "C2> <message to='bob@b.example' type='chat' id='2'>"
	    "<body>text</body><received xmlns='urn:xmpp:receipts' id='$note'/>"
	    "</message>",
	    "S< <message id='2' ...>...</message>", "drain C1",
	    "C2> <message to='bob@b.example' type='chat' id='3'>"
	    "<received xmlns='urn:xmpp:receipts' id='$note'/></message>",
	    "nothing");
}

/* A client that was offline says when it was written: nobody says it again. */
static void
the_clients_own_delay_stays(void **state)
{
	TALK(state, "login C1", "login C2 carbons", "stall C2",
	    "C1> " CHAT("1",
		"<body>hi</body><delay xmlns='urn:xmpp:delay' "
		"stamp='2024-12-24T12:00:00Z'/>"));
	assert_true(history_at(talk_user(state)->history, 1)->has_delay);
	assert_true(
	    history_at(talk_user(state)->history, 1)->time == 1735041600000);
	TALK(state, "unstall C2",
	    "C2< <message ...>{SENT}<message xmlns='jabber:client' id='1' ...>"
	    "<body>hi</body><delay xmlns='urn:xmpp:delay' "
	    "stamp='2024-12-24T12:00:00Z'/>{OID}</message>{/SENT}</message>",
	    "drain S", "nothing");
}

/* XEP-0045 7.5: the mark of a private message is not always there. */
static void
an_occupant_is_known_by_the_room(void **state)
{
	TALK(state, "login C1", "login C2", JOIN("C1"), JOIN("C2"), "drain",
	    "C1> <message to='room@m.example/bob' type='chat' id='1'>"
	    "<body>psst</body></message>",
	    "S< <message id='1' ...>...</message>",
	    "C2< <message from='room@m.example/bob' ...>...</message>",
	    "nothing");
	assert_true(history_at(talk_user(state)->history, 1)->is_room_private);
	TALK(state,
	    "C1> <message to='bob@b.example/x' type='chat' id='2'>"
	    "<body>hi</body></message>");
	assert_false(history_at(talk_user(state)->history, 2)->is_room_private);
	TALK(state, "drain");
}

static void
an_error_for_the_own_bare_jid_ends_here(void **state)
{
	TALK(state, "login C1 carbons",
	    "C1> <message to='alice@a.example' type='error' id='1'/>",
	    "C1> <message type='error' id='2'/>", "nothing");
}

/* --- what is no stanza, or none that is good --- */

static void
client_state_is_let_pass_and_what_is_unknown_is_not(void **state)
{
	TALK(state, "login C1", "C1> <inactive xmlns='urn:xmpp:csi:0'/>",
	    "nothing", "C1> <unknown xmlns='urn:x'/>",
	    "closed C1 unsupported-stanza-type", "drain");
}

static void
a_bad_address_is_an_error_but_to_errors(void **state)
{
	TALK(state, "login C1", "C1> <message to='@b.example' id='1'/>",
	    "C1< <message type='error' id='1' ...>{error jid-malformed}"
	    "</message>",
	    "C1> <message to='@b.example' type='error' id='2'/>", "nothing");
}

static void
a_malformed_request_is_a_bad_one(void **state)
{
	static const char *const requests[] = {
		"<iq type='get' id='1' to='bob@b.example'/>",
		"<iq type='get' id='2' to='bob@b.example'><a xmlns='urn:a'/>"
		"<b xmlns='urn:b'/></iq>",
		"<iq type='other' id='3' to='bob@b.example'>"
		"<a xmlns='urn:a'/></iq>",
		"<iq id='4'><a xmlns='urn:a'/></iq>",
		"<iq type='set' to='bob@b.example'><a xmlns='urn:a'/></iq>",
	};
	char line[256];
	size_t i;

	TALK(state, "login C1");
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		snprintf(line, sizeof(line), "C1> %s", requests[i]);
		TALK(state, line,
		    "C1< <iq type='error' ...>{error bad-request}</iq>",
		    "nothing");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(presence_for_the_node_does_not_go_up),
		talk_test(a_receipt_does_not_take_the_conversation),
		talk_test(a_message_that_also_answers_a_note_goes_up),
		talk_test(the_clients_own_delay_stays),
		talk_test(an_occupant_is_known_by_the_room),
		talk_test(an_error_for_the_own_bare_jid_ends_here),
		talk_test(client_state_is_let_pass_and_what_is_unknown_is_not),
		talk_test(a_bad_address_is_an_error_but_to_errors),
		talk_test(a_malformed_request_is_a_bad_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
