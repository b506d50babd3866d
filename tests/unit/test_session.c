#include "support_talk.h"

#include "core/fanout.h"
#include "parsed.h"
#include "rig/wire.h"

#define PING "<ping xmlns='urn:xmpp:ping'/>"

/* --- limits --- */

#define SMALL "limits queue-frames=16 queue-bytes=16384 queue-bytes-max=65536 "
#define FLOOD "repeat 400 C1> <iq type='get' id='{n}{pad:300}'>" PING "</iq>"

/* queue-bytes-max: what cannot be held back has an end, for that session alone. */
static void
one_that_is_asked_and_never_reads_is_closed_alone(void **state)
{
	TALK(state, SMALL, "login C1", "login C2", "stall C1",
	    "repeat 20 C2> <iq type='get' to='$C1' id='p{n}'>"
	    "<query xmlns='urn:q'>{pad:9000}</query></iq>",
	    "unstall C1", "closed C1 resource-constraint",
	    "C2<~ <presence from='$C1' to='$C2' type='unavailable'/>",
	    "C2> <iq type='get' id='1'>" PING "</iq>",
	    "C2<~ <iq type='result' id='1' ...>...</iq>", "drain");
}

/* queue-bytes: what it asks waits at its end. */
static void
one_that_asks_and_does_not_read_is_not_read(void **state)
{
	struct session *s;

	TALK(state, SMALL, "login C1", "stall C1", FLOOD);
	s = talk_session(state, "C1");
	assert_false(s->closing);
	assert_in_range(conn_queued_bytes(stream_conn(s->stream)), 4096, 16384);
	TALK(state, "unstall C1",
	    "repeat 400 C1< <iq type='result' id='{n}{pad:300}' ...>...</iq>",
	    "nothing");
}

static void
one_that_is_not_read_is_closed_where_it_takes_nothing(void **state)
{
	TALK(state, SMALL "idle-seconds=60 ping-timeout-seconds=30", "login C1",
	    "stall C1", FLOOD, "wait 89s");
	assert_false(talk_session(state, "C1")->closing);
	TALK(state, "wait 2s", "unstall C1", "closed C1 connection-timeout",
	    "drain");
}

/* Its answer to the ping is behind what is not read. */
static void
one_that_is_not_read_stays_while_it_takes_something(void **state)
{
	struct rig_client *c;
	size_t room = 1024;

	TALK(state, SMALL "idle-seconds=60 ping-timeout-seconds=30", "login C1",
	    "stall C1", FLOOD);
	c = rig_client(talk_rig(state), "C1");
	for (int i = 0; i < 8; i++) {
		TALK(state, "wait 20s");
		wire_set_room(c->peer.wire, room += 512);
	}
	assert_true(talk_session(state, "C1")->pinged);
	TALK(state, "unstall C1",
	    "repeat 400 C1<~ <iq type='result' id='{n}{pad:300}' ...>...</iq>",
	    "wait 31s", "C1> <iq type='get' id='1'>" PING "</iq>",
	    "C1< <iq type='result' id='1' ...>...</iq>", "drain");
}

static void
one_that_is_not_read_may_go(void **state)
{
	TALK(state, SMALL, "login C1", "login C2", "stall C1", FLOOD, "drain",
	    "lose C1", "C2< <presence from='...' to='$C2' type='unavailable'/>",
	    "drain");
	assert_int_equal(talk_user(state)->session_count, 1);
}

/* What the log holds back does not stop a client from saying something. */
static void
one_that_is_behind_the_log_is_read(void **state)
{
	TALK(state, SMALL, "login C1", "stall C1",
	    "repeat 100 S> <message from='b@x' to='alice@a.example' "
	    "type='chat' id='m{n}'><body>{pad:100}</body></message>",
	    "C1> <message to='b@x' type='chat' id='o'><body>x</body></message>",
	    "S< <message to='b@x' id='o' ...>...</message>", "unstall C1",
	    "drain");
}

static uint64_t
bytes_in(void **state)
{
	struct session *s = talk_session(state, "C1");

	return conn_bytes_in(stream_conn(s->stream));
}

/* read-rate, read-burst: at once the burst, then so many bytes a second. */
static void
a_flood_is_read_slowly(void **state)
{
	uint64_t first, next;

	TALK(state, "limits read-rate=1024 read-burst=16384", "connect C1",
	    "repeat 40 C1> <message to='b@x' type='chat' id='{n}'><body>"
	    "{pad:1000}</body></message>");
	first = bytes_in(state);
	assert_in_range(first, 10000, 16384 + 2048);
	TALK(state, "wait 5s");
	next = bytes_in(state);
	assert_in_range(next - first, 4 * 1024, 6 * 1024);
	TALK(state, "wait 60s", "S<~ <message id='40' ...>...</message>",
	    "drain");
}

