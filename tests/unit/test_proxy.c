#include "support_client.h"

#define USER(name, more, accounts) \
	"<user name='" name "' passwd='secret' " more ">" accounts "</user>"
#define ACCOUNT(jid, more) \
	"<account jid='" jid "' host='127.0.0.1' tls='none' " more "/>"
#define ALICE USER("alice", "", ACCOUNT("alice@a.example", "passwd='up'"))
#define BOB   USER("bob", "", ACCOUNT("bob@b.example", "passwd='up'"))

static int
reload(struct core *c, const char *body)
{
	struct err err = { "" };
	int rc = proxy_reload(c->proxy, core_config(body), &err);

	assert_string_equal(err.text, "");
	core_run(c);
	return rc;
}

static void
test_finds(void **state)
{
	struct core *c = core_new(ALICE BOB);
	struct account *view;
	struct user *alice = core_user(c, "alice");

	(void)state;
	assert_true(proxy_serves(c->proxy, "proxy.example"));
	assert_true(proxy_serves(c->proxy, "b.example"));
	assert_false(proxy_serves(c->proxy, "c.example"));
	assert_ptr_equal(proxy_find_login(c->proxy, "proxy.example", "alice",
			     &view),
	    alice);
	assert_null(view);
	assert_ptr_equal(proxy_find_login(c->proxy, "a.example", "alice",
			     &view),
	    alice);
	assert_string_equal(view->jid, "alice@a.example");
	assert_null(proxy_find_login(c->proxy, "b.example", "alice", &view));
	assert_null(proxy_find_login(c->proxy, "a.example", "alic", &view));
	assert_null(proxy_find_login(c->proxy, "a.example", "", &view));
	assert_null(proxy_find_login(c->proxy, "c.example", "alice", &view));
	assert_null(view);
	assert_null(proxy_find_session(c->proxy, 1));
	core_free(c);
}

static void
test_detached_disconnect(void **state)
{
	struct core *c = core_new(USER("alice", "detached='disconnect'",
	    ACCOUNT("alice@a.example", "passwd='up'")) BOB);
	struct core_client cl;

	(void)state;
	assert_int_equal(c->dialled, 1);
	assert_string_equal(TAILQ_FIRST(&c->dials)->domain, "b.example");
	client_login(&cl, c, "alice", "r");
	assert_int_equal(c->dialled, 2);
	/* A reload with nobody there does not connect it. */
	client_end(&cl);
	core_run(c);
	assert_int_equal(c->proxy->dials_open, 1);
	reload(c,
	    USER("alice", "detached='disconnect'",
		ACCOUNT("alice@a.example", "passwd='new'")) BOB);
	assert_int_equal(c->dialled, 2);
	/* Another wish comes true at once, both ways. */
	reload(c,
	    USER("alice", "detached='xa'",
		ACCOUNT("alice@a.example", "passwd='new'")) BOB);
	assert_int_equal(c->dialled, 3);
	reload(c,
	    USER("alice", "detached='disconnect'",
		ACCOUNT("alice@a.example", "passwd='new'")) BOB);
	assert_int_equal(c->proxy->dials_open, 1);
	core_free(c);
}

/* Sessions, upstreams, what is on its way: untouched. */
static void
test_reload_of_the_same(void **state)
{
	struct core *c = core_new(ALICE BOB);
	struct core_client cl;
	struct account *a = core_account(c, "alice");

	(void)state;
	core_connect(c);
	core_connect(c);
	client_login(&cl, c, "alice", "r");
	reload(c, ALICE BOB);
	reload(c, BOB ALICE);
	assert_ptr_equal(core_account(c, "alice"), a);
	assert_true(account_is_up(a));
	assert_true(account_is_up(core_account(c, "bob")));
	assert_int_equal(c->dialled, 2);
	assert_false(cl.closed);
	client_say(&cl,
	    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/>"
	    "</iq>");
	assert_false(cl.closed);
	client_end(&cl);
	core_free(c);
}

static void
test_reload_of_an_account(void **state)
{
	static const char *const changes[] = {
		ACCOUNT("alice@a.example", "passwd='new'"),
		ACCOUNT("alice@a.example", "passwd='new' resource='x'"),
		ACCOUNT("alice@a.example",
		    "passwd='new' resource='x' "
		    "port='5299'"),
		"<account jid='alice@a.example' passwd='new' resource='x' "
		"port='5299' host='localhost' tls='none'/>",
		"<account jid='alice@a.example' passwd='new' resource='x' "
		"port='5299' host='localhost' tls='starttls'/>",
	};
	struct core *c = core_new(ALICE BOB);
	struct core_client cl;
	char *body;

	(void)state;
	core_connect(c);
	core_connect(c);
	client_login(&cl, c, "alice", "r");
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		body = mem_printf("<user name='alice' passwd='secret'>%s"
				  "</user>" BOB,
		    changes[i]);
		reload(c, body);
		free(body);
		assert_int_equal(c->dialled, 3 + i);
		assert_false(account_is_up(core_account(c, "alice")));
		assert_false(cl.closed);
	}
	assert_true(account_is_up(core_account(c, "bob")));
	client_end(&cl);
	core_free(c);
}

