/*
 * Events that are kept (the dialogues events_*.xt show the rest): followers, their place,
 * and what is on disk.
 */
#include "support_talk.h"

#include "core/event_list.h"
#include "core/store.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

#define NODE "urn:a"
#define BEGIN \
	"sm", "roster <item jid='bob@b.example' subscription='both'/>", \
	    "can C1 " NODE "+notify", "can C2 " NODE "+notify"
#define EVENT_OF(id, item, text) \
	"S> <message from='bob@b.example' to='$S' type='headline' id='" id \
	"'><event xmlns='" NS_PUBSUB_EVENT "'><items node='" NODE \
	"'><item id='" item "'><v xmlns='urn:v'>" text \
	"</v></item></items></event></message>"

static struct event_node *
node_of(void **state)
{
	struct user *u = talk_user(state);

	return event_node_find(u->events, talk_account(state)->id,
	    "bob@b.example", NODE);
}

/* All that came is dropped. */
static unsigned
count_of(struct peer *p, enum stanza_kind kind)
{
	unsigned count = 0;
	struct elem *e;

	while ((e = peer_next(p)) != NULL) {
		count += stanza_kind(e) == kind;
		peer_drop(p, e);
	}
	return count;
}

static unsigned
count_messages(void **state, const char *name)
{
	return count_of(&rig_client(talk_rig(state), name)->peer,
	    STANZA_MESSAGE);
}

/* What fitted before, and the latest of each item: not those between. */
static void
who_does_not_read_gets_the_latest(void **state)
{
	TALK(state, "limits queue-frames=16", BEGIN, "login C1 caps",
	    "login C2 caps", "stall C1",
	    "repeat 60 " EVENT_OF("x{n}", "x", "{n} {pad:100}"),
	    EVENT_OF("y", "y", "1"));
	assert_false(session_has_room(talk_session(state, "C1")));
	assert_int_equal(count_messages(state, "C2"), 61);
	TALK(state, "unstall C1", "C1<~ <message id='x60' ...>...</message>",
	    "C1<~ <message id='y' ...>...</message>");
	assert_in_range(count_messages(state, "C1"), 1, 40);
	TALK(state, "nothing", EVENT_OF("z", "z", "1"),
	    "C1,C2< <message id='z' ...>...</message>", "nothing");
}

static void
a_node_has_so_many_items(void **state)
{
	TALK(state, BEGIN, "login C1 caps",
	    "repeat 40 " EVENT_OF("e{n}", "{n}", "x"), "drain");
	assert_int_equal(node_of(state)->count, EVENTS_PER_NODE);
	assert_null(event_find(node_of(state), "24"));
	assert_non_null(event_find(node_of(state), "25"));
	assert_string_equal(event_last(node_of(state))->item, "40");
	TALK(state, "wait 1s", "kill", "drain");
	assert_int_equal(node_of(state)->count, EVENTS_PER_NODE);
	assert_string_equal(event_last(node_of(state))->item, "40");
}

/* Its place is what it has acknowledged, with whatever comes next. */
static void
its_place_is_kept(void **state)
{
	struct session *s;

	TALK(state, BEGIN, "login C1 caps sm", EVENT_OF("1", "x", "1"),
	    EVENT_OF("2", "x", "2"), "drain");
	s = talk_session(state, "C1");
	assert_true(s->events_got < s->events_told);
	TALK(state, "wait 6s");
	assert_true(s->events_got == s->events_told);
	TALK(state, "wait 1s", "kill");
	s = talk_session(state, "C1");
	assert_true(s->events_told > 0);
	assert_null(event_after(s->user->events, s->events_told));
	TALK(state, "resume C1", "nothing C1", "drain");
}

/* What it was told before counts as got: numbers begin anew. */
static void
enabling_in_the_middle(void **state)
{
	const struct session *s;

	TALK(state, BEGIN, "login C1 caps", EVENT_OF("1", "x", "1"),
	    "C1< <message id='1' ...>...</message>",
	    "C1> <enable xmlns='urn:xmpp:sm:3' resume='true'/>", "drain");
	s = talk_session(state, "C1");
	assert_true(s->events_got == s->events_told);
	TALK(state, EVENT_OF("2", "x", "2"), "drain");
	assert_true(s->events_got < s->events_told);
	TALK(state, "C1> <a xmlns='urn:xmpp:sm:3' h='1'/>");
	assert_true(s->events_got == s->events_told);
}

