#include "support_talk.h"

#include "core/bounce.h"
#include "core/history.h"
#include "core/outbox.h"
#include "xmpp/ns.h"

#define SAY(c, id) \
	c "> <message to='bob@b.example' type='chat' id='" id "'>" \
	  "<body>hi</body></message>"
#define BACK(c, id) \
	c "< <message from='bob@b.example' type='error' id='" id "' ...>" \
	  "{error remote-server-timeout}</message>"

/* outbox-seconds: who wrote it is told, as if the server had. */
static void
what_waited_too_long_comes_back(void **state)
{
	TALK(state, "limits outbox-seconds=100", "login C1", "upstream down",
	    SAY("C1", "1"), "wait 50s", SAY("C1", "2"), "wait 50s",
	    "nothing C1", "wait 2s", BACK("C1", "1"), "nothing C1", "wait 50s",
	    BACK("C1", "2"), "logged outbox-expired", "upstream up", "wait 1s",
	    "S< <presence ...>...</presence>", "nothing S");
	assert_int_equal(outbox_count(talk_account(state)->outbox), 0);
}

/* It is in the log: the device that wrote it hears of it whenever it comes. */
static void
who_is_away_is_told_later(void **state)
{
	TALK(state, "limits outbox-seconds=100", "login C1", "upstream down",
	    SAY("C1", "1"), "logout C1", "wait 102s", "connect C1",
	    "C1> <presence/>", "C1< <presence ...>...</presence>",
	    "C1< <message from='bob@b.example' type='error' id='1' ...>"
	    "{error remote-server-timeout}{DELAY}</message>",
	    "drain");
}

/* A copy of it is one of what was said. */
static void
others_get_it_as_a_carbon(void **state)
{
	TALK(state, "limits outbox-seconds=100", "login C1", "login C2 carbons",
	    "upstream down", SAY("C1", "1"), "drain C2", "wait 102s",
	    BACK("C1", "1"),
	    "C2< <message ...>{RECEIVED}<message xmlns='jabber:client' "
	    "type='error' id='1' ...>"
	    "{error remote-server-timeout}</message>{/RECEIVED}</message>",
	    "drain");
}

/* What is on a stream, and may have arrived, waits for the end of that. */
static void
what_is_on_a_stream_does_not_expire(void **state)
{
	TALK(state, "limits outbox-seconds=10", "sm mute", "login C1",
	    SAY("C1", "1"), "S< <message id='1' ...>...</message>", "wait 30s",
	    "nothing C1", "drain S");
	assert_int_equal(outbox_count(talk_account(state)->outbox), 1);
}

static void
only_what_is_older_goes(void **state)
{
	struct account *a;
	uint64_t then;

	TALK(state, "login C1", "upstream down", SAY("C1", "1"));
	then = clock_wall();
	TALK(state, "wait 1s", SAY("C1", "2"));
	a = talk_account(state);
	bounce_expired(a, then);
	assert_int_equal(outbox_count(a->outbox), 2);
	bounce_expired(a, then + 1);
	assert_int_equal(outbox_count(a->outbox), 1);
	bounce_expired(a, UINT64_MAX);
	assert_int_equal(outbox_count(a->outbox), 0);
	TALK(state, "wait 1s", BACK("C1", "1"), BACK("C1", "2"), "drain");
}

/* Nobody is told of stanzas that are no messages, nor of errors. */
static void
what_is_no_message_just_goes(void **state)
{
	struct arena *arena = arena_new();
	struct elem *e = elem_new(arena, NS_CLIENT, "presence");
	struct account *a;

	elem_set(e, "to", "bob@b.example");
	TALK(state, "login C1", "upstream down");
	a = talk_account(state);
	outbox_add_stanza(a->outbox, e, false);
	bounce_expired(a, UINT64_MAX);
	assert_int_equal(outbox_count(a->outbox), 0);
	assert_int_equal(history_next(a->user->history), 1);
	TALK(state, "wait 1s", "nothing C1", "drain");
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(what_waited_too_long_comes_back),
		talk_test(who_is_away_is_told_later),
		talk_test(others_get_it_as_a_carbon),
		talk_test(what_is_on_a_stream_does_not_expire),
		talk_test(only_what_is_older_goes),
		talk_test(what_is_no_message_just_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
