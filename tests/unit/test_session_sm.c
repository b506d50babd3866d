#include "support_talk.h"

#include "core/device.h"
#include "core/fanout.h"
#include "core/session_sm.h"
#include "xmpp/ns.h"

#define SM "xmlns='" NS_SM "'"
#define CHAT(id) \
	"S> <message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>" id "</body></message>"
#define GOT(c, id) c "< <message id='" id "' ...>...</message>"
#define PING(c, id) \
	c "> <iq type='get' id='" id "'><ping xmlns='urn:xmpp:ping'/></iq>"
#define PONG(c, id) c "< <iq type='result' id='" id "' ...>...</iq>"
#define CARBONS(c) \
	c "> <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>", \
	    c "<~ <iq type='result' id='c' ...>...</iq>"
#define FAILED(cond) \
	"<failed " SM "><" cond " xmlns='" NS_STANZA_ERROR "'/></failed>"

/* --- enabling (XEP-0198 3) --- */

static void
it_is_offered(void **state)
{
	const char **f;
	bool is_there = false;

	TALK(state, "connect C1");
	for (f = talk_rig(state)->proxy->stream_features; *f != NULL; f++)
		is_there = is_there || strcmp(*f, "<sm " SM "/>") == 0;
	assert_true(is_there);
}

/* MUST reply; without "resume" there is no id. */
static void
enabled_without_resumption(void **state)
{
	TALK(state, "connect C1", "C1> <enable " SM "/>",
	    "C1< <enabled " SM "/>");
	assert_null(talk_session(state, "C1")->sm_id);
	assert_true(talk_session(state, "C1")->sm.on);
}

/* MUST say resume and id, which is no longer than 4000 bytes, and used once. */
static void
enabled_with_resumption(void **state)
{
	struct session *s, *other;

	TALK(state, "connect C1", "C1> <enable " SM " resume='true'/>",
	    "C1< <enabled " SM " id='$id' resume='true' max='600'/>",
	    "connect C2", "C2> <enable " SM " resume='1'/>",
	    "C2< <enabled " SM " id='...' resume='true' max='600'/>");
	s = talk_session(state, "C1");
	other = talk_session(state, "C2");
	assert_in_range(strlen(s->sm_id), 16, SM_ID_MAX);
	assert_string_not_equal(s->sm_id, other->sm_id);
}

/* resume-seconds: the client may want less, and does not get more. */
static void
how_long_it_may_be_away(void **state)
{
	TALK(state, "limits resume-seconds=100", "connect C1",
	    "C1> <enable " SM " resume='true' max='30'/>",
	    "C1< <enabled " SM " id='...' resume='true' max='30'/>",
	    "connect C2", "C2> <enable " SM " resume='true' max='101'/>",
	    "C2< <enabled " SM " id='...' resume='true' max='100'/>");
	assert_int_equal(talk_session(state, "C1")->sm_max, 30);
	assert_int_equal(talk_session(state, "C2")->sm_max, 100);
}

static void
with_no_time_to_be_away_nothing_is_resumed(void **state)
{
	TALK(state, "limits resume-seconds=0", "login C1", "connect C2",
	    "C2> <enable " SM " resume='true'/>", "C2< <enabled " SM "/>",
	    "lose C2", "drain");
	assert_int_equal(talk_user(state)->session_count, 1);
}

/* At most one attempt; a second SHOULD get a stream error. */
static void
enabling_twice_ends_the_stream(void **state)
{
	TALK(state, "connect C1 sm", "C1> <enable " SM "/>",
	    "closed C1 policy-violation", "drain");
}

/* --- acknowledgements (4) --- */

/* MUST be answered; stanzas count, and nothing else; from <enable/> on. */
static void
what_it_handled_is_told(void **state)
{
	TALK(state, "connect C1", PING("C1", "0"), PONG("C1", "0"),
	    "C1> <enable " SM "/>", "C1< <enabled " SM "/>", "C1> <r " SM "/>",
	    "C1< <a " SM " h='0'/>", PING("C1", "1"), PONG("C1", "1"),
	    "C1> <presence/>", "C1< <presence ...>...</presence>",
	    "C1> <message to='bob@b.example'><body>hi</body></message>",
	    "C1> <r " SM "/>", "C1< <a " SM " h='4'/>",
	    "C1> <inactive xmlns='urn:xmpp:csi:0'/>", "C1> <r " SM "/>",
	    "C1< <a " SM " h='4'/>", "drain");
}

