/* The client's verification, and what both roles do with bytes and bindings. */
#include "support_tls.h"

#include <signal.h>

#include "io/transport.h"

static int fds[2];

static int
setup(void **state)
{
	clock_real();
	if (tls_setup(state) < 0)
		return -1;
	tls_issue(&(struct tls_issue){ .name = "ca",
	    .subject = "Test CA",
	    .is_ca = true });
	tls_issue(&(struct tls_issue){ .name = "good",
	    .subject = "good",
	    .alt_names = "DNS:a.example,DNS:*.wild.example",
	    .issuer = "ca" });
	return 0;
}

/* What our client says of a server with that certificate; NULL: nothing. */
static const char *
verdict(const char *cert, const char *ca, const char *domain)
{
	static struct err err;
	struct tls_trust *trust = tls_trust_new(tls_path(ca), &err);
	struct tls *ours;
	SSL *plain;
	int rc;

	assert_non_null(trust);
	io_pair(fds);
	ours = tls_connect(trust, fds[0], domain, false);
	tls_trust_unref(&trust);
	plain = tls_plain(fds[1], true, 0, 0, cert);
	err.text[0] = '\0';
	rc = tls_meet(ours, plain, &err);
	SSL_free(plain);
	tls_free(&ours);
	close(fds[0]);
	close(fds[1]);
	return rc == 1 ? NULL : err.text;
}

static const char *
verdict_of(const struct tls_issue *want, const char *domain)
{
	tls_issue(want);
	return verdict(want->name, "ca.pem", domain);
}

static void
test_good(void **state)
{
	(void)state;
	assert_null(verdict("good", "ca.pem", "a.example"));
	assert_null(verdict("good", "ca.pem", "A.Example"));
	assert_null(verdict("good", "ca.pem", "x.wild.example"));
}

static void
test_other_name(void **state)
{
	(void)state;
	assert_string_equal(verdict("good", "ca.pem", "b.example"),
	    "the certificate is not for b.example but for "
	    "a.example, *.wild.example");
	assert_non_null(verdict("good", "ca.pem", "wild.example"));
	assert_non_null(verdict("good", "ca.pem", "x.y.wild.example"));
	assert_non_null(verdict("good", "ca.pem", "example"));
}

static void
test_common_name_is_no_name(void **state)
{
	(void)state;
	assert_string_equal(verdict_of(&(struct tls_issue){ .name = "cn",
					   .subject = "b.example",
					   .issuer = "ca" },
				"b.example"),
	    "the certificate is not for b.example but for CN = b.example");
}

/* RFC 6120 13.7.1.2: names that only XMPP has. */
static void
test_xmpp_names(void **state)
{
	struct tls_issue srv = { .name = "srv",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "otherName:1.3.6.1.5.5.7.8.7;IA5:"
			     "_xmpp-client.b.example" };
	struct tls_issue address = { .name = "addr",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "otherName:1.3.6.1.5.5.7.8.5;UTF8:b.example" };
	struct tls_issue server = { .name = "s2s",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "otherName:1.3.6.1.5.5.7.8.7;IA5:"
			     "_xmpp-server.b.example" };

	(void)state;
	assert_null(verdict_of(&srv, "b.example"));
	assert_non_null(verdict("srv", "ca.pem", "c.example"));
	assert_null(verdict_of(&address, "b.example"));
	assert_non_null(verdict("addr", "ca.pem", "b.exampl"));
	assert_non_null(verdict_of(&server, "b.example"));
}

static void
test_addresses(void **state)
{
	struct tls_issue issue = { .name = "ip",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "IP:127.0.0.1,IP:::1" };

	(void)state;
	assert_null(verdict_of(&issue, "127.0.0.1"));
	assert_null(verdict("ip", "ca.pem", "::1"));
	assert_non_null(verdict("ip", "ca.pem", "127.0.0.2"));
}

static void
test_expired(void **state)
{
	struct tls_issue issue = { .name = "old",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "DNS:a.example",
		.from = -20 * DAY,
		.to = -10 * DAY };
	char wanted[64], day[16];
	time_t end = time(NULL) - 10 * DAY;

	(void)state;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&end));
	snprintf(wanted, sizeof(wanted), "the certificate expired on %s", day);
	assert_string_equal(verdict_of(&issue, "a.example"), wanted);
}

static void
test_not_yet(void **state)
{
	struct tls_issue issue = { .name = "new",
		.subject = "x",
		.issuer = "ca",
		.alt_names = "DNS:a.example",
		.from = 10 * DAY,
		.to = 20 * DAY };
	const char *said = verdict_of(&issue, "a.example");

	(void)state;
	assert_non_null(said);
	assert_non_null(strstr(said, "is not valid before 2"));
}