/* The last ones are not kept any more: those that come have higher numbers. */
static void
numbers_do_not_go_back(void **state)
{
	struct session *s;
	uint64_t told;

	TALK(state, BEGIN, "login C1 caps sm",
	    "repeat 5 " EVENT_OF("{n}", "{n}", "1"), "wait 6s", "drain");
	told = talk_session(state, "C1")->events_told;
	/* Of an account that is not there any more, as it were. */
	events_forget(talk_account(state));
	s = talk_session(state, "C1");
	events_restore(s, told + 100);
	TALK(state, EVENT_OF("n", "n", "1"),
	    "C1< <message id='n' ...>...</message>", "nothing C1");
	assert_true(s->events_told > told + 100);
}

/* Who is nobody's contact has nothing kept. */
static void
strangers_are_not_kept(void **state)
{
	TALK(state, "can C1 " NODE "+notify", "login C1 caps",
	    EVENT_OF("1", "x", "1"), "C1< <message id='1' ...>...</message>");
	assert_null(node_of(state));
}

static void
put(void **state, const char *key, const void *value, size_t len)
{
	struct account *a = talk_account(state);

	batch_put(&a->user->proxy->batch, STATE_EVENT, a->id, key, strlen(key),
	    value, len);
}

/* Whatever stands on disk is no reason to end. */
static void
what_is_damaged_is_not_there(void **state)
{
	TALK(state, BEGIN, "login C1 caps", EVENT_OF("1", "x", "1"), "drain",
	    "wait 1s");
	put(state, "0000000a", "", 0);
	put(state, "0000000b", "\x06urn:a", 6);
	put(state, "0000000c", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10);
	TALK(state, EVENT_OF("2", "y", "1"), "wait 1s", "kill", "drain");
	assert_int_equal(node_of(state)->count, 2);
}

#define MDS "urn:xmpp:mds:displayed:0"

/* What the event names is looked for in the log, which the session reads just now. */
static void
an_event_before_what_is_far_behind(void **state)
{
	TALK(state, "limits queue-frames=16", BEGIN,
	    "info <identity category='account' type='registered'/>"
	    "<feature var='urn:xmpp:mam:2'/>",
	    "can C1 " MDS "+notify", "login C1 caps view=node",
	    "S> <message from='bob@b.example/x' to='$S' id='m0' type='chat'>"
	    "<body>0</body><stanza-id xmlns='urn:xmpp:sid:0' id='s0' "
	    "by='alice@a.example'/></message>",
	    "drain", "C1> <inactive xmlns='urn:xmpp:csi:0'/>", "stall C1",
	    "repeat 200 S> <message from='bob@b.example/x' to='$S' id='m{n}' "
	    "type='chat'><body>{n}</body></message>",
	    "S> <message from='alice@a.example' to='$S' type='headline' "
	    "id='e'><event xmlns='" NS_PUBSUB_EVENT "'><items node='" MDS
	    "'><item id='bob@b.example'><displayed xmlns='" MDS
	    "'><stanza-id xmlns='urn:xmpp:sid:0' id='s0' "
	    "by='alice@a.example'/></displayed></item></items></event>"
	    "</message>",
	    "unstall C1", "C1<~ <message id='e' ...>...</message>",
	    "C1<~ <message id='m200' ...>...</message>");
	assert_int_equal(count_messages(state, "C1"), 199);
}

/* What waits is not lost because it can do more by the time it comes. */
static void
can_more_while_some_wait(void **state)
{
	TALK(state, BEGIN, "can C1 " NODE "+notify urn:b+notify",
	    "login C1 caps", "can C1 " NODE "+notify", "presence C1 caps",
	    "drain", EVENT_OF("0", "w", "0"),
	    "C1< <message id='0' ...>...</message>",
	    "C1> <inactive xmlns='urn:xmpp:csi:0'/>", EVENT_OF("1", "x", "1"),
	    EVENT_OF("2", "y", "2"), "nothing C1",
	    "can C1 " NODE "+notify urn:b+notify", "presence C1 caps",
	    "C1> <active xmlns='urn:xmpp:csi:0'/>",
	    "C1<~ <message id='1' ...>...</message>",
	    "C1<~ <message id='2' ...>...</message>");
	assert_int_equal(count_messages(state, "C1"), 0);
}