/* Also those that get an error. */
static void
what_is_refused_is_handled(void **state)
{
	TALK(state, "connect C1", "C1> <enable " SM "/>",
	    "C1< <enabled " SM "/>", "C1> <message to='@' id='1'/>",
	    "C1< <message type='error' ...>...</message>", "C1> <r " SM "/>",
	    "C1< <a " SM " h='1'/>");
}

static void
without_being_enabled_there_is_nothing_to_say(void **state)
{
	TALK(state, "connect C1", "C1> <r " SM "/>",
	    "C1< " FAILED("unexpected-request"), "C1> <a " SM " h='0'/>",
	    "C1< " FAILED("unexpected-request"),
	    "C1> <resume " SM " previd='x' h='0'/>",
	    "C1< " FAILED("unexpected-request"), "nothing C1");
}

static void
an_acknowledgement_needs_a_number(void **state)
{
	TALK(state, "connect C1", "C1> <enable " SM "/>",
	    "C1< <enabled " SM "/>", "C1> <a " SM "/>",
	    "C1< " FAILED("bad-request"), "C1> <a " SM " h='-1'/>",
	    "C1< " FAILED("bad-request"), PING("C1", "1"), PONG("C1", "1"));
}

/* SHOULD be undefined-condition with both numbers. */
static void
acknowledging_more_than_was_sent_ends_the_stream(void **state)
{
	TALK(state, "connect C1", "C1> <enable " SM "/>",
	    "C1< <enabled " SM "/>", PING("C1", "1"), PONG("C1", "1"),
	    "C1> <a " SM " h='2'/>", "closed C1 undefined-condition",
	    "logged acknowledges more than it was sent", "drain");
}

static void
one_that_is_older_changes_nothing(void **state)
{
	struct session *s;

	TALK(state, "connect C1", "C1> <enable " SM "/>",
	    "C1< <enabled " SM "/>", PING("C1", "1"), PING("C1", "2"),
	    "C1> <a " SM " h='2'/>", "C1> <a " SM " h='1'/>", "drain C1");
	s = talk_session(state, "C1");
	assert_int_equal(s->sm.acked, 2);
	assert_false(s->closing);
}

/* ack-stanzas: one question, at so many messages; ack-seconds: or after so long. */
static void
it_asks_now_and_then(void **state)
{
	struct session *s;

	TALK(state, "limits ack-stanzas=3 ack-seconds=7", "connect C1",
	    "C1> <enable " SM " resume='true'/>",
	    "C1< <enabled " SM " ...>...</enabled>", "C1> <presence/>",
	    "C1< <presence ...>...</presence>", CHAT("m1"), CHAT("m2"),
	    "drain C1", "nothing C1", CHAT("m3"), GOT("C1", "m3"),
	    "C1< <r " SM "/>", CHAT("m4"), CHAT("m5"), CHAT("m6"),
	    "repeat 3 C1< <message ...>...</message>", "nothing C1");
	s = talk_session(state, "C1");
	assert_int_equal(s->flights.entries, 6);
	/* What is left is less, and asked for later. */
	TALK(state, "C1> <a " SM " h='6'/>", "wait 6900ms", "nothing C1",
	    "wait 100ms", "C1< <r " SM "/>");
	assert_int_equal(s->flights.entries, 2);
	TALK(state, "C1> <a " SM " h='8'/>", "wait 20s", "nothing C1");
	assert_int_equal(s->flights.count, 0);
}

/* A window of it: answers, presence. The client is read all the while. */
static void
a_window_of_what_no_log_holds_is_asked_for(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1 sm",
	    "repeat 100 " PING("C1", "p{n}"), "repeat 100 " PONG("C1", "p{n}"),
	    "nothing");
}

/* It is not deaf to the acknowledgement that it waits for. */
static void
one_that_does_not_acknowledge_is_read(void **state)
{
	struct session *s;

	TALK(state, "limits queue-frames=16", "login C1 sm=mute",
	    "repeat 50 " PING("C1", "p{n}"), "repeat 50 " PONG("C1", "p{n}"));
	s = talk_session(state, "C1");
	assert_false(s->paused);
	assert_false(session_has_room(s));
	TALK(state, CHAT("m1"), "nothing C1", "C1> <a " SM " h='50'/>",
	    GOT("C1", "m1"), "nothing");
}

