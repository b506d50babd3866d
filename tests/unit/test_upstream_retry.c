#include "support_client.h"
#include "support_tls.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
/* That alice was told of what happened, as a message of the node. */
#define TOLD "<message from='proxy.example'"

static struct core *
begin(void)
{
	return core_new(CORE_ALICE(""));
}

static const char *
trouble(struct core *c)
{
	return upstream_trouble(core_account(c, "alice")->upstream);
}

static bool
is_up(struct core *c)
{
	return account_is_up(core_account(c, "alice"));
}

/* 1 s at least, 5 min at most, twice as much each time, never quite the same. */
static void
test_backoff(void **state)
{
	struct core *c = begin();
	uint64_t window = 2000, ms;
	unsigned different = 0;

	(void)state;
	for (int i = 0; i < 14; i++) {
		core_dial_fails(c, "nobody is there");
		ms = core_until_dial(c, 600000);
		assert_in_range(ms, window / 2, window + 100);
		different += ms != window / 2 && ms != window;
		if ((window *= 2) > 5 * MINUTE)
			window = 5 * MINUTE;
	}
	assert_true(different > 0);
	assert_string_equal(trouble(c), "nobody is there");
	core_free(c);
}

/* The link is lost after a while that was long or short. */
static uint64_t
lose_after(struct core *c, uint64_t up_ms)
{
	core_connect(c);
	assert_true(is_up(c));
	clock_advance(up_ms);
	stream_abort(&c->server->stream);
	core_run(c);
	assert_false(is_up(c));
	return core_until_dial(c, 600000);
}

static void
test_backoff_resets(void **state)
{
	struct core *c = begin();

	(void)state;
	for (int i = 0; i < 8; i++) {
		core_dial_fails(c, "nobody is there");
		core_until_dial(c, 600000);
	}
	/* Up for a moment only: no reason to hurry. */
	assert_true(lose_after(c, 59999) >= 5 * MINUTE / 2);
	/* Steady: the very next try is soon, and so is the one after it. */
	assert_true(lose_after(c, 60000) <= 2100);
	core_dial_fails(c, "nobody is there");
	assert_true(core_until_dial(c, 600000) <= 4100);
	core_free(c);
}

static void
test_refused(void **state)
{
	struct core *c = begin();
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	c->does = SERVER_REFUSES;
	core_connect(c);
	expect(&cl.got, TOLD);
	expect(&cl.got, "alice@a.example: not-authorized.");
	assert_string_equal(trouble(c), "not-authorized");
	assert_in_range(core_until_dial(c, HOUR), 20 * MINUTE,
	    20 * MINUTE + 200);
	core_connect(c);
	core_until_dial(c, HOUR);
	assert_false(has(&cl.got, "No further try"));
	core_connect(c);
	expect(&cl.got, "No further try until the configuration changes.");
	core_wait(c, 5 * HOUR);
	assert_int_equal(c->dialled, 3);
	assert_true(TAILQ_EMPTY(&c->dials));
	/* Neither does another session's login bring it back. */
	client_end(&cl);
	core_run(c);
	client_login(&cl, c, "alice", "r");
	assert_int_equal(c->dialled, 3);
	client_end(&cl);
	core_free(c);
}

/* Who comes between the tries has to hear of it: most come after the first. */
static void
test_refused_before_login(void **state)
{
	struct core *c = begin();
	struct core_client cl;

	(void)state;
	c->does = SERVER_REFUSES;
	core_connect(c);
	client_login(&cl, c, "alice", "r");
	client_say(&cl,
	    "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>"
	    "<presence/>");
	expect(&cl.got, "not-authorized</text>");
	expect(&cl.got, TOLD);
	expect(&cl.got, "alice@a.example: not-authorized.</body>");
	client_end(&cl);
	core_free(c);
}

