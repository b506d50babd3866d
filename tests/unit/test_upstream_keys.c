#include "support_client.h"

static unsigned
jobs(const struct core *c)
{
	const struct core_job *j;
	unsigned n = 0;

	STAILQ_FOREACH(j, &c->jobs, next)
		n++;
	return n;
}

static bool
is_up(struct core *c)
{
	return account_is_up(core_account(c, "alice"));
}

static void
lose(struct core *c)
{
	stream_abort(&c->server->stream);
	core_until_dial(c, 5000);
}

static void
change_password(struct core *c, const char *password)
{
	char *body = mem_printf("<user name='alice' passwd='secret'>"
				"<account jid='alice@a.example' passwd='%s' "
				"host='127.0.0.1' tls='none'/></user>",
	    password);

	assert_int_equal(proxy_reload(c->proxy, core_config(body), NULL), 0);
	free(body);
}

/* Once a salt: a server that comes back costs nothing. */
static void
test_kept(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	assert_int_equal(jobs(c), 1);
	core_run_jobs(c);
	core_run(c);
	assert_true(is_up(c));
	lose(c);
	core_connect(c);
	assert_int_equal(jobs(c), 0);
	assert_true(is_up(c));
	core_free(c);
}

static void
test_undone(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	assert_int_equal(jobs(c), 1);
	core_skip_jobs(c);
	assert_false(is_up(c));
	c->holds_jobs = false;
	core_until_dial(c, 5000);
	core_connect(c);
	assert_true(is_up(c));
	core_free(c);
}

static void
test_no_worker(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->is_busy = true;
	core_connect(c);
	assert_false(is_up(c));
	expect(&c->log, "event=workers-busy");
	c->is_busy = false;
	core_until_dial(c, 5000);
	core_connect(c);
	assert_true(is_up(c));
	core_free(c);
}

static void
test_password_not_hashable(void **state)
{
	/* U+0627 beside a letter: SASLprep forbids the mixture. */
	struct core *c = core_new("<user name='alice' passwd='secret'><account "
				  "jid='alice@a.example' passwd='a&#x627;' "
				  "host='127.0.0.1' tls='none'/></user>");

	(void)state;
	core_connect(c);
	assert_false(is_up(c));
	core_until_dial(c, 5000);
	core_free(c);
}

/* The account is gone when its password has been hashed. */
static void
test_late_for_a_removed_one(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	assert_int_equal(proxy_reload(c->proxy, core_config(""), NULL), 0);
	assert_int_equal(jobs(c), 1);
	core_run_jobs(c);
	core_free(c);
}

/* A reload changed the password while the old one was being hashed. */
static void
test_late_for_an_old_password(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	change_password(c, "new");
	c->password = "new";
	/* Its answer comes before the next try has asked, and is not kept. */
	core_connect(c);
	assert_int_equal(jobs(c), 2);
	core_run_jobs(c);
	core_run(c);
	assert_true(is_up(c));
	core_free(c);
}

static void
test_late_before_the_next_asks(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	change_password(c, "new");
	core_run_jobs(c);
	c->password = "new";
	c->holds_jobs = false;
	core_connect(c);
	assert_true(is_up(c));
	core_free(c);
}

/* The first address was lost meanwhile: its result does for the second. */
static void
test_late_for_the_next_address(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));

	(void)state;
	c->holds_jobs = true;
	core_connect(c);
	accept_free(&LIST_FIRST(&c->servers)->accept);
	core_run(c);
	assert_int_equal(TAILQ_FIRST(&c->dials)->nexts, 1);
	core_run_jobs(c);
	core_connect(c);
	assert_int_equal(jobs(c), 0);
	assert_true(is_up(c));
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_no_worker),
		cmocka_unit_test(test_password_not_hashable),
		cmocka_unit_test(test_late_for_a_removed_one),
		cmocka_unit_test(test_late_for_an_old_password),
		cmocka_unit_test(test_late_before_the_next_asks),
		cmocka_unit_test(test_late_for_the_next_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
