#include "support_client.h"
#include "support_tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/proxy_listen.h"
#include "io/listen.h"

#define LISTEN(port, tls) \
	"<listen address='127.0.0.1' port='" port "' tls='" tls "'/>"

/* Any free port: the configuration's form has none for that. */
static struct config *
any_port(const char *body)
{
	struct config *config = core_config(body);
	struct listen_config *l;

	STAILQ_FOREACH(l, &config->listens, next)
		l->port = 0;
	return config;
}

/* proxy.xml has the listeners of `body`, from now on. */
static int
relisten(struct core *c, const char *body, struct err *err)
{
	struct config *config = any_port(body);
	int rc = proxy_reload(c->proxy, config, err);

	if (rc == -1)
		config_free(&config);
	return rc;
}

static unsigned
listeners(const struct core *c)
{
	const char *at = c->log.data;
	unsigned n = 0;

	for (; (at = strstr(at, "event=listening")) != NULL; at++)
		n++;
	return n;
}

/* The port of a socket of ours that listens. */
static uint16_t
port_of(int fd)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int on = 0;
	socklen_t on_len = sizeof(on);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_len) == -1 ||
	    !on || getsockname(fd, (struct sockaddr *)&to, &len) == -1 ||
	    to.sin_family != AF_INET)
		return 0;
	return ntohs(to.sin_port);
}

static unsigned
find_ports(uint16_t *ports, unsigned max)
{
	unsigned n = 0;
	uint16_t port;

	for (int fd = 3; fd < 100 && n < max; fd++) {
		if ((port = port_of(fd)) != 0)
			ports[n++] = port;
	}
	return n;
}

static uint16_t
only_port(void)
{
	uint16_t ports[2];

	assert_int_equal(find_ports(ports, 2), 1);
	return ports[0];
}

static int
dial_port(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static bool
features_have(struct core *c, uint16_t port, const char *what)
{
	static const char header[] = "<stream:stream to='proxy.example' "
				     "version='1.0' xmlns='jabber:client' "
				     "xmlns:stream='" NS_STREAMS "'>";
	char text[4096];
	int fd = dial_port(port);
	ssize_t n;

	assert_int_equal(write(fd, header, sizeof(header) - 1),
	    sizeof(header) - 1);
	for (int i = 0; i < 5; i++)
		core_run(c);
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	core_run(c);
	return strstr(text, what) != NULL;
}

static void
test_kinds(void **state)
{
	struct core *c = core_new("");
	struct err err = { "" };

	(void)state;
	assert_int_equal(relisten(c, LISTEN("5222", "starttls"), &err), 0);
	assert_true(features_have(c, only_port(), "<starttls"));
	expect(&c->log, "peer=127.0.0.1");
	/* Another kind at the same place is the same listener. */
	assert_int_equal(relisten(c, LISTEN("5222", "none"), &err), 0);
	assert_true(features_have(c, only_port(), "<mechanisms"));
	assert_int_equal(relisten(c, LISTEN("5222", "direct"), &err), 0);
	assert_false(features_have(c, only_port(), "<"));
	assert_int_equal(listeners(c), 1);
	core_free(c);
	assert_int_equal(find_ports((uint16_t[1]){ 0 }, 1), 0);
}

static void
test_direct(void **state)
{
	struct core *c = core_new("");
	struct err err = { "" };
	int fd, rc = 0;
	SSL *ssl;

	(void)state;
	assert_int_equal(relisten(c, LISTEN("5223", "direct"), &err), 0);
	fd = dial_port(only_port());
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ssl = tls_plain(fd, false, 0, 0, NULL);
	for (int i = 0; i < 50 && rc != 1; i++) {
		rc = SSL_do_handshake(ssl);
		core_run(c);
	}
	assert_int_equal(rc, 1);
	SSL_free(ssl);
	close(fd);
	core_free(c);
}

static void
test_closed(void **state)
{
	struct core *c = core_new("");
	struct err err = { "" };

	(void)state;
	assert_int_equal(relisten(c, LISTEN("5222", "starttls"), &err), 0);
	assert_int_equal(relisten(c, "", &err), 0);
	assert_int_equal(find_ports((uint16_t[1]){ 0 }, 1), 0);
	assert_int_equal(relisten(c, LISTEN("5222", "starttls"), &err), 0);
	proxy_unlisten(c->proxy);
	assert_int_equal(find_ports((uint16_t[1]){ 0 }, 1), 0);
	core_free(c);
}

/* One that cannot be opened: all stays, and nothing of the new is there. */
static void
test_bad_listener(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));
	struct config *config, *before;
	struct err err = { "" };
	uint16_t port;

	(void)state;
	assert_int_equal(relisten(c, CORE_ALICE("") LISTEN("5222", "none"),
			     &err),
	    0);
	port = only_port();
	before = c->proxy->config;
	config = core_config("<listen address='::1' port='5224'/>"
			     "<listen address='192.0.2.1' port='5222'/>");
	STAILQ_FIRST(&config->listens)->port = port;
	assert_int_equal(proxy_reload(c->proxy, config, &err), -1);
	assert_non_null(strstr(err.text, "192.0.2.1"));
	config_free(&config);
	assert_int_equal(only_port(), port);
	assert_true(features_have(c, port, "<mechanisms"));
	assert_ptr_equal(c->proxy->config, before);
	assert_non_null(proxy_find_user(c->proxy, "alice"));
	core_free(c);
}

