#include "support_talk.h"

#include "core/device.h"
#include "core/directed.h"
#include "core/history.h"
#include "core/playback.h"

#define FROM_BOB(c, id) \
	c "< <message from='bob@b.example/x' to='alice@a.example' " \
	  "type='chat' id='" id "'>"
#define CHAT(id) \
	"S> <message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>" id "</body></message>"
#define GOT(c, id)  FROM_BOB(c, id) "<body>" id "</body></message>"
#define LATE(c, id) FROM_BOB(c, id) "<body>" id "</body>{DELAY}</message>"
/* Available to messages sent to it; nobody else hears anything of interest. */
#define PRESENCE(c) \
	c "> <presence/>", c "< <presence from='$" c "' ...>...</presence>"
/* As long as it takes for what came to be acknowledged: by a ping. */
#define ACKS "wait 6s"
/* Not eligible for carbons: with a negative priority it passes by. */
#define PASSING(id) \
	"S> <message from='bob@b.example/x' to='alice@a.example' id='" id \
	"'><thing xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/></message>"

static struct device *
device(void **state, const char *resource)
{
	struct device *d;

	TAILQ_FOREACH(d, &talk_user(state)->devices, next) {
		if (strcmp(d->resource, resource) == 0)
			return d;
	}
	fail_msg("no device %s", resource);
	return NULL;
}

/* --- a device that was never here --- */

/* It may be one that reads the archive: it gets five seconds to say so. */
static void
an_unknown_one_gets_what_reached_nobody(void **state)
{
	TALK(state, "login C1", "logout C1", CHAT("m1"), CHAT("m2"),
	    "connect C2", PRESENCE("C2"), "wait 4900ms", "nothing C2",
	    "wait 100ms", LATE("C2", "m1"), LATE("C2", "m2"), "nothing C2",
	    CHAT("m3"), GOT("C2", "m3"), "drain");
}

static void
with_nothing_to_get_it_begins_at_once(void **state)
{
	TALK(state, "login C1", CHAT("m1"), GOT("C1", "m1"), ACKS, "logout C1",
	    "connect C2", PRESENCE("C2"), CHAT("m2"), GOT("C2", "m2"), "drain");
}

static void
what_comes_while_it_is_held_comes_in_order(void **state)
{
	TALK(state, "login C1", "logout C1", CHAT("m1"), "connect C2",
	    PRESENCE("C2"), CHAT("m2"), "nothing C2", "wait 5s",
	    LATE("C2", "m1"), LATE("C2", "m2"), CHAT("m3"), GOT("C2", "m3"),
	    "drain");
}

/* What one has acknowledged is not for the next. */
static void
what_one_got_is_not_for_the_next(void **state)
{
	TALK(state, "login C1", CHAT("m1"), GOT("C1", "m1"), ACKS, "lose C1",
	    CHAT("m2"), "drain", "connect C2", PRESENCE("C2"), "wait 5s",
	    LATE("C2", "m2"), "nothing C2", ACKS, "lose C2", "connect C3",
	    PRESENCE("C3"), "wait 20s", "nothing C3", "drain S");
}

/* "Written" proves nothing: half-open links swallow a socket's buffer. */
static void
written_is_not_got(void **state)
{
	TALK(state, "login C1", CHAT("m1"), GOT("C1", "m1"), "lose C1", "drain",
	    "connect C2", PRESENCE("C2"), "wait 5s", LATE("C2", "m1"),
	    "nothing C2", "drain");
}

/* But whoever takes its leave has read what came before. */
static void
who_said_goodbye_has_got_all(void **state)
{
	TALK(state, "login C1", CHAT("m1"), GOT("C1", "m1"), "close C1",
	    "drain", "connect C2", PRESENCE("C2"), "wait 20s", "nothing C2",
	    "drain");
}

/* playback-new */
static void
it_may_get_some_of_before(void **state)
{
	TALK(state, "limits playback-new=2", "login C1", CHAT("m1"), CHAT("m2"),
	    CHAT("m3"), ACKS, "logout C1", "connect C2", PRESENCE("C2"),
	    "wait 5s", LATE("C2", "m2"), LATE("C2", "m3"), "nothing C2",
	    "drain");
}

