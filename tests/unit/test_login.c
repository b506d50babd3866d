#include "support_client.h"

#define BOB \
	"<user name='bob' passwd='secret'><account jid='bob@a.example' " \
	"passwd='up' host='127.0.0.1' tls='none'/></user>"

static struct core *
begin(const char *limits)
{
	char *body = mem_printf("<limits %s/>" CORE_ALICE("") BOB, limits);
	struct core *c = core_new(body);

	free(body);
	return c;
}

static const char *
try_from(struct core *c, const char *peer, const char *domain, const char *name,
    const char *password)
{
	static char text[256];
	struct core_client cl;

	client_begin(&cl, c, peer, domain, name, password, "r");
	core_wait(c, 1000);
	snprintf(text, sizeof(text), "%s",
	    cl.failure != NULL  ? cl.failure :
		cl.full != NULL ? cl.full :
				  "?");
	client_end(&cl);
	core_run(c);
	return text;
}

static const char *
try_login(struct core *c, const char *domain, const char *name,
    const char *password)
{
	return try_from(c, CORE_PEER, domain, name, password);
}

static void
test_views(void **state)
{
	struct core *c = begin("");

	(void)state;
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "alice@proxy.example/r");
	assert_string_equal(try_login(c, "a.example", "alice", "secret"),
	    "alice@a.example/r");
	assert_string_equal(try_login(c, "A.Example", "Alice", "secret"),
	    "alice@a.example/r");
	assert_string_equal(try_login(c, "a.example", "bob", "secret"),
	    "bob@a.example/r");
	/* The password is the user's, not the account's. */
	assert_string_equal(try_login(c, "a.example", "alice", "up"),
	    "not-authorized");
	assert_non_null(strstr(try_login(c, "b.example", "alice", "secret"),
	    "host-unknown"));
	core_free(c);
}

/* The ms that a refusal takes; it is the same for all that is wrong. */
static uint64_t
refusal_ms(struct core *c, const char *domain, const char *name)
{
	struct core_client cl;
	uint64_t ms = 0;

	client_begin(&cl, c, CORE_PEER, domain, name, "wrong", "r");
	while (cl.failure == NULL && ms < 5000) {
		clock_advance(1);
		ms++;
		core_run(c);
	}
	assert_string_equal(cl.failure, "not-authorized");
	client_end(&cl);
	core_run(c);
	return ms;
}

static void
test_unknown_name(void **state)
{
	struct core *c = begin("");

	(void)state;
	assert_int_equal(refusal_ms(c, "proxy.example", "alice"), 300);
	assert_int_equal(refusal_ms(c, "proxy.example", "nobody"), 300);
	assert_int_equal(refusal_ms(c, "proxy.example", "nobody@x"), 300);
	assert_int_equal(refusal_ms(c, "a.example", "alice"), 300);
	assert_int_equal(refusal_ms(c, "a.example", "nobody"), 300);
	/* Its keys are known by now: the same. */
	assert_int_equal(refusal_ms(c, "proxy.example", "alice"), 300);
	core_free(c);
}

static void
test_throttled_address(void **state)
{
	struct core *c = begin("login-failures-per-address='3' "
			       "login-failure-seconds='80'");

	(void)state;
	try_login(c, "proxy.example", "x", "wrong");
	try_login(c, "proxy.example", "y", "wrong");
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "alice@proxy.example/r");
	assert_string_equal(try_login(c, "a.example", "z", "wrong"),
	    "not-authorized");
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "temporary-auth-failure");
	assert_string_equal(try_from(c, "192.0.2.9", "proxy.example", "alice",
				"secret"),
	    "alice@proxy.example/r");
	core_wait(c, 91000);
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "alice@proxy.example/r");
	core_free(c);
}

/* Of one network of IPv6 the rest of the address is the peer's to choose. */
static void
test_throttled_network(void **state)
{
	struct core *c = begin("login-failures-per-address='1'");

	(void)state;
	try_from(c, "2001:db8::1", "proxy.example", "x", "wrong");
	assert_string_equal(try_from(c, "2001:db8::2", "proxy.example", "alice",
				"secret"),
	    "temporary-auth-failure");
	assert_string_equal(try_from(c, "2001:db8:0:1::2", "proxy.example",
				"alice", "secret"),
	    "alice@proxy.example/r");
	expect(&c->log, "peer=2001:db8::1 ");
	core_free(c);
}

/* The right password does not help, and the answer does not say why. */
static void
test_throttled_user(void **state)
{
	struct core *c = begin("login-failures-per-user='3' "
			       "login-failure-seconds='80'");

	(void)state;
	try_from(c, "192.0.2.2", "proxy.example", "alice", "wrong");
	try_from(c, "192.0.2.3", "proxy.example", "alice", "wrong");
	/* A user has one count, whichever the view. */
	try_from(c, "192.0.2.4", "a.example", "alice", "wrong");
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "not-authorized");
	expect(&c->log, "event=login-throttled");
	assert_string_equal(try_login(c, "proxy.example", "bob", "secret"),
	    "bob@proxy.example/r");
	core_wait(c, 91000);
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "alice@proxy.example/r");
	core_free(c);
}

