/* TLS on a connection of the loop, both ends ours or the peer at our mercy. */
#include "support_tls.h"

#include <malloc.h>

static struct loop *loop;
static struct owner server, client;
static struct tls_certs *certs;
static struct tls_trust *trust;
static int fds[2];

static int
setup_all(void **state)
{
	const char *domains[] = { "a.example" };

	clock_real();
	if (tls_setup(state) < 0)
		return -1;
	return tls_make_self_signed(tls_path("a.pem"), tls_path("a.key"),
	    domains, 1, NULL);
}

static int
setup(void **state)
{
	(void)state;
	loop = io_loop();
	certs = tls_certs_new(NULL);
	tls_add(certs, NULL, "a");
	trust = tls_trust_new(tls_path("a.pem"), NULL);
	io_pair(fds);
	owner_init(&server, loop, transport_socket(fds[0]));
	memset(&client, 0, sizeof(client));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	owner_fini(&server);
	owner_fini(&client);
	loop_free(&loop);
	tls_certs_unref(&certs);
	tls_trust_unref(&trust);
	return 0;
}

static void
add_client(void)
{
	owner_init(&client, loop, transport_socket(fds[1]));
}

static void
start_both(const char *domain)
{
	conn_start_tls_server(server.conn, certs, NULL, 5000);
	conn_start_tls_client(client.conn, trust, domain, false, 5000);
}

static void
queue(struct owner *o, const char *text)
{
	conn_send(o->conn, text, strlen(text), NULL, NULL);
}

static void
test_up(void **state)
{
	(void)state;
	add_client();
	assert_false(conn_is_secure(server.conn));
	assert_null(conn_tls(server.conn));
	start_both("a.example");
	/* Queued while it is not up yet: it waits and goes through TLS. */
	queue(&client, "early");
	io_turns(loop, 10);
	assert_int_equal(server.secured, 1);
	assert_int_equal(client.secured, 1);
	assert_true(conn_is_secure(server.conn));
	assert_true(tls_is_v13(conn_tls(client.conn)));
	assert_string_equal(owner_text(&server), "early");
	queue(&server, "answer");
	io_turns(loop, 3);
	assert_string_equal(owner_text(&client), "answer");
	assert_false(conns_are_ready(loop_conns(loop)));
	/* The timeout is over with the handshake. */
	assert_int_equal(timers_wait(loop_timers(loop)), -1);
	clock_advance(10000);
	io_turns(loop, 2);
	assert_int_equal(server.closed + client.closed, 0);
}

static bool
proceed(struct owner *o, const char *bytes, size_t len)
{
	buf_add(&o->in, bytes, len);
	conn_send(o->conn, "<proceed/>", 10, NULL, NULL);
	conn_start_tls_server(o->conn, certs, NULL, 5000);
	queue(o, "secret");
	o->on_data = NULL;
	return false;
}

/* The last plain frame goes before it, what is queued later through it. */
static void
test_starttls(void **state)
{
	char text[64];
	ssize_t len;

	(void)state;
	server.on_data = proceed;
	assert_int_equal(write(fds[1], "<starttls/>", 11), 11);
	io_turns(loop, 3);
	len = read(fds[1], text, sizeof(text));
	assert_int_equal(len, 10);
	assert_memory_equal(text, "<proceed/>", 10);
	add_client();
	conn_start_tls_client(client.conn, trust, "a.example", false, 5000);
	io_turns(loop, 10);
	assert_string_equal(owner_text(&client), "secret");
	assert_string_equal(owner_text(&server), "<starttls/>");
}

/* Plain text behind the request is not read, and is no handshake. */
static void
test_injection(void **state)
{
	(void)state;
	server.on_data = proceed;
	assert_int_equal(write(fds[1], "<starttls/>", 11), 11);
	io_turns(loop, 1);
	assert_int_equal(write(fds[1], "<presence/>", 11), 11);
	io_turns(loop, 5);
	assert_string_equal(owner_text(&server), "<starttls/>");
	assert_int_equal(server.secured, 0);
	assert_int_equal(server.closed, 1);
	assert_memory_equal(server.reason, "TLS: handshake: ", 16);
	close(fds[1]);
}

