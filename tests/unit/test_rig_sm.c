/*
 * The rig's own stream management: a fake client at a fake server, with no proxy
 * between; each test as it is, and with the connections in single bytes.
 */
#include "unit/support_talk.h"

static int
setup(void **state)
{
	return talk_setup(state);
}

static int
setup_cut(void **state)
{
	int rc = talk_setup(state);

	((struct talk *)*state)->run.cut = 1;
	return rc;
}

#define both_tests(name) \
	cmocka_unit_test_setup_teardown(name, setup, talk_teardown), \
	    cmocka_unit_test_setup_teardown(name, setup_cut, talk_teardown)

/* One line that has to fail, and why. */
static void
talk_fails(void **state, const char *line, const char *why)
{
	struct talk *t = *state;
	const char *rest = line;
	char *verb = script_word(t->run.arena, &rest);

	assert_int_equal(run_verb(&t->run, verb, rest), -1);
	if (strstr(t->run.why, why) == NULL)
		fail_msg("%s: '%s', not '%s'", line, t->run.why, why);
	mem_free_string(&talk_rig(state)->fault);
}

static const struct managed *
managed_of(void **state, const char *name)
{
	return &run_peer(&((struct talk *)*state)->run, name)->managed;
}

/* --- enabling --- */

static void
test_enable(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm", "nothing");
	assert_true(managed_of(state, "C1")->sm.on);
	assert_true(managed_of(state, "S")->sm.on);
	assert_string_equal(managed_of(state, "C1")->id,
	    managed_of(state, "S")->id);
}

static void
test_not_wanted(void **state)
{
	TALK(state, "direct", "sm", "connect C1",
	    "S> <r xmlns='urn:xmpp:sm:3'/>", "C1< <r xmlns='urn:xmpp:sm:3'/>",
	    "C1> <message/>", "S< <message/>", "lose C1", "nothing");
	talk_fails(state, "resume C1", "nothing to resume");
	talk_fails(state, "S> <message/>", "not connected");
}

/* A server that knows none of it leaves all to the script. */
static void
test_not_offered(void **state)
{
	TALK(state, "direct");
	talk_fails(state, "connect C1 sm", "no <enabled/>");
	TALK(state, "S< <enable xmlns='urn:xmpp:sm:3' resume='true'/>",
	    "S> <enabled xmlns='urn:xmpp:sm:3' id='x'/>", "nothing");
	assert_null(managed_of(state, "C1")->id);
	TALK(state, "S> <enabled xmlns='urn:xmpp:sm:3' id='x'/>",
	    "C1< <enabled xmlns='urn:xmpp:sm:3' id='x'/>", "nothing");
}

static void
test_refused(void **state)
{
	TALK(state, "direct");
	talk_fails(state, "connect C1 sm", "no <enabled/>");
	TALK(state, "S< <enable xmlns='urn:xmpp:sm:3' resume='true'/>",
	    "C1> <message/>", "unacked C1 1",
	    "S> <failed xmlns='urn:xmpp:sm:3'><gone/></failed>",
	    "S< <message/>", "unacked C1 0", "nothing");
	assert_string_equal(managed_of(state, "C1")->failure, "gone");
	assert_false(managed_of(state, "C1")->sm.on);
}

/* --- acknowledgement --- */

static void
test_acknowledges(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm", "C1> <message/>",
	    "C1> <presence/><iq type='result' id='1'/> ", "unacked C1 3",
	    "S> <message/><message/>", "unacked S 0", "drain", "nothing");
	assert_int_equal(managed_of(state, "S")->sm.in, 3);
	assert_int_equal(managed_of(state, "C1")->sm.in, 2);
	TALK(state, "S> <a xmlns='urn:xmpp:sm:3' h='2'/>", "unacked C1 1",
	    "C1> <r xmlns='urn:xmpp:sm:3'/>", "unacked C1 0", "nothing");
}

static void
test_asks(void **state)
{
	TALK(state, "direct", "sm quiet", "connect C1 sm=ask", "C1> <message/>",
	    "unacked C1 0", "S> <message/>", "unacked S 1", "drain");
}

static void
test_mute(void **state)
{
	TALK(state, "direct", "sm mute", "connect C1 sm=ask,mute",
	    "C1> <message/>", "unacked C1 1", "S> <message/>", "unacked S 1",
	    "drain", "sm", "C1> <message/>", "unacked C1 0", "unacked S 1",
	    "drain");
}

/* What they answer by themselves counts as well. */
static void
test_answers_count(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm=ask",
	    "C1> <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	    "C1< <iq type='result' id='1' .../>",
	    "S> <iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>",
	    "S< <iq type='result' id='2' .../>", "unacked C1 0", "unacked S 0",
	    "nothing");
	assert_int_equal(managed_of(state, "S")->sm.in, 2);
	assert_int_equal(managed_of(state, "C1")->sm.in, 2);
}

static void
test_faults(void **state)
{
	TALK(state, "direct", "sm quiet", "connect C1 sm", "S> <message/>",
	    "C1< <message/>");
	talk_fails(state, "C1> <a xmlns='urn:xmpp:sm:3' h='2'/>",
	    "S: h='2', but 1 were sent");
	talk_fails(state, "C1> <a xmlns='urn:xmpp:sm:3'/>", "without an h");
	TALK(state, "C1> <a xmlns='urn:xmpp:sm:3' h='1'/>");
	talk_fails(state, "C1> <a xmlns='urn:xmpp:sm:3' h='0'/>",
	    "S: h goes back from 1 to 0");
	talk_fails(state, "C1> <enable xmlns='urn:xmpp:sm:3'/>", "twice");
}