/* queue-bytes-max */
static void
one_that_never_acknowledges_has_an_end(void **state)
{
	TALK(state, "limits queue-bytes=16384 queue-bytes-max=65536",
	    "login C1 sm=mute",
	    "repeat 9 C1> <iq type='get' id='{n}{pad:9000}'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>",
	    "closed C1 resource-constraint", "drain");
}

/* Nobody is there any more: it is asleep. */
static void
no_acknowledgement_is_a_lost_link(void **state)
{
	struct session *s;

	TALK(state, "login C1 sm", "stall C1", CHAT("m1"), "wait 34s");
	s = talk_session(state, "C1");
	assert_false(s->asleep);
	TALK(state, "wait 2s", "logged no acknowledgement came");
	assert_true(s->asleep);
	TALK(state, "resume C1", GOT("C1", "m1"), "drain");
}

/* --- without it: a ping is the question --- */

static void
a_ping_is_asked_instead(void **state)
{
	struct session *s;

	TALK(state, "limits ack-stanzas=2 ack-seconds=7", "login C1",
	    CHAT("m1"), GOT("C1", "m1"));
	s = talk_session(state, "C1");
	assert_int_equal(s->flights.entries, 1);
	TALK(state, "wait 7s");
	assert_int_equal(s->flights.entries, 0);
	TALK(state, CHAT("m2"), CHAT("m3"), "drain C1");
	assert_int_equal(s->flights.entries, 0);
	assert_int_equal(s->user->reached.low, 3);
}

/* An error proves as much; what is no answer to it proves nothing. */
static void
an_error_is_an_answer(void **state)
{
	struct session *s;
	char *line;

	TALK(state, "login C1", "stall C1", CHAT("m1"), "wait 6s");
	s = talk_session(state, "C1");
	assert_string_not_equal(s->ack_id, "");
	TALK(state, "C1> <iq type='result' id='other'/>");
	assert_int_equal(s->flights.entries, 1);
	line = mem_printf("C1> <iq type='error' id='%s'/>", s->ack_id);
	talk(state, line);
	assert_int_equal(s->flights.entries, 0);
	free(line);
	TALK(state, "unstall C1", "drain");
}

/* What stands in its queue it has not got, however long. */
static void
silence_is_no_answer(void **state)
{
	TALK(state, "login C1", "stall C1",
	    "repeat 30 S> <message from='bob@b.example/x' type='chat' "
	    "to='alice@a.example' id='m{n}'><body>{pad:200}</body></message>",
	    "wait 120s");
	assert_int_equal(talk_session(state, "C1")->flights.entries, 30);
	TALK(state, "lose C1", "drain", "connect C2", "C2> <presence/>",
	    "wait 5s", "C2<~ <message id='m1' ...>...</message>",
	    "C2<~ <message id='m30' ...>...</message>", "drain");
}

/* The ping that asked before counts no more, nor does what went before. */
static void
enabling_in_the_middle(void **state)
{
	struct session *s;

	TALK(state, "login C1", CHAT("m1"), GOT("C1", "m1"), "stall C1",
	    "wait 6s", "unstall C1", "C1> <enable " SM " resume='true'/>",
	    "C1< <enabled " SM " ...>...</enabled>");
	s = talk_session(state, "C1");
	TALK(state, CHAT("m2"), GOT("C1", "m2"), "C1> <a " SM " h='0'/>");
	assert_int_equal(s->flights.entries, 1);
	assert_int_equal(s->user->reached.low, 1);
	TALK(state, "C1> <a " SM " h='1'/>");
	assert_int_equal(s->flights.entries, 0);
	assert_int_equal(s->user->reached.low, 2);
}

/* --- resuming (5) --- */