/* --- a device that is known --- */

/* At once, though others have got it. */
static void
a_known_one_goes_on_where_it_was(void **state)
{
	TALK(state, "login C1", CHAT("m1"), ACKS, "logout C1", "login C2",
	    CHAT("m2"), ACKS, "drain", "connect C1", "C1> <presence/>",
	    "C1< <presence from='$C1' ...>...</presence>",
	    "C1< <presence from='$C2' ...>...</presence>", LATE("C1", "m2"),
	    "nothing C1", CHAT("m3"), GOT("C1", "m3"), "drain");
	assert_true(device(state, "c1")->came_back);
	assert_false(device(state, "c2")->came_back);
}

/* playback-entries: what reached nobody comes in any case. */
static void
not_further_back_than_the_limit(void **state)
{
	TALK(state, "limits playback-entries=5", "login C1",
	    "login C2 priority=-1", PASSING("m0"), ACKS, "logout C1",
	    "repeat 3 " CHAT("m{n}"), "connect C3", "C3> <presence/>",
	    "wait 6s", "drain", "repeat 6 " CHAT("n{n}"), ACKS, "logout C3",
	    "drain", CHAT("last"), "drain", "connect C1", "C1> <presence/>",
	    "C1<~ <message id='n3' ...>...</message>",
	    "C1< <presence from='$C1' ...>...</presence>",
	    "C1< <presence from='$C2' ...>...</presence>", LATE("C1", "n4"),
	    LATE("C1", "n5"), LATE("C1", "n6"), LATE("C1", "last"),
	    "nothing C1", "drain");
}

/* playback-days: the same. */
static void
nothing_older_than_the_limit(void **state)
{
	TALK(state, "limits playback-days=1", "login C1", "logout C1",
	    "login C2", CHAT("m1"), ACKS, "logout C2", CHAT("m2"), "wait 1500m",
	    CHAT("m3"), "connect C1", PRESENCE("C1"), LATE("C1", "m2"),
	    LATE("C1", "m3"), "nothing C1", "drain");
}

/* It had them; only that one before them reached nobody brings it back. */
static void
what_it_had_does_not_come_with_what_it_passed_over(void **state)
{
	TALK(state, "login C1 priority=-1 carbons", PASSING("m1"), CHAT("m2"),
	    "C1<~ <message ...>{RECEIVED}...{/RECEIVED}</message>", ACKS,
	    "logout C1");
	assert_int_equal(device(state, "c1")->cursor, 3);
	TALK(state, "connect C1", PRESENCE("C1"),
	    "C1< <message id='m1' ...>...</message>", "nothing C1", "lose C1");
	assert_int_equal(device(state, "c1")->cursor, 3);
	TALK(state, "connect C1", PRESENCE("C1"),
	    "C1< <message id='m1' ...>...</message>", "nothing C1", "drain");
}

/* --- carbons --- */

/* What it had as carbons would come as notes: it gets ten seconds. */
static void
one_that_had_carbons_waits_for_them(void **state)
{
	TALK(state, "login C1 carbons", "login C2", "logout C1",
	    "C2> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>hi</body></message>",
	    ACKS, "drain", "connect C1", "C1> <presence/>", "wait 5s",
	    "C1< <presence from='$C1' ...>...</presence>",
	    "C1< <presence from='$C2' ...>...</presence>", "nothing C1",
	    "C1> <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/>"
	    "</iq>",
	    "C1<~ <message ...>{SENT}...{/SENT}</message>", "drain");
	assert_true(device(state, "c1")->uses_carbons);
}

static void
but_not_for_ever(void **state)
{
	TALK(state, "login C1 carbons", "login C2", "logout C1",
	    "C2> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>hi</body></message>",
	    ACKS, "drain", "connect C1", "C1> <presence/>", "wait 9900ms",
	    "C1< <presence from='$C1' ...>...</presence>",
	    "C1< <presence from='$C2' ...>...</presence>", "nothing C1",
	    "wait 100ms", "C1<~ <message ...>...</message>", "drain");
}

