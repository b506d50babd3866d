#include "support_client.h"
#include "support_tls.h"

#define ACCOUNT \
	"<account jid='alice@a.example' passwd='up' host='127.0.0.1' " \
	"tls='none'/>"

static struct core *
begin(const char *passwd)
{
	static const struct tls_issue issue = { .name = "n",
		.subject = "proxy.example" };
	char *body = mem_printf("<user name='alice' passwd='%s'>" ACCOUNT
				"</user>",
	    passwd);
	struct core *c = core_new(body);

	free(body);
	tls_issue(&issue);
	c->proxy->certs = tls_certs_new(NULL);
	tls_add(c->proxy->certs, NULL, "n");
	return c;
}

static unsigned
jobs(const struct core *c)
{
	const struct core_job *j;
	unsigned n = 0;

	STAILQ_FOREACH(j, &c->jobs, next)
		n++;
	return n;
}

/* --- PLAIN, under TLS: our own client would never use it --- */

static SSL *
connect_tls(struct core *c, int *fd)
{
	int fds[2], rc;
	SSL *ssl;

	io_pair(fds);
	proxy_accept(c->proxy, transport_socket(fds[0]), CORE_PEER,
	    ACCEPT_DIRECT);
	ssl = tls_plain(fds[1], false, 0, 0, NULL);
	for (int i = 0; i < 20 && (rc = SSL_do_handshake(ssl)) != 1; i++)
		core_run(c);
	assert_int_equal(rc, 1);
	*fd = fds[1];
	return ssl;
}

static void
say(SSL *ssl, const char *text)
{
	int len = (int)strlen(text);

	assert_int_equal(SSL_write(ssl, text, len), len);
}

static bool
said(SSL *ssl, const char *what)
{
	char text[8192];
	size_t len = 0;
	int n;

	while (
	    (n = SSL_read(ssl, text + len, (int)(sizeof(text) - 1 - len))) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return strstr(text, what) != NULL;
}

static bool
plain_answered(struct core *c, const char *domain, const char *authzid,
    const char *name, const char *password, const char *answer)
{
	struct buf in = { 0 }, out = { 0 };
	bool found;
	SSL *ssl;
	int fd;

	ssl = connect_tls(c, &fd);
	buf_printf(&in, "%s%c%s%c%s", authzid, 0, name, 0, password);
	buf_printf(&out,
	    "<stream:stream to='%s' version='1.0' xmlns='jabber:client' "
	    "xmlns:stream='" NS_STREAMS "'><auth xmlns='" NS_SASL
	    "' mechanism='PLAIN'>",
	    domain);
	text_base64(&out, in.data, in.len);
	buf_puts(&out, "</auth>");
	say(ssl, out.data);
	core_run(c);
	core_wait(c, 300);
	found = said(ssl, answer);
	SSL_free(ssl);
	close(fd);
	core_run(c);
	buf_free(&in);
	buf_free(&out);
	return found;
}

static bool
plain(struct core *c, const char *name, const char *password)
{
	bool good = plain_answered(c, "proxy.example", "", name, password,
	    "<success");

	if (!good)
		assert_true(plain_answered(c, "proxy.example", "", name,
		    password, "<not-authorized/>"));
	return good;
}

/* By SCRAM-SHA-256, which our client prefers. */
static bool
scram(struct core *c, const char *name, const char *password)
{
	struct core_client cl;
	bool good;

	client_begin(&cl, c, CORE_PEER, "proxy.example", name, password, "r");
	core_wait(c, 300);
	good = cl.full != NULL;
	if (!good)
		assert_string_equal(cl.failure, "not-authorized");
	client_end(&cl);
	core_run(c);
	return good;
}

static void
test_authzid(void **state)
{
	static const struct {
		const char *domain, *authzid;
		bool good;
	} rows[] = {
		{ "proxy.example", "", true },
		{ "proxy.example", "alice@proxy.example", true },
		{ "proxy.example", "Alice@PROXY.example", true },
		{ "proxy.example", "alice@a.example", false },
		{ "proxy.example", "alice@proxy.example/r", false },
		{ "proxy.example", "bob@proxy.example", false },
		{ "proxy.example", "proxy.example", false },
		{ "proxy.example", "@", false },
		{ "a.example", "", true },
		{ "a.example", "alice@a.example", true },
		{ "a.example", "alice@proxy.example", false },
	};
	struct core *c = begin("secret");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!plain_answered(c, rows[i].domain, rows[i].authzid, "alice",
			"secret",
			rows[i].good ? "<success" : "<invalid-authzid/>"))
			fail_msg("%zu", i);
	}
	/* Whoever does not know the password does not hear of it. */
	assert_true(plain_answered(c, "a.example", "bob@a.example", "alice",
	    "wrong", "<not-authorized/>"));
	core_free(c);
}

static void
test_plain(void **state)
{
	struct core *c = begin("secret");

	(void)state;
	assert_true(plain(c, "alice", "secret"));
	assert_true(plain(c, "Alice", "secret"));
	assert_false(plain(c, "alice", "Secret"));
	assert_false(plain(c, "alice", "secre"));
	assert_false(plain(c, "bob", "secret"));
	assert_false(plain(c, "bob", "x"));
	core_free(c);
}