/* Its link is lost: others see it as it was, for so long. */
static void
it_is_there_until_its_time_is_over(void **state)
{
	TALK(state, "limits resume-seconds=60", "login C1 sm", "login C2",
	    "drain", "lose C1", "wait 59s", "nothing");
	assert_true(talk_session(state, "C1")->asleep);
	assert_int_equal(talk_user(state)->session_count, 2);
	TALK(state, "wait 1s",
	    "C2< <presence from='$C1' to='$C2' type='unavailable'/>", "drain");
	assert_int_equal(talk_user(state)->session_count, 1);
}

/* It is the same session, with all that it had; nothing is asked anew. */
static void
what_it_was_it_is_again(void **state)
{
	struct session *s;
	uint64_t id;

	TALK(state, "login C1 sm carbons priority=3 show=dnd", "login C2",
	    "drain");
	id = talk_session(state, "C1")->id;
	TALK(state, "lose C1", "resume C1", "nothing");
	s = talk_session(state, "C1");
	assert_true(s->id == id);
	assert_true(s->carbons && s->wants_roster && s->available);
	assert_int_equal(s->priority, 3);
	assert_int_equal(s->show, SHOW_DND);
	assert_int_equal(talk_rig(state)->proxy->sessions_open, 2);
}

/* MUST be sent again: all of it that h does not say is there, and no more. */
static void
what_was_lost_comes_again(void **state)
{
	TALK(state, "login C1 sm", CHAT("m1"), GOT("C1", "m1"), "stall C1",
	    CHAT("m2"), PING("C1", "p"), CHAT("m3"), "lose C1", CHAT("m4"),
	    "resume C1", GOT("C1", "m2"), PONG("C1", "p"), GOT("C1", "m3"),
	    GOT("C1", "m4"), "nothing", "unacked C1 0");
}

/* Twice in a row, with less of it each time. */
static void
and_again(void **state)
{
	TALK(state, "login C1 sm", "stall C1", CHAT("m1"), PING("C1", "p"),
	    CHAT("m2"), "lose C1", "resume C1", GOT("C1", "m1"), "lose C1",
	    "resume C1", PONG("C1", "p"), GOT("C1", "m2"), "nothing");
	TALK(state, "wait 10s", "nothing");
	assert_int_equal(talk_session(state, "C1")->flights.count, 0);
}

/* Presence is what it is by then. */
static void
of_presence_what_is_current_comes(void **state)
{
	TALK(state, "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1 sm", "stall C1",
	    "S> <presence from='bob@b.example/x' to='$S'><status>1</status>"
	    "</presence>",
	    "lose C1",
	    "S> <presence from='bob@b.example/x' to='$S'><status>2</status>"
	    "</presence>",
	    "S> <presence from='bob@b.example/y' to='$S'/>",
	    "S> <presence from='bob@b.example/y' to='$S' type='unavailable'/>",
	    "resume C1",
	    "C1<~ <presence from='bob@b.example/x' to='$C1'>"
	    "<status>2</status></presence>",
	    "C1<~ <presence from='bob@b.example/y' to='$C1' "
	    "type='unavailable'/>",
	    "nothing");
}

#define PUSH(id, jid) \
	"S> <iq type='set' id='" id \
	"' to='$S'><query xmlns='jabber:iq:roster'>" \
	"<item jid='" jid "'/></query></iq>", \
	    "S<~ <iq type='result' id='" id "' ...>...</iq>"
#define PUSHED(c, name) \
	c "< <iq type='set' ...><query xmlns='jabber:iq:roster' ...>" \
	  "<item jid='" name "'/></query></iq>"

/* "Any roster changes that occurred will be sent", each once. */
static void
changes_of_the_roster_come(void **state)
{
	TALK(state, "login C1 sm=mute", PUSH("1", "a@b.example"),
	    PUSHED("C1", "a@b.example"), "stall C1", PUSH("2", "b@b.example"),
	    "lose C1", PUSH("3", "c@b.example"), "resume C1",
	    PUSHED("C1", "b@b.example"), PUSHED("C1", "c@b.example"),
	    "nothing");
}

/* SHOULD send conflict, and close that stream. */
static void
an_older_link_goes_first(void **state)
{
	struct session *s;

	TALK(state, "login C1 sm", "resume C1", CHAT("m1"), GOT("C1", "m1"),
	    "nothing");
	s = talk_session(state, "C1");
	assert_false(s->asleep);
	assert_int_equal(talk_rig(state)->proxy->sessions_open, 1);
}

