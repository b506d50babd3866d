/* Which certificate a server shows, ALPN, and the self-signed ones. */
#include "support_tls.h"

#include <sys/stat.h>

static int fds[2];

static int
setup(void **state)
{
	clock_real();
	if (tls_setup(state) < 0)
		return -1;
	tls_issue(&(struct tls_issue){ .name = "a", .subject = "a" });
	tls_issue(&(struct tls_issue){ .name = "b", .subject = "b" });
	tls_issue(&(struct tls_issue){ .name = "c", .subject = "c" });
	return 0;
}

/* The common name of what a client gets that asks for `sni` (or nothing). */
static const char *
shown(struct tls_certs *certs, const char *hint, const char *sni)
{
	static char name[64];
	struct err err = { "" };
	struct tls *ours;
	X509 *x509;
	SSL *plain;

	io_pair(fds);
	ours = tls_accept(certs, fds[0], hint);
	plain = tls_plain(fds[1], false, 0, 0, NULL);
	if (sni != NULL)
		SSL_set_tlsext_host_name(plain, sni);
	assert_int_equal(tls_meet(ours, plain, &err), 1);
	x509 = SSL_get1_peer_certificate(plain);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName,
	    name, sizeof(name));
	X509_free(x509);
	SSL_free(plain);
	tls_free(&ours);
	close(fds[0]);
	close(fds[1]);
	return name;
}

static void
test_choice(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);

	(void)state;
	tls_add(certs, "a.example", "a");
	tls_add(certs, "B.example", "b");
	tls_add(certs, NULL, "c");
	assert_string_equal(shown(certs, NULL, "a.example"), "a");
	assert_string_equal(shown(certs, NULL, "A.EXAMPLE"), "a");
	assert_string_equal(shown(certs, NULL, "b.example"), "b");
	assert_string_equal(shown(certs, NULL, "x.a.example"), "c");
	assert_string_equal(shown(certs, NULL, "example"), "c");
	assert_string_equal(shown(certs, NULL, NULL), "c");
	assert_string_equal(shown(certs, "a.example", NULL), "a");
	assert_string_equal(shown(certs, "a.example", "no.example"), "a");
	assert_string_equal(shown(certs, "a.example", "b.example"), "b");
	assert_string_equal(shown(certs, "no.example", NULL), "c");
	tls_add(certs, "a.example", "b");
	assert_string_equal(shown(certs, NULL, "a.example"), "b");
	tls_certs_unref(&certs);
}

static void
test_first_where_there_is_no_default(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);

	(void)state;
	tls_add(certs, "a.example", "a");
	tls_add(certs, "b.example", "b");
	assert_string_equal(shown(certs, NULL, "no.example"), "a");
	tls_add(certs, NULL, "c");
	assert_string_equal(shown(certs, NULL, "no.example"), "c");
	tls_certs_unref(&certs);
}

/* A reload drops its reference while a handshake is under way. */
static void
test_counted(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL), *second;
	struct err err = { "" };
	struct tls *ours;
	SSL *plain;

	(void)state;
	tls_add(certs, "a.example", "a");
	second = tls_certs_ref(certs);
	tls_certs_unref(&second);
	assert_null(second);
	io_pair(fds);
	ours = tls_accept(certs, fds[0], NULL);
	tls_certs_unref(&certs);
	plain = tls_plain(fds[1], false, 0, 0, NULL);
	assert_int_equal(tls_meet(ours, plain, &err), 1);
	SSL_free(plain);
	tls_free(&ours);
	close(fds[0]);
	close(fds[1]);
}

static void
test_bad_files(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);
	struct err err = { "" };

	(void)state;
	assert_int_equal(tls_certs_add(certs, NULL, tls_path("no.pem"),
			     tls_path("a.key"), &err),
	    -1);
	assert_non_null(strstr(err.text, "no.pem: No such file or directory"));
	assert_int_equal(tls_certs_add(certs, NULL, tls_path("a.pem"),
			     tls_path("no.key"), &err),
	    -1);
	assert_non_null(strstr(err.text, "no.key: No such file or directory"));
	assert_int_equal(tls_certs_add(certs, NULL, tls_path("a.key"),
			     tls_path("a.key"), &err),
	    -1);
	assert_non_null(strstr(err.text, "a.key: no start line"));
	assert_int_equal(tls_certs_add(certs, NULL, tls_path("a.pem"),
			     tls_path("b.key"), &err),
	    -1);
	assert_non_null(strstr(err.text, "b.key: key values mismatch"));
	tls_certs_unref(&certs);
}

/* What ALPN comes to: "", the protocol, or "alert". */
static const char *
alpn(struct tls_certs *certs, const char *offer)
{
	static char chosen[64];
	const unsigned char *bytes;
	struct err err = { "" };
	struct tls *ours;
	unsigned len;
	SSL *plain;
	int rc;

	io_pair(fds);
	ours = tls_accept(certs, fds[0], NULL);
	plain = tls_plain(fds[1], false, 0, 0, NULL);
	if (offer != NULL)
		SSL_set_alpn_protos(plain, (const unsigned char *)offer,
		    (unsigned)strlen(offer));
	rc = tls_meet(ours, plain, &err);
	SSL_get0_alpn_selected(plain, &bytes, &len);
	snprintf(chosen, sizeof(chosen), "%.*s", (int)len, (const char *)bytes);
	SSL_free(plain);
	tls_free(&ours);
	close(fds[0]);
	close(fds[1]);
	return rc == 1 ? chosen : "alert";
}

