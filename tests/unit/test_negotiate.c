/* accept.c against connect.c, in one loop. */
#include "unit/support_io.h"

#include "io/tls.h"
#include "xmpp/accept.h"
#include "xmpp/connect.h"
#include "xmpp/ns.h"

#define HEAD \
	"<stream:stream to='a.example' version='1.0' " \
	"xmlns='jabber:client' xmlns:stream='" NS_STREAMS "'>"

#define PLAIN(text) \
	"<auth xmlns='" NS_SASL "' mechanism='PLAIN'>" text "</auth>"

struct duo {
	struct loop *loop;
	struct conn *near, *far; /* the server's and the client's */
	struct conn *bare;       /* a peer that is neither of the two */
	struct accept *accept;
	struct connect *connect;
	struct stream *at_server, *at_client;
	struct tls_certs *certs;
	struct tls_trust *trust;
	char folder[64], chain[80], key[80];
	const char *password, *resume_id;
	bool refuse, was_refused; /* to resume */
	char full[64], at_server_closed[256], at_client_failed[512];
	enum connect_failure failure;
	struct buf got;
};

/* --- the server's owner --- */

static bool
serves(void *arg, const char *domain)
{
	(void)arg;
	return strcmp(domain, "a.example") == 0;
}

static void
salt(void *arg, const char *domain, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	(void)arg;
	(void)domain;
	(void)name;
	(void)hash;
	out->iterations = SCRAM_ITERATIONS_MIN;
	out->salt_len = 4;
	memcpy(out->salt, "salt", 4);
}

static bool
may_try(void *arg)
{
	(void)arg;
	return true;
}

static void
check(void *arg, const char *domain, const char *name, const char *password,
    enum scram_hash hash)
{
	struct duo *d = arg;
	struct scram_keys keys = { 0 };

	if (password != NULL) {
		accept_verdict(d->accept, strcmp(password, "pencil") == 0);
		return;
	}
	salt(arg, domain, name, hash, &keys);
	assert_int_equal(scram_derive(&keys, hash, "pencil", NULL), 0);
	accept_keys(d->accept, &keys);
}

static bool
authorize(void *arg, const char *domain, const char *name, const char *authzid)
{
	(void)arg;
	(void)domain;
	return strcmp(name, "user") == 0 && authzid == NULL;
}

static void
failed(void *arg, const char *name, const char *why)
{
	(void)arg;
	(void)name;
	(void)why;
}

static const char *
bind_resource(void *arg, const char *resource, enum error_cond *cond)
{
	struct duo *d = arg;

	(void)cond;
	snprintf(d->full, sizeof(d->full), "user@a.example/%s", resource);
	return d->full;
}

static void
on_stanza(void *arg, struct elem *e)
{
	struct duo *d = arg;

	elem_write(&d->got, e, NS_CLIENT);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	(void)arg;
	(void)cond;
	(void)reason;
}

static const struct stream_events stream_events = { .stanza = on_stanza,
	.closed = on_closed };

static void
server_ready(void *arg, struct stream *stream)
{
	struct duo *d = arg;

	d->at_server = stream;
	stream_set_owner(stream, &stream_events, d);
	accept_free(&d->accept);
}

static enum accept_resume
server_resume(void *arg, const char *previd, uint32_t h,
    struct accept_refusal *refusal)
{
	struct duo *d = arg;

	assert_string_equal(previd, d->resume_id);
	assert_int_equal(h, 4000000000);
	refusal->has_h = true;
	refusal->h = 7;
	return d->refuse ? ACCEPT_NOT_RESUMED : ACCEPT_RESUMED;
}

/* At once what was lost, as a server does. */
static void
server_resumed(void *arg, struct stream *stream)
{
	struct duo *d = arg;

	server_ready(arg, stream);
	snprintf(d->full, sizeof(d->full), "user@a.example/r");
	stream_send_text(stream,
	    "<resumed xmlns='" NS_SM "' previd='&lt;id&gt;&amp;' h='5'/>"
	    "<presence/><message/>");
}

