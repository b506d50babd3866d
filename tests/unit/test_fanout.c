#include "support_client.h"
#include "support_store.h"
#include "support_talk.h"

#include "core/fanout.h"
#include "core/history.h"

#define CHAT(id, text) \
	"S> <message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>" text "</body></message>"
#define GOT(c, id, text) \
	c "< <message from='bob@b.example/x' to='alice@a.example' " \
	  "type='chat' " \
	  "id='" id "'><body>" text "</body></message>"
#define GOT_LATE(c, id, text) \
	c "< <message from='bob@b.example/x' to='alice@a.example' " \
	  "type='chat' " \
	  "id='" id "'><body>" text "</body>{DELAY}</message>"

/* --- the window --- */

/* queue-frames: the follower keeps its place, and is refilled below a third. */
static void
a_window_of_frames_is_crossed_and_refilled_in_order(void **state)
{
	struct session *s;

	TALK(state, "limits queue-frames=16 queue-bytes=4194304", "login C1",
	    "stall C1", "repeat 200 " CHAT("m{n}", "{n} {pad:100}"));
	s = talk_session(state, "C1");
	assert_false(session_has_room(s));
	assert_int_equal(s->flights.entries, 16);
	assert_true(s->cursor < history_next(s->user->history));
	assert_in_range(conn_queued_frames(stream_conn(s->stream)), 1, 16);
	TALK(state, "unstall C1",
	    "repeat 200 " GOT("C1", "m{n}", "{n} {pad:100}"), "nothing");
	assert_int_equal(s->cursor, history_next(s->user->history));
	/* What was written last is got when a ping says so. */
	TALK(state, "wait 6s");
	assert_int_equal(s->flights.entries, 0);
	assert_int_equal(s->user->reached.low + 1,
	    history_next(s->user->history));
}

/* queue-bytes */
static void
a_window_of_bytes_is_crossed_and_refilled_in_order(void **state)
{
	struct session *s;
	size_t bytes;

	TALK(state, "limits queue-bytes=16384", "login C1", "stall C1",
	    "repeat 60 " CHAT("m{n}", "{n} {pad:1000}"));
	s = talk_session(state, "C1");
	assert_false(session_has_room(s));
	bytes = conn_queued_bytes(stream_conn(s->stream));
	assert_in_range(bytes, 16384, 16384 + 1200);
	assert_true(conn_queued_frames(stream_conn(s->stream)) < 60);
	TALK(state, "unstall C1",
	    "repeat 60 " GOT("C1", "m{n}", "{n} {pad:1000}"), "nothing");
}

/* What is current matters: chat states of an hour ago do not. */
static void
live_messages_pass_by_those_that_are_behind(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1", "login C2",
	    "stall C1", "repeat 40 " CHAT("m{n}", "{n} {pad:100}"),
	    "S> <message from='bob@b.example/x' to='alice@a.example' "
	    "type='chat' id='c'><composing "
	    "xmlns='http://jabber.org/protocol/chatstates'/></message>",
	    "C2<~ <message id='c' ...>...</message>", "drain C2", "unstall C1",
	    "repeat 40 " GOT("C1", "m{n}", "{n} {pad:100}"), "nothing");
}

/* Nor does a long way that is not for it hold up the others. */
static void
what_is_not_for_it_is_passed_over_in_several_turns(void **state)
{
	struct session *s;
	struct history *h;
	struct entry *e;

	TALK(state, "login C1");
	s = talk_session(state, "C1");
	h = s->user->history;
	for (int i = 0; i < 2000; i++) {
		e = entry_new();
		e->account = s->account->id;
		e->type = TYPE_GROUPCHAT;
		e->peer = mem_strdup("room@c.example/x");
		e->time = e->stamp;
		e->body = blob_new("x", 1);
		history_append(h, e);
		user_reached(s->user, e->seq);
	}
	fanout_follow(s);
	assert_int_equal(s->cursor, 513);
	fanout_follow(s);
	assert_int_equal(s->cursor, 513);
	TALK(state, "wait 1ms", CHAT("m1", "1"), GOT("C1", "m1", "1"),
	    "nothing");
	assert_int_equal(s->cursor, history_next(h));
}

/* log-entries: one that the log has left behind is told so, by its end. */
static void
one_too_far_behind_is_closed_with_a_word(void **state)
{
	struct session *s;

	TALK(state, "limits queue-frames=16 log-entries=20", "login C1",
	    "login C2", "stall C1",
	    "repeat 100 " CHAT("m{n}", "{n} {pad:100}"));
	s = talk_session(state, "C1");
	assert_true(s->cursor < history_floor(s->user->history));
	assert_false(s->closing);
	TALK(state, "unstall C1",
	    "logged event=missed entries=", "closed C1 resource-constraint",
	    "repeat 100 C2< <message id='m{n}' ...>...</message>", "drain");
}

