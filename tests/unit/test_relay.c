#include "support_talk.h"

#include "core/presences.h"
#include "core/relay.h"

static void
presence_comes_with_all_that_it_has(void **state)
{
	struct blob *body;
	struct presence p = { .from = (char *)"bob@b.example/x",
		.id = (char *)"p1",
		.lang = (char *)"de" };

	TALK(state, "connect C1");
	p.body = body = blob_new("<show>away</show>", 17);
	relay_presence(talk_session(state, "C1"), talk_account(state), &p);
	blob_unref(&body);
	TALK(state, "wait 0s",
	    "C1< <presence from='bob@b.example/x' to='$C1' id='p1' "
	    "xml:lang='de'><show>away</show></presence>");
	relay_now(talk_session(state, "C1"), talk_account(state)->id,
	    "bob@b.example/x");
	TALK(state, "wait 0s",
	    "C1< <presence from='bob@b.example/x' to='$C1' "
	    "type='unavailable'/>",
	    "nothing");
}

/* Own JIDs are those of the view: another device, directly on the server. */
static void
own_devices_are_shown_in_the_view(void **state)
{
	struct presence p = { .from = (char *)"alice@a.example/direct" };

	TALK(state, "connect C1 view=node", "connect C2");
	relay_farewell(talk_session(state, "C1"), talk_account(state), &p);
	relay_farewell(talk_session(state, "C2"), talk_account(state), &p);
	TALK(state, "wait 0s",
	    "C1< <presence from='alice@proxy.example/direct' to='$C1' "
	    "type='unavailable'/>",
	    "C2< <presence from='alice@a.example/direct' to='$C2' "
	    "type='unavailable'/>",
	    "nothing");
}

static void
siblings_are_seen_in_the_receivers_view(void **state)
{
	TALK(state, "connect C1 view=node", "connect C2",
	    "C2> <presence xml:lang='de'><show>dnd</show></presence>", "drain");
	relay_sibling(talk_session(state, "C1"), talk_session(state, "C2"));
	TALK(state, "wait 0s",
	    "C1< <presence from='alice@proxy.example/c2' to='$C1' "
	    "xml:lang='de'><show>dnd</show></presence>");
	relay_now(talk_session(state, "C1"), 0, "alice@proxy.example/c2");
	TALK(state, "wait 0s",
	    "C1< <presence from='alice@proxy.example/c2' to='$C1'>"
	    "<show>dnd</show></presence>");
	relay_now(talk_session(state, "C1"), 0, "alice@proxy.example/c9");
	TALK(state, "wait 0s",
	    "C1< <presence from='alice@proxy.example/c9' to='$C1' "
	    "type='unavailable'/>",
	    "nothing");
}

/* Nothing is queued, and nothing owed. */
static void
a_session_that_closes_gets_nothing(void **state)
{
	struct session *s;

	TALK(state, "connect C1");
	s = talk_session(state, "C1");
	session_close(s, -1, "the test");
	relay_now(s, talk_account(state)->id, "bob@b.example/x");
	assert_null(s->missed);
	TALK(state, "closed C1", "nothing C1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(presence_comes_with_all_that_it_has),
		talk_test(own_devices_are_shown_in_the_view),
		talk_test(siblings_are_seen_in_the_receivers_view),
		talk_test(a_session_that_closes_gets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
