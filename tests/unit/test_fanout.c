#include "support_talk.h"

#include "core/directed.h"
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

/* --- who gets what --- */

struct form_case {
	const char *name;
	/* The session. */
	bool available, carbons, in_room;
	int priority;
	/* The entry. */
	enum direction direction;
	enum stanza_type type;
	bool eligible, body, encrypted, event, room_private, own, to_other;
	enum form form;
};

#define YES true
static const struct form_case forms[] = {
	/* Messages coming in. */
	{ "chat", .available = YES, .type = TYPE_CHAT, .eligible = YES,
	    .body = YES, .form = FORM_PLAIN },
	{ "chat, carbons are on", .available = YES, .carbons = YES,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_PLAIN },
	{ "not eligible, but available", .available = YES, .type = TYPE_NORMAL,
	    .form = FORM_PLAIN },
	{ "negative priority", .available = YES, .priority = -1,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_NOTHING },
	{ "negative priority, carbons", .available = YES, .priority = -1,
	    .carbons = YES, .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_RECEIVED },
	{ "negative priority, carbons, not eligible", .available = YES,
	    .priority = -1, .carbons = YES, .type = TYPE_NORMAL,
	    .form = FORM_NOTHING },
	{ "no presence", .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_NOTHING },
	{ "no presence, carbons", .carbons = YES, .type = TYPE_CHAT,
	    .eligible = YES, .form = FORM_RECEIVED },
	{ "private, to another session", .available = YES, .type = TYPE_CHAT,
	    .to_other = YES, .form = FORM_NOTHING },
	{ "headline", .available = YES, .type = TYPE_HEADLINE,
	    .form = FORM_PLAIN },
	{ "headline, negative priority", .available = YES, .priority = -1,
	    .carbons = YES, .type = TYPE_HEADLINE, .eligible = YES,
	    .form = FORM_NOTHING },
	{ "event, negative priority", .available = YES, .priority = -1,
	    .type = TYPE_HEADLINE, .event = YES, .form = FORM_PLAIN },
	{ "event, no presence", .carbons = YES, .type = TYPE_NORMAL,
	    .event = YES, .eligible = YES, .form = FORM_NOTHING },
	{ "groupchat, in the room", .in_room = YES, .type = TYPE_GROUPCHAT,
	    .form = FORM_PLAIN },
	{ "groupchat, not in it", .available = YES, .carbons = YES,
	    .type = TYPE_GROUPCHAT, .form = FORM_NOTHING },
	{ "room's private message, in the room", .available = YES,
	    .in_room = YES, .type = TYPE_CHAT, .room_private = YES,
	    .form = FORM_PLAIN },
	{ "of a room that nobody is in", .available = YES, .type = TYPE_CHAT,
	    .room_private = YES, .form = FORM_PLAIN },
	{ "error, it sent the message", .own = YES, .type = TYPE_ERROR,
	    .form = FORM_PLAIN },
	{ "error, it had a copy", .available = YES, .carbons = YES,
	    .type = TYPE_ERROR, .eligible = YES, .form = FORM_RECEIVED },
	{ "error, of what is not copied", .available = YES, .carbons = YES,
	    .type = TYPE_ERROR, .form = FORM_NOTHING },
	{ "error, it had a note", .available = YES, .type = TYPE_ERROR,
	    .eligible = YES, .form = FORM_NOTHING },
	/* What another device directly on the server got. */
	{ "beside, carbons", .available = YES, .carbons = YES,
	    .direction = DIR_BESIDE, .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_RECEIVED },
	{ "beside, no carbons", .available = YES, .direction = DIR_BESIDE,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_PLAIN },
	/* Messages going out. */
	{ "own", .available = YES, .carbons = YES, .own = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .eligible = YES,
	    .body = YES, .form = FORM_NOTHING },
	{ "sent, carbons", .carbons = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_SENT },
	{ "sent, not eligible", .available = YES, .carbons = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .body = YES,
	    .form = FORM_NOTHING },
	{ "sent, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .body = YES,
	    .form = FORM_NOTE },
	{ "sent, encrypted, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .encrypted = YES,
	    .form = FORM_NOTE },
	{ "sent, no body, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_NOTHING },
	{ "sent, not available, no carbons", .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .body = YES,
	    .form = FORM_NOTHING },
	{ "sent to a room", .available = YES, .carbons = YES, .in_room = YES,
	    .direction = DIR_OUT, .type = TYPE_GROUPCHAT, .eligible = YES,
	    .body = YES, .form = FORM_NOTHING },
	{ "sent to an occupant, in the room", .available = YES, .in_room = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .room_private = YES,
	    .eligible = YES, .body = YES, .form = FORM_NOTE },
};

static void
put_session(struct session *s, const struct form_case *c)
{
	s->available = c->available;
	s->carbons = c->carbons;
	s->priority = c->priority;
	directed_clear(&s->directed);
	if (c->in_room)
		assert_true(directed_add(&s->directed, "room@m.example/me", 0,
		    true, "<presence/>", 1));
}

/* As it was: a session without presence. */
static void
put_back(struct session *s)
{
	put_session(s, &(struct form_case){ 0 });
}

static struct entry *
make_entry(const struct session *s, const struct form_case *c)
{
	struct entry *e = entry_new();

	e->account = LIST_FIRST(&s->user->accounts)->id;
	e->direction = c->direction;
	e->type = c->type;
	e->peer = mem_strdup(c->room_private || c->type == TYPE_GROUPCHAT ?
		"room@m.example/bob" :
		"bob@b.example/x");
	e->is_eligible = c->eligible;
	e->has_body = c->body;
	e->is_encrypted = c->encrypted;
	e->is_event = c->event;
	e->is_room_private = c->room_private;
	e->origin = c->own ? s->id : 0;
	e->only = c->to_other ? s->id + 1000 : 0;
	return e;
}

static void
the_form_depends_on_session_and_message(void **state)
{
	const struct form_case *c;
	const char *reason;
	struct session *s;
	struct entry *e;

	TALK(state, "connect C1");
	s = talk_session(state, "C1");
	for (c = forms; c < forms + sizeof(forms) / sizeof(forms[0]); c++) {
		put_session(s, c);
		e = make_entry(s, c);
		reason = NULL;
		if (fanout_form(s, e, &reason) != c->form)
			fail_msg("%s: %s", c->name, reason);
		assert_non_null(reason);
		entry_unref(&e);
	}
	put_back(s);
}

/* XEP-0280 6.1: those who are not there cannot answer. */
static void
a_private_message_to_a_room_is_for_those_in_it(void **state)
{
	struct form_case c = { .available = true,
		.carbons = true,
		.direction = DIR_OUT,
		.type = TYPE_CHAT,
		.eligible = true,
		.body = true,
		.room_private = true };
	struct entry *e;
	const char *reason;

	TALK(state, "connect C1", "connect C2");
	put_session(talk_session(state, "C1"), &c);
	c.in_room = true;
	put_session(talk_session(state, "C2"), &c);
	e = make_entry(talk_session(state, "C1"), &c);
	assert_int_equal(fanout_form(talk_session(state, "C1"), e, &reason),
	    FORM_NOTHING);
	assert_int_equal(fanout_form(talk_session(state, "C2"), e, &reason),
	    FORM_SENT);
	entry_unref(&e);
	put_back(talk_session(state, "C1"));
	put_back(talk_session(state, "C2"));
}

static void
with_mirror_off_there_are_no_notes(void **state)
{
	TALK(state, "user mirror=off", "login C1", "login C2",
	    "login C3 carbons",
	    "C1> <message to='bob@b.example' type='chat' id='1'><body>x</body>"
	    "</message>",
	    "C3<~ <message ...>...</message>", "drain S", "nothing");
}

static void
another_account_is_none_of_its_business(void **state)
{
	struct form_case c = { .available = true, .type = TYPE_CHAT };
	const char *reason;
	struct entry *e;

	TALK(state, "connect C1");
	put_session(talk_session(state, "C1"), &c);
	e = make_entry(talk_session(state, "C1"), &c);
	e->account += 1000;
	assert_int_equal(fanout_form(talk_session(state, "C1"), e, &reason),
	    FORM_NOTHING);
	entry_unref(&e);
	put_back(talk_session(state, "C1"));
}

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
	assert_int_equal(s->ring_count, 16);
	assert_true(s->cursor < history_next(s->user->history));
	assert_int_equal(conn_queued_frames(stream_conn(s->stream)), 16);
	TALK(state, "unstall C1",
	    "repeat 200 " GOT("C1", "m{n}", "{n} {pad:100}"), "nothing");
	assert_int_equal(s->cursor, history_next(s->user->history));
	fanout_settle(s);
	assert_int_equal(s->user->reached + 1, history_next(s->user->history));
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

/* Its places are used again and again. */
static void
the_ring_wraps(void **state)
{
	struct session *s;
	unsigned i;

	TALK(state, "limits queue-frames=16", "login C1");
	s = talk_session(state, "C1");
	for (i = 0; i < 3; i++) {
		TALK(state, "repeat 11 " CHAT("m{n}", "{n}"),
		    "repeat 11 " GOT("C1", "m{n}", "{n}"));
		assert_in_range(s->ring_count, 1, 16);
	}
	fanout_settle(s);
	assert_int_equal(s->ring_count, 0);
	assert_null(s->ring);
	assert_int_equal(s->user->reached, 33);
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
	    "repeat 100 " CHAT("m{n}", "{n}"), "connect C2", "C2> <presence/>",
	    "C2< <presence ...>...</presence>",
	    "logged event=missed entries=", GOT_LATE("C2", "m81", "81"),
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
	    "repeat 100 " CHAT("m{n}", "{n} {pad:2000}"));
	h = talk_user(state)->history;
	assert_int_equal(history_next(h), 101);
	assert_in_range(history_bytes(h), 60000, 65536);
	TALK(state, "connect C2", "C2> <presence/>",
	    "C2< <presence ...>...</presence>", "logged event=missed",
	    "C2<~ <message id='m100' ...>...</message>", "drain");
}