/* --- resumption --- */

/* What waits at the server comes, what both have handled does not. */
static void
test_resume(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm", "S> <message id='1'/>",
	    "C1> <message id='a'/>", "lose C1", "S> <message id='2'/>",
	    "S> <presence/>", "unacked S 2", "unacked C1 1",
	    "S< <message .../>", "nothing S", "resume C1", "unacked C1 0",
	    "unacked S 0", "C1< <message id='1'/>", "C1< <message id='2'/>",
	    "C1< <presence/>", "nothing");
	/* And on it goes, also once more. */
	TALK(state, "C1> <message id='b'/>", "S< <message id='b'/>", "lose C1",
	    "resume C1", "S> <message id='3'/>", "C1< <message id='3'/>",
	    "unacked S 0", "unacked C1 0", "nothing");
	assert_int_equal(managed_of(state, "S")->sm.in, 2);
	assert_int_equal(managed_of(state, "C1")->sm.in, 4);
}

/* What was on the way is sent again, and comes once; without `lose` half open. */
static void
test_lost_on_the_way(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm=ask", "stall S",
	    "C1> <message id='1'/>", "C1> <message id='2'/>", "lose C1",
	    "resume C1", "S< <message id='1'/>", "S< <message id='2'/>",
	    "unacked C1 0", "nothing", "stall C1", "S> <message id='3'/>",
	    "unacked S 1", "resume C1", "C1< <message id='3'/>", "unacked S 0",
	    "C1> <presence/>", "S< <presence/>", "nothing");
}

static void
test_server_cuts(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm", "upstream cut",
	    "closed C1", "S> <message/>", "resume C1", "C1< <message/>",
	    "nothing");
}

static void
test_forgets(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm resource=phone",
	    "C1> <message id='1'/>", "S< <message id='1'/>", "stall S",
	    "C1> <message id='2'/>", "unacked C1 2", "lose C1", "forgets S h");
	talk_fails(state, "resume C1", "C1 was not resumed");
}

static void
test_unresumed(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm resource=phone",
	    "C1> <message id='1'/>", "S< <message id='1'/>", "stall S",
	    "C1> <message id='2'/>", "lose C1", "forgets S h",
	    "unresumed C1 h=1", "S< <message id='2'/>", "nothing",
	    "unacked C1 1");
	assert_string_equal(rig_client(talk_rig(state), "C1")->peer.full,
	    "alice@a.example/phone");
	assert_int_equal(managed_of(state, "S")->sm.in, 1);

	/* Without an h all comes again that was not acknowledged. */
	TALK(state, "lose C1", "forgets", "unresumed C1 h=none",
	    "S< <message id='2'/>", "nothing", "C1> <r xmlns='urn:xmpp:sm:3'/>",
	    "unacked C1 0", "unresumed C1 previd=x", "nothing");
	TALK(state, "lose C1", "resume C1", "forgets S h", "lose C1");
	talk_fails(state, "unresumed C1 h=7", "C1 was told h=0");
}

static void
test_too_late(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm", "lose C1", "wait 5m",
	    "S> <message/>", "resume C1", "C1< <message/>", "lose C1",
	    "wait 301s");
	talk_fails(state, "S> <message/>", "not connected");
	TALK(state, "unresumed C1 h=none", "nothing");
}

/* Who ends its stream ends the session, and has acknowledged all before. */
static void
test_closed(void **state)
{
	TALK(state, "direct", "sm quiet", "connect C1 sm", "S> <message/>",
	    "drain", "unacked S 1", "close C1", "unacked S 0", "closed S",
	    "unresumed C1 h=none", "nothing", "upstream down conflict",
	    "closed C1 conflict", "on", "unresumed C1 h=none", "nothing");
}

/* A new session is a new one: what waited for the old one is gone. */
static void
test_anew(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm=ask", "C1> <message/>",
	    "S< <message/>", "lose C1", "S> <message/>", "connect C1 sm",
	    "unacked S 0", "nothing", "C1> <presence/>", "S< <presence/>",
	    "unacked C1 1");
}

static void
test_lies(void **state)
{
	TALK(state, "direct", "sm", "connect C1 sm=mute",
	    "S> <message id='1'/>", "S> <message id='2'/>", "drain",
	    "resume C1 h=1", "C1< <message id='2'/>", "unacked S 1", "nothing");
	talk_fails(state, "refused C1 undefined-condition resume h=3",
	    "S: h='3', but 2 were sent");
	assert_null(strstr(rig_client(talk_rig(state), "C1")->failure,
	    "item-not-found"));
	TALK(state, "unresumed C1 previd=x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		both_tests(test_enable),
		both_tests(test_not_wanted),
		both_tests(test_not_offered),
		both_tests(test_refused),
		both_tests(test_acknowledges),
		both_tests(test_asks),
		both_tests(test_mute),
		both_tests(test_answers_count),
		both_tests(test_faults),
		both_tests(test_resume),
		both_tests(test_lost_on_the_way),
		both_tests(test_server_cuts),
		both_tests(test_forgets),
		both_tests(test_unresumed),
		both_tests(test_too_late),
		both_tests(test_closed),
		both_tests(test_anew),
		both_tests(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
