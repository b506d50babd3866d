#include "support_client.h"
#include "support_store.h"
#include "support_talk.h"

#include "core/device.h"
#include "core/directed.h"
#include "core/ended.h"
#include "core/history.h"
#include "core/session_sm.h"

#define CHAT(id) \
	"S> <message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>" id "</body></message>"
#define GOT(c, id) c "< <message id='" id "' ...>...</message>"
#define ASK(c, id) \
	c "> <iq type='get' to='bob@b.example/x' id='" id "'>" \
	  "<query xmlns='urn:q'/></iq>"
#define LOST(c, id) \
	c "< <iq type='error' id='" id "' from='bob@b.example/x' ...>" \
	  "{error remote-server-timeout}</iq>"
#define PUSH(id, jid) \
	"S> <iq type='set' id='" id "' to='$S'><query " \
	"xmlns='jabber:iq:roster'><item jid='" jid "'/></query></iq>", \
	    "S<~ <iq type='result' id='" id "' ...>...</iq>"
#define PUSHED(c, name) \
	c "<~ <iq type='set' ...><query xmlns='jabber:iq:roster' ...>" \
	  "<item jid='" name "'/></query></iq>"
/* Long enough for what has changed to be saved, and not for an <r/>. */
#define SAVED "wait 1s"

/* --- all of it --- */

static void
what_a_session_was_it_is_after_a_kill(void **state)
{
	struct session *s;
	uint64_t id, at, device;

	TALK(state, "sm",
	    "login C1 sm carbons priority=-5 show=away resource=phone", SAVED,
	    "wait 1m",
	    "C1> <iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/>"
	    "</iq>",
	    SAVED, "drain");
	s = talk_session(state, "C1");
	id = s->id;
	device = s->device->id;
	at = clock_now() - s->presence_at;
	TALK(state, "kill", "drain");
	s = talk_session(state, "C1");
	assert_true(s->id == id);
	assert_true(s->asleep && s->is_restored);
	assert_null(s->stream);
	assert_ptr_equal(s->account, talk_account(state));
	assert_string_equal(s->resource, "phone");
	assert_string_equal(s->full, "alice@a.example/phone");
	assert_true(s->device->id == device);
	assert_int_equal(s->sm_max, 600);
	assert_true(s->carbons && s->wants_roster && s->wants_blocks);
	assert_true(s->available && s->following);
	assert_int_equal(s->priority, -5);
	assert_int_equal(s->show, SHOW_AWAY);
	assert_int_equal(clock_now() - s->presence_at, at);
	assert_string_equal(elem_child_text(s->presence, NS_CLIENT, "show"),
	    "away");
	assert_string_equal(elem_lang(s->presence), "en");
	TALK(state, "resume C1", "drain");
	s = talk_session(state, "C1");
	assert_false(s->asleep || s->is_restored);
}

static void
in_node_view_too(void **state)
{
	TALK(state, "sm", "connect C1 view=node sm", "C1> <presence/>", SAVED,
	    "drain", "kill", "resume C1", "drain");
	assert_null(talk_session(state, "C1")->account);
	assert_string_equal(talk_session(state, "C1")->bare,
	    "alice@proxy.example");
}

static void
numbers_go_on(void **state)
{
	struct session *s;
	uint64_t in, cursor, live_from;

	TALK(state, "sm", "login C1 sm=mute", CHAT("m1"), CHAT("m2"),
	    GOT("C1", "m1"), GOT("C1", "m2"),
	    "C1> <a xmlns='urn:xmpp:sm:3' "
	    "h='4'/>",
	    SAVED);
	s = talk_session(state, "C1");
	in = s->sm.in;
	cursor = s->cursor;
	live_from = s->live_from;
	assert_int_equal(s->flights.entries, 1);
	TALK(state, "kill");
	s = talk_session(state, "C1");
	assert_true(
	    s->sm.in == in && s->cursor == cursor && s->live_from == live_from);
	assert_int_equal(s->sm.acked, 4);
	assert_int_equal(s->sm.out, 5);
	assert_int_equal(s->flights.count, 1);
	assert_int_equal(flights_first(&s->flights)->number, 5);
	assert_int_equal(flights_first(&s->flights)->seq, 2);
	TALK(state, "resume C1", "nothing C1", "unacked C1 1");
}

/* Sent before <enable/>: got with whatever is acknowledged first. */
static void
what_has_no_number_is_saved_as_well(void **state)
{
	struct session *s;

	TALK(state, "sm", "connect C1", "C1> <presence/>", CHAT("m1"),
	    "C1> <enable xmlns='urn:xmpp:sm:3' resume='true'/>", CHAT("m2"),
	    SAVED, "drain", "kill");
	s = LIST_FIRST(&talk_user(state)->sessions);
	assert_int_equal(s->flights.count, 2);
	assert_int_equal(flights_at(&s->flights, 0)->number, 0);
	assert_int_equal(flights_at(&s->flights, 0)->seq, 1);
	assert_int_equal(flights_at(&s->flights, 1)->number, 1);
	assert_int_equal(flights_at(&s->flights, 1)->seq, 2);
}

