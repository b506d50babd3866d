#include "support_talk.h"

#include "core/history.h"
#include "core/incoming.h"
#include "parsed.h"

static struct route
route_of(struct arena *arena, const char *xml)
{
	struct route r = { .stanza = parsed(arena, xml) };

	r.kind = stanza_kind(r.stanza);
	r.type = stanza_type(r.stanza);
	r.from = elem_attr(r.stanza, "from");
	r.to = elem_attr(r.stanza, "to");
	r.id = elem_attr(r.stanza, "id");
	return r;
}

static void
an_entry_has_what_the_stanza_says(void **state)
{
	struct arena *arena = arena_new();
	struct route r;
	struct entry *e;

	TALK(state, "wait 1s");
	r = route_of(arena,
	    "<message from='bob@b.example/x' to='alice@a.example/up' "
	    "type='chat' id='1' xml:lang='de'><body>hi</body>"
	    "<delay xmlns='urn:xmpp:delay' from='alice@a.example' "
	    "stamp='2024-12-24T12:00:00Z'/></message>");
	e = incoming_entry(talk_account(state), &r, DIR_IN);
	assert_int_equal(e->class, CLASS_ARCHIVE);
	assert_int_equal(e->type, TYPE_CHAT);
	assert_string_equal(e->peer, "bob@b.example/x");
	assert_string_equal(e->local, "alice@a.example/up");
	assert_string_equal(e->id, "1");
	assert_string_equal(e->lang, "de");
	assert_true(e->has_body && e->is_eligible && e->has_delay);
	assert_false(e->is_encrypted || e->is_event || e->is_room_private);
	assert_true(e->time == 1735041600000);
	assert_int_equal(e->addresses, ADDRESS_BARE);
	entry_unref(&e);
	r = route_of(arena,
	    "<message from='bob@b.example' to='alice@a.example'><body/>"
	    "</message>");
	e = incoming_entry(talk_account(state), &r, DIR_IN);
	assert_null(e->local);
	assert_false(e->has_body || e->has_delay);
	assert_true(e->time == clock_wall());
	entry_unref(&e);
	arena_free(&arena);
}

/* Carbons of the server: the peer is the other one. */
static void
an_entry_of_another_device_has_the_peer_of_its_direction(void **state)
{
	struct arena *arena = arena_new();
	struct route r;
	struct entry *e;

	TALK(state, "wait 1s");
	r = route_of(arena,
	    "<message from='alice@a.example/direct' to='bob@b.example' "
	    "type='chat'><body>x</body></message>");
	e = incoming_entry(talk_account(state), &r, DIR_OUT);
	assert_string_equal(e->peer, "bob@b.example");
	assert_string_equal(e->local, "alice@a.example/direct");
	entry_unref(&e);
	r = route_of(arena,
	    "<message from='bob@b.example' to='alice@a.example/direct' "
	    "type='chat'><body>x</body></message>");
	e = incoming_entry(talk_account(state), &r, DIR_BESIDE);
	assert_string_equal(e->peer, "bob@b.example");
	assert_string_equal(e->local, "alice@a.example/direct");
	entry_unref(&e);
	arena_free(&arena);
}

/* XEP-0045 7.5; XEP-0280 6.1: the room has copied it already. */
static void
an_occupant_is_known_by_the_room(void **state)
{
	TALK(state, "login C1", "login C2 carbons", "login C3",
	    "C1> <presence to='room@m.example/me'>"
	    "<x xmlns='http://jabber.org/protocol/muc'/></presence>",
	    "drain",
	    "S> <message from='room@m.example/bob' to='$S' type='chat' "
	    "id='1'><body>psst</body></message>",
	    "C1< <message from='room@m.example/bob' to='$C1' type='chat' "
	    "id='1'><body>psst</body></message>",
	    "nothing",
	    /* The room itself invites everybody. */
	    "S> <message from='room@m.example' to='$S' id='2'>"
	    "<x xmlns='http://jabber.org/protocol/muc#user'>"
	    "<invite from='bob@b.example'/></x></message>",
	    "C1,C2,C3< <message id='2' ...>...</message>", "nothing");
}

static void
a_malformed_request_is_a_bad_one(void **state)
{
	TALK(state, "login C1",
	    "S> <iq type='get' from='bob@b.example/x' to='$S' id='1'/>",
	    "S< <iq type='error' id='1' to='bob@b.example/x' ...>"
	    "{error bad-request}</iq>",
	    "S> <iq type='set' from='bob@b.example/x' to='$S' id='2'>"
	    "<a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
	    "S< <iq type='error' id='2' ...>{error bad-request}</iq>",
	    "S> <iq type='other' from='bob@b.example/x' to='$S' id='3'>"
	    "<a xmlns='urn:a'/></iq>",
	    "S< <iq type='error' id='3' ...>{error bad-request}</iq>",
	    "nothing");
}

static void
a_request_that_nobody_can_take_is_refused(void **state)
{
	TALK(state, "wait 1s",
	    "S> <iq type='set' from='bob@b.example/x' to='$S' id='1'>"
	    "<a xmlns='urn:a'/></iq>",
	    "S< <iq type='error' id='1' to='bob@b.example/x' ...>"
	    "{error service-unavailable}</iq>",
	    "nothing");
}

static void
what_is_from_no_jid_is_ignored(void **state)
{
	TALK(state, "login C1",
	    "S> <message from='@b.example' to='$S' type='chat' id='1'>"
	    "<body>x</body></message>",
	    "logged event=ignored", "S> <nonsense xmlns='urn:x'/>",
	    "logged event=ignored", "nothing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(an_entry_has_what_the_stanza_says),
		talk_test(
		    an_entry_of_another_device_has_the_peer_of_its_direction),
		talk_test(an_occupant_is_known_by_the_room),
		talk_test(a_malformed_request_is_a_bad_one),
		talk_test(a_request_that_nobody_can_take_is_refused),
		talk_test(what_is_from_no_jid_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