static void
test_wrong_certificate(void **state)
{
	(void)state;
	add_client();
	start_both("b.example");
	io_turns(loop, 10);
	assert_int_equal(client.secured, 0);
	assert_string_equal(client.reason,
	    "TLS: the certificate is not for b.example but for a.example");
	assert_int_equal(server.closed, 1);
	conn_finish(&client.conn, 1000);
	conn_finish(&server.conn, 1000);
	loop_turn(loop, 0);
	loop_turn(loop, 0);
	assert_false(conns_are_ready(loop_conns(loop)));
}

static void
test_never_ends(void **state)
{
	(void)state;
	conn_start_tls_server(server.conn, certs, NULL, 5000);
	assert_int_equal(write(fds[1], "\x16\x03\x01", 3), 3);
	io_turns(loop, 3);
	clock_advance(4999);
	io_turns(loop, 3);
	assert_int_equal(server.closed, 0);
	assert_false(conns_are_ready(loop_conns(loop)));
	clock_advance(1);
	io_turns(loop, 2);
	assert_int_equal(server.closed, 1);
	assert_string_equal(server.reason, "the TLS handshake took too long");
	close(fds[1]);
}

/* It never starts, because what goes before it is not read. */
static void
test_never_starts(void **state)
{
	char filler[1000] = { 0 };

	(void)state;
	while (write(fds[0], filler, sizeof(filler)) > 0)
		;
	queue(&server, "<proceed/>");
	conn_start_tls_server(server.conn, certs, NULL, 5000);
	io_turns(loop, 3);
	clock_advance(5000);
	io_turns(loop, 2);
	assert_int_equal(server.closed, 1);
	close(fds[1]);
}

static void
test_abort_in_the_handshake(void **state)
{
	(void)state;
	add_client();
	start_both("a.example");
	loop_turn(loop, 0);
	loop_turn(loop, 0);
	conn_abort(&client.conn);
	io_turns(loop, 3);
	assert_int_equal(server.closed, 1);
	assert_memory_equal(server.reason, "TLS: ", 5);
}

static void
test_finish_says_close_notify(void **state)
{
	(void)state;
	add_client();
	start_both("a.example");
	io_turns(loop, 10);
	queue(&server, "bye");
	conn_finish(&server.conn, 1000);
	io_turns(loop, 3);
	assert_string_equal(owner_text(&client), "bye");
	assert_int_equal(client.closed, 1);
	assert_string_equal(client.reason, "the peer closed the connection");
	conn_finish(&client.conn, 1000);
	io_turns(loop, 3);
	assert_int_equal(server.closed, 0);
}

/* Records of all sizes, more than a slice, more than a socket holds. */
static void
test_much(void **state)
{
	struct buf wanted = { 0 };
	char text[4096];

	(void)state;
	add_client();
	start_both("a.example");
	io_turns(loop, 10);
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "<frame number='%0*d'/>",
		    i * 7 % 1500, i);
		queue(&server, text);
		buf_puts(&wanted, text);
		if (i % 11 == 0 && i < 1000)
			loop_turn(loop, 0);
	}
	for (int i = 0; i < 5000 && client.in.len < wanted.len; i++)
		loop_turn(loop, 0);
	assert_int_equal(client.in.len, wanted.len);
	assert_memory_equal(client.in.data, wanted.data, wanted.len);
	assert_int_equal(conn_queued_bytes(server.conn), 0);
	buf_free(&wanted);
}

/*
 * Two records come at once, a slice takes one; then a third arrives, and the
 * slice that takes the second does not touch the socket.
 */
static void
test_records_and_slices(void **state)
{
	struct loop_budget budget = *loop_budget(loop);
	SSL *plain = tls_plain(fds[1], false, 0, 0, NULL);

	(void)state;
	conn_start_tls_server(server.conn, certs, NULL, 5000);
	for (int i = 0; i < 5; i++) {
		SSL_do_handshake(plain);
		loop_turn(loop, 0);
	}
	assert_true(conn_is_secure(server.conn));
	budget.slice_bytes = 3;
	budget.stanzas = 1;
	loop_set_budget(loop, &budget);
	server.spend = 1;
	SSL_write(plain, "abc", 3);
	SSL_write(plain, "def", 3);
	loop_turn(loop, 0);
	assert_string_equal(owner_text(&server), "abc");
	SSL_write(plain, "ghi", 3);
	io_turns(loop, 3);
	assert_string_equal(owner_text(&server), "abcdefghi");
	io_turns(loop, 2);
	assert_false(conns_are_ready(loop_conns(loop)));
	SSL_free(plain);
	close(fds[1]);
}

