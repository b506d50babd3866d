#include "support_talk.h"

#include "core/quiet.h"

#define INACTIVE "C1> <inactive xmlns='urn:xmpp:csi:0'/>"
#define EVENT(id) \
	"S> <message from='news.example' to='alice@a.example' " \
	"type='headline'><event xmlns='http://jabber.org/protocol/pubsub" \
	"#event'><items node='n'><item id='" id \
	"'/></items></event></message>"

static size_t
waiting(void **state, const char *name)
{
	return quiet_count(talk_session(state, name));
}

/* XEP-0352 4.1 */
static void
it_is_offered_to_clients(void **state)
{
	const char *const *f;
	bool is_offered = false;

	TALK(state, "login C1");
	for (f = talk_rig(state)->proxy->stream_features; *f != NULL; f++)
		is_offered |= strstr(*f, "<csi xmlns='urn:xmpp:csi:0'/>") != 0;
	assert_true(is_offered);
}

static void
nothing_waits_for_one_that_is_active(void **state)
{
	struct session *s;

	TALK(state, "login C1", EVENT("1"), "drain");
	s = talk_session(state, "C1");
	assert_false(s->inactive);
	assert_int_equal(waiting(state, "C1"), 0);
	quiet_flush(s);
	quiet_end(s);
	TALK(state, "nothing");
}

static void
of_each_the_latest_waits_and_its_bytes_are_counted(void **state)
{
	struct session *s;
	size_t bytes;

	TALK(state, "login C1", INACTIVE, EVENT("1"), EVENT("2"));
	s = talk_session(state, "C1");
	assert_int_equal(waiting(state, "C1"), 2);
	bytes = s->quiet_bytes;
	TALK(state, EVENT("1"), EVENT("2"), EVENT("1"), "nothing");
	assert_int_equal(waiting(state, "C1"), 2);
	assert_int_equal(s->quiet_bytes, bytes);
	TALK(state,
	    "C1> <iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
	assert_true(s->inactive);
	assert_int_equal(waiting(state, "C1"), 0);
	assert_int_equal(s->quiet_bytes, 0);
	TALK(state, "C1< <message ...>...</message>",
	    "C1< <message ...>...</message>", "C1< <iq id='p' .../>",
	    "nothing");
}

/* The session goes in the midst of it, or before: nothing is left behind. */
static void
one_that_ends_is_owed_nothing(void **state)
{
	TALK(state, "limits queue-bytes-max=65536 queue-bytes=65536",
	    "login C1", "login C2", INACTIVE, EVENT("1"), "close C1",
	    "drain C2", "nothing");
	TALK(state, "login C3", "C3> <inactive xmlns='urn:xmpp:csi:0'/>",
	    "stall C3",
	    "repeat 8 S> <message from='news.example' to='alice@a.example' "
	    "type='headline'><event xmlns='http://jabber.org/protocol/pubsub"
	    "#event'><items node='n'><item id='{n}'>{pad:30000}</item></items>"
	    "</event></message>",
	    "repeat 8 S> <presence from='x{n}@b.example' "
	    "to='alice@a.example' type='subscribe'><status>{pad:30000}"
	    "</status></presence>",
	    "unstall C3", "closed C3 resource-constraint", "drain");
}

/* presences: it reads, and is not closed. */
static void
over_the_limit_of_presences_all_is_sent(void **state)
{
	TALK(state, "limits presences=16", "login C1", INACTIVE,
	    "repeat 16 S> <presence from='bob@b.example/{n}' "
	    "to='alice@a.example'/>",
	    "nothing",
	    "S> <presence from='bob@b.example/17' to='alice@a.example'/>",
	    "repeat 16 C1< <presence from='bob@b.example/{n}' .../>", "nothing",
	    "C1> <active xmlns='urn:xmpp:csi:0'/>",
	    "C1< <presence from='bob@b.example/17' .../>", "nothing");
}

static void
what_is_said_after_the_end_changes_nothing(void **state)
{
	struct session *s;

	TALK(state, "login C1", INACTIVE, EVENT("1"));
	s = talk_session(state, "C1");
	session_close(s, -1, "the test says so");
	quiet_flush(s);
	assert_int_equal(quiet_count(s), 1);
	TALK(state, "closed C1", "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(it_is_offered_to_clients),
		talk_test(nothing_waits_for_one_that_is_active),
		talk_test(of_each_the_latest_waits_and_its_bytes_are_counted),
		talk_test(one_that_ends_is_owed_nothing),
		talk_test(over_the_limit_of_presences_all_is_sent),
		talk_test(what_is_said_after_the_end_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