/* A run of hundreds, with holes in the numbers. */
static void
all_that_is_in_flight_is_saved(void **state)
{
	struct session *s;
	const struct flight *f;

	TALK(state, "sm", "login C1 sm=mute", "repeat 100 " CHAT("m{n}"),
	    "C1> <iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
	    "repeat 60 " CHAT("n{n}"), SAVED, "drain C1", "kill");
	s = talk_session(state, "C1");
	assert_int_equal(s->flights.count, 160);
	for (uint32_t i = 0; (f = flights_at(&s->flights, i)) != NULL; i++) {
		assert_int_equal(f->seq, i + 1);
		assert_int_equal(f->number, i + 4 + (i >= 100));
	}
	TALK(state, "resume C1", "nothing C1");
}

/* --- custody over it --- */

/* What the client did not get comes from the log; nothing comes twice. */
static void
messages_come_again_from_the_log(void **state)
{
	TALK(state, "sm", "login C1 sm", CHAT("m1"), GOT("C1", "m1"),
	    "stall C1", CHAT("m2"), CHAT("m3"), "kill down", CHAT("m4"),
	    "start", "wait 2s", "resume C1", GOT("C1", "m2"), GOT("C1", "m3"),
	    GOT("C1", "m4"), "wait 10s", "nothing C1", "drain");
}

/* Numbering 5: the client has more than was saved: accepted, once. */
static void
more_than_was_saved_may_be_acknowledged_once(void **state)
{
	TALK(state, "sm", "login C1 sm=mute", SAVED,
	    "repeat 5 C1> <iq type='get' id='p{n}'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>",
	    "repeat 5 C1< <iq type='result' id='p{n}' ...>...</iq>", "kill",
	    "drain", "resume C1", "drain", "lose C1",
	    "refused C1 undefined-condition resume h=1000", "resume C1",
	    "drain");
}

/* What one client does is handled once, whatever happened between. */
static void
what_was_handled_is_not_handled_again(void **state)
{
	TALK(state, "sm", "login C1 sm",
	    "C1> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>1</body></message>",
	    "S< <message id='o1' ...>...</message>", "kill", "resume C1",
	    "unacked C1 1", "drain C1", "nothing");
}

static void
requests_whose_answer_is_lost_get_an_error(void **state)
{
	TALK(state, "sm", "login C1 sm", ASK("C1", "1"), ASK("C1", "2"), SAVED,
	    "drain", "kill", "resume C1", LOST("C1", "1"), LOST("C1", "2"),
	    "wait 10s", "nothing C1");
	assert_int_equal(talk_session(state, "C1")->open_iqs.count, 0);
	TALK(state, "drain");
}

/* The errors were lost, too. */
static void
and_again_where_that_is_lost(void **state)
{
	TALK(state, "sm", "login C1 sm", ASK("C1", "1"), ASK("C1", "2"), SAVED,
	    "drain", "kill", "resume C1", "drain C1", "stall C1", "lose C1",
	    "kill", "drain");
	assert_int_equal(talk_session(state, "C1")->open_iqs.count, 2);
}

/* One that it has got is none of them. */
static void
answers_that_were_got_are_not_asked_for(void **state)
{
	TALK(state, "sm", "login C1 sm", ASK("C1", "1"),
	    "S< <iq id='$q' ...>...</iq>",
	    "S> <iq type='result' id='$q' from='bob@b.example/x' to='$S'/>",
	    "C1< <iq type='result' id='1' ...>...</iq>", "kill", "resume C1",
	    "nothing C1", "drain");
}

/* Answered while it was away: each answer is known by itself. */
static void
an_answer_that_waits_is_not_taken_for_another(void **state)
{
	struct session *s;

	TALK(state, "sm", "login C1 sm", ASK("C1", "1"), ASK("C1", "2"),
	    "S< <iq id='$a' ...>...</iq>", "S< <iq id='$b' ...>...</iq>",
	    "lose C1",
	    "S> <iq type='result' id='$b' from='bob@b.example/x' to='$S'/>",
	    "S> <iq type='result' id='$a' from='bob@b.example/x' to='$S'/>");
	s = talk_session(state, "C1");
	TALK(state, "resume C1", "C1< <iq type='result' id='2' ...>...</iq>",
	    "C1< <iq type='result' id='1' ...>...</iq>");
	assert_int_equal(TAILQ_FIRST(&s->open_iqs.all)->number, s->sm.out);
	TALK(state, "drain");
}