#define TEN(x) \
	x "0+notify " x "1+notify " x "2+notify " x "3+notify " x \
	  "4+notify " x "5+notify " x "6+notify " x "7+notify " x \
	  "8+notify " x "9+notify"

/* Two clients ask for more nodes than are remembered as fetched. */
static void
fetching_comes_to_an_end(void **state)
{
	char get[200], answer[200];

	TALK(state, "limits caps-features=16",
	    "info <identity category='pubsub' type='pep'/>", "can C1 " TEN("a"),
	    "can C2 " TEN("b"), "connect C1", "connect C2", "presence C1 caps",
	    "presence C2 caps");
	for (int i = 0; i < 16; i++) {
		snprintf(get, sizeof(get),
		    "S<~ <iq type='get' id='$f%d' ...>...</iq>", i);
		snprintf(answer, sizeof(answer),
		    "S> <iq type='error' from='alice@a.example' to='$S' "
		    "id='$f%d'><error type='cancel'/></iq>",
		    i);
		TALK(state, get, answer);
	}
	assert_int_equal(count_of(&rig_server(talk_rig(state), "S")->peer,
			     STANZA_IQ),
	    0);
}

#define BOOKMARKS "<items node='" NS_BOOKMARKS "'"

/* What the account's server answers: one bookmark, and those of these numbers. */
static void
answer_bookmarks(void **state, const char *id, unsigned one, unsigned first,
    unsigned last)
{
	struct buf b = { 0 };

	buf_printf(&b,
	    "S> <iq type='result' from='alice@a.example' to='$S' id='$%s'>"
	    "<pubsub xmlns='" NS_PUBSUB "'>" BOOKMARKS
	    "><item id='%u@r.example'/>",
	    id, one);
	for (unsigned i = first; i <= last; i++)
		buf_printf(&b, "<item id='%u@r.example'/>", i);
	buf_puts(&b, "</items></pubsub></iq>");
	TALK(state, b.data);
	buf_free(&b);
}

static void
lose_stream(void **state, const char *asks)
{
	TALK(state, "upstream down", "drain", "upstream up", asks, "drain");
}

/*
 * As many as were asked for need not be all: none is taken back. What is new takes the
 * place of one that is not there any more; what is known is not told again.
 */
static void
of_many_items_what_is_new_is_told(void **state)
{
	TALK(state, "can C1 " NS_BOOKMARKS "+notify", "login C1 nopresence",
	    "C1> <presence>{caps:C1}</presence>",
	    "S<~ <iq id='$f' type='get' ...><pubsub xmlns='" NS_PUBSUB
	    "'>" BOOKMARKS " max_items='256'/></pubsub></iq>",
	    "drain");
	answer_bookmarks(state, "f", 1, 2, 256);
	assert_int_equal(count_messages(state, "C1"), 256);
	lose_stream(state, "S<~ <iq id='$g' type='get' ...>...</iq>");
	answer_bookmarks(state, "g", 1000, 1, 255);
	assert_int_equal(count_messages(state, "C1"), 1);
	lose_stream(state, "S<~ <iq id='$h' type='get' ...>...</iq>");
	answer_bookmarks(state, "h", 1000, 2, 255);
	TALK(state,
	    "C1< <message ...><event xmlns='" NS_PUBSUB_EVENT "'>" BOOKMARKS
	    "><retract id='1@r.example'/></items></event></message>",
	    "nothing");
	/* More than were asked for: so many are looked at. */
	lose_stream(state, "S<~ <iq id='$i' type='get' ...>...</iq>");
	answer_bookmarks(state, "i", 1000, 2, 2000);
	assert_int_equal(count_messages(state, "C1"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(who_does_not_read_gets_the_latest),
		talk_test(a_node_has_so_many_items),
		talk_test(its_place_is_kept),
		talk_test(enabling_in_the_middle),
		talk_test(numbers_do_not_go_back),
		talk_test(strangers_are_not_kept),
		talk_test(what_is_damaged_is_not_there),
		talk_test(an_event_before_what_is_far_behind),
		talk_test(can_more_while_some_wait),
		talk_test(fetching_comes_to_an_end),
		talk_test(of_many_items_what_is_new_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
