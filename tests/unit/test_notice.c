#include "support_client.h"

#include "core/notice.h"

static void
test_notice(void **state)
{
	struct core *c = core_new(CORE_ALICE("") "<user name='bob' "
						 "passwd='secret'><account "
						 "jid='bob@a.example' "
						 "passwd='up'/></user>");
	struct core_client node, account, bob;
	struct user *u = core_user(c, "alice");

	(void)state;
	notice_user(u, "%s", "to nobody");
	client_login(&node, c, "alice", "1");
	client_begin(&account, c, CORE_PEER, "a.example", "alice", "secret",
	    "2");
	client_login(&bob, c, "bob", "1");
	notice_user(u, "%s: <%d> & so on", "alice", 7);
	core_run(c);
	assert_string_equal(node.got.data,
	    "<message from='proxy.example' to='alice@proxy.example/1'>"
	    "<body>alice: &lt;7&gt; &amp; so on</body></message>");
	assert_string_equal(account.got.data,
	    "<message from='proxy.example' to='alice@a.example/2'>"
	    "<body>alice: &lt;7&gt; &amp; so on</body></message>");
	assert_string_equal(bob.got.data, "");
	/* Not in the log: who comes later does not hear of it. */
	assert_int_equal(history_next(u->history), 1);
	/* One that is closing has heard its last word. */
	session_close(user_find_resource(u, "1"), -1, "so be it");
	notice_user(u, "%s", "more");
	core_run(c);
	assert_false(has(&node.got, "more"));
	expect(&account.got, "more");
	client_end(&node);
	client_end(&account);
	client_end(&bob);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
