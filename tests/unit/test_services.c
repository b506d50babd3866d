#include "support_talk.h"

/* One that was alone is asked for its services once it has company. */
static void
asked_when_there_is_a_choice(void **state)
{
	struct user *u;
	const struct user_config *before;
	struct user_config two;
	struct account_config a, b;

	TALK(state, "login C1 view=node", "manual");
	u = talk_user(state);
	before = u->config;
	a = b = *STAILQ_FIRST(&before->accounts);
	b.jid = (char *)"work@w.example";
	b.is_default = false;
	two = *before;
	STAILQ_INIT(&two.accounts);
	STAILQ_INSERT_TAIL(&two.accounts, &a, next);
	STAILQ_INSERT_TAIL(&two.accounts, &b, next);
	user_reload(u, &two);
	TALK(state, "wait 0s",
	    "S<~ <iq type='get' to='a.example' id='$i'>"
	    "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
	    "S> <iq type='result' from='a.example' to='$S' id='$i'>"
	    "<query xmlns='http://jabber.org/protocol/disco#items'>"
	    "<item jid='Rooms.A.Example'/><item jid='me@a.example'/>"
	    "<item jid='@'/><item/></query></iq>");
	assert_int_equal(recent_count(talk_account(state)->services), 1);
	assert_true(
	    recent_get(talk_account(state)->services, "rooms.a.example", NULL));
	user_reload(u, before);
	TALK(state, "wait 0s", "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(asked_when_there_is_a_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