/* idle-seconds, ping-timeout-seconds */
static void
a_silent_client_is_asked_and_then_closed(void **state)
{
	struct session *s;

	TALK(state, "limits idle-seconds=60 ping-timeout-seconds=30",
	    "connect C1", "wait 58s");
	s = talk_session(state, "C1");
	assert_false(s->pinged);
	TALK(state, "stall C1", "wait 3s");
	assert_true(s->pinged);
	TALK(state, "wait 28s");
	assert_false(s->closing);
	TALK(state, "wait 3s", "unstall C1", "closed C1 connection-timeout",
	    "drain");
}

static void
an_answer_to_the_ping_is_enough(void **state)
{
	struct session *s;

	TALK(state, "limits idle-seconds=60 ping-timeout-seconds=30",
	    "connect C1", "wait 61s", "wait 300s");
	s = talk_session(state, "C1");
	assert_false(s->closing);
	TALK(state, "C1> <iq type='get' id='1'>" PING "</iq>",
	    "C1< <iq type='result' id='1' ...>...</iq>", "nothing C1");
}

/* --- its window --- */

/* As it began: what the connection reports is measured by the same. */
static void
a_reload_does_not_change_the_window(void **state)
{
	struct session *s;

	TALK(state, "limits queue-frames=256", "login C1", "stall C1",
	    "repeat 60 S> <message from='b@x' to='alice@a.example' "
	    "type='chat' id='m{n}'><body>{pad:100}</body></message>");
	s = talk_session(state, "C1");
	talk_rig(state)->proxy->config->limits.queue_frames = 16;
	talk_rig(state)->proxy->config->limits.queue_bytes = 16384;
	assert_true(session_has_room(s));
	TALK(state,
	    "repeat 60 S> <message from='b@x' to='alice@a.example' "
	    "type='chat' id='n{n}'><body>{pad:100}</body></message>",
	    "unstall C1", "repeat 60 C1< <message id='m{n}' ...>...</message>",
	    "repeat 60 C1< <message id='n{n}' ...>...</message>", "nothing");
}

static void
one_that_closes_has_no_room(void **state)
{
	struct session *s;

	TALK(state, "connect C1");
	s = talk_session(state, "C1");
	assert_true(session_has_room(s));
	session_close(s, STREAM_CONFLICT, "the test");
	assert_false(session_has_room(s));
	/* The first reason stays. */
	session_close(s, STREAM_RESET, "again");
	TALK(state, "closed C1 conflict");
}

/* --- the view --- */

static void
addresses_are_those_of_the_view(void **state)
{
	struct arena *arena = arena_new();
	struct account *a;
	struct session *view, *node;
	const char *bob = "bob@b.example/x";

	TALK(state, "connect C1", "connect C2 view=node");
	a = talk_account(state);
	view = talk_session(state, "C1");
	node = talk_session(state, "C2");
	assert_ptr_equal(session_view_of(view, a, arena, bob), bob);
	assert_ptr_equal(session_view_of(node, a, arena, bob), bob);
	assert_string_equal(session_view_of(view, a, arena, a->full),
	    view->full);
	assert_string_equal(session_view_of(node, a, arena, a->full),
	    node->full);
	assert_string_equal(session_view_of(node, a, arena, a->jid),
	    "alice@proxy.example");
	assert_string_equal(session_view_of(node, a, arena,
				"alice@a.example/direct"),
	    "alice@proxy.example/direct");
	assert_int_equal(arena_used(arena) > 0, true);
	assert_string_equal(session_domain(view), "a.example");
	assert_string_equal(session_domain(node), "proxy.example");
	arena_free(&arena);
}

/* The common case costs no memory. */
static void
addresses_of_others_are_not_copied(void **state)
{
	struct arena *arena = arena_new();

	TALK(state, "connect C1 view=node");
	(void)session_view_of(talk_session(state, "C1"), talk_account(state),
	    arena, "bob@b.example/x");
	assert_int_equal(arena_used(arena), 0);
	arena_free(&arena);
}

#define TWO \
	"accounts <account jid='work@w.example' passwd='secret' " \
	"resource='up' host='127.0.0.1' tls='none'/>"

