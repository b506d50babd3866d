#include "support_client.h"

#define MESSAGE(id) \
	"<message to='bob@b.example' type='chat' id='" id "'>" \
	"<body>hello " id "</body></message>"

static struct core *
begin(const char *limits, const char *more)
{
	char *body = mem_printf("<limits %s/>" CORE_ALICE("%s"), limits, more);
	struct core *c = core_new(body);

	free(body);
	return c;
}

static bool
is_up(struct core *c)
{
	return account_is_up(core_account(c, "alice"));
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void
test_up(void **state)
{
	struct core *c = begin("", "");
	struct account *a = core_account(c, "alice");
	struct core_dial *d = TAILQ_FIRST(&c->dials);

	(void)state;
	assert_int_equal(c->dialled, 1);
	assert_string_equal(d->domain, "a.example");
	assert_string_equal(d->host, "127.0.0.1");
	assert_false(is_up(c));
	assert_null(upstream_stream(a->upstream));
	assert_string_equal(upstream_trouble(a->upstream), "not connected yet");
	assert_null(a->full);
	core_connect(c);
	assert_true(is_up(c));
	assert_non_null(upstream_stream(a->upstream));
	assert_string_equal(upstream_trouble(a->upstream), "");
	assert_string_equal(a->full, "alice@a.example/proxy");
	assert_true(TAILQ_EMPTY(&c->dials));
	assert_int_equal(c->proxy->dials_open, 0);
	upstream_start(a->upstream);
	assert_true(TAILQ_EMPTY(&c->dials));
	core_free(c);
}

/* TLS or the link failed there: the next address; a verdict on us is final. */
static void
test_next_address(void **state)
{
	struct core *c = begin("", "");
	struct core_dial *d = TAILQ_FIRST(&c->dials);
	struct account *a = core_account(c, "alice");

	(void)state;
	c->holds_jobs = true; /* it stays in the login */
	core_connect(c);
	assert_false(is_up(c));
	assert_int_equal(c->proxy->dials_open, 1);
	accept_free(&LIST_FIRST(&c->servers)->accept);
	core_run(c);
	assert_ptr_equal(TAILQ_FIRST(&c->dials), d);
	assert_int_equal(d->nexts, 1);
	assert_int_equal(c->proxy->dials_open, 1);
	/* What was hashed for the address before is late, and does no harm. */
	c->holds_jobs = false;
	core_run(c);
	core_connect(c);
	assert_true(is_up(c));
	assert_int_equal(c->proxy->dials_open, 0);
	assert_string_equal(upstream_trouble(a->upstream), "");
	core_free(c);
}

static void
test_tls_failure(void **state)
{
	struct core *c = core_new(
	    "<user name='alice' passwd='secret'>"
	    "<account jid='alice@a.example' passwd='up'/></user>");

	(void)state;
	core_connect(c); /* a server without STARTTLS */
	assert_int_equal(TAILQ_FIRST(&c->dials)->nexts, 1);
	assert_string_equal(TAILQ_FIRST(&c->dials)->reason,
	    "the server offers no STARTTLS");
	core_dial_fails(c, "no more addresses");
	assert_int_equal(c->proxy->dials_open, 0);
	core_until_dial(c, 2100);
	core_free(c);
}

static void
test_slow_login(void **state)
{
	struct core *c = begin("auth-seconds='5'", "");

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	core_wait(c, 4999);
	assert_int_equal(TAILQ_FIRST(&c->dials)->nexts, 0);
	core_wait(c, 1);
	assert_int_equal(TAILQ_FIRST(&c->dials)->nexts, 1);
	core_free(c);
}

static void
test_dials_limit(void **state)
{
	struct core *c = core_new("<limits dials='1'/>" CORE_ALICE(
	    "") "<user name='bob' passwd='secret'><account "
		"jid='bob@a.example' passwd='up' host='127.0.0.1' "
		"tls='none'/></user>");

	(void)state;
	core_wait(c, 10000);
	assert_int_equal(c->dialled, 1);
	core_connect(c);
	assert_true(core_until_dial(c, 1000) <= 200);
	core_connect(c);
	assert_true(account_is_up(core_account(c, "bob")));
	assert_true(account_is_up(core_account(c, "alice")));
	core_free(c);
}

static void
test_keepalive(void **state)
{
	struct core *c = begin("ping-seconds='60' ping-timeout-seconds='30'",
	    "");

	(void)state;
	core_connect(c);
	buf_clear(&c->server->got);
	core_wait(c, 59999);
	assert_false(has(&c->server->got, "urn:xmpp:ping"));
	core_wait(c, 1);
	expect(&c->server->got, "to='a.example'");
	expect(&c->server->got, "<ping xmlns='urn:xmpp:ping'/>");
	/* Whatever comes says that it is there. */
	core_wait(c, 29999);
	core_server_say(c, "<message from='b@b.example'/>");
	core_wait(c, 59999);
	assert_true(is_up(c));
	assert_int_equal(count(c->server->got.data, "urn:xmpp:ping"), 1);
	core_wait(c, 2);
	assert_int_equal(count(c->server->got.data, "urn:xmpp:ping"), 2);
	core_wait(c, 29998);
	assert_true(is_up(c));
	core_wait(c, 2);
	assert_false(is_up(c));
	assert_string_equal(upstream_trouble(
				core_account(c, "alice")->upstream),
	    "the server does not answer a ping");
	core_until_dial(c, 5000);
	core_free(c);
}

/* A server with traffic of its own is not asked. */
static void
test_keepalive_of_busy_one(void **state)
{
	struct core *c = begin("ping-seconds='10'", "");

	(void)state;
	core_connect(c);
	buf_clear(&c->server->got);
	for (int i = 0; i < 10; i++) {
		core_wait(c, 9000);
		core_server_say(c, "<message from='b@b.example'/>");
		core_run(c);
	}
	assert_false(has(&c->server->got, "urn:xmpp:ping"));
	core_free(c);
}

/* Requests without an answer must not hide that the link is dead. */
static void
test_keepalive_with_full_table(void **state)
{
	struct core *c = begin("iqs-per-account='1' iq-seconds='3600'", "");
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	core_connect(c);
	account_fail_iqs(core_account(c, "alice"));
	client_say(&cl,
	    "<iq type='get' id='1' to='bob@b.example/x'><q xmlns='x'/></iq>");
	core_wait(c, 90001);
	assert_false(is_up(c));
	client_end(&cl);
	core_free(c);
}

/* The server has handled all that it was sent: it answers the ping that asks. */
static void
acknowledge(struct core *c)
{
	const char *at = NULL, *next = c->server->got.data;
	char id[64], *xml;

	core_wait(c, 5000);
	while ((next = strstr(next, "<iq type='get' id='")) != NULL)
		at = next++;
	assert_non_null(at);
	assert_int_equal(sscanf(at, "<iq type='get' id='%63[^']'", id), 1);
	xml = mem_printf("<iq type='result' id='%s' from='a.example'/>", id);
	core_server_say(c, xml);
	core_run(c);
	free(xml);
}

static void
test_outbox_on_loss(void **state)
{
	struct core *c = begin("", "");
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	core_connect(c);
	client_say(&cl, MESSAGE("1"));
	expect(&c->server->got, "hello 1");
	acknowledge(c);
	/* The next ones get stuck on the way, and the link is lost. */
	conn_pause(stream_conn(c->server->stream), true);
	wire_set_room(c->server->wire, 1);
	client_say(&cl, MESSAGE("2") MESSAGE("3"));
	stream_abort(&c->server->stream);
	core_until_dial(c, 5000);
	client_say(&cl, MESSAGE("4"));
	core_connect(c);
	assert_int_equal(count(c->server->got.data, "hello 1"), 0);
	assert_int_equal(count(c->server->got.data, "hello 2"), 1);
	assert_int_equal(count(c->server->got.data, "hello 3"), 1);
	assert_int_equal(count(c->server->got.data, "hello 4"), 1);
	assert_int_equal(count(c->server->got.data, "<delay"), 3);
	assert_true(strstr(c->server->got.data, "hello 2") <
	    strstr(c->server->got.data, "hello 3"));
	client_end(&cl);
	core_free(c);
}

/* "Bye", and gone: the stream ends once that has arrived. */
static void
test_outbox_on_close(void **state)
{
	struct core *c = begin("", "detached='disconnect'");
	struct core_client cl;

	(void)state;
	assert_int_equal(c->dialled, 0);
	client_login(&cl, c, "alice", "r");
	core_connect(c);
	client_say(&cl, MESSAGE("1"));
	acknowledge(c);
	client_say(&cl, MESSAGE("2") "</stream:stream>");
	assert_false(c->server->closed);
	acknowledge(c);
	assert_true(c->server->closed);
	assert_null(c->server->cond);
	expect(&c->server->got, "hello 1");
	expect(&c->server->got, "hello 2");
	client_end(&cl);
	client_login(&cl, c, "alice", "r");
	core_connect(c);
	assert_false(has(&c->server->got, "hello 1"));
	assert_false(has(&c->server->got, "hello 2"));
	client_end(&cl);
	core_free(c);
}

static void
test_stop(void **state)
{
	struct core *c = begin("", "");
	struct upstream *u = core_account(c, "alice")->upstream;

	(void)state;
	upstream_stop(u, "not now");
	assert_true(TAILQ_EMPTY(&c->dials));
	assert_int_equal(c->proxy->dials_open, 0);
	assert_string_equal(upstream_trouble(u), "not now");
	core_wait(c, 600000);
	assert_int_equal(c->dialled, 1);
	upstream_start(u);
	core_dial_fails(c, "nobody is there");
	upstream_stop(u, "not now"); /* while it waits */
	core_wait(c, 600000);
	assert_int_equal(c->dialled, 2);
	upstream_start(u);
	core_connect(c);
	assert_true(is_up(c));
	upstream_stop(u, "not now");
	core_run(c);
	assert_true(c->server->closed);
	assert_null(c->server->cond);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_tls_failure),
		cmocka_unit_test(test_slow_login),
		cmocka_unit_test(test_dials_limit),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_keepalive_of_busy_one),
		cmocka_unit_test(test_keepalive_with_full_table),
		cmocka_unit_test(test_outbox_on_loss),
		cmocka_unit_test(test_outbox_on_close),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
