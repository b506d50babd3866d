#include "support_talk.h"

#include "core/directed.h"

/* Rooms that a session is in by an account go with it. */
static void
rooms_go_with_their_account(void **state)
{
	struct user *u;
	const struct user_config *before;
	struct user_config one;
	struct account_config a;

	TALK(state,
	    "accounts <account jid='work@w.example' passwd='secret' "
	    "resource='up' host='127.0.0.1' tls='none'/>",
	    "login C1 view=node",
	    "C1> <presence to='room@w.example/ally'>"
	    "<x xmlns='http://jabber.org/protocol/muc'/></presence>",
	    "S2< <presence to='room@w.example/ally'>...</presence>", "drain");
	u = talk_user(state);
	before = u->config;
	a = *STAILQ_FIRST(&before->accounts);
	one = *before;
	STAILQ_INIT(&one.accounts);
	STAILQ_INSERT_TAIL(&one.accounts, &a, next);
	user_reload(u, &one);
	TALK(state, "wait 0s",
	    "C1< <presence from='room@w.example/ally' to='$C1' "
	    "type='unavailable'><x "
	    "xmlns='http://jabber.org/protocol/muc#user'><item role='none'/>"
	    "<status code='110'/></x></presence>",
	    "C1> <message to='room@w.example' type='groupchat' id='1'>"
	    "<body>hi</body></message>",
	    "C1< <message type='error' id='1' ...>{error not-acceptable}..."
	    "</message>",
	    "nothing S");
	assert_false(user_is_in_room(u, "room@w.example"));
	user_reload(u, before);
	TALK(state, "wait 0s", "drain");
}

/* The same where the configuration is another one as the proxy starts. */
static void
accounts_are_gone_at_the_start(void **state)
{
	struct session *s;

	TALK(state, "login C1 sm",
	    "C1> <presence to='room@m.example/ally'>"
	    "<x xmlns='http://jabber.org/protocol/muc'/></presence>",
	    "drain");
	s = talk_session(state, "C1");
	s->directed->account = 4711;
	session_touch(s, CHANGED_SELF);
	TALK(state, "wait 1s", "kill", "resume C1", "drain");
	assert_false(user_is_in_room(talk_user(state), "room@m.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(rooms_go_with_their_account),
		talk_test(accounts_are_gone_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