/* A name at one domain is somebody else at another. */
static void
test_throttled_namesake(void **state)
{
	struct core *c = core_new(
	    "<limits login-failures-per-user='2'/>"
	    "<user name='alice' passwd='secret'><account "
	    "jid='a@a.example' passwd='up' host='127.0.0.1' tls='none'/></user>"
	    "<user name='carol' passwd='secret'><account "
	    "jid='alice@a.example' passwd='up' host='127.0.0.1' tls='none'/>"
	    "</user>");

	(void)state;
	try_login(c, "a.example", "alice", "wrong");
	try_login(c, "a.example", "a", "wrong");
	try_login(c, "proxy.example", "carol", "wrong");
	assert_string_equal(try_login(c, "proxy.example", "alice", "secret"),
	    "alice@proxy.example/r");
	assert_string_equal(try_login(c, "proxy.example", "carol", "secret"),
	    "not-authorized");
	core_free(c);
}

/* --- limits --- */

/* Connects and says nothing more. */
static void
stay(struct core_client *cl, struct core *c, const char *peer)
{
	c->holds_jobs = true;
	client_begin(cl, c, peer, "proxy.example", "alice", "secret", NULL);
	c->holds_jobs = false;
}

/* Held: none of these gets further than its password. */
static void
test_logins_open(void **state)
{
	struct core *c = begin("logins-open='8'");
	struct core_client cl[9];

	(void)state;
	for (int i = 0; i < 9; i++) {
		stay(&cl[i], c, CORE_PEER);
		assert_int_equal(cl[i].failure != NULL, i == 8);
	}
	assert_string_equal(cl[8].failure,
	    "resource-constraint: too many connections that have not "
	    "logged in");
	assert_int_equal(c->proxy->logins_open, 8);
	/* As sessions they do not count any more. */
	core_run(c);
	assert_int_equal(c->proxy->logins_open, 0);
	client_end(&cl[8]);
	stay(&cl[8], c, CORE_PEER);
	assert_null(cl[8].failure);
	for (int i = 0; i < 9; i++)
		client_end(&cl[i]);
	core_free(c);
}

static void
test_connections(void **state)
{
	struct core *c = begin("connections='16'");
	struct core_client cl[17];

	(void)state;
	for (int i = 0; i < 17; i++) {
		if (i < 8)
			stay(&cl[i], c, CORE_PEER);
		else
			client_begin(&cl[i], c, CORE_PEER, "proxy.example",
			    "bob", "secret", NULL);
		assert_int_equal(cl[i].failure != NULL, i == 16);
		if (i == 7)
			core_run(c);
	}
	assert_string_equal(cl[16].failure,
	    "resource-constraint: too many connections");
	client_end(&cl[15]);
	client_end(&cl[16]);
	core_run(c);
	client_begin(&cl[15], c, CORE_PEER, "proxy.example", "bob", "secret",
	    NULL);
	assert_null(cl[15].failure);
	for (int i = 0; i < 16; i++)
		client_end(&cl[i]);
	core_free(c);
}

static void
test_connections_per_address(void **state)
{
	struct core *c = begin("connections-per-address='2'");
	struct core_client cl[4];

	(void)state;
	client_login(&cl[0], c, "alice", "1");
	client_begin(&cl[1], c, CORE_PEER, "proxy.example", "alice", "wrong",
	    "2");
	client_begin(&cl[2], c, CORE_PEER, "proxy.example", "alice", "secret",
	    "3");
	assert_string_equal(cl[2].failure,
	    "resource-constraint: too many connections from this address");
	client_begin(&cl[3], c, "192.0.2.9", "proxy.example", "alice", "secret",
	    "3");
	assert_non_null(cl[3].stream);
	/* It is counted until it is gone, as login and as session. */
	client_end(&cl[1]);
	client_end(&cl[2]);
	core_wait(c, 300);
	client_login(&cl[1], c, "alice", "2");
	client_end(&cl[0]);
	core_run(c);
	client_login(&cl[0], c, "alice", "1");
	client_begin(&cl[2], c, CORE_PEER, "proxy.example", "alice", "secret",
	    "3");
	assert_non_null(cl[2].failure);
	for (int i = 0; i < 4; i++)
		client_end(&cl[i]);
	core_free(c);
}

static unsigned
count(const struct buf *log, const char *what)
{
	const char *at = log->data;
	unsigned n = 0;

	while ((at = strstr(at, what)) != NULL) {
		at += strlen(what);
		n++;
	}
	return n;
}