/* From all addresses to one, and back, at the same port. */
static void
test_same_port(void **state)
{
	struct core *c = core_new("");
	struct config *config = any_port(LISTEN("5222", "none"));
	struct err err = { "" };
	uint16_t port;

	(void)state;
	assert_int_equal(proxy_reload(c->proxy, config, &err), 0);
	port = only_port();
	assert_int_equal(relisten(c, "", &err), 0);
	config = core_config("<listen address='0.0.0.0' port='5222'/>");
	STAILQ_FIRST(&config->listens)->port = port;
	assert_int_equal(proxy_reload(c->proxy, config, &err), 0);
	config = core_config(LISTEN("5222", "none"));
	STAILQ_FIRST(&config->listens)->port = port;
	if (proxy_reload(c->proxy, config, &err) == -1)
		fail_msg("%s", err.text);
	assert_true(features_have(c, port, "<mechanisms"));
	/* Nor does an attempt that fails leave a hole. */
	config = core_config("<listen address='0.0.0.0' port='5222'/>"
			     "<listen address='192.0.2.1' port='5222'/>");
	STAILQ_FIRST(&config->listens)->port = port;
	assert_int_equal(proxy_reload(c->proxy, config, &err), -1);
	config_free(&config);
	assert_int_equal(only_port(), port);
	assert_true(features_have(c, port, "<mechanisms"));
	core_free(c);
}

/* --- certificates --- */

static void
issue(const char *name, const char *domain)
{
	char *alt = mem_printf("DNS:%s", domain);
	const struct tls_issue want = { .name = name,
		.subject = domain,
		.alt_names = alt };

	tls_issue(&want);
	free(alt);
}

static char *
certificate(const char *name, const char *domain)
{
	char *chain = mem_printf("%s.pem", name);
	char *key = mem_printf("%s.key", name);
	char *xml = mem_printf("<certificate chain='%s' key='%s' %s%s%s/>",
	    tls_path(chain), tls_path(key), domain != NULL ? "domain='" : "",
	    domain != NULL ? domain : "", domain != NULL ? "'" : "");

	free(chain);
	free(key);
	return xml;
}

/* Whose certificate a client sees. */
static void
assert_served(struct core *c, const char *asked, const char *subject)
{
	int fds[2], rc = 0;
	char name[256] = "";
	X509 *x509;
	SSL *ssl;

	io_pair(fds);
	proxy_accept(c->proxy, transport_socket(fds[0]), CORE_PEER,
	    ACCEPT_DIRECT);
	ssl = tls_plain(fds[1], false, 0, 0, NULL);
	SSL_set_tlsext_host_name(ssl, asked);
	for (int i = 0; i < 50 && rc != 1; i++) {
		rc = SSL_do_handshake(ssl);
		core_run(c);
	}
	assert_int_equal(rc, 1);
	x509 = SSL_get1_peer_certificate(ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName,
	    name, sizeof(name));
	assert_string_equal(name, subject);
	X509_free(x509);
	SSL_free(ssl);
	close(fds[1]);
	core_run(c);
}

static void
test_certificates(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));
	struct err err = { "" };
	char *node, *a, *body;
	struct config *config;

	(void)state;
	issue("n", "proxy.example");
	issue("a", "a.example");
	node = certificate("n", NULL);
	a = certificate("a", "a.example");
	body = mem_printf("%s%s" CORE_ALICE(""), node, a);
	assert_int_equal(relisten(c, body, &err), 0);
	assert_served(c, "proxy.example", "proxy.example");
	assert_served(c, "a.example", "a.example");
	assert_served(c, "x.example", "proxy.example");
	/* Renewed in place, and loaded by a reload. */
	issue("a", "renewed.example");
	assert_served(c, "a.example", "a.example");
	assert_int_equal(relisten(c, body, &err), 0);
	assert_served(c, "a.example", "renewed.example");
	/* A broken one changes nothing: here another one's key. */
	config = any_port(body);
	issue("x", "x.example");
	assert_int_equal(rename(tls_path("x.key"), tls_path("n.key")), 0);
	assert_int_equal(proxy_reload(c->proxy, config, &err), -1);
	config_free(&config);
	assert_non_null(strstr(err.text, "n.key"));
	assert_served(c, "proxy.example", "proxy.example");
	free(node);
	free(a);
	free(body);
	core_free(c);
}

static void
test_self_signed(void **state)
{
	struct core *c = core_new(CORE_ALICE(""));
	char *key = mem_printf("%s/xmpproxy-selfsigned.key", core_folder());
	struct err err = { "" };
	struct stat first, again;

	(void)state;
	(void)unlink(key);
	assert_int_equal(relisten(c, CORE_ALICE(""), &err), 0);
	assert_int_equal(stat(key, &first), 0);
	assert_int_equal(first.st_mode & 0777, 0600);
	expect(&c->log, "event=self-signed");
	/* Made once, and kept. */
	assert_int_equal(relisten(c, CORE_ALICE(""), &err), 0);
	assert_int_equal(stat(key, &again), 0);
	assert_int_equal(first.st_ino, again.st_ino);
	assert_int_equal(first.st_mtim.tv_nsec, again.st_mtim.tv_nsec);
	free(key);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_bad_listener),
		cmocka_unit_test(test_same_port),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_self_signed),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
