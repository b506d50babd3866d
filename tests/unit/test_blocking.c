#include "support_talk.h"

#define WORK \
	"accounts <account jid='work@w.example' passwd='secret' " \
	"resource='up' host='127.0.0.1' tls='none'/>"
#define BLOCKING "xmlns='urn:xmpp:blocking'"

/* The configuration, with the first of its accounts alone. */
struct one_account {
	struct user_config user;
	struct account_config account;
};

static void
reload_with_one(struct user *u, struct one_account *one)
{
	one->user = *u->config;
	one->account = *STAILQ_FIRST(&u->config->accounts);
	STAILQ_INIT(&one->user.accounts);
	STAILQ_INSERT_TAIL(&one->user.accounts, &one->account, next);
	user_reload(u, &one->user);
}

/* What an account blocks goes with it, and comes with it: sessions in node view hear. */
static void
accounts_come_and_go(void **state)
{
	const struct user_config *before;
	struct one_account one;

	TALK(state, WORK, "blocks <item jid='a@x.example'/>",
	    "blocks S2 <item jid='b@x.example'/>", "login C1 view=node",
	    "C1> <iq type='get' id='g'><blocklist " BLOCKING "/></iq>",
	    "drain");
	before = talk_user(state)->config;
	reload_with_one(talk_user(state), &one);
	TALK(state, "wait 0s",
	    "C1<~ <iq type='set' ...><unblock " BLOCKING ">"
	    "<item jid='b@x.example'/></unblock></iq>",
	    "nothing C1");
	user_reload(talk_user(state), before);
	TALK(state, "wait 0s",
	    "C1<~ <iq type='set' ...><block " BLOCKING ">"
	    "<item jid='b@x.example'/></block></iq>",
	    "nothing C1");
}

/* The same where the configuration is another one as the proxy starts. */
static void
accounts_are_gone_at_the_start(void **state)
{
	struct account *a;

	TALK(state, WORK, "no-blocking", "no-blocking S2",
	    "login C1 view=node sm",
	    "C1> <iq type='get' id='g'><blocklist " BLOCKING "/></iq>",
	    "C1> <iq type='set' id='s'><block " BLOCKING ">"
	    "<item jid='a@x.example'/></block></iq>",
	    "drain");
	/* As if another one, which is gone, had had it on its list. */
	LIST_FOREACH(a, &talk_user(state)->accounts, next)
		blocklist_remove(a->blocks, "a@x.example");
	TALK(state, "wait 1s", "kill", "resume C1",
	    "C1<~ <iq type='set' ...><unblock " BLOCKING ">...</unblock></iq>",
	    "nothing C1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(accounts_come_and_go),
		talk_test(accounts_are_gone_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