static void
siblings_see_a_common_account(void **state)
{
	struct session *one, *other, *node;

	TALK(state, TWO, "connect C1", "connect C2 as=work@w.example",
	    "connect C3 view=node");
	one = talk_session(state, "C1");
	other = talk_session(state, "C2");
	node = talk_session(state, "C3");
	assert_false(session_is_sibling(one, other));
	assert_true(session_is_sibling(one, node));
	assert_true(session_is_sibling(node, other));
	assert_true(session_sees(node, other->account));
	assert_false(session_sees(one, other->account));
}

static const char *
routed(void **state, const char *to, const char **reason)
{
	struct arena *arena = arena_new();
	struct account *a;

	a = session_route(talk_session(state, "C1"), arena, to, reason);
	arena_free(&arena);
	return a->jid;
}

/* stanzas.md, Node view: which account carries a stanza to X. */
static void
in_node_view_the_account_is_found_by_what_is_known(void **state)
{
	const char *why;

	TALK(state, TWO, "off",
	    "roster S2 <item jid='boss@o.example' subscription='both'/>", "on",
	    "connect C1 view=node", "wait 10s");
	assert_string_equal(routed(state, NULL, &why), "alice@a.example");
	assert_string_equal(why, "no address");
	assert_string_equal(routed(state, "x@y.example", &why),
	    "alice@a.example");
	assert_string_equal(why, "the default account");
	assert_string_equal(routed(state, "x@w.example", &why),
	    "work@w.example");
	assert_string_equal(why,
	    "its domain is the peer's, or lists the peer's");
	assert_string_equal(routed(state, "boss@o.example/r", &why),
	    "work@w.example");
	assert_string_equal(why, "its roster has the peer");
	recent_set(talk_user(state)->carriers, "boss@o.example",
	    talk_account(state)->id);
	assert_string_equal(routed(state, "boss@o.example/r", &why),
	    "alice@a.example");
	assert_string_equal(why, "it last exchanged a message with the peer");
	TALK(state, "C1> <presence to='room@w.example/me'/>");
	assert_string_equal(routed(state, "room@w.example/other", &why),
	    "work@w.example");
	assert_string_equal(why, "directed presence is there");
	TALK(state, "drain");
}

/* --- requests to it --- */

/* Whoever asked is told when the client goes without an answer. */
static void
open_requests_end_with_the_session(void **state)
{
	TALK(state, "login C1", "login C2",
	    "C2> <iq type='get' to='$C1' id='q1'><query xmlns='urn:q'/></iq>",
	    "C1< <iq type='get' from='$C2' to='$C1' id='...'>"
	    "<query xmlns='urn:q'/></iq>",
	    "close C1",
	    "C2<~ <iq type='error' from='alice@a.example/c1' id='q1' ...>"
	    "{error service-unavailable}</iq>",
	    "drain");
}

static void
open_requests_end_in_time(void **state)
{
	TALK(state, "limits iq-seconds=10", "login C1",
	    "S> <iq type='get' from='bob@b.example/x' to='$S' id='q1'>"
	    "<query xmlns='urn:q'/></iq>",
	    "C1< <iq type='get' id='$i' ...><query xmlns='urn:q'/></iq>",
	    "wait 12s",
	    "S< <iq type='error' to='bob@b.example/x' id='q1'>"
	    "{error service-unavailable}</iq>",
	    "C1> <iq type='result' id='$i'/>", "nothing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(one_that_is_asked_and_never_reads_is_closed_alone),
		talk_test(one_that_asks_and_does_not_read_is_not_read),
		talk_test(
		    one_that_is_not_read_is_closed_where_it_takes_nothing),
		talk_test(one_that_is_not_read_stays_while_it_takes_something),
		talk_test(one_that_is_not_read_may_go),
		talk_test(one_that_is_behind_the_log_is_read),
		talk_test(a_flood_is_read_slowly),
		talk_test(a_silent_client_is_asked_and_then_closed),
		talk_test(an_answer_to_the_ping_is_enough),
		talk_test(a_reload_does_not_change_the_window),
		talk_test(one_that_closes_has_no_room),
		talk_test(addresses_are_those_of_the_view),
		talk_test(addresses_of_others_are_not_copied),
		talk_test(siblings_see_a_common_account),
		talk_test(in_node_view_the_account_is_found_by_what_is_known),
		talk_test(open_requests_end_with_the_session),
		talk_test(open_requests_end_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
