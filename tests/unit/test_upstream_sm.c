#include "support_client.h"
#include "support_talk.h"

#include "core/history.h"
#include "core/outbox.h"
#include "core/upstream.h"
#include "xmpp/ns.h"

#include "../src/core/upstream_impl.h"

#define SM "xmlns='" NS_SM "'"
#define SAY(c, id) \
	c "> <message to='bob@b.example' type='chat' id='" id "'>" \
	  "<body>hi</body></message>"
#define UP(id) "S< <message id='" id "' ...>...</message>"
#define CHAT(id) \
	"S> <message from='bob@b.example/x' to='$S' type='chat' id='" id "'>" \
	"<body>hi</body></message>"
#define GOT(c, id) c "< <message id='" id "' ...>...</message>"

static struct upstream *
upstream(void **state)
{
	return talk_account(state)->upstream;
}

static size_t
waiting(void **state)
{
	return outbox_count(talk_account(state)->outbox);
}

/* --- enabling (XEP-0198 3) --- */

/* Only where it is offered, after binding, once. */
static void
it_is_asked_for_where_it_is_offered(void **state)
{
	TALK(state, "manual", "connect C1", "drain S", "upstream down",
	    "upstream up", "drain S", "nothing S");
	assert_false(upstream(state)->sm.on);
}

static void
a_server_that_offers_it_is_asked(void **state)
{
	TALK(state, "sm", "login C1");
	assert_true(upstream(state)->sm.on);
	assert_non_null(upstream(state)->sm_id);
	assert_int_equal(upstream(state)->sm_max, 300);
}

#define SM_FEATURE "features <sm " SM "/>", "manual", "connect C1"

/* By hand: what the server may say, and may not. */
static void
it_may_be_enabled_without_resumption(void **state)
{
	TALK(state, SM_FEATURE, "S<~ <enable " SM " resume='true'/>",
	    "S> <enabled " SM "/>", "drain");
	assert_true(upstream(state)->sm.on);
	assert_null(upstream(state)->sm_id);
	/* Once is enough. */
	TALK(state, "S> <enabled " SM " id='x' resume='true'/>");
	assert_null(upstream(state)->sm_id);
}

static void
how_long_the_server_waits_is_its_to_say(void **state)
{
	TALK(state, SM_FEATURE, "drain",
	    "S> <enabled " SM " id='x' resume='1' max='77' location='a.b:1'/>");
	assert_string_equal(upstream(state)->sm_id, "x");
	assert_int_equal(upstream(state)->sm_max, 77);
	TALK(state, "wait 1s");
}

static void
where_it_fails_pings_do(void **state)
{
	TALK(state, SM_FEATURE, "drain",
	    "S> <failed " SM "><unexpected-request xmlns='" NS_STANZA_ERROR
	    "'/></failed>",
	    "C1> <presence/>", "drain", SAY("C1", "1"), UP("1"), "wait 5s",
	    "S< <iq type='get' id='$ping' to='a.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>");
	assert_false(upstream(state)->sm.on);
	assert_int_equal(waiting(state), 1);
	TALK(state, "S> <iq type='error' id='$ping' from='a.example' to='$S'/>",
	    "drain");
	assert_int_equal(waiting(state), 0);
}

/* --- acknowledgements (4) --- */

/* MUST be answered; it counts from <enabled/> on. */
static void
what_was_handled_is_told(void **state)
{
	TALK(state, SM_FEATURE, CHAT("before"), "drain",
	    "S> <enabled " SM " id='x' resume='1'/>", "S> <r " SM "/>",
	    "S<~ <a " SM " h='0'/>", CHAT("1"),
	    "S> <presence from='bob@b.example/x' to='$S'/>",
	    "S> <iq type='get' id='v' from='bob@b.example/x' to='$S'>"
	    "<query xmlns='urn:q'/></iq>",
	    "drain S", "S> <r " SM "/>", "S< <a " SM " h='3'/>", "drain");
}