static void
server_closed(void *arg, const char *reason)
{
	struct duo *d = arg;

	snprintf(d->at_server_closed, sizeof(d->at_server_closed), "%s",
	    reason);
	d->near = NULL;
	accept_free(&d->accept);
}

static const struct accept_host host = {
	.serves = serves,
	.salt = salt,
	.may_try = may_try,
	.check = check,
	.authorize = authorize,
	.failed = failed,
	.bind = bind_resource,
	.resume = server_resume,
	.ready = server_ready,
	.resumed = server_resumed,
	.closed = server_closed,
};

/* --- the client's --- */

static void
salted(void *arg, enum scram_hash hash, const struct scram_keys *keys)
{
	struct duo *d = arg;
	unsigned char key[SCRAM_KEY_MAX];

	assert_int_equal(scram_salted(hash, d->password, keys->salt,
			     keys->salt_len, keys->iterations, key, NULL),
	    0);
	connect_salted(d->connect, key);
}

static void
client_ready(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	struct duo *d = arg;

	assert_non_null(elem_find(features, "urn:x", "x"));
	assert_string_equal(full, d->full);
	d->at_client = stream;
	stream_set_owner(stream, &stream_events, d);
	connect_free(&d->connect);
}

static void
client_resumed(void *arg, struct stream *stream, uint32_t h,
    const struct elem *features)
{
	struct duo *d = arg;

	assert_int_equal(h, 5);
	client_ready(arg, stream, d->full, features);
}

static void
client_not_resumed(void *arg, bool has_h, uint32_t h)
{
	struct duo *d = arg;

	assert_true(has_h);
	assert_int_equal(h, 7);
	d->was_refused = true;
}

static void
client_failed(void *arg, enum connect_failure failure, const char *text)
{
	struct duo *d = arg;

	d->failure = failure;
	snprintf(d->at_client_failed, sizeof(d->at_client_failed), "%s", text);
	d->far = NULL;
	connect_free(&d->connect);
}

static const struct connect_events connect_events = {
	.salted = salted,
	.ready = client_ready,
	.resumed = client_resumed,
	.not_resumed = client_not_resumed,
	.failed = client_failed,
};

/* --- both --- */

static void
duo_init(struct duo *d)
{
	*d = (struct duo){ .loop = io_loop(), .password = "pencil" };
	buf_puts(&d->got, "");
}