/* Three within an hour or so; once in a while is something else. */
static void
test_refused_long_ago(void **state)
{
	struct core *c = begin();

	(void)state;
	for (int i = 0; i < 5; i++) {
		c->does = SERVER_REFUSES;
		core_connect(c);
		core_until_dial(c, HOUR);
		c->does = SERVER_BINDS;
		core_connect(c);
		assert_true(is_up(c));
		clock_advance(MINUTE);
		stream_abort(&c->server->stream);
		core_until_dial(c, MINUTE);
	}
	core_free(c);
}

static void
test_temporary_failure(void **state)
{
	struct core *c = begin();

	(void)state;
	c->does = SERVER_POSTPONES;
	for (int i = 0; i < 6; i++) {
		core_connect(c);
		expect(&c->log, "temporary-auth-failure");
		core_until_dial(c, 5 * MINUTE);
	}
	c->does = SERVER_BINDS;
	core_connect(c);
	assert_true(is_up(c));
	assert_string_equal(trouble(c), "");
	core_free(c);
}

static void
end_by(struct core *c, enum stream_cond cond)
{
	stream_fail(&c->server->stream, cond, "it is so");
	core_run(c);
}

static void
test_conflict(void **state)
{
	struct core *c = begin();
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	core_connect(c);
	assert_string_equal(c->asked, "proxy");
	end_by(c, STREAM_CONFLICT);
	core_until_dial(c, 5000);
	core_connect(c);
	assert_null(c->asked);
	assert_string_equal(core_account(c, "alice")->full,
	    "alice@a.example/made");
	clock_advance(HOUR - 10000);
	end_by(c, STREAM_CONFLICT);
	assert_string_equal(trouble(c), "conflict: it is so");
	expect(&cl.got, "No further try");
	core_wait(c, 5 * HOUR);
	assert_int_equal(c->dialled, 2);
	client_end(&cl);
	core_free(c);
}

static void
test_conflict_long_ago(void **state)
{
	struct core *c = begin();

	(void)state;
	for (int i = 0; i < 4; i++) {
		core_connect(c);
		clock_advance(HOUR);
		end_by(c, STREAM_CONFLICT);
		core_until_dial(c, 5000);
	}
	core_free(c);
}

static void
test_conflict_at_binding(void **state)
{
	struct core *c = begin();

	(void)state;
	c->does = SERVER_CONFLICTS;
	core_connect(c);
	assert_string_equal(c->asked, "proxy");
	core_until_dial(c, 5000);
	core_connect(c);
	assert_null(c->asked);
	core_wait(c, HOUR);
	assert_int_equal(c->dialled, 2);
	core_free(c);
}

/* Passing: the server goes down, restarts, sends us away for now. */
static void
test_stream_errors(void **state)
{
	static const enum stream_cond conds[] = { STREAM_SYSTEM_SHUTDOWN,
		STREAM_RESET, STREAM_NOT_AUTHORIZED, STREAM_HOST_GONE,
		STREAM_POLICY_VIOLATION, STREAM_SEE_OTHER_HOST };
	struct core *c = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(conds) / sizeof(*conds); i++) {
		core_connect(c);
		assert_true(is_up(c));
		end_by(c, conds[i]);
		expect(&c->log, stream_cond_name(conds[i]));
		core_until_dial(c, 5 * MINUTE);
		/* Without TLS anybody could have said so. */
		assert_string_equal(TAILQ_FIRST(&c->dials)->host, "127.0.0.1");
	}
	core_free(c);
}

/* Before TLS nobody is trusted to name another host. */
static void
test_elsewhere_without_tls(void **state)
{
	struct core *c = begin();

	(void)state;
	c->does = SERVER_ENDS;
	c->cond = STREAM_SEE_OTHER_HOST;
	c->where = "evil.example";
	core_connect(c);
	assert_true(core_until_dial(c, 5000) >= 1000);
	assert_string_equal(TAILQ_FIRST(&c->dials)->host, "127.0.0.1");
	core_free(c);
}