/* MUST fail with item-not-found; then it may bind. */
static void
what_is_not_known_is_not_resumed(void **state)
{
	TALK(state, "login C1 sm", "lose C1",
	    "unresumed C1 previd=nonsense h=none", "drain");
}

/* MAY say h: that of one whose time is over. */
static void
of_one_that_was_known_it_tells_what_it_had_handled(void **state)
{
	TALK(state, "limits resume-seconds=60", "login C1 sm", PING("C1", "p"),
	    PONG("C1", "p"), "lose C1", "wait 61s", "drain", "unresumed C1 h=4",
	    "drain");
}

/* Whoever is somebody else does not get it. */
static void
only_its_own_view_may_resume(void **state)
{
	struct rig_client *c;
	char *line;

	TALK(state, "login C1 sm", "connect C2 view=node sm");
	line = mem_printf("unresumed C2 h=none previd=%s",
	    talk_session(state, "C1")->sm_id);
	c = rig_client(talk_rig(state), "C1");
	talk(state, line);
	assert_true(c->peer.stream != NULL);
	assert_false(talk_session(state, "C1")->asleep);
	free(line);
	TALK(state, "drain");
}

static void
resuming_with_too_high_a_number_ends_the_stream(void **state)
{
	struct session *s;

	TALK(state, "login C1 sm", "lose C1",
	    "refused C1 undefined-condition resume h=100");
	s = talk_session(state, "C1");
	assert_true(s->asleep);
	TALK(state, "resume C1", "nothing");
}

/* connections-per-address: each such try gives its place back. */
static void
a_resumption_that_fails_leaves_no_place_taken(void **state)
{
	TALK(state, "limits connections-per-address=2", "login C1 sm",
	    "lose C1", "repeat 5 refused C1 undefined-condition resume h=100",
	    "resume C1", "connect C2", "drain");
}

/* One that was taken over while it bound is not counted twice. */
static void
places_of_sessions_come_back(void **state)
{
	TALK(state, "limits connections-per-address=2", "login C1 sm",
	    "repeat 5 resume C1", "lose C1", "repeat 5 resume C1", "lose C1",
	    "connect C2", "connect C3", "refused C4 resource-constraint",
	    "drain");
}

/* A clean end is an end: contacts see it, and it is not resumed. */
static void
a_stream_that_was_closed_is_over(void **state)
{
	TALK(state, "login C1 sm", "login C2", "close C1",
	    "C2< <presence from='$C1' to='$C2' type='unavailable'/>",
	    "unresumed C1 h=3", "drain");
}

/* What waits for it while it is away: no more than some. */
static void
what_waits_for_one_that_is_away_has_an_end(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1 sm", "login C2",
	    "lose C1",
	    "repeat 70 S> <message type='error' id='x' "
	    "from='bob@b.example/x' to='$S'/>",
	    "drain");
	assert_true(talk_session(state, "C1")->asleep);
	for (unsigned i = 0; i < 70; i++)
		session_sm_send(talk_session(state, "C1"), blob_new("<iq/>", 5),
		    NULL);
	TALK(state, "drain");
	assert_int_equal(talk_user(state)->session_count, 1);
}

/* Requests to one that is away fail at once. */
static void
nobody_waits_for_one_that_is_away(void **state)
{
	TALK(state, "login C1 sm", "login C2", "stall C1",
	    "C2> <iq type='get' to='$C1' id='1'><query xmlns='urn:q'/></iq>",
	    "lose C1", "C2< <iq type='error' id='1' ...>...</iq>",
	    "C2> <iq type='get' to='$C1' id='2'><query xmlns='urn:q'/></iq>",
	    "C2< <iq type='error' id='2' ...>...</iq>", "resume C1", "drain C1",
	    "nothing");
}

/* Its own are answered, and the answers wait. */
static void
answers_wait_for_one_that_is_away(void **state)
{
	TALK(state, "login C1 sm",
	    "C1> <iq type='get' to='bob@b.example/x' id='1'>"
	    "<query xmlns='urn:q'/></iq>",
	    "S< <iq id='$q' ...>...</iq>", "lose C1",
	    "S> <iq type='result' id='$q' from='bob@b.example/x' to='$S'/>",
	    "resume C1", "C1< <iq type='result' id='1' ...>...</iq>",
	    "nothing");
}