/* What the log dropped while nobody was there is no fault of who comes. */
static void
who_comes_too_late_begins_at_the_floor(void **state)
{
	struct history *h;

	TALK(state, "limits log-entries=20", "login C1", "logout C1",
	    "repeat 100 " CHAT("m{n}", "{n}"), "login C2", "wait 5s",
	    GOT_LATE("C2", "m81", "81"),
	    "C2<~ <message id='m100' ...>...</message>", "drain");
	h = talk_user(state)->history;
	assert_int_equal(talk_session(state, "C2")->cursor, history_next(h));
}

/* log-bytes: the same by size. */
static void
the_log_is_bounded_in_bytes(void **state)
{
	struct history *h;

	TALK(state, "limits log-bytes=65536", "login C1", "logout C1",
	    "repeat 100 " CHAT("m{n}", "{n} {pad:2000}"), "wait 1s");
	h = talk_user(state)->history;
	assert_int_equal(history_next(h), 101);
	assert_in_range(history_floor(h), 101 - 32, 101 - 30);
	TALK(state, "login C2", "wait 5s",
	    "C2<~ <message id='m100' ...>...</message>", "drain");
}

/* --- live messages --- */

static const char composing[] =
    "S> <message from='bob@b.example/x' to='alice@a.example' type='chat' "
    "id='c'><composing xmlns='http://jabber.org/protocol/chatstates'/>"
    "</message>";

/* They are in no log, and for who is there. */
static void
live_messages_are_not_logged(void **state)
{
	TALK(state, "login C1", composing,
	    "C1< <message id='c' ...>...</message>");
	assert_int_equal(history_next(talk_user(state)->history), 1);
	TALK(state, "logout C1", composing, "connect C2", "C2> <presence/>",
	    "C2< <presence ...>...</presence>", "wait 20s", "nothing C2",
	    "drain");
}

/* A stream that can be resumed does not lose those that it was sent. */
static void
live_messages_on_a_stream_come_again_on_it(void **state)
{
	TALK(state, "login C1 sm=mute", "stall C1", composing, "lose C1",
	    "resume C1", "C1< <message id='c' ...>...</message>", "nothing");
}

/* --- again --- */

static void
what_is_lost_on_a_stream_comes_again_in_order(void **state)
{
	TALK(state, "login C1 sm", "stall C1",
	    "repeat 40 " CHAT("m{n}", "{n} {pad:100}"), "lose C1",
	    "repeat 40 " CHAT("n{n}", "{n}"), "resume C1",
	    "repeat 40 C1< <message id='m{n}' ...>...</message>",
	    "repeat 40 C1< <message id='n{n}' ...>...</message>", "nothing");
}

/* --- a store that cannot be read --- */

/* The process is to end, with streams as they are: no cursor has moved. */
static void
what_cannot_be_read_ends_the_process(void **state)
{
	char *path = store_fresh_path();
	struct core *c = core_new_in(path, CORE_ALICE(""));
	struct core_client cl;

	(void)state;
	core_connect(c);
	for (unsigned i = 0; i < 100; i++) {
		core_server_say(c,
		    "<message from='bob@b.example/x' to='alice@a.example' "
		    "type='chat'><body>hi</body></message>");
		core_run(c);
	}
	client_login(&cl, c, "alice", "r");
	client_say(&cl, "<presence/>");
	store_change(path, "ALTER TABLE log RENAME TO gone");
	core_wait(c, 5000);
	assert_true(c->proxy->is_failed);
	expect(&c->log, "event=not-read");
	assert_false(has(&cl.got, "<message"));
	assert_int_equal(LIST_FIRST(&core_user(c, "alice")->sessions)->cursor,
	    1);
	client_end(&cl);
	core_free(c);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(a_window_of_frames_is_crossed_and_refilled_in_order),
		talk_test(a_window_of_bytes_is_crossed_and_refilled_in_order),
		talk_test(what_is_not_for_it_is_passed_over_in_several_turns),
		talk_test(live_messages_pass_by_those_that_are_behind),
		talk_test(one_too_far_behind_is_closed_with_a_word),
		talk_test(who_comes_too_late_begins_at_the_floor),
		talk_test(the_log_is_bounded_in_bytes),
		talk_test(live_messages_are_not_logged),
		talk_test(live_messages_on_a_stream_come_again_on_it),
		talk_test(what_is_lost_on_a_stream_comes_again_in_order),
		cmocka_unit_test(what_cannot_be_read_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