/* Unassigned in the Unicode that SASLprep knows: nobody gets in by it. */
static void
test_not_preparable(void **state)
{
	struct core *c = begin("a&#x1f511;");

	(void)state;
	assert_false(plain(c, "alice", "a\xf0\x9f\x94\x91"));
	assert_false(plain(c, "alice", "a"));
	assert_false(plain(c, "bob", "a\xf0\x9f\x94\x91"));
	assert_false(scram(c, "alice", "a"));
	core_free(c);
}

static char *
stored(bool sha256, bool sha1)
{
	struct scram_credential made;
	struct buf b = { 0 };

	assert_int_equal(scram_make(&made, "secret", NULL), 0);
	made.keys[SCRAM_SHA256].known = sha256;
	made.keys[SCRAM_SHA1].known = sha1;
	scram_format(&b, &made);
	return buf_take(&b);
}

static void
test_stored(void **state)
{
	static const struct {
		bool sha256, sha1;
	} rows[] = { { true, true }, { true, false }, { false, true } };
	struct core *c;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		text = stored(rows[i].sha256, rows[i].sha1);
		c = begin(text);
		assert_true(plain(c, "alice", "secret"));
		assert_false(plain(c, "alice", "wrong"));
		assert_false(plain(c, "bob", "secret"));
		/* The credential itself opens nothing. */
		assert_false(plain(c, "alice", text));
		/* A hash that is not stored cannot be proven. */
		assert_int_equal(scram(c, "alice", "secret"), rows[i].sha256);
		assert_false(scram(c, "alice", "wrong"));
		core_free(c);
		free(text);
	}
}

/* Nothing is hashed twice for SCRAM with a password, nor at all with a credential. */
static void
test_kept(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;
	char *text;

	(void)state;
	assert_true(scram(c, "alice", "secret"));
	c->holds_jobs = true;
	assert_true(scram(c, "alice", "secret"));
	assert_int_equal(jobs(c), 0);
	c->holds_jobs = false;
	core_free(c);
	text = stored(true, true);
	c = begin(text);
	c->holds_jobs = true;
	client_login(&cl, c, "alice", "r");
	assert_int_equal(jobs(c), 0);
	client_end(&cl);
	core_free(c);
	free(text);
}

static void
change_password(struct core *c, const char *passwd)
{
	char *body = mem_printf("<user name='alice' passwd='%s'>" ACCOUNT
				"</user>",
	    passwd);
	struct tls_certs *certs = tls_certs_ref(c->proxy->certs);
	struct config *config = core_config(body), *old = c->proxy->config;

	/* As a reload, without its listeners. */
	c->proxy->config = config;
	user_reload(core_user(c, "alice"), STAILQ_FIRST(&config->users));
	config_free(&old);
	tls_certs_unref(&certs);
	free(body);
}

static void
test_changed(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;
	char *text = stored(true, true);

	(void)state;
	client_login(&cl, c, "alice", "stays");
	change_password(c, "other");
	assert_false(scram(c, "alice", "secret"));
	assert_true(scram(c, "alice", "other"));
	assert_false(plain(c, "alice", "secret"));
	assert_true(plain(c, "alice", "other"));
	change_password(c, text);
	assert_false(scram(c, "alice", "other"));
	assert_true(scram(c, "alice", "secret"));
	change_password(c, "other");
	assert_false(scram(c, "alice", "secret"));
	assert_true(scram(c, "alice", "other"));
	/* Who is in stays in. */
	assert_false(cl.closed);
	client_end(&cl);
	core_free(c);
	free(text);
}

/* The keys that come late are the old password's: good for that login alone. */
static void
test_changed_meanwhile(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;

	(void)state;
	c->holds_jobs = true;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	assert_int_equal(jobs(c), 1);
	change_password(c, "other");
	c->holds_jobs = false;
	core_wait(c, 300);
	client_end(&cl);
	assert_false(scram(c, "alice", "secret"));
	assert_true(scram(c, "alice", "other"));
	core_free(c);
}

/* The client is gone before its password was hashed. */
static void
test_late(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;

	(void)state;
	c->holds_jobs = true;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	client_end(&cl);
	core_run(c);
	assert_int_equal(c->proxy->logins_open, 0);
	assert_int_equal(jobs(c), 1);
	core_run_jobs(c);
	/* It was hashed for nobody else either: there are no keys yet. */
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	assert_int_equal(jobs(c), 1);
	c->holds_jobs = false;
	core_run(c);
	assert_non_null(cl.full);
	client_end(&cl);
	core_free(c);
}