/* --- what reached nobody --- */

/* Written is enough, also where the client goes at once. */
static void
what_one_session_got_is_not_for_the_next(void **state)
{
	TALK(state, "login C1", CHAT("m1", "1"), GOT("C1", "m1", "1"),
	    "lose C1", CHAT("m2", "2"), "drain", "connect C2",
	    "C2> <presence/>", "C2< <presence ...>...</presence>",
	    GOT_LATE("C2", "m2", "2"), "nothing C2", "lose C2", "connect C3",
	    "C3> <presence/>", "C3< <presence ...>...</presence>", "nothing C3",
	    "drain S");
}

/* The later one that was delivered does not take the earlier along. */
static void
one_that_was_passed_over_is_not_lost(void **state)
{
	TALK(state, "login C1 priority=-1", CHAT("m1", "1"),
	    "C1> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>mine</body></message>",
	    "drain", "login C2");
	fanout_settle(talk_session(state, "C2"));
	assert_int_equal(talk_user(state)->reached, 2);
	TALK(state, "logout C2", "logout C1", "connect C3", "C3> <presence/>",
	    "C3< <presence ...>...</presence>", "nothing C3", "drain");
}

static void
what_was_passed_over_comes_with_a_delay_once(void **state)
{
	TALK(state, "login C1 priority=-1", CHAT("m1", "1"),
	    "C1> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>mine</body></message>",
	    "drain");
	assert_int_equal(talk_user(state)->reached, 0);
	TALK(state, "connect C2", "C2> <presence/>",
	    "C2< <presence from='$C2' ...>...</presence>",
	    "C2< <presence from='$C1' ...>...</presence>",
	    GOT_LATE("C2", "m1", "1"), "nothing C2", "drain", "C1> <presence/>",
	    "C1< <presence ...>...</presence>", "nothing C1", "drain");
}