#define CROWD 20

static unsigned secured;

static void
count_secured(void *arg)
{
	(void)arg;
	secured++;
}

static bool
no_data(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return false;
}

static void
no_end(void *arg, const char *reason)
{
	(void)arg;
	(void)reason;
}

/* Steps of handshakes a turn: the hellos of 20 take three turns of 8. */
static void
test_handshakes_a_turn(void **state)
{
	const struct conn_events events = { .data = no_data,
		.secured = count_secured,
		.closed = no_end };
	struct conn *conns[CROWD];
	char answer[4096];
	SSL *plain[CROWD];
	int pairs[CROWD][2], answered = 0;

	(void)state;
	for (int i = 0; i < CROWD; i++) {
		io_pair(pairs[i]);
		conns[i] = conn_new(loop, transport_socket(pairs[i][0]), "s",
		    &events, NULL);
		conn_start_tls_server(conns[i], certs, NULL, 5000);
	}
	io_turns(loop, 4);
	for (int i = 0; i < CROWD; i++) {
		plain[i] = tls_plain(pairs[i][1], false, 0, 0, NULL);
		SSL_do_handshake(plain[i]);
	}
	loop_turn(loop, 0);
	for (int i = 0; i < CROWD; i++)
		answered += recv(pairs[i][1], answer, sizeof(answer),
				MSG_PEEK) > 0;
	assert_int_equal(answered, 8);
	io_turns(loop, 3);
	for (int i = 0; i < CROWD; i++)
		SSL_do_handshake(plain[i]);
	secured = 0;
	loop_turn(loop, 0);
	assert_int_equal(secured, 8);
	io_turns(loop, 2);
	assert_int_equal(secured, CROWD);
	for (int i = 0; i < CROWD; i++) {
		conn_abort(&conns[i]);
		SSL_free(plain[i]);
		close(pairs[i][1]);
	}
	close(fds[1]);
}

#define IDLE       50
#define IDLE_BYTES 17000 /* of the 20 KiB that an idle client may take */

/* An idle connection keeps no buffers, neither ours nor OpenSSL's. */
static void
test_memory_of_the_idle(void **state)
{
	const struct conn_events events = { .data = no_data,
		.secured = count_secured,
		.closed = no_end };
	struct conn *conns[IDLE];
	int pairs[IDLE][2];
	size_t before = mallinfo2().uordblks;
	SSL *plain;

	(void)state;
	secured = 0;
	for (int i = 0; i < IDLE; i++) {
		io_pair(pairs[i]);
		plain = tls_plain(pairs[i][1], false, 0, 0, NULL);
		conns[i] = conn_new(loop, transport_socket(pairs[i][0]), "s",
		    &events, NULL);
		conn_start_tls_server(conns[i], certs, NULL, 5000);
		for (int j = 0; j < 5; j++) {
			SSL_do_handshake(plain);
			loop_turn(loop, 0);
		}
		SSL_write(plain, "x", 1);
		conn_send(conns[i], "y", 1, NULL, NULL);
		io_turns(loop, 2);
		SSL_free(plain);
	}
	assert_int_equal(secured, IDLE);
	assert_true(mallinfo2().uordblks - before < IDLE * IDLE_BYTES);
	for (int i = 0; i < IDLE; i++) {
		conn_abort(&conns[i]);
		close(pairs[i][1]);
	}
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_up),
		TEST(test_starttls),
		TEST(test_injection),
		TEST(test_wrong_certificate),
		TEST(test_never_ends),
		TEST(test_never_starts),
		TEST(test_abort_in_the_handshake),
		TEST(test_finish_says_close_notify),
		TEST(test_much),
		TEST(test_records_and_slices),
		TEST(test_handshakes_a_turn),
		TEST(test_memory_of_the_idle),
	};

	return cmocka_run_group_tests(tests, setup_all, tls_teardown);
}