/* ack-stanzas: one question, at so many messages; ack-seconds: or after so long. */
static void
it_asks_now_and_then(void **state)
{
	TALK(state, "limits ack-stanzas=3 ack-seconds=7", SM_FEATURE,
	    "S> <enabled " SM " id='x' resume='1'/>", "C1> <presence/>",
	    "drain", SAY("C1", "1"), SAY("C1", "2"), UP("1"), UP("2"),
	    "nothing S", SAY("C1", "3"), UP("3"), "S< <r " SM "/>",
	    SAY("C1", "4"), UP("4"), SAY("C1", "5"), UP("5"), SAY("C1", "6"),
	    UP("6"), "nothing S");
	assert_int_equal(waiting(state), 6);
}

static void
what_is_acknowledged_is_done(void **state)
{
	uint64_t out;
	char *line;

	TALK(state, "limits ack-seconds=7", SM_FEATURE,
	    "S> <enabled " SM " id='x' resume='1'/>", "C1> <presence/>",
	    "drain", SAY("C1", "1"), SAY("C1", "2"), "drain S");
	out = upstream(state)->sm.out;
	line = mem_printf("S> <a " SM " h='%u'/>", (unsigned)out - 1);
	talk(state, line);
	assert_int_equal(waiting(state), 1);
	/* An older one changes nothing, one without a number neither. */
	TALK(state, "S> <a " SM " h='0'/>", "S> <a " SM "/>",
	    "S> <a " SM " h='x'/>");
	assert_int_equal(waiting(state), 1);
	free(line);
	TALK(state, "wait 7s", "S< <r " SM "/>");
	line = mem_printf("S> <a " SM " h='%u'/>", (unsigned)out);
	talk(state, line);
	assert_int_equal(waiting(state), 0);
	TALK(state, "wait 20s", "nothing S");
	free(line);
}

/* SHOULD be undefined-condition with both numbers; it begins anew. */
static void
acknowledging_more_than_was_sent_ends_the_stream(void **state)
{
	TALK(state, SM_FEATURE, "S> <enabled " SM " id='x' resume='1'/>",
	    "C1> <presence/>", "drain", SAY("C1", "1"), UP("1"),
	    "S> <a " SM " h='1000'/>", "closed S undefined-condition",
	    "upstream up", "drain");
	assert_true(account_is_up(talk_account(state)));
	assert_int_equal(waiting(state), 1);
	TALK(state, "wait 1s", "drain");
}

/* One that says nothing at all is not there. */
static void
a_server_that_does_not_acknowledge_is_left(void **state)
{
	TALK(state, SM_FEATURE, "S> <enabled " SM " id='x' resume='1'/>",
	    "C1> <presence/>", "drain", SAY("C1", "1"), UP("1"), "wait 5s",
	    "S< <r " SM "/>", "wait 29s");
	assert_true(account_is_up(talk_account(state)));
	TALK(state, "wait 1s", "logged does not acknowledge", "drain");
}

/* Whatever comes is a sign of life. */
static void
one_that_says_other_things_is_there(void **state)
{
	TALK(state, SM_FEATURE, "S> <enabled " SM " id='x' resume='1'/>",
	    "C1> <presence/>", "drain", SAY("C1", "1"), UP("1"), "wait 20s",
	    "S< <r " SM "/>", CHAT("2"), "wait 20s");
	assert_true(account_is_up(talk_account(state)));
	assert_int_equal(waiting(state), 1);
	TALK(state, "drain");
}

/* --- resuming (5) --- */

/* Nobody notices: what was lost comes again, each once, in order. */
static void
a_cut_loses_nothing(void **state)
{
	TALK(state, "sm", "login C1", SAY("C1", "1"), UP("1"), "stall S",
	    SAY("C1", "2"), SAY("C1", "3"), "upstream down", SAY("C1", "4"),
	    CHAT("m1"), "nothing C1", "upstream up", UP("2"), UP("3"), UP("4"),
	    GOT("C1", "m1"), "wait 10s", "nothing");
	assert_int_equal(waiting(state), 0);
}

