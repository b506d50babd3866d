#include "support_client.h"

#include "core/availability.h"

#define ACCOUNT(jid, more) \
	"<account jid='" jid "' passwd='up' host='127.0.0.1' tls='none' " more \
	"/>"
#define ALICE(accounts) "<user name='alice' passwd='secret'>" accounts "</user>"
#define A               ACCOUNT("alice@a.example", "")
#define B               ACCOUNT("alice@b.example", "")
#define C               ACCOUNT("alice@c.example", "")

static void
reload(struct core *c, const char *body)
{
	struct err err = { "" };

	proxy_reload(c->proxy, core_config(body), &err);
	assert_string_equal(err.text, "");
	core_run(c);
}

static struct account *
account(struct core *c, const char *jid)
{
	return user_find_account_by_jid(core_user(c, "alice"), jid);
}

static void
test_finds(void **state)
{
	struct core *c = core_new(
	    ALICE(A ACCOUNT("alice@b.example", "default='yes'") C));
	struct user *u = core_user(c, "alice");
	struct account *a = LIST_FIRST(&u->accounts);

	(void)state;
	assert_string_equal(u->bare, "alice@proxy.example");
	assert_string_equal(a->jid, "alice@a.example");
	a = LIST_NEXT(a, next);
	assert_string_equal(a->jid, "alice@b.example");
	assert_string_equal(a->domain, "b.example");
	assert_ptr_equal(user_default_account(u), a);
	assert_ptr_equal(user_find_account(u, a->id), a);
	assert_null(user_find_account(u, 0));
	assert_ptr_equal(account(c, "alice@b.example"), a);
	assert_null(account(c, "alice@x.example"));
	assert_string_equal(LIST_NEXT(a, next)->jid, "alice@c.example");
	core_free(c);
}

static void
test_sessions(void **state)
{
	struct core *c = core_new(ALICE(A B));
	struct user *u = core_user(c, "alice");
	struct core_client one, two;

	(void)state;
	assert_ptr_equal(user_default_account(u), LIST_FIRST(&u->accounts));
	assert_int_equal(user_open_sessions(u), 0);
	client_login(&one, c, "alice", "one");
	client_login(&two, c, "alice", "two");
	assert_int_equal(user_open_sessions(u), 2);
	client_say(&one, "<presence/>");
	assert_string_equal(user_find_resource(u, "two")->full,
	    "alice@proxy.example/two");
	assert_null(user_find_resource(u, "Two"));
	/* One that closes counts no more, though it is still there. */
	session_close(user_find_resource(u, "one"), -1, "so be it");
	assert_int_equal(u->session_count, 2);
	assert_int_equal(user_open_sessions(u), 1);
	assert_null(user_find_resource(u, "one"));
	core_run(c);
	assert_int_equal(u->session_count, 1);
	client_end(&one);
	client_end(&two);
	core_free(c);
}

/* All upstreams up; *b is the server of alice@b.example. */
static struct core *
begin_up(struct core_server **b)
{
	struct core *c = core_new(ALICE(A B));

	core_connect(c);
	core_connect(c);
	*b = c->server;
	assert_string_equal((*b)->full, "alice@b.example/made");
	return c;
}

static void
test_account_removed(void **state)
{
	struct core_server *b;
	struct core *c = begin_up(&b);
	struct core_client node, in_a, in_b;

	(void)state;
	client_login(&node, c, "alice", "node");
	client_begin(&in_a, c, CORE_PEER, "a.example", "alice", "secret", "a");
	client_begin(&in_b, c, CORE_PEER, "b.example", "alice", "secret", "b");
	client_say(&node, "<presence/>");
	core_server_say(c,
	    "<iq type='set' id='push'><query xmlns='jabber:iq:roster'>"
	    "<item jid='carol@c.example' subscription='both'/></query></iq>");
	core_server_say(c,
	    "<presence from='carol@c.example/x' "
	    "to='alice@b.example/made'/>");
	core_server_say(c,
	    "<message from='carol@c.example/x' id='1' "
	    "to='alice@b.example'><body>kept</body></message>");
	core_run(c);
	expect(&node.got, "<presence from='carol@c.example/x'");
	reload(c, ALICE(A));
	assert_null(account(c, "alice@b.example"));
	assert_true(in_b.closed);
	assert_string_equal(in_b.cond, "host-gone");
	assert_false(in_a.closed);
	assert_false(node.closed);
	assert_true(b->closed);
	assert_null(b->cond);
	assert_true(account_is_up(account(c, "alice@a.example")));
	/* Whom only that account knew is not there any more. */
	expect(&node.got, "type='unavailable'");
	/* The log of what is gone is nobody's. */
	client_end(&node);
	core_run(c);
	client_login(&node, c, "alice", "later");
	client_say(&node, "<presence/>");
	assert_false(has(&node.got, "kept"));
	client_end(&node);
	client_end(&in_a);
	client_end(&in_b);
	core_free(c);
}

static void
test_account_added(void **state)
{
	struct core_server *b;
	struct core *c = begin_up(&b);
	struct account *was = account(c, "alice@b.example");

	(void)state;
	reload(c, ALICE(C B A));
	assert_int_equal(c->dialled, 3);
	assert_ptr_equal(account(c, "alice@b.example"), was);
	assert_true(account_is_up(was));
	core_connect(c);
	assert_true(account_is_up(account(c, "alice@c.example")));
	/* In the order of the configuration, which decides who carries what. */
	assert_string_equal(LIST_FIRST(&core_user(c, "alice")->accounts)->jid,
	    "alice@c.example");
	assert_string_equal(LIST_NEXT(LIST_FIRST(
					  &core_user(c, "alice")->accounts),
				next)
				->jid,
	    "alice@b.example");
	core_free(c);
}

/* "default" and "mirror" need no new connection. */
static void
test_options_changed(void **state)
{
	struct core_server *b;
	struct core *c = begin_up(&b);
	struct user *u = core_user(c, "alice");

	(void)state;
	reload(c,
	    "<user name='alice' passwd='secret' mirror='off' resource='x'>" A
		ACCOUNT("alice@b.example", "default='yes'") "</user>");
	assert_int_equal(c->dialled, 2);
	assert_ptr_equal(user_default_account(u),
	    account(c, "alice@b.example"));
	assert_int_equal(u->config->mirror, MIRROR_OFF);
	core_free(c);
}

static void
test_log_limit(void **state)
{
	struct core_server *b;
	struct core *c = begin_up(&b);
	struct user *u = core_user(c, "alice");

	(void)state;
	for (int i = 0; i < 30; i++)
		core_server_say(c,
		    "<message from='carol@c.example/x' "
		    "to='alice@b.example'><body>hi</body></message>");
	core_run(c);
	assert_int_equal(history_next(u->history), 31);
	assert_int_equal(history_floor(u->history), 1);
	/* What is too much goes with the next that comes. */
	reload(c, "<limits log-entries='16'/>" ALICE(A B));
	core_server_say(c,
	    "<message from='carol@c.example/x' to='alice@b.example'>"
	    "<body>hi</body></message>");
	core_run(c);
	assert_int_equal(history_floor(u->history), 16);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_account_removed),
		cmocka_unit_test(test_account_added),
		cmocka_unit_test(test_options_changed),
		cmocka_unit_test(test_log_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