/* Carbons without presence: it follows after a while. */
static void
carbons_without_presence_begin_by_themselves(void **state)
{
	TALK(state, "login C1 carbons nopresence", "wait 5s", CHAT("m1"),
	    "C1< <message ...>{RECEIVED}...{/RECEIVED}</message>", "drain");
}

/* --- the archive --- */

static void
one_that_reads_the_archive_is_not_played_to(void **state)
{
	struct session *s;

	TALK(state, "login C1", "logout C1", CHAT("m1"), "connect C2",
	    PRESENCE("C2"));
	s = talk_session(state, "C2");
	assert_true(s->held);
	playback_archive(s);
	assert_true(s->following);
	assert_int_equal(s->cursor, history_next(s->user->history));
	TALK(state, "wait 20s", "nothing C2", CHAT("m2"), GOT("C2", "m2"),
	    "drain");
	assert_true(device(state, "c2")->uses_archive);
	/* And it is remembered. */
	TALK(state, "logout C2", CHAT("m3"), "connect C2", PRESENCE("C2"),
	    "wait 20s", "nothing C2", CHAT("m4"), GOT("C2", "m4"), "drain");
}

static void
what_it_reads_there_has_reached_somebody(void **state)
{
	TALK(state, "login C1", "logout C1", CHAT("m1"), "connect C2",
	    PRESENCE("C2"));
	playback_archive(talk_session(state, "C2"));
	TALK(state, "connect C3", "C3> <presence/>", "wait 20s", "drain C2",
	    "C3< <presence from='$C3' ...>...</presence>",
	    "C3< <presence from='$C2' ...>...</presence>", "nothing C3",
	    "drain");
}

/* --- more than before --- */

static void
what_was_passed_over_comes_with_a_delay_once(void **state)
{
	TALK(state, "login C1 priority=-1", CHAT("m1"),
	    "C1> <message to='bob@b.example' type='chat' id='o1'>"
	    "<body>mine</body></message>",
	    "drain");
	assert_int_equal(talk_user(state)->reached.low, 0);
	TALK(state, "connect C2", "C2> <presence/>", "wait 5s",
	    "C2< <presence from='$C2' ...>...</presence>",
	    "C2< <presence from='$C1' ...>...</presence>", LATE("C2", "m1"),
	    "nothing C2", "drain", ACKS, "C1> <presence/>",
	    "C1< <presence ...>...</presence>", "nothing C1", "drain");
}

static void
it_gets_what_it_passed_over_and_nobody_else_took(void **state)
{
	TALK(state, "login C1 priority=-1", CHAT("m1"), "nothing C1",
	    PRESENCE("C1"), LATE("C1", "m1"), CHAT("m2"), GOT("C1", "m2"),
	    "nothing C1", "drain");
}

static void
another_negative_priority_is_no_more(void **state)
{
	struct session *s;
	uint64_t before;

	TALK(state, "login C1 priority=-1", CHAT("m1"), "nothing C1");
	s = talk_session(state, "C1");
	before = s->live_from;
	TALK(state, "C1> <presence><priority>-2</priority></presence>",
	    "C1< <presence ...>...</presence>", "nothing C1", "drain");
	assert_int_equal(s->live_from, before);
}

/* In flight to a session is not owed to it once more. */
static void
a_session_that_takes_more_gets_nothing_twice(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1", "stall C1",
	    "repeat 12 " CHAT("m{n}"),
	    "C1> <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/>"
	    "</iq>",
	    "unstall C1", "C1<~ <iq type='result' id='c' ...>...</iq>",
	    "repeat 12 " GOT("C1", "m{n}"), "nothing");
}

#define CARBONS_ON(c) \
	c "> <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"

/* In the middle of what it has missed it asks for more: it still gets all of that. */
static void
what_is_still_to_come_stays_so(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1 carbons priority=-1",
	    "logout C1", "login C2 carbons priority=-1", PASSING("x"),
	    "repeat 40 " CHAT("m{n}"), ACKS, "drain", "connect C1", "stall C1",
	    CARBONS_ON("C1"),
	    "C1> <presence><priority>-1</priority></presence>",
	    "C1> <presence/>", "unstall C1",
	    "C1<~ <message id='x' ...>...</message>",
	    "C1<~ <message id='m30' ...>...</message>",
	    "C1<~ <message id='m40' ...>...</message>", "drain");
}