static void
test_issuers(void **state)
{
	struct tls_issue other = { .name = "ca2",
		.subject = "Other CA",
		.is_ca = true };
	struct tls_issue theirs = { .name = "theirs",
		.subject = "x",
		.issuer = "ca2",
		.alt_names = "DNS:a.example" };
	struct tls_issue self = { .name = "self",
		.subject = "x",
		.alt_names = "DNS:a.example" };

	(void)state;
	tls_issue(&other);
	assert_string_equal(verdict_of(&theirs, "a.example"),
	    "the certificate has an unknown issuer: CN = Other CA");
	assert_string_equal(verdict_of(&self, "a.example"),
	    "the certificate is self-signed");
	/* Named in the file of roots it is as good as one, or its own. */
	assert_null(verdict("self", "self.pem", "a.example"));
	assert_null(verdict("theirs", "ca2.pem", "a.example"));
	assert_null(verdict("theirs", "theirs.pem", "a.example"));
	/* The system does not know our authority either. */
	tls_issue(&(struct tls_issue){ .name = "by-self",
	    .subject = "y",
	    .issuer = "self",
	    .alt_names = "DNS:a.example" });
	assert_non_null(verdict("by-self", "self.pem", "a.example"));
}

static void
test_trust_files(void **state)
{
	struct err err = { "" };
	struct tls_trust *trust;

	(void)state;
	assert_null(tls_trust_new(tls_path("none.pem"), &err));
	assert_non_null(strstr(err.text, "none.pem: No such file"));
	assert_null(tls_trust_new(tls_path("good.key"), &err));
	assert_non_null(strstr(err.text, "good.key: "));
	trust = tls_trust_new(NULL, &err);
	assert_non_null(trust);
	tls_trust_ref(trust);
	tls_trust_unref(&(struct tls_trust *){ trust });
	tls_trust_unref(&trust);
	assert_null(trust);
}

struct pair {
	struct tls *ours;
	SSL *plain;
	struct tls_certs *certs;
};

static void
pair_open(struct pair *p, bool we_serve, int version, uint64_t options)
{
	struct tls_trust *trust;
	struct err err = { "" };

	io_pair(fds);
	p->certs = NULL;
	if (we_serve) {
		p->certs = tls_certs_new(&err);
		tls_add(p->certs, NULL, "good");
		p->ours = tls_accept(p->certs, fds[0], NULL);
	} else {
		trust = tls_trust_new(tls_path("ca.pem"), &err);
		p->ours = tls_connect(trust, fds[0], "a.example", false);
		tls_trust_unref(&trust);
	}
	p->plain = tls_plain(fds[1], !we_serve, version, options, "good");
	assert_int_equal(tls_meet(p->ours, p->plain, &err), 1);
	assert_string_equal(err.text, "");
}

static void
pair_close(struct pair *p)
{
	SSL_free(p->plain);
	tls_free(&p->ours);
	tls_certs_unref(&p->certs);
	close(fds[0]);
	close(fds[1]);
}

static void
test_unique(void **state)
{
	unsigned char theirs[64];
	struct buf ours = { 0 };
	struct pair p;
	size_t len;

	(void)state;
	for (int serve = 0; serve < 2; serve++) {
		pair_open(&p, serve, TLS1_2_VERSION, 0);
		assert_false(tls_is_v13(p.ours));
		assert_string_equal(tls_version(p.ours), "TLSv1.2");
		len = serve ? SSL_get_finished(p.plain, theirs, 64) :
			      SSL_get_peer_finished(p.plain, theirs, 64);
		buf_clear(&ours);
		assert_true(tls_unique(p.ours, &ours));
		assert_int_equal(len, 12);
		assert_int_equal(ours.len, len);
		assert_memory_equal(ours.data, theirs, len);
		pair_close(&p);
		pair_open(&p, serve, TLS1_3_VERSION, 0);
		assert_true(tls_is_v13(p.ours));
		assert_false(tls_unique(p.ours, &ours));
		pair_close(&p);
	}
	buf_free(&ours);
}

static void
check_exporter(struct pair *p)
{
	unsigned char theirs[32];
	struct buf ours = { 0 };

	SSL_export_keying_material(p->plain, theirs, sizeof(theirs),
	    "EXPORTER-Channel-Binding", 24, (const unsigned char *)"", 0, 1);
	assert_true(tls_exporter(p->ours, &ours));
	assert_int_equal(ours.len, sizeof(theirs));
	assert_memory_equal(ours.data, theirs, sizeof(theirs));
	buf_free(&ours);
}

static void
test_exporter(void **state)
{
	const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct buf none = { 0 };
	struct pair p;

	(void)state;
	for (int serve = 0; serve < 2; serve++) {
		for (int i = 0; i < 2; i++) {
			pair_open(&p, serve, versions[i], 0);
			check_exporter(&p);
			pair_close(&p);
		}
		pair_open(&p, serve, TLS1_2_VERSION,
		    SSL_OP_NO_EXTENDED_MASTER_SECRET);
		assert_false(tls_exporter(p.ours, &none));
		pair_close(&p);
	}
}

static void
test_old_version(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);
	struct err err = { "" };
	struct tls *ours;
	SSL *plain;

	(void)state;
	io_pair(fds);
	tls_add(certs, NULL, "good");
	ours = tls_accept(certs, fds[0], NULL);
	plain = tls_plain(fds[1], false, TLS1_1_VERSION, 0, NULL);
	SSL_set_security_level(plain, 0);
	SSL_set_cipher_list(plain, "ALL:@SECLEVEL=0");
	assert_int_equal(tls_meet(ours, plain, &err), -1);
	assert_string_equal(err.text, "handshake: unsupported protocol");
	SSL_free(plain);
	tls_free(&ours);
	tls_certs_unref(&certs);
	close(fds[0]);
	close(fds[1]);
}