/* MUST NOT be told anew: contacts have seen nothing. */
static void
presence_and_rooms_are_as_they_were(void **state)
{
	TALK(state, "sm", "login C1",
	    "C1> <presence to='room@m.example/me'>"
	    "<x xmlns='http://jabber.org/protocol/muc'/></presence>",
	    "wait 6s", "drain", "upstream cut", "wait 10s", "nothing");
	assert_true(account_is_up(talk_account(state)));
}

static void
presence_that_was_lost_is_told(void **state)
{
	TALK(state, "sm", "login C1", "wait 6s", "drain", "stall S",
	    "C1> <presence><show>dnd</show></presence>", "drain C1",
	    "upstream down", "upstream up",
	    "S< <presence ...><show>dnd</show>...</presence>", "wait 10s",
	    "nothing");
}

/* Requests that did not arrive are not sent again: whoever asked is told. */
static void
requests_that_were_lost_fail(void **state)
{
	TALK(state, "sm", "login C1",
	    "C1> <iq type='get' to='bob@b.example/x' id='1'>"
	    "<query xmlns='urn:q'/></iq>",
	    "S< <iq id='$q' ...>...</iq>", "wait 6s", "stall S",
	    "C1> <iq type='get' to='bob@b.example/x' id='2'>"
	    "<query xmlns='urn:q'/></iq>",
	    "upstream down", "upstream up",
	    "C1< <iq type='error' id='2' ...>...</iq>", "nothing C1",
	    "S> <iq type='result' id='$q' from='bob@b.example/x' to='$S'/>",
	    "C1< <iq type='result' id='1' ...>...</iq>", "drain");
}

/* Meanwhile it is as where the server is away, but nothing is undone. */
static void
while_it_is_away_nothing_is_undone(void **state)
{
	TALK(state, "sm",
	    "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1", "S> <presence from='bob@b.example/x' to='$S'/>",
	    "drain", "upstream down", "wait 100s", "nothing C1",
	    "C1> <iq type='get' to='bob@b.example/x' id='1'>"
	    "<query xmlns='urn:q'/></iq>",
	    "C1< <iq type='error' id='1' ...>...</iq>", "upstream up",
	    "wait 1s", "nothing C1", "drain");
}

/* As long as the server said; then it is as if the link had been lost for good. */
static void
after_too_long_it_is_over(void **state)
{
	TALK(state, "sm",
	    "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1", "S> <presence from='bob@b.example/x' to='$S'/>",
	    "C1< <presence ...>...</presence>", "wait 6s", "drain", "stall S",
	    SAY("C1", "1"), "upstream down", "wait 299s", "nothing C1");
	assert_non_null(upstream(state)->sm_id);
	TALK(state, "wait 2s",
	    "C1< <presence from='bob@b.example/x' type='unavailable' ...>"
	    "...</presence>");
	assert_null(upstream(state)->sm_id);
	TALK(state, "upstream up",
	    "S<~ <message id='1' ...>"
	    "...{DELAY}</message>",
	    "drain");
}

/* The server has forgotten it: h closes what it had got first. */
static void
what_it_had_got_is_not_sent_again(void **state)
{
	TALK(state, "sm mute", "login C1", SAY("C1", "1"), UP("1"), "stall S",
	    SAY("C1", "2"), "upstream down", "forgets h", "upstream up",
	    "S<~ <message id='2' ...>...{DELAY}</message>");
	TALK(state, "sm", "wait 10s", "drain");
	assert_int_equal(waiting(state), 0);
}

/* Without h: at least once, with the same id. */
static void
without_a_word_all_of_it_is(void **state)
{
	TALK(state, "sm mute", "login C1", SAY("C1", "1"), UP("1"),
	    "upstream down", "forgets", "upstream up",
	    "S<~ <message id='1' ...>...{DELAY}</message>", "drain");
}

/* A stream that the server ended is over. */
static void
a_proper_end_is_one(void **state)
{
	TALK(state, "sm", "login C1", "wait 6s", "drain",
	    "upstream down system-shutdown");
	assert_null(upstream(state)->sm_id);
	TALK(state, "upstream up", "S<~ <presence ...>...</presence>", "drain");
}