static void
test_alpn(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);

	(void)state;
	tls_add(certs, "a.example", "a");
	assert_string_equal(alpn(certs, NULL), "");
	assert_string_equal(alpn(certs, "\x0bxmpp-client"), "xmpp-client");
	assert_string_equal(alpn(certs, "\x02h2\x0bxmpp-client"),
	    "xmpp-client");
	assert_string_equal(alpn(certs, "\x02h2"), "alert");
	tls_certs_unref(&certs);
}

/* A client says xmpp-client where TLS is direct, and then only. */
static void
test_alpn_of_a_client(void **state)
{
	struct tls_certs *certs = tls_certs_new(NULL);
	struct tls_trust *trust = tls_trust_new(NULL, NULL);
	unsigned char hello[2048];
	struct tls *ours;
	struct err err;
	ssize_t len;

	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		io_pair(fds);
		ours = tls_connect(trust, fds[0], "a.example", direct);
		assert_int_equal(tls_handshake(ours, &err), 0);
		len = read(fds[1], hello, sizeof(hello));
		assert_non_null(memmem(hello, (size_t)len, "a.example", 9));
		assert_int_equal(memmem(hello, (size_t)len, "\x0bxmpp-client",
				     12) != NULL,
		    direct);
		tls_free(&ours);
		close(fds[0]);
		close(fds[1]);
	}
	tls_trust_unref(&trust);
	tls_certs_unref(&certs);
}

static void
make(const char *const *domains, size_t count)
{
	struct err err = { "" };

	assert_int_equal(tls_make_self_signed(tls_path("self.pem"),
			     tls_path("self.key"), domains, count, &err),
	    0);
	assert_string_equal(err.text, "");
}

static ino_t
inode(const char *name)
{
	struct stat st;

	assert_int_equal(stat(tls_path(name), &st), 0);
	return st.st_ino;
}

/* A client of ours that trusts the file takes it for each domain. */
static void
check_trusted(const char *domain)
{
	struct tls_trust *trust = tls_trust_new(tls_path("self.pem"), NULL);
	struct tls_certs *certs = tls_certs_new(NULL);
	struct tls *client, *server;
	struct err err = { "" };
	int up = 0, done = 0;

	tls_add(certs, NULL, "self");
	io_pair(fds);
	client = tls_connect(trust, fds[0], domain, true);
	server = tls_accept(certs, fds[1], NULL);
	for (int i = 0; i < 10 && (up == 0 || done == 0); i++) {
		if (up == 0)
			up = tls_handshake(client, &err);
		if (done == 0)
			done = tls_handshake(server, &err);
	}
	assert_string_equal(err.text, "");
	assert_int_equal(up, 1);
	assert_int_equal(done, 1);
	tls_free(&client);
	tls_free(&server);
	tls_certs_unref(&certs);
	tls_trust_unref(&trust);
	close(fds[0]);
	close(fds[1]);
}

static void
check_names(void)
{
	X509 *x509 = tls_load_cert("self");
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name,
	    NULL, NULL);
	int dns = 0, xmpp = 0, days, seconds;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		dns += sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
		xmpp += sk_GENERAL_NAME_value(names, i)->type == GEN_OTHERNAME;
	}
	assert_int_equal(dns, 2);
	assert_int_equal(xmpp, 3);
	ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x509));
	assert_in_range(days, 3648, 3650);
	GENERAL_NAMES_free(names);
	X509_free(x509);
}

static void
test_self_signed(void **state)
{
	const char *domains[] = { "a.example", "b.example", "127.0.0.1" };
	struct stat st;

	(void)state;
	make(domains, 3);
	assert_int_equal(stat(tls_path("self.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (int i = 0; i < 3; i++)
		check_trusted(domains[i]);
	check_names();
}

static void
test_self_signed_is_kept(void **state)
{
	const char *domains[] = { "a.example", "b.example" };
	const char *more[] = { "a.example", "c.example" };
	ino_t before;

	(void)state;
	make(domains, 2);
	before = inode("self.pem");
	make(domains, 2);
	make(domains, 1);
	assert_int_equal(inode("self.pem"), before);
	make(more, 2);
	assert_int_not_equal(inode("self.pem"), before);
	check_trusted("c.example");
	before = inode("self.pem");
	unlink(tls_path("self.key"));
	make(more, 2);
	assert_int_not_equal(inode("self.pem"), before);
	check_trusted("a.example");
}

static void
test_self_signed_expires(void **state)
{
	const char *domains[] = { "a.example" };
	ino_t before;

	(void)state;
	make(domains, 1);
	before = inode("self.pem");
	clock_fake(1, clock_wall() + UINT64_C(3651) * DAY * 1000);
	make(domains, 1);
	clock_real();
	assert_int_not_equal(inode("self.pem"), before);
}

static void
test_self_signed_nowhere(void **state)
{
	const char *domains[] = { "a.example" };
	struct err err = { "" };

	(void)state;
	assert_int_equal(tls_make_self_signed(tls_path("no/self.pem"),
			     tls_path("no/self.key"), domains, 1, &err),
	    -1);
	assert_non_null(strstr(err.text, "no/self.key"));
	assert_non_null(strstr(err.text, "No such file or directory"));
}

/* A name too long for a subject is still in the list of names. */
static void
test_self_signed_long_name(void **state)
{
	const char *domains[] = {
		"a-rather-long-label-of-a-domain."
		"and-yet-another-long-label-of-it.example.org"
	};

	(void)state;
	make(domains, 1);
	check_trusted(domains[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_first_where_there_is_no_default),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_alpn_of_a_client),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_self_signed_is_kept),
		cmocka_unit_test(test_self_signed_expires),
		cmocka_unit_test(test_self_signed_nowhere),
		cmocka_unit_test(test_self_signed_long_name),
	};

	return cmocka_run_group_tests(tests, setup, tls_teardown);
}