/* --- state that it is told anew --- */

static void
a_roster_that_was_asked_for_is_pushed(void **state)
{
	TALK(state, "sm", "connect C1 sm=mute",
	    "C1> <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
	    "C1< <iq id='r' ...>...</iq>", SAVED, "kill", "resume C1",
	    PUSH("1", "new@b.example"), PUSHED("C1", "new@b.example"), "drain");
}

/* The roster is not known yet: one that was restored can wait for it. */
static void
a_roster_may_be_waited_for(void **state)
{
	TALK(state, "off S", "connect C1 sm", "kill", "resume C1",
	    "C1> <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
	    "wait 29s", "nothing C1", "wait 1s",
	    "C1< <iq type='error' id='r' ...>...</iq>", "drain");
}

static void
what_changed_meanwhile_is_told(void **state)
{
	TALK(state, "sm",
	    "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1 sm", "login C2",
	    "S> <presence from='bob@b.example/x' to='$S'/>",
	    "S> <presence from='bob@b.example/y' to='$S'/>", "drain", "wait 6s",
	    "kill down",
	    "S> <iq type='set' id='1' to='$S'><query xmlns='jabber:iq:roster'>"
	    "<item jid='new@b.example'/></query></iq>",
	    "S> <presence from='bob@b.example/x' to='$S' type='unavailable'/>",
	    "start", "wait 2s", "resume C1", PUSHED("C1", "new@b.example"),
	    "C1<~ <presence from='bob@b.example/x' to='$C1' "
	    "type='unavailable'/>",
	    "C1<~ <presence from='bob@b.example/y' to='$C1'/>", "drain");
}

/* The stream that told of them does not go on: they are gone until told otherwise. */
static void
contacts_of_a_stream_that_is_over_are_gone(void **state)
{
	TALK(state, "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1 sm", "S> <presence from='bob@b.example/x' to='$S'/>",
	    "C1< <presence from='bob@b.example/x' ...>...</presence>", SAVED,
	    "kill down", "start", "upstream up", "resume C1",
	    "C1<~ <presence from='bob@b.example/x' to='$C1' "
	    "type='unavailable'/>",
	    "connect C2", "C2> <presence/>",
	    "C2< <presence from='$C2' ...>...</presence>",
	    "C2< <presence from='$C1' ...>...</presence>", "nothing C2",
	    "drain");
}

#define ROOM "<x xmlns='http://jabber.org/protocol/muc'/>"

static void
rooms_are_saved(void **state)
{
	struct directed *d;
	struct session *s;
	TALK(state, "sm", "login C1 sm",
	    "C1> <presence to='room@m.example/me'>" ROOM "</presence>",
	    "C1> <presence to='bob@b.example/x'/>", SAVED, "drain");
	TALK(state, "kill", "drain");
	s = talk_session(state, "C1");
	assert_int_equal(HASH_COUNT(s->directed), 2);
	d = directed_find(s->directed, "room@m.example/me");
	assert_true(d->is_room);
	assert_true(d->account == talk_account(state)->id);
	assert_non_null(strstr(d->xml, "protocol/muc"));
	assert_false(directed_find(s->directed, "bob@b.example/x")->is_room);
	TALK(state, "resume C1",
	    "S> <message from='room@m.example/bob' to='$S' type='groupchat' "
	    "id='g'><body>hi</body></message>",
	    "C1<~ <message id='g' ...>...</message>", "drain");
}

/* Joined and left while the upstream's link was lost: told when it goes on. */
static void
rooms_of_the_meantime_are_told(void **state)
{
	TALK(state, "sm", "login C1 sm",
	    "C1> <presence to='old@m.example/me'>" ROOM "</presence>",
	    "wait 6s", "drain", "upstream down",
	    "C1> <presence to='new@m.example/me'>" ROOM "</presence>",
	    "C1> <presence to='old@m.example/me' type='unavailable'/>",
	    "upstream up",
	    "S<~ <presence to='old@m.example/me' type='unavailable' .../>",
	    "S<~ <presence to='new@m.example/me'>...</presence>", "nothing");
}

/* --- what is not saved --- */

/* One that cannot be resumed leaves no record, nor does one that is over. */
static void
only_those_that_may_come_back_are_there(void **state)
{
	TALK(state, "sm", "login C1", "login C2 sm", "login C3 sm", "close C3",
	    SAVED, "drain", "kill", "drain");
	assert_int_equal(talk_user(state)->session_count, 1);
	assert_true(talk_session(state, "C2")->asleep);
	assert_int_equal(talk_rig(state)->proxy->sessions_open, 0);
}