/* Refusals are forgotten: it is tried again, from the start. */
static void
test_reload_after_refusals(void **state)
{
	struct core *c = core_new(ALICE);

	(void)state;
	c->does = SERVER_CONFLICTS;
	core_connect(c);
	core_until_dial(c, 5000);
	core_connect(c);
	core_wait(c, 3600000);
	reload(c, ALICE);
	assert_int_equal(c->dialled, 2);
	c->does = SERVER_BINDS;
	c->password = "new";
	reload(c,
	    USER("alice", "",
		ACCOUNT("alice@a.example", "passwd='new' resource='x'")));
	core_connect(c);
	assert_string_equal(c->asked, "x");
	assert_true(account_is_up(core_account(c, "alice")));
	core_free(c);
}

static void
test_reload_without_a_user(void **state)
{
	struct core *c = core_new(ALICE BOB);
	struct core_client alice, bob;
	struct core_server *s;

	(void)state;
	core_connect(c);
	s = c->server;
	core_connect(c);
	client_login(&alice, c, "alice", "r");
	client_login(&bob, c, "bob", "r");
	reload(c, BOB);
	assert_null(proxy_find_user(c->proxy, "alice"));
	assert_true(alice.closed);
	assert_string_equal(alice.cond, "not-authorized");
	assert_false(bob.closed);
	assert_true(s->closed);
	assert_null(s->cond);
	assert_true(account_is_up(core_account(c, "bob")));
	assert_int_equal(c->proxy->sessions_open, 1);
	client_end(&alice);
	client_begin(&alice, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	core_wait(c, 300);
	assert_string_equal(alice.failure, "not-authorized");
	client_end(&alice);
	client_end(&bob);
	core_free(c);
}

static void
test_reload_with_a_user(void **state)
{
	struct core *c = core_new(ALICE);
	struct core_client cl;

	(void)state;
	core_connect(c);
	reload(c, BOB ALICE);
	assert_int_equal(c->dialled, 2);
	core_connect(c);
	assert_true(account_is_up(core_account(c, "bob")));
	client_login(&cl, c, "bob", "r");
	client_end(&cl);
	core_free(c);
}

static void
test_reload_of_the_node(void **state)
{
	static const char xml[] = "<config><node name='other.example'/>" ALICE
				  "</config>";
	struct core *c = core_new(ALICE);
	struct err err = { "" };
	struct config *config, *before = c->proxy->config;

	(void)state;
	config = config_parse(xml, strlen(xml), "/tmp/proxy.xml", NULL);
	assert_int_equal(proxy_reload(c->proxy, config, &err), -1);
	assert_string_equal(err.text,
	    "/tmp/proxy.xml: the node's name cannot change while it runs");
	assert_ptr_equal(c->proxy->config, before);
	config_free(&config);
	core_free(c);
}

/* They hold from there on, for who is in as well. */
static void
test_reload_of_limits(void **state)
{
	struct core *c = core_new(ALICE);
	struct core_client cl[3];

	(void)state;
	client_login(&cl[0], c, "alice", "0");
	client_login(&cl[1], c, "alice", "1");
	reload(c, "<limits sessions-per-user='2' idle-seconds='5'/>" ALICE);
	client_begin(&cl[2], c, CORE_PEER, "proxy.example", "alice", "secret",
	    "2");
	assert_string_equal(cl[2].failure,
	    "the resource was not bound: resource-constraint");
	assert_false(cl[0].closed);
	reload(c, ALICE);
	client_end(&cl[2]);
	client_login(&cl[2], c, "alice", "2");
	for (int i = 0; i < 3; i++)
		client_end(&cl[i]);
	core_free(c);
}

/* It ends: nothing is opened anew. */
static void
test_reload_while_stopping(void **state)
{
	struct core *c = core_new(ALICE);
	struct err err = { "" };
	struct config *config = core_config(ALICE BOB);

	(void)state;
	proxy_stop(c->proxy);
	assert_int_equal(proxy_reload(c->proxy, config, &err), -1);
	assert_string_equal(err.text, "the proxy is shutting down");
	assert_null(proxy_find_user(c->proxy, "bob"));
	config_free(&config);
	core_free(c);
}

static void
test_stop(void **state)
{
	struct core *c = core_new(ALICE BOB);
	struct core_client cl;

	(void)state;
	core_connect(c);
	client_login(&cl, c, "alice", "r");
	client_say(&cl,
	    "<message to='x@b.example' type='chat'><body>last</body>"
	    "</message>");
	proxy_stop(c->proxy);
	core_run(c);
	assert_true(cl.closed);
	assert_string_equal(cl.cond, "system-shutdown");
	assert_string_equal(cl.reason, "the proxy is shutting down");
	assert_true(c->server->closed);
	assert_null(c->server->cond);
	expect(&c->server->got, "last");
	assert_true(TAILQ_EMPTY(&c->dials));
	assert_int_equal(c->proxy->sessions_open, 0);
	core_wait(c, 10000);
	assert_true(conns_are_none(loop_conns(c->loop)));
	assert_int_equal(c->dialled, 2);
	upstream_start(core_account(c, "bob")->upstream);
	assert_int_equal(c->dialled, 2);
	proxy_stop(c->proxy);
	client_end(&cl);
	core_free(c);
}

static void
test_ids(void **state)
{
	struct core *c = core_new("");
	uint64_t id = proxy_id(c->proxy);

	(void)state;
	assert_int_not_equal(id, 0);
	assert_true(proxy_id(c->proxy) > id);
	core_free(c);
}

#define ENABLE "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"

/* As if the process had died: nobody is told, and what was not committed is gone. */
static void
test_abandon(void **state)
{
	struct core *c = core_new(ALICE BOB);
	struct core_client plain, kept, closing, coming;
	struct session *s;

	(void)state;
	core_connect(c);
	client_login(&plain, c, "alice", "plain");
	client_login(&kept, c, "alice", "kept");
	client_say(&kept, ENABLE "<presence/>");
	client_login(&closing, c, "alice", "closing");
	c->holds_jobs = true;
	client_begin(&coming, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "coming");
	c->holds_jobs = false;
	core_run_jobs(c);
	LIST_FOREACH(s, &core_user(c, "alice")->sessions, next) {
		if (strcmp(s->resource, "closing") == 0)
			break;
	}
	session_close(s, -1, "it is marked");
	buf_clear(&c->server->got);
	core_skip_jobs(c);
	proxy_abandon(&c->proxy);
	assert_null(c->proxy);
	proxy_abandon(&c->proxy);
	for (unsigned i = 0; i < 5; i++) {
		loop_turn(c->loop, 0);
		loop_turn(c->peers, 0);
	}
	/* Cut, without </stream:stream>: of the server, too. */
	assert_true(plain.closed && kept.closed && c->server->closed);
	assert_null(plain.cond);
	assert_null(c->server->cond);
	assert_false(has(&c->server->got, "unavailable"));
	client_end(&plain);
	client_end(&kept);
	client_end(&closing);
	client_end(&coming);
	core_free(c);
}

/* The proper end keeps what was committed, and all that changed since. */
static void
test_free_saves(void **state)
{
	struct core *c = core_new(ALICE);
	struct core_client cl;
	unsigned before;

	(void)state;
	client_login(&cl, c, "alice", "r");
	client_say(&cl, ENABLE "<presence/>");
	before = store_unfolded(c->store);
	client_say(&cl, "<presence><show>away</show></presence>");
	assert_int_equal(store_unfolded(c->store), before);
	proxy_free(&c->proxy);
	assert_int_equal(store_unfolded(c->store), before + 1);
	client_end(&cl);
	core_free(c);
}

static void
test_store_failed(void **state)
{
	struct core *c = core_new(ALICE);
	struct err err;

	(void)state;
	err_set(&err, "gone");
	assert_false(c->proxy->is_failed);
	proxy_store_failed(c->proxy, &err);
	assert_true(c->proxy->is_failed);
	expect(&c->log, "event=not-read reason=\"gone\"");
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_detached_disconnect),
		cmocka_unit_test(test_reload_of_the_same),
		cmocka_unit_test(test_reload_of_an_account),
		cmocka_unit_test(test_reload_after_refusals),
		cmocka_unit_test(test_reload_without_a_user),
		cmocka_unit_test(test_reload_with_a_user),
		cmocka_unit_test(test_reload_of_the_node),
		cmocka_unit_test(test_reload_of_limits),
		cmocka_unit_test(test_reload_while_stopping),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_free_saves),
		cmocka_unit_test(test_store_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