/* In flight to a session is got by it, even before it is written. */
static void
a_session_that_takes_more_gets_nothing_twice(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1", "stall C1",
	    "repeat 12 " CHAT("m{n}", "{n} {pad:300}"),
	    "C1> <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/>"
	    "</iq>",
	    "unstall C1", "C1<~ <iq type='result' id='c' ...>...</iq>",
	    "repeat 12 " GOT("C1", "m{n}", "{n} {pad:300}"), "nothing");
}

/* XEP-0280 9: for one session, which went without it. */
static void
a_private_message_survives_its_session(void **state)
{
	TALK(state, "login C1", "stall C1",
	    "repeat 30 S> <message from='bob@b.example/x' to='$S' type='chat' "
	    "id='p{n}'><body>{pad:300}</body>"
	    "<private xmlns='urn:xmpp:carbons:2'/></message>",
	    "login C2", "nothing C2", "lose C1", "drain", "connect C3",
	    "C3> <presence/>", "C3<~ <message id='p30' ...>...</message>",
	    "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(the_form_depends_on_session_and_message),
		talk_test(a_private_message_to_a_room_is_for_those_in_it),
		talk_test(with_mirror_off_there_are_no_notes),
		talk_test(another_account_is_none_of_its_business),
		talk_test(a_window_of_frames_is_crossed_and_refilled_in_order),
		talk_test(a_window_of_bytes_is_crossed_and_refilled_in_order),
		talk_test(the_ring_wraps),
		talk_test(live_messages_pass_by_those_that_are_behind),
		talk_test(one_too_far_behind_is_closed_with_a_word),
		talk_test(who_comes_too_late_begins_at_the_floor),
		talk_test(the_log_is_bounded_in_bytes),
		talk_test(what_one_session_got_is_not_for_the_next),
		talk_test(one_that_was_passed_over_is_not_lost),
		talk_test(what_was_passed_over_comes_with_a_delay_once),
		talk_test(a_session_that_takes_more_gets_nothing_twice),
		talk_test(a_private_message_survives_its_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
