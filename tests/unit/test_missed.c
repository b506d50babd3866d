#include "support_talk.h"

#include "core/missed.h"
#include "core/presences.h"

#define FULL \
	"limits queue-frames=16 presences=16", \
	    "roster <item jid='bob@b.example' subscription='both'/>", \
	    "login C1", "login C2", "stall C1", \
	    "repeat 30 S> <message from='bob@b.example/x' " \
	    "to='alice@a.example' type='chat' id='m{n}'><body>{pad:300}" \
	    "</body></message>"
#define STATUS(text) \
	"S> <presence from='bob@b.example/x' " \
	"to='alice@a.example'><status>" text "</status></presence>"
#define GOT_ALL \
	"C1<~ <message id='m1' ...>...</message>", \
	    "repeat 29 C1<~ <message id='...' ...>...</message>"

static size_t
owed(void **state)
{
	return missed_count(talk_session(state, "C1"));
}

static void
what_was_missed_comes_as_it_is_now_once(void **state)
{
	TALK(state, FULL, STATUS("1"), STATUS("2"), STATUS("3"));
	assert_int_equal(owed(state), 1);
	TALK(state, "drain C2", "unstall C1", GOT_ALL,
	    "C1< <presence from='bob@b.example/x' to='$C1'><status>3</status>"
	    "</presence>",
	    "nothing");
	assert_int_equal(owed(state), 0);
}

static void
one_that_went_is_told_to_be_gone(void **state)
{
	TALK(state, FULL, STATUS("1"),
	    "S> <presence from='bob@b.example/x' to='alice@a.example' "
	    "type='unavailable'/>",
	    "drain C2", "unstall C1", GOT_ALL,
	    "C1< <presence from='bob@b.example/x' to='$C1' "
	    "type='unavailable'/>",
	    "nothing");
}

/* In node view what two accounts have seen is owed once, as the first has it by then. */
static void
in_node_view_a_contact_of_two_accounts_is_owed_once(void **state)
{
	TALK(state, "limits queue-frames=16 presences=16",
	    "accounts <account jid='work@w.example' passwd='secret' "
	    "resource='up' host='127.0.0.1' tls='none'/>",
	    "roster <item jid='bob@b.example' subscription='both'/>"
	    "<item jid='work@w.example' subscription='both'/>",
	    "roster S2 <item jid='bob@b.example' subscription='both'/>",
	    "login C1 view=node", "stall C1",
	    "repeat 30 S> <message from='bob@b.example/x' "
	    "to='alice@a.example' type='chat' id='m{n}'><body>{pad:300}"
	    "</body></message>",
	    "S2> <presence from='bob@b.example/x' to='work@w.example'>"
	    "<status>old</status></presence>",
	    STATUS("1"), STATUS("2"),
	    "S2> <presence from='work@w.example/phone' to='work@w.example'/>",
	    "S> <presence from='work@w.example/phone' to='alice@a.example'/>");
	assert_int_equal(owed(state), 3);
	TALK(state, "unstall C1", GOT_ALL,
	    "C1<~ <presence from='bob@b.example/x' to='$C1'><status>2</status>"
	    "</presence>",
	    "C1<~ <presence from='alice@proxy.example/phone' to='$C1'/>",
	    "C1<~ <presence from='work@w.example/phone' to='$C1'/>", "nothing");
	assert_int_equal(owed(state), 0);
}

/* It came while there was room again: nothing older is owed. */
static void
a_newer_one_that_went_settles_it(void **state)
{
	struct session *s;

	TALK(state, "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1");
	s = talk_session(state, "C1");
	missed_add(s, talk_account(state)->id, "bob@b.example/x");
	TALK(state, STATUS("2"),
	    "C1< <presence from='bob@b.example/x' to='$C1'><status>2</status>"
	    "</presence>");
	assert_int_equal(owed(state), 0);
	missed_flush(s);
	TALK(state, "nothing");
}

/* Siblings', too, and the session's own. */
static void
siblings_are_owed_as_well(void **state)
{
	TALK(state, FULL,
	    "repeat 50 C2> <presence><status>{n}</status></presence>",
	    "C1> <presence><status>mine</status></presence>", "drain C2",
	    "unstall C1", GOT_ALL,
	    "C1<~ <presence from='$C2' to='$C1'><status>50</status>"
	    "</presence>",
	    "C1<~ <presence from='$C1' to='$C1'><status>mine</status>"
	    "</presence>",
	    "nothing C1");
}

static void
a_sibling_that_went_is_gone(void **state)
{
	TALK(state, FULL, "C2> <presence><status>x</status></presence>",
	    "close C2", "unstall C1", GOT_ALL,
	    "C1< <presence from='$C2' to='$C1' type='unavailable'/>",
	    "nothing C1");
}

/* RFC 6121 4.5.3 */
static void
who_became_unavailable_is_owed_nothing(void **state)
{
	struct peer *p;
	const struct elem *e;

	TALK(state, FULL, STATUS("1"), "C1> <presence type='unavailable'/>",
	    "unstall C1",
	    "C1<~ <presence from='$C1' to='$C1' type='unavailable'/>");
	p = &rig_client(talk_rig(state), "C1")->peer;
	for (; (e = peer_next(p)) != NULL; peer_drop(p, e))
		assert_string_equal(e->name, "message");
	TALK(state, "drain");
}

/* presences: it is bounded, and at its end the session goes alone. */
static void
over_the_limit_the_session_is_closed(void **state)
{
	TALK(state, FULL,
	    "repeat 16 S> <presence from='bob@b.example/{n}' "
	    "to='alice@a.example'/>");
	assert_int_equal(owed(state), 16);
	TALK(state,
	    "S> <presence from='bob@b.example/17' to='alice@a.example'/>",
	    "unstall C1", "closed C1 resource-constraint", "drain",
	    "C2> <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	    "C2< <iq type='result' id='1' ...>...</iq>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(what_was_missed_comes_as_it_is_now_once),
		talk_test(in_node_view_a_contact_of_two_accounts_is_owed_once),
		talk_test(one_that_went_is_told_to_be_gone),
		talk_test(a_newer_one_that_went_settles_it),
		talk_test(siblings_are_owed_as_well),
		talk_test(a_sibling_that_went_is_gone),
		talk_test(who_became_unavailable_is_owed_nothing),
		talk_test(over_the_limit_the_session_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