static void
make_certificate(struct duo *d)
{
	static const char *const domains[] = { "a.example" };
	struct err err = { "" };

	snprintf(d->folder, sizeof(d->folder), "/tmp/test_negotiate.XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->chain, sizeof(d->chain), "%s/chain.pem", d->folder);
	snprintf(d->key, sizeof(d->key), "%s/key.pem", d->folder);
	clock_real();
	assert_int_equal(tls_make_self_signed(d->chain, d->key, domains, 1,
			     &err),
	    0);
	d->certs = tls_certs_new(&err);
	assert_int_equal(tls_certs_add(d->certs, NULL, d->chain, d->key, &err),
	    0);
	d->trust = tls_trust_new(d->chain, &err);
	assert_non_null(d->trust);
}

static void
start_server(struct duo *d, enum accept_tls tls, struct transport *io)
{
	static const char *const more[] = { "<x xmlns='urn:x'/>",
		"<sm xmlns='" NS_SM "'/>", NULL };
	struct accept_options options = {
		.tls = tls,
		.auth_ms = 60000,
		.tls_ms = 20000,
		.tries = 3,
		.certs = d->certs,
		.limits = { 4096, 8, 16, 64 },
		.bound_limits = { 8192, 8, 16, 64 },
		.features = more,
	};

	d->near = conn_new(d->loop, io, "c1", NULL, NULL);
	d->accept = accept_new(d->loop, d->near, &options, &host, d);
}

static void
start_client(struct duo *d, enum connect_tls tls, struct transport *io,
    const char *domain_ascii)
{
	struct connect_options options = {
		.domain = "a.example",
		.domain_ascii = domain_ascii,
		.name = "user",
		.password = d->password,
		.resource = "r",
		.resume_id = d->resume_id,
		.resume_h = 4000000000,
		.tls = tls,
		.trust = d->trust,
		.limits = { 4096, 8, 16, 64 },
		.tls_ms = 20000,
		.total_ms = 60000,
	};

	d->far = conn_new(d->loop, io, "u1", NULL, NULL);
	d->connect = connect_new(d->loop, d->far, &options, &connect_events, d);
}

static bool
is_over(const struct duo *d)
{
	return (d->at_client != NULL || d->at_client_failed[0] != '\0') &&
	    (d->at_server != NULL || d->at_server_closed[0] != '\0');
}

static void
run(struct duo *d, bool poke, unsigned turns)
{
	while (turns-- > 0 && !is_over(d)) {
		if (poke && d->near != NULL)
			conn_poke(d->near);
		if (poke && d->far != NULL)
			conn_poke(d->far);
		loop_turn(d->loop, poke ? 0 : 10);
	}
}

static void
duo_fini(struct duo *d)
{
	accept_free(&d->accept);
	connect_free(&d->connect);
	stream_abort(&d->at_server);
	stream_abort(&d->at_client);
	conn_abort(&d->bare);
	tls_certs_unref(&d->certs);
	tls_trust_unref(&d->trust);
	loop_turn(d->loop, 0);
	loop_free(&d->loop);
	buf_free(&d->got);
	if (d->folder[0] == '\0')
		return;
	unlink(d->chain);
	unlink(d->key);
	rmdir(d->folder);
}

static void
expect_got(struct duo *d, const char *text)
{
	for (int i = 0; i < 200 && d->got.len < strlen(text); i++) {
		conn_poke(stream_conn(d->at_client));
		conn_poke(stream_conn(d->at_server));
		loop_turn(d->loop, 0);
	}
	assert_string_equal(d->got.data, text);
	buf_clear(&d->got);
}

static void
assert_talks(struct duo *d)
{
	assert_string_equal(d->at_client_failed, "");
	assert_string_equal(d->at_server_closed, "");
	assert_non_null(d->at_client);
	assert_non_null(d->at_server);
	assert_string_equal(d->full, "user@a.example/r");
	stream_send_text(d->at_client, "<message><body>hi</body></message>");
	expect_got(d, "<message><body>hi</body></message>");
}

static void
test_memory(void **state)
{
	static const size_t chunks[] = { 0, 1, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct transport *a, *b;
		struct duo d;

		duo_init(&d);
		transport_memory(&a, &b);
		transport_memory_faults(a)->chunk = chunks[i];
		transport_memory_faults(b)->chunk = chunks[i];
		start_server(&d, ACCEPT_PLAIN, a);
		start_client(&d, CONNECT_PLAIN, b, "a.example");
		run(&d, true, 5000);
		assert_talks(&d);
		duo_fini(&d);
	}
}

/* Resumed, or bound after all; in any pieces. */
static void
test_resume(void **state)
{
	static const size_t chunks[] = { 0, 1, 7 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct transport *a, *b;
		struct duo d;

		duo_init(&d);
		d.resume_id = "<id>&";
		d.refuse = i % 2 != 0;
		transport_memory(&a, &b);
		transport_memory_faults(a)->chunk = chunks[i / 2];
		transport_memory_faults(b)->chunk = chunks[i / 2];
		start_server(&d, ACCEPT_PLAIN, a);
		start_client(&d, CONNECT_PLAIN, b, "a.example");
		run(&d, true, 5000);
		assert_int_equal(d.was_refused, d.refuse);
		if (!d.refuse)
			expect_got(&d, "<presence/><message/>");
		assert_talks(&d);
		duo_fini(&d);
	}
}

static void
test_wrong_password(void **state)
{
	struct transport *a, *b;
	struct duo d;

	(void)state;
	duo_init(&d);
	d.password = "pencils";
	transport_memory(&a, &b);
	start_server(&d, ACCEPT_PLAIN, a);
	start_client(&d, CONNECT_PLAIN, b, "a.example");
	run(&d, true, 100);
	assert_int_equal(d.failure, CONNECT_REFUSED);
	assert_string_equal(d.at_client_failed, "not-authorized");
	assert_string_equal(d.at_server_closed, "the peer closed the stream");
	duo_fini(&d);
}

/* Whichever of the two insists on TLS gets no password out of the other. */
static void
test_tls_is_wanted(void **state)
{
	struct transport *a, *b;
	struct duo d;

	(void)state;
	duo_init(&d);
	transport_memory(&a, &b);
	start_server(&d, ACCEPT_PLAIN, a);
	start_client(&d, CONNECT_STARTTLS, b, "a.example");
	run(&d, true, 100);
	assert_int_equal(d.failure, CONNECT_TLS);
	duo_fini(&d);

	duo_init(&d);
	transport_memory(&a, &b);
	start_server(&d, ACCEPT_STARTTLS, a);
	start_client(&d, CONNECT_PLAIN, b, "a.example");
	run(&d, true, 100);
	assert_int_equal(d.failure, CONNECT_NO_MECHANISM);
	duo_fini(&d);
}

static void
start_tls_duo(struct duo *d, bool direct, const char *domain_ascii)
{
	int fds[2];

	io_pair(fds);
	start_server(d, direct ? ACCEPT_DIRECT : ACCEPT_STARTTLS,
	    transport_socket(fds[0]));
	start_client(d, direct ? CONNECT_DIRECT : CONNECT_STARTTLS,
	    transport_socket(fds[1]), domain_ascii);
	run(d, false, 300);
}

static void
test_tls(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct duo d;

		duo_init(&d);
		make_certificate(&d);
		start_tls_duo(&d, direct != 0, "a.example");
		assert_talks(&d);
		assert_true(stream_is_secure(d.at_client));
		assert_true(stream_is_secure(d.at_server));
		duo_fini(&d);
	}
}