/* To begin and go is no way around the throttle. */
static void
test_late_is_counted(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;

	(void)state;
	c->proxy->config->limits.failures_per_address = 2;
	c->holds_jobs = true;
	for (int i = 0; i < 2; i++) {
		client_begin(&cl, c, "2001:db8::1", "proxy.example", "alice",
		    "secret", "r");
		assert_null(cl.failure);
		client_end(&cl);
		core_run(c);
		core_run_jobs(c);
	}
	client_begin(&cl, c, "2001:db8::2", "proxy.example", "alice", "secret",
	    "r");
	assert_string_equal(cl.failure, "temporary-auth-failure");
	client_end(&cl);
	client_begin(&cl, c, "192.0.2.9", "proxy.example", "alice", "secret",
	    "r");
	assert_null(cl.failure);
	client_end(&cl);
	core_free(c);
}

#define AT_A_TIME 32

/* An address that floods keeps no other waiting, and learns no names by it. */
static void
test_too_many_at_a_time(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl[AT_A_TIME], known, unknown, other;

	(void)state;
	assert_true(scram(c, "alice", "secret"));
	c->holds_jobs = true;
	for (int i = 0; i < AT_A_TIME; i++)
		client_begin(&cl[i], c, CORE_PEER, "proxy.example", "nobody",
		    "x", "r");
	assert_int_equal(jobs(c), AT_A_TIME);
	client_begin(&known, c, CORE_PEER, "proxy.example", "alice", "x", "r");
	client_begin(&unknown, c, CORE_PEER, "proxy.example", "bob", "x", "r");
	client_begin(&other, c, "192.0.2.9", "proxy.example", "bob", "x", "r");
	assert_int_equal(jobs(c), AT_A_TIME + 1);
	core_wait(c, 299);
	assert_null(known.failure);
	assert_null(unknown.failure);
	core_wait(c, 1);
	assert_string_equal(known.failure, "temporary-auth-failure");
	assert_string_equal(unknown.failure, "temporary-auth-failure");
	assert_null(other.failure);
	client_end(&known);
	client_end(&unknown);
	client_end(&other);
	c->holds_jobs = false;
	core_run(c);
	for (int i = 0; i < AT_A_TIME; i++) {
		assert_string_equal(cl[i].failure, "not-authorized");
		client_end(&cl[i]);
	}
	core_free(c);
}

static void
assert_busy(struct core *c)
{
	struct core_client cl;

	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	core_wait(c, 299);
	assert_null(cl.failure);
	core_wait(c, 1);
	assert_string_equal(cl.failure, "temporary-auth-failure");
	client_end(&cl);
	core_run(c);
}

static void
test_no_worker(void **state)
{
	struct core *c = begin("secret");

	(void)state;
	c->proxy->config->limits.failures_per_address = 1;
	c->proxy->config->limits.failures_per_user = 1;
	c->is_busy = true;
	assert_busy(c);
	expect(&c->log, "event=workers-busy");
	/* What is not hashed needs none; what is, is put off. */
	assert_true(plain(c, "alice", "secret"));
	assert_true(plain_answered(c, "proxy.example", "", "alice", "wrong",
	    "<temporary-auth-failure/>"));
	c->is_busy = false;
	/* None of it counted. */
	assert_true(scram(c, "alice", "secret"));
	core_free(c);
}

/* Nothing is made of what was not computed. */
static void
test_undone(void **state)
{
	struct core *c = begin("secret");
	struct core_client cl;

	(void)state;
	c->holds_jobs = true;
	client_begin(&cl, c, CORE_PEER, "proxy.example", "alice", "secret",
	    "r");
	assert_int_equal(jobs(c), 1);
	core_skip_jobs(c);
	core_wait(c, 300);
	assert_string_equal(cl.failure, "not-authorized");
	client_end(&cl);
	c->holds_jobs = false;
	assert_true(scram(c, "alice", "secret"));
	core_free(c);
}

static struct scram_keys
salt_of(struct core *c, const char *domain, const char *name)
{
	struct core_client cl;
	struct scram_keys salt;

	client_begin(&cl, c, CORE_PEER, domain, name, "wrong", "r");
	core_wait(c, 300);
	salt = cl.salt;
	client_end(&cl);
	core_run(c);
	return salt;
}

static bool
is_same_salt(const struct scram_keys *a, const struct scram_keys *b)
{
	return a->salt_len == b->salt_len &&
	    memcmp(a->salt, b->salt, a->salt_len) == 0;
}

/* A name that exists shows in nothing: always the same, another at each domain. */
static void
test_salts(void **state)
{
	static const char *const names[] = { "alice", "nobody" };
	struct core *c = begin("secret");
	struct scram_keys node, again, account;

	(void)state;
	for (int i = 0; i < 2; i++) {
		node = salt_of(c, "proxy.example", names[i]);
		again = salt_of(c, "proxy.example", names[i]);
		account = salt_of(c, "a.example", names[i]);
		assert_int_equal(node.iterations, SCRAM_ITERATIONS);
		assert_int_equal(account.iterations, SCRAM_ITERATIONS);
		assert_int_equal(node.salt_len, 16);
		assert_true(is_same_salt(&node, &again));
		assert_false(is_same_salt(&node, &account));
	}
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authzid),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_not_preparable),
		cmocka_unit_test(test_stored),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_is_counted),
		cmocka_unit_test(test_too_many_at_a_time),
		cmocka_unit_test(test_no_worker),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_salts),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