static void
test_not_tls(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);
	struct tls *ours;
	struct err err = { "" };

	(void)state;
	io_pair(fds);
	ours = tls_accept(certs, fds[0], NULL);
	assert_int_equal(tls_handshake(ours, &err), 0);
	assert_int_equal(write(fds[1], "<presence to='b@x'/>", 20), 20);
	assert_int_equal(tls_handshake(ours, &err), -1);
	assert_int_not_equal(err.text[0], '\0');
	tls_free(&ours);
	close(fds[0]);
	close(fds[1]);
	io_pair(fds);
	ours = tls_accept(certs, fds[0], NULL);
	close(fds[1]);
	assert_int_equal(tls_handshake(ours, &err), -1);
	assert_string_equal(err.text, "the peer closed during the handshake");
	tls_free(&ours);
	tls_certs_unref(&certs);
	close(fds[0]);
}

static void
test_bytes(void **state)
{
	bool drained = false;
	char text[32];
	struct pair p;
	struct err err;

	(void)state;
	pair_open(&p, true, 0, 0);
	assert_int_equal(tls_read(p.ours, text, 32, &drained, &err), IO_AGAIN);
	SSL_write(p.plain, "one", 3);
	SSL_write(p.plain, "two", 3);
	assert_int_equal(tls_read(p.ours, text, 2, &drained, &err), 2);
	assert_true(drained);
	assert_true(tls_has_pending(p.ours));
	assert_int_equal(tls_read(p.ours, text, 32, &drained, &err), 1);
	assert_true(tls_has_pending(p.ours));
	assert_int_equal(tls_read(p.ours, text, 32, &drained, &err), 3);
	assert_false(tls_has_pending(p.ours));
	assert_int_equal(tls_write(p.ours, "back", 4, &err), 4);
	assert_int_equal(SSL_read(p.plain, text, 32), 4);
	tls_shut(p.ours);
	assert_int_equal(SSL_read(p.plain, text, 32), 0);
	assert_int_equal(SSL_get_shutdown(p.plain), SSL_RECEIVED_SHUTDOWN);
	pair_close(&p);
}

/* An end without close_notify is one, and a write after it no signal. */
static void
test_bare_end(void **state)
{
	bool drained = false;
	char text[32];
	struct pair p;
	struct err err = { "" };

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	pair_open(&p, false, 0, 0);
	shutdown(fds[1], SHUT_RDWR);
	assert_int_equal(tls_read(p.ours, text, 32, &drained, &err), IO_END);
	assert_int_equal(tls_write(p.ours, "x", 1, &err), IO_ERROR);
	assert_non_null(strstr(err.text, "write: "));
	pair_close(&p);
}

static void
test_garbage(void **state)
{
	bool drained = false;
	char text[32];
	struct pair p;
	struct err err = { "" };

	(void)state;
	pair_open(&p, true, 0, 0);
	assert_int_equal(write(fds[1], "this is no record", 17), 17);
	assert_int_equal(tls_read(p.ours, text, 32, &drained, &err), IO_ERROR);
	assert_non_null(strstr(err.text, "read: "));
	pair_close(&p);
}

/* The same bytes at another place, and more of them, after IO_AGAIN. */
static void
test_moving_buffer(void **state)
{
	char *first = mem_alloc(20000), *second = mem_alloc(20000);
	char text[20000];
	struct pair p;
	struct err err = { "" };
	size_t sent = 0, got = 0;
	ssize_t n;

	(void)state;
	memset(first, 'x', 20000);
	memset(second, 'x', 20000);
	pair_open(&p, true, 0, 0);
	while ((n = tls_write(p.ours, first, 10000, &err)) > 0)
		sent += (size_t)n;
	assert_int_equal(n, IO_AGAIN);
	for (int i = 0; i < 100 && n == IO_AGAIN; i++) {
		if ((n = SSL_read(p.plain, text, sizeof(text))) > 0)
			got += (size_t)n;
		n = tls_write(p.ours, second, 16384, &err);
	}
	assert_string_equal(err.text, "");
	assert_true(n > 0);
	sent += (size_t)n;
	while ((n = SSL_read(p.plain, text, sizeof(text))) > 0)
		got += (size_t)n;
	assert_int_equal(got, sent);
	pair_close(&p);
	free(first);
	free(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_other_name),
		cmocka_unit_test(test_common_name_is_no_name),
		cmocka_unit_test(test_xmpp_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_not_yet),
		cmocka_unit_test(test_issuers),
		cmocka_unit_test(test_trust_files),
		cmocka_unit_test(test_unique),
		cmocka_unit_test(test_exporter),
		cmocka_unit_test(test_old_version),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bare_end),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_moving_buffer),
	};

	return cmocka_run_group_tests(tests, setup, tls_teardown);
}