/* The queue of the new stream runs over in the middle of it: nothing is lost. */
static void
closed_in_the_middle_of_resuming(void **state)
{
	struct session *s;

	TALK(state,
	    "limits queue-frames=64 queue-bytes=65536 "
	    "queue-bytes-max=65536 login-bytes=262144 ",
	    "login C1 sm", "stall C1",
	    "repeat 20 S> <message from='bob@b.example/x' type='chat' "
	    "to='alice@a.example' id='m{n}'><body>{pad:3000}</body></message>",
	    "lose C1");
	s = talk_session(state, "C1");
	assert_int_equal(s->flights.entries, 20);
	/* By then less is allowed. */
	talk_rig(state)->proxy->config->limits.queue_bytes_max = 20000;
	TALK(state, "resume C1", "closed C1 resource-constraint", "drain");
	talk_rig(state)->proxy->config->limits.queue_bytes_max = 1 << 20;
	assert_true(TAILQ_FIRST(&talk_user(state)->ended)->flights.count >= 19);
	TALK(state, "connect C1", "C1> <presence/>", "wait 5s",
	    "C1<~ <message id='m20' ...>...</message>", "drain");
}

/* --- the end of the proxy --- */

/* What still happens to one that was left does no harm. */
static void
one_that_was_left_is_as_if_asleep(void **state)
{
	struct session *s;
	struct buf b = { 0 };

	TALK(state, "limits idle-seconds=5", "login C1 sm", "login C2",
	    "C1> <iq type='get' to='bob@b.example/x' id='1'>"
	    "<query xmlns='urn:q'/></iq>",
	    "stop");
	s = talk_session(state, "C1");
	assert_null(s->stream);
	assert_true(s->asleep);
	assert_int_equal(talk_rig(state)->proxy->sessions_open, 0);
	buf_puts(&b, "<iq/>");
	session_send_bytes(s, &b, NULL);
	buf_free(&b);
	TALK(state, "wait 30s");
	assert_false(s->closing);
	TALK(state, "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(it_is_offered),
		talk_test(enabled_without_resumption),
		talk_test(enabled_with_resumption),
		talk_test(how_long_it_may_be_away),
		talk_test(with_no_time_to_be_away_nothing_is_resumed),
		talk_test(enabling_twice_ends_the_stream),
		talk_test(what_it_handled_is_told),
		talk_test(what_is_refused_is_handled),
		talk_test(without_being_enabled_there_is_nothing_to_say),
		talk_test(an_acknowledgement_needs_a_number),
		talk_test(acknowledging_more_than_was_sent_ends_the_stream),
		talk_test(one_that_is_older_changes_nothing),
		talk_test(it_asks_now_and_then),
		talk_test(a_window_of_what_no_log_holds_is_asked_for),
		talk_test(one_that_does_not_acknowledge_is_read),
		talk_test(one_that_never_acknowledges_has_an_end),
		talk_test(no_acknowledgement_is_a_lost_link),
		talk_test(a_ping_is_asked_instead),
		talk_test(an_error_is_an_answer),
		talk_test(silence_is_no_answer),
		talk_test(enabling_in_the_middle),
		talk_test(it_is_there_until_its_time_is_over),
		talk_test(what_it_was_it_is_again),
		talk_test(what_was_lost_comes_again),
		talk_test(and_again),
		talk_test(of_presence_what_is_current_comes),
		talk_test(changes_of_the_roster_come),
		talk_test(an_older_link_goes_first),
		talk_test(what_is_not_known_is_not_resumed),
		talk_test(of_one_that_was_known_it_tells_what_it_had_handled),
		talk_test(only_its_own_view_may_resume),
		talk_test(resuming_with_too_high_a_number_ends_the_stream),
		talk_test(a_resumption_that_fails_leaves_no_place_taken),
		talk_test(places_of_sessions_come_back),
		talk_test(a_stream_that_was_closed_is_over),
		talk_test(what_waits_for_one_that_is_away_has_an_end),
		talk_test(nobody_waits_for_one_that_is_away),
		talk_test(answers_wait_for_one_that_is_away),
		talk_test(closed_in_the_middle_of_resuming),
		talk_test(one_that_was_left_is_as_if_asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