/* They hold no more descriptors than is said, and no more of the log. */
static void
test_many_refused(void **state)
{
	struct core *c = begin("connections='16' logins-open='8'");
	struct loop_conns *conns = loop_conns(c->loop);
	struct transport *ours[201], *theirs;

	(void)state;
	for (int i = 0; i < 200; i++) {
		wire_new(0, &c->activity, &theirs, &ours[i]);
		proxy_accept(c->proxy, theirs, CORE_PEER, ACCEPT_PLAIN);
	}
	assert_int_equal(c->proxy->logins_open, 8);
	assert_int_equal(conns_lingering(conns), 64);
	assert_int_equal(count(&c->log, "event=refused"), 1);
	core_wait(c, 2000);
	assert_int_equal(conns_lingering(conns), 0);
	/* Before TLS nobody could read why. */
	wire_new(0, &c->activity, &theirs, &ours[200]);
	proxy_accept(c->proxy, theirs, CORE_PEER, ACCEPT_DIRECT);
	assert_int_equal(conns_lingering(conns), 0);
	expect(&c->log, "count=192");
	assert_int_equal(count(&c->log, "event=refused"), 2);
	for (int i = 0; i < 201; i++)
		ours[i]->ops->free(ours[i]);
	core_free(c);
}

static void
test_sessions_per_user(void **state)
{
	struct core *c = begin("sessions-per-user='2'");
	struct core_client cl[4];

	(void)state;
	client_login(&cl[0], c, "alice", "1");
	client_login(&cl[1], c, "alice", "2");
	client_begin(&cl[2], c, CORE_PEER, "proxy.example", "alice", "secret",
	    "3");
	assert_string_equal(cl[2].failure,
	    "the resource was not bound: resource-constraint");
	client_end(&cl[2]);
	/* Another user is not affected; a device that comes back is let in. */
	client_login(&cl[2], c, "bob", "1");
	client_login(&cl[3], c, "alice", "2");
	assert_true(cl[1].closed);
	for (int i = 0; i < 4; i++)
		client_end(&cl[i]);
	core_free(c);
}

static void
test_auth_seconds(void **state)
{
	struct core *c = begin("auth-seconds='5'");
	struct core_client cl;

	(void)state;
	c->holds_jobs = true;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	core_wait(c, 4999);
	assert_null(cl.failure);
	core_wait(c, 1);
	assert_string_equal(cl.failure,
	    "connection-timeout: the login took too long");
	assert_int_equal(c->proxy->logins_open, 0);
	assert_int_equal(user_open_sessions(core_user(c, "alice")), 0);
	client_end(&cl);
	core_free(c);
}

static void
test_login_bytes(void **state)
{
	struct core *c = begin("login-bytes='4096'");
	struct core_client cl;
	char *big = mem_alloc(5001);

	(void)state;
	memset(big, 'x', 5000);
	client_begin(&cl, c, CORE_PEER, "proxy.example", big, "secret", "r");
	assert_non_null(cl.failure);
	assert_non_null(strstr(cl.failure, "policy-violation"));
	client_end(&cl);
	/* What is bound may say more. */
	client_login(&cl, c, "alice", "r");
	stream_send_text(cl.stream, "<iq type='get' id='1'><q xmlns='");
	stream_send_text(cl.stream, big);
	client_say(&cl, "'/></iq>");
	assert_false(cl.closed);
	client_end(&cl);
	free(big);
	core_free(c);
}

static void
test_tries(void **state)
{
	struct core *c = begin("login-tries='1'");
	struct core_client cl;

	(void)state;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "wrong", "r");
	core_wait(c, 300);
	assert_string_equal(cl.failure, "not-authorized");
	assert_int_equal(c->proxy->logins_open, 0);
	expect(&c->log, "too many logins have failed");
	client_end(&cl);
	core_free(c);
}

/* --- the resource --- */

static void
test_resource(void **state)
{
	struct core *c = begin("");
	struct core_client one, two, three;

	(void)state;
	client_begin(&one, c, CORE_PEER, "proxy.example", "alice", "secret",
	    NULL);
	assert_int_equal(strlen(one.full),
	    strlen("alice@proxy.example/") + RANDOM_ID_SIZE - 1);
	client_login(&two, c, "alice", "r");
	assert_string_equal(two.full, "alice@proxy.example/r");
	/* The same view: the older one goes. */
	client_login(&three, c, "alice", "r");
	assert_string_equal(three.full, "alice@proxy.example/r");
	assert_true(two.closed);
	assert_string_equal(two.cond, "conflict");
	client_end(&two);
	/* Another view: both stay. */
	client_begin(&two, c, CORE_PEER, "a.example", "alice", "secret", "r");
	assert_string_not_equal(two.full, "alice@a.example/r");
	assert_false(three.closed);
	client_end(&one);
	client_end(&two);
	client_end(&three);
	core_free(c);
}