/* Custody: what was lost on the stream comes again, whatever is owed besides. */
static void
what_is_in_flight_comes_again_all_the_same(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1 sm carbons priority=-1",
	    "stall C1", "repeat 8 " CHAT("a{n}"), PASSING("x"),
	    "repeat 8 " CHAT("b{n}"), "C1> <presence/>", "lose C1", "resume C1",
	    "repeat 8 C1<~ <message id='a{n}' ...>...</message>",
	    "repeat 4 C1<~ <message id='b{n}' ...>...</message>",
	    "C1<~ <message id='x' ...>...</message>",
	    "C1<~ <message id='b8' ...>...</message>", "drain");
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
	    "C3> <presence/>", "wait 5s",
	    "C3<~ <message id='p30' ...>...</message>", "drain");
}

/* --- over a restart --- */

/* The counterpart of what one has got: its cursor is on disk as soon as it has one. */
static void
a_new_device_is_not_new_after_a_kill(void **state)
{
	TALK(state, "login C1", CHAT("m1"), CHAT("m2"), ACKS, "login C2",
	    "wait 1s", "drain");
	assert_int_equal(device(state, "c2")->cursor, 3);
	TALK(state, "kill", "drain", "connect C2", PRESENCE("C2"), "wait 20s",
	    "nothing C2", "drain");
}

/* It was held when the proxy died, and still waits. */
static void
what_was_held_comes_after_a_kill(void **state)
{
	TALK(state, "login C1", "logout C1", CHAT("m1"), "connect C2 sm",
	    "C2> <presence/>", "wait 1s", "kill", "drain", "resume C2",
	    "wait 6s", "C2<~ <message id='m1' ...>...</message>", CHAT("m2"),
	    "C2<~ <message id='m2' ...>...</message>", "drain");
}

/* The proxy dies in the middle of it. */
static void
what_is_owed_is_the_same_after_a_kill(void **state)
{
	TALK(state, "limits queue-frames=16", "login C1 priority=-1 carbons",
	    "repeat 20 " PASSING("p{n}"), "repeat 5 " CHAT("m{n}"), ACKS,
	    "logout C1", "connect C1 sm", "stall C1", CARBONS_ON("C1"),
	    "C1> <presence/>", "wait 1s", "kill", "drain", "resume C1",
	    "C1<~ <message id='p20' ...>...</message>", "wait 6s", CHAT("m6"),
	    "repeat 19 C1<~ <message id='p{n}' ...>...</message>",
	    "C1<~ <iq type='error' id='c' ...>...</iq>",
	    "C1< <message id='m6' ...>...</message>", "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(an_unknown_one_gets_what_reached_nobody),
		talk_test(with_nothing_to_get_it_begins_at_once),
		talk_test(what_comes_while_it_is_held_comes_in_order),
		talk_test(what_one_got_is_not_for_the_next),
		talk_test(written_is_not_got),
		talk_test(who_said_goodbye_has_got_all),
		talk_test(it_may_get_some_of_before),
		talk_test(a_known_one_goes_on_where_it_was),
		talk_test(not_further_back_than_the_limit),
		talk_test(nothing_older_than_the_limit),
		talk_test(what_it_had_does_not_come_with_what_it_passed_over),
		talk_test(one_that_had_carbons_waits_for_them),
		talk_test(but_not_for_ever),
		talk_test(carbons_without_presence_begin_by_themselves),
		talk_test(one_that_reads_the_archive_is_not_played_to),
		talk_test(what_it_reads_there_has_reached_somebody),
		talk_test(what_was_passed_over_comes_with_a_delay_once),
		talk_test(it_gets_what_it_passed_over_and_nobody_else_took),
		talk_test(another_negative_priority_is_no_more),
		talk_test(a_session_that_takes_more_gets_nothing_twice),
		talk_test(what_is_still_to_come_stays_so),
		talk_test(what_is_in_flight_comes_again_all_the_same),
		talk_test(a_private_message_survives_its_session),
		talk_test(a_new_device_is_not_new_after_a_kill),
		talk_test(what_was_held_comes_after_a_kill),
		talk_test(what_is_owed_is_the_same_after_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