/* Their time begins anew; then they are over. */
static void
they_do_not_wait_for_ever(void **state)
{
	TALK(state, "limits resume-seconds=60", "sm", "login C1 sm", "lose C1",
	    "wait 30s", "kill", "wait 59s");
	assert_int_equal(talk_user(state)->session_count, 1);
	TALK(state, "wait 1s", "kill", "drain");
	assert_int_equal(talk_user(state)->session_count, 0);
	TALK(state, "unresumed C1 h=3", "drain");
}

/* After SIGTERM it is as after a kill. */
static void
they_survive_a_proper_end(void **state)
{
	TALK(state, "sm", "login C1 sm", "stall C1", CHAT("m1"), "stop",
	    "start", "resume C1", GOT("C1", "m1"), "nothing C1", "drain");
}

/* An account that is gone takes its sessions along. */
static void
without_its_account_it_is_not_there(void **state)
{
	struct core *c = core_new("<user name='alice' passwd='secret'>"
				  "<account jid='alice@a.example' passwd='up' "
				  "host='127.0.0.1' tls='none'/>"
				  "<account jid='alice@b.example' passwd='up' "
				  "host='127.0.0.1' tls='none'/></user>");
	struct core_client cl, node;

	(void)state;
	client_begin(&cl, c, CORE_PEER, "a.example", "alice", "secret", "r");
	client_say(&cl, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
	client_login(&node, c, "alice", "n");
	client_say(&node, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
	core_wait(c, 1000);
	/* In memory, so that it is another proxy on the same store. */
	proxy_abandon(&c->proxy);
	loop_free(&c->loop);
	c->loop = loop_new(NULL);
	store_reopened(c->store);
	c->proxy = proxy_new(c->loop,
	    core_config("<user name='alice' passwd='secret'>"
			"<account jid='alice@b.example' passwd='up' "
			"host='127.0.0.1' tls='none'/></user>"),
	    c->store,
	    &(struct proxy_env){ core_dial_new, core_dial_next, core_dial_free,
		core_work, c },
	    modules);
	assert_int_equal(core_user(c, "alice")->session_count, 1);
	client_end(&cl);
	client_end(&node);
	core_free(c);
}

/* Numbering 8: commits may have been lost, so nothing is resumed; h is still told. */
static void
after_another_boot_nothing_is_resumed(void **state)
{
	char *path = store_fresh_path();
	struct core *c = core_new_in(path, CORE_ALICE(""));
	struct core_client cl;
	struct user *u;

	(void)state;
	client_login(&cl, c, "alice", "r");
	client_say(&cl, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
	client_say(&cl, "<presence/>");
	core_wait(c, 1000);
	core_kill(c);
	store_change(path,
	    "UPDATE meta SET value = 'other' WHERE key = 'boot'");
	core_start(c, CORE_ALICE(""));
	core_run(c);
	u = core_user(c, "alice");
	assert_int_equal(u->session_count, 0);
	assert_int_equal(u->ended_count, 1);
	assert_int_equal(TAILQ_FIRST(&u->ended)->in, 1);
	client_end(&cl);
	core_free(c);
	free(path);
}

/* The same on a file, closed and opened. */
static void
after_the_same_boot_it_is(void **state)
{
	char *path = store_fresh_path();
	struct core *c = core_new_in(path, CORE_ALICE(""));
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	client_say(&cl, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
	core_wait(c, 1000);
	core_kill(c);
	core_start(c, CORE_ALICE(""));
	core_run(c);
	assert_int_equal(core_user(c, "alice")->session_count, 1);
	client_end(&cl);
	core_free(c);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(what_a_session_was_it_is_after_a_kill),
		talk_test(in_node_view_too),
		talk_test(numbers_go_on),
		talk_test(what_has_no_number_is_saved_as_well),
		talk_test(all_that_is_in_flight_is_saved),
		talk_test(messages_come_again_from_the_log),
		talk_test(more_than_was_saved_may_be_acknowledged_once),
		talk_test(what_was_handled_is_not_handled_again),
		talk_test(requests_whose_answer_is_lost_get_an_error),
		talk_test(and_again_where_that_is_lost),
		talk_test(answers_that_were_got_are_not_asked_for),
		talk_test(an_answer_that_waits_is_not_taken_for_another),
		talk_test(a_roster_that_was_asked_for_is_pushed),
		talk_test(a_roster_may_be_waited_for),
		talk_test(what_changed_meanwhile_is_told),
		talk_test(contacts_of_a_stream_that_is_over_are_gone),
		talk_test(rooms_are_saved),
		talk_test(rooms_of_the_meantime_are_told),
		talk_test(only_those_that_may_come_back_are_there),
		talk_test(they_do_not_wait_for_ever),
		talk_test(they_survive_a_proper_end),
		cmocka_unit_test(without_its_account_it_is_not_there),
		cmocka_unit_test(after_another_boot_nothing_is_resumed),
		cmocka_unit_test(after_the_same_boot_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