/* A server with a certificate that is trusted. */
static struct core *
begin_tls(void)
{
	static const struct tls_issue issue = { .name = "a",
		.subject = "a.example",
		.alt_names = "DNS:a.example" };
	char *body;
	struct core *c;

	tls_issue(&issue);
	body = mem_printf("<user name='alice' passwd='secret'>"
			  "<account jid='alice@a.example' passwd='up' "
			  "ca='%s'/></user>",
	    tls_path("a.pem"));
	c = core_new(body);
	free(body);
	c->tls = ACCEPT_STARTTLS;
	c->certs = tls_certs_new(NULL);
	tls_add(c->certs, NULL, "a");
	return c;
}

static void
connect_tls(struct core *c)
{
	core_connect(c);
	for (int i = 0; i < 20; i++)
		core_run(c);
}

static void
send_to(struct core *c, const char *where)
{
	c->does = SERVER_ENDS;
	c->cond = STREAM_SEE_OTHER_HOST;
	c->where = where;
	connect_tls(c);
}

static void
test_elsewhere(void **state)
{
	static const struct {
		const char *where, *host;
		uint16_t port;
	} rows[] = {
		{ "b.example", "b.example", 0 },
		{ "b.example:5299", "b.example", 5299 },
		{ "b.example:0", "b.example:0", 0 },
		{ "[2001:db8::1]:5299", "[2001:db8::1]", 5299 },
		{ "[2001:db8::1]", "[2001:db8::1]", 0 },
		{ "2001:db8::1", "2001:db8::1", 0 },
	};
	struct core *c;
	struct core_dial *d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		c = begin_tls();
		assert_null(TAILQ_FIRST(&c->dials)->host);
		send_to(c, rows[i].where);
		d = TAILQ_FIRST(&c->dials);
		assert_non_null(d);
		assert_string_equal(d->host, rows[i].host);
		assert_int_equal(d->port, rows[i].port);
		/* The certificate is still the account's domain's. */
		assert_string_equal(d->domain, "a.example");
		c->does = SERVER_BINDS;
		connect_tls(c);
		assert_true(is_up(c));
		core_free(c);
	}
}

static void
test_elsewhere_once_up(void **state)
{
	struct core *c = begin_tls();

	(void)state;
	connect_tls(c);
	assert_true(is_up(c));
	stream_fail(&c->server->stream, STREAM_SEE_OTHER_HOST, "b.example");
	core_run(c);
	assert_string_equal(TAILQ_FIRST(&c->dials)->host, "b.example");
	core_free(c);
}

static void
test_elsewhere_three_hops(void **state)
{
	struct core *c = begin_tls();

	(void)state;
	for (int i = 0; i < 3; i++) {
		send_to(c, "b.example");
		assert_string_equal(TAILQ_FIRST(&c->dials)->host, "b.example");
	}
	send_to(c, "b.example");
	assert_string_equal(trouble(c), "sent from host to host too often");
	assert_true(core_until_dial(c, 5000) >= 1000);
	assert_null(TAILQ_FIRST(&c->dials)->host);
	core_free(c);
}

/* Hops are counted on the way to one connection, not over all of time. */
static void
test_elsewhere_and_failing(void **state)
{
	struct core *c = begin_tls();

	(void)state;
	for (int i = 0; i < 6; i++) {
		send_to(c, "b.example");
		assert_string_equal(TAILQ_FIRST(&c->dials)->host, "b.example");
		core_dial_fails(c, "nobody is there");
		core_until_dial(c, 5 * MINUTE);
		assert_null(TAILQ_FIRST(&c->dials)->host);
	}
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_backoff_resets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_before_login),
		cmocka_unit_test(test_refused_long_ago),
		cmocka_unit_test(test_temporary_failure),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_conflict_long_ago),
		cmocka_unit_test(test_conflict_at_binding),
		cmocka_unit_test(test_stream_errors),
		cmocka_unit_test(test_elsewhere_without_tls),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_elsewhere_once_up),
		cmocka_unit_test(test_elsewhere_three_hops),
		cmocka_unit_test(test_elsewhere_and_failing),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