/* --- over a restart --- */

static void
it_goes_on_after_a_kill(void **state)
{
	TALK(state, "sm", "login C1 sm", "wait 6s", SAY("C1", "1"), UP("1"),
	    "stall S", SAY("C1", "2"), "kill down", CHAT("m1"), "start",
	    "wait 2s", UP("2"), "nothing S", "resume C1",
	    "C1<~ <message id='m1' ...>...</message>", "wait 10s", "drain C1",
	    "nothing S");
	assert_int_equal(waiting(state), 0);
}

/* Numbering 5: the server may have more than was saved. */
static void
more_than_was_saved_may_be_acknowledged(void **state)
{
	TALK(state, "sm mute", "login C1 sm", "wait 1s",
	    "repeat 20 C1> <iq type='get' to='bob@b.example/x' id='{n}'>"
	    "<query xmlns='urn:q'/></iq>",
	    "drain", "kill", "wait 2s", "logged upstream-resumed", "drain");
	assert_true(account_is_up(talk_account(state)));
}

static void
after_sigterm_it_goes_on_as_well(void **state)
{
	TALK(state, "sm", "login C1 sm", "wait 6s", SAY("C1", "1"), UP("1"),
	    "stop", CHAT("m1"), "start", "wait 2s", "nothing S", "resume C1",
	    "C1<~ <message id='m1' ...>...</message>", "drain");
}

/*
 * Its time is over while it is being asked for: the server's clock is another, and
 * has the last word.
 */
static void
one_that_is_being_asked_for_may_go_on(void **state)
{
	static const char *const features[] = { "<sm " SM "/>", NULL };
	struct core *c = core_new("<limits auth-seconds='60'/>" CORE_ALICE(""));
	struct upstream *u = core_account(c, "alice")->upstream;
	struct transport *near, *far;
	struct core_dial *d;

	(void)state;
	c->features = features;
	core_connect(c);
	core_server_say(c, "<enabled " SM " id='x' resume='1' max='70'/>");
	core_run(c);
	assert_string_equal(u->sm_id, "x");
	stream_abort(&c->server->stream);
	core_until_dial(c, 5000);
	assert_true(u->is_suspended);
	core_wait(c, 60000);
	transport_memory(&near, &far);
	d = TAILQ_FIRST(&c->dials);
	d->events->connected(d->arg, near, false, "a silent one");
	core_wait(c, 30000);
	assert_true(u->is_suspended);
	assert_string_equal(u->sm_id, "x");
	/* It never answers. */
	core_wait(c, 100000);
	assert_false(u->is_suspended);
	assert_null(u->sm_id);
	far->ops->free(far);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(it_is_asked_for_where_it_is_offered),
		talk_test(a_server_that_offers_it_is_asked),
		talk_test(it_may_be_enabled_without_resumption),
		talk_test(how_long_the_server_waits_is_its_to_say),
		talk_test(where_it_fails_pings_do),
		talk_test(what_was_handled_is_told),
		talk_test(it_asks_now_and_then),
		talk_test(what_is_acknowledged_is_done),
		talk_test(acknowledging_more_than_was_sent_ends_the_stream),
		talk_test(a_server_that_does_not_acknowledge_is_left),
		talk_test(one_that_says_other_things_is_there),
		talk_test(a_cut_loses_nothing),
		talk_test(presence_and_rooms_are_as_they_were),
		talk_test(presence_that_was_lost_is_told),
		talk_test(requests_that_were_lost_fail),
		talk_test(while_it_is_away_nothing_is_undone),
		talk_test(after_too_long_it_is_over),
		talk_test(what_it_had_got_is_not_sent_again),
		talk_test(without_a_word_all_of_it_is),
		talk_test(a_proper_end_is_one),
		talk_test(it_goes_on_after_a_kill),
		talk_test(more_than_was_saved_may_be_acknowledged),
		talk_test(after_sigterm_it_goes_on_as_well),
		cmocka_unit_test(one_that_is_being_asked_for_may_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