static void
test_wrong_certificate(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		struct duo d;

		duo_init(&d);
		make_certificate(&d);
		start_tls_duo(&d, direct != 0, "b.example");
		assert_int_equal(d.failure, CONNECT_TLS);
		assert_true(strlen(d.at_client_failed) > 4);
		assert_null(d.at_server);
		duo_fini(&d);
	}
}

/* --- one of them, and a bare other end --- */

static bool
take_bytes(void *arg, const char *bytes, size_t len)
{
	struct duo *d = arg;

	buf_add(&d->got, bytes, len);
	return false;
}

static void
note_secured(void *arg)
{
	struct duo *d = arg;

	buf_puts(&d->got, "secured ");
}

static void
bare_closed(void *arg, const char *reason)
{
	struct duo *d = arg;

	buf_printf(&d->got, "ended(%s) ", reason);
}

static const struct conn_events bare_events = { .data = take_bytes,
	.secured = note_secured,
	.closed = bare_closed };

/* Says it, and waits until the other end has said `what`. */
static void
talk(struct duo *d, const char *text, const char *what)
{
	buf_clear(&d->got);
	if (text != NULL)
		conn_send(d->bare, text, strlen(text), NULL, NULL);
	for (int i = 0; i < 100 && strstr(d->got.data, what) == NULL; i++)
		loop_turn(d->loop, 10);
	if (strstr(d->got.data, what) == NULL)
		fail_msg("no \"%s\" in \"%s\"", what, d->got.data);
}

static struct transport *
begin_bare(struct duo *d)
{
	int fds[2];

	duo_init(d);
	make_certificate(d);
	io_pair(fds);
	d->bare = conn_new(d->loop, transport_socket(fds[1]), "b1",
	    &bare_events, d);
	return transport_socket(fds[0]);
}