/* Another account's upstream is not seen in an account's view. */
static void
test_resource_of_another_account(void **state)
{
	struct core *c = core_new(
	    "<user name='alice' passwd='secret'>"
	    "<account jid='a@a.example' passwd='up' host='127.0.0.1' "
	    "tls='none' resource='one'/>"
	    "<account jid='b@a.example' passwd='up' host='127.0.0.1' "
	    "tls='none' resource='two'/></user>");
	struct core_client cl;

	(void)state;
	core_connect(c);
	core_connect(c);
	client_begin(&cl, c, CORE_PEER, "a.example", "a", "secret", "two");
	assert_string_equal(cl.full, "a@a.example/two");
	client_end(&cl);
	client_begin(&cl, c, CORE_PEER, "a.example", "a", "secret", "one");
	assert_string_not_equal(cl.full, "a@a.example/one");
	client_end(&cl);
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "two");
	assert_string_not_equal(cl.full, "alice@proxy.example/two");
	client_end(&cl);
	core_free(c);
}

/* The user's own, for a client that asks for none. */
static void
test_resource_of_the_user(void **state)
{
	struct core *c = core_new(CORE_ALICE("resource='access'"));
	struct core_client one, two;

	(void)state;
	client_begin(&one, c, CORE_PEER, "proxy.example", "alice", "secret",
	    NULL);
	assert_string_equal(one.full, "alice@proxy.example/access");
	client_begin(&two, c, CORE_PEER, "proxy.example", "alice", "secret",
	    NULL);
	assert_string_not_equal(two.full, "alice@proxy.example/access");
	assert_false(one.closed);
	client_end(&one);
	client_end(&two);
	core_free(c);
}

static void
test_resource_taken_upstream(void **state)
{
	struct core *c = begin("");
	struct core_client one, two;

	(void)state;
	core_connect(c);
	core_connect(c);
	c->server = LIST_NEXT(LIST_FIRST(&c->servers), next);
	core_server_say(c,
	    "<presence from='alice@a.example/phone' "
	    "to='alice@a.example/proxy'/>");
	core_run(c);
	client_login(&one, c, "alice", "proxy");
	assert_string_not_equal(one.full, "alice@proxy.example/proxy");
	client_begin(&two, c, CORE_PEER, "a.example", "alice", "secret",
	    "phone");
	assert_string_not_equal(two.full, "alice@a.example/phone");
	client_end(&two);
	/* Bob's is nobody's but his. */
	client_login(&two, c, "bob", "phone");
	assert_string_equal(two.full, "bob@proxy.example/phone");
	client_end(&one);
	client_end(&two);
	core_free(c);
}

static void
test_resource_that_is_none(void **state)
{
	struct core *c = begin("");
	struct core_client cl;

	(void)state;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "a\xe2\x80\xa8"
	    "b");
	assert_string_equal(cl.failure,
	    "the resource was not bound: bad-request");
	client_end(&cl);
	core_free(c);
}

/* --- the end of it --- */

static void
test_shut_down(void **state)
{
	struct core *c = begin("");
	struct core_client cl, late;

	(void)state;
	stay(&cl, c, CORE_PEER);
	c->holds_jobs = true;
	proxy_stop(c->proxy);
	core_run(c);
	assert_string_equal(cl.failure, "system-shutdown: system-shutdown");
	client_begin(&late, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	assert_string_equal(late.failure,
	    "resource-constraint: the proxy is shutting down");
	client_end(&cl);
	client_end(&late);
	core_free(c);
}

/* The user is taken out while the login goes on. */
static void
test_user_removed(void **state)
{
	struct core *c = begin("");
	struct core_client cl;

	(void)state;
	stay(&cl, c, CORE_PEER);
	c->holds_jobs = true;
	assert_int_equal(proxy_reload(c->proxy, core_config(BOB), NULL), 0);
	c->holds_jobs = false;
	core_wait(c, 1000);
	assert_non_null(cl.failure);
	client_end(&cl);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_throttled_address),
		cmocka_unit_test(test_throttled_network),
		cmocka_unit_test(test_throttled_user),
		cmocka_unit_test(test_throttled_namesake),
		cmocka_unit_test(test_logins_open),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_connections_per_address),
		cmocka_unit_test(test_many_refused),
		cmocka_unit_test(test_sessions_per_user),
		cmocka_unit_test(test_auth_seconds),
		cmocka_unit_test(test_login_bytes),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_resource),
		cmocka_unit_test(test_resource_of_another_account),
		cmocka_unit_test(test_resource_of_the_user),
		cmocka_unit_test(test_resource_taken_upstream),
		cmocka_unit_test(test_resource_that_is_none),
		cmocka_unit_test(test_shut_down),
		cmocka_unit_test(test_user_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