/* Injected before TLS, and inside it as if the client had said it. */
static void
test_injection(void **state)
{
	static const char injected[] = HEAD
	    "<starttls xmlns='" NS_TLS "'/>"
	    "<auth xmlns='" NS_SASL "' mechanism='X'/>" HEAD
	    "<auth xmlns='" NS_SASL "' mechanism='X'/>";
	struct transport *io;
	struct duo d;

	(void)state;
	io = begin_bare(&d);
	start_server(&d, ACCEPT_STARTTLS, io);
	talk(&d, injected, "<proceed");
	conn_start_tls_client(d.bare, d.trust, "a.example", false, 20000);
	talk(&d, NULL, "secured ");
	talk(&d, HEAD, "</stream:features>");
	assert_non_null(strstr(d.got.data, "<mechanisms "));
	assert_null(strstr(d.got.data, "<failure"));
	assert_null(strstr(d.got.data, "<stream:error"));
	assert_non_null(strstr(d.got.data, "PLUS</mechanism>"));
	assert_non_null(strstr(d.got.data, "<mechanism>PLAIN</mechanism>"));
	assert_non_null(strstr(d.got.data, "<channel-binding type='tls-exp"));
	duo_fini(&d);
}

/* Under TLS PLAIN is good enough; the second of the two is the right password. */
static void
test_plain_at_server(void **state)
{
	struct transport *io;
	struct duo d;

	(void)state;
	io = begin_bare(&d);
	start_server(&d, ACCEPT_DIRECT, io);
	conn_start_tls_client(d.bare, d.trust, "a.example", true, 20000);
	talk(&d, NULL, "secured ");
	talk(&d, HEAD, "</stream:features>");
	talk(&d, PLAIN("AHVzZXIAcGVuY2lscw=="), "</failure>");
	assert_non_null(strstr(d.got.data, "<not-authorized/>"));
	talk(&d, PLAIN("AHVzZXIAcGVuY2ls"), "</success>");
	talk(&d, HEAD, "<bind ");
	duo_fini(&d);
}

/* A server that has nothing but PLAIN, over TLS, up to what `last` does. */
static void
serve_plain(struct duo *d, const char *last)
{
	struct transport *io = begin_bare(d);

	start_client(d, CONNECT_DIRECT, io, "a.example");
	conn_start_tls_server(d->bare, d->certs, NULL, 20000);
	talk(d, NULL, "<stream:stream ");
	assert_non_null(strstr(d->got.data, " from='user@a.example' "));
	talk(d,
	    HEAD "<stream:features><mechanisms xmlns='" NS_SASL
		 "'><mechanism>PLAIN</mechanism></mechanisms>"
		 "</stream:features>",
	    "</auth>");
	assert_non_null(strstr(d->got.data, PLAIN("AHVzZXIAcGVuY2ls")));
	talk(d, last, "</stream:stream>");
}

static void
test_plain_at_client(void **state)
{
	struct duo d;

	(void)state;
	serve_plain(&d,
	    "<failure xmlns='" NS_SASL "'><not-authorized/>"
	    "</failure>");
	assert_int_equal(d.failure, CONNECT_REFUSED);
	duo_fini(&d);

	serve_plain(&d, "<success xmlns='" NS_SASL "'>QUJD</success>");
	assert_int_equal(d.failure, CONNECT_REFUSED);
	duo_fini(&d);

	/* Now that TLS says who asks for it, we go elsewhere. */
	serve_plain(&d,
	    "<stream:error><see-other-host xmlns='" NS_STREAM_ERROR
	    "'>[::1]:5269</see-other-host></stream:error>");
	assert_int_equal(d.failure, CONNECT_ELSEWHERE);
	assert_string_equal(d.at_client_failed, "[::1]:5269");
	duo_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_tls_is_wanted),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_wrong_certificate),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_plain_at_server),
		cmocka_unit_test(test_plain_at_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
