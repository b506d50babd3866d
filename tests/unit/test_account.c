#include "support_client.h"

#define ASK(id, to) \
	"<iq type='get' id='" id "' to='" to "'><q xmlns='urn:x'/></iq>"
#define PEER "bob@b.example/x"

struct asking {
	struct core *c;
	struct account *a;
	struct core_client cl;
	char id[64]; /* of the last request, on the wire */
};

/* All that the login upstream asked is out of the way. */
static void
begin_with(struct asking *q, const char *limits)
{
	char *body = mem_printf("<limits %s/>" CORE_ALICE(""), limits);

	q->c = core_new(body);
	free(body);
	q->a = core_account(q->c, "alice");
	client_login(&q->cl, q->c, "alice", "r");
	core_connect(q->c);
	account_fail_iqs(q->a);
	core_run(q->c);
	buf_clear(&q->c->server->got);
	buf_clear(&q->cl.got);
}

static void
end(struct asking *q)
{
	client_end(&q->cl);
	core_free(q->c);
}

/* The client asks, and it went up. */
static void
ask(struct asking *q, const char *xml)
{
	const char *at;
	struct buf *got = &q->c->server->got;

	buf_clear(got);
	client_say(&q->cl, xml);
	expect(got, "urn:x");
	at = strstr(got->data, " id='");
	assert_non_null(at);
	assert_int_equal(sscanf(at, " id='%63[^']'", q->id), 1);
}

/* from: " from='...'" or nothing. */
static void
answer(struct asking *q, const char *from)
{
	char *xml = mem_printf("<iq type='result' id='%s'%s><a/></iq>", q->id,
	    from);

	core_server_say(q->c, xml);
	core_run(q->c);
	free(xml);
}

static void
test_fresh_ids(void **state)
{
	struct asking q;
	char first[64];

	(void)state;
	begin_with(&q, "");
	ask(&q, ASK("mine", PEER));
	assert_false(has(&q.c->server->got, "mine"));
	assert_false(has(&q.c->server->got, " from="));
	assert_int_equal(strlen(q.id), RANDOM_ID_SIZE - 1);
	memcpy(first, q.id, sizeof(first));
	ask(&q, ASK("mine", PEER));
	assert_string_not_equal(q.id, first);
	answer(&q, " from='" PEER "'");
	expect(&q.cl.got, "id='mine'");
	expect(&q.cl.got, "from='" PEER "'");
	expect(&q.cl.got, "to='alice@proxy.example/r'");
	/* An answer is one answer. */
	buf_clear(&q.cl.got);
	answer(&q, " from='" PEER "'");
	assert_string_equal(q.cl.got.data, "");
	end(&q);
}

static void
test_spoofed(void **state)
{
	static const struct {
		const char *to, *from;
		bool counts;
	} rows[] = {
		{ " to='" PEER "'", " from='" PEER "'", true },
		{ " to='BOB@B.example/x'", " from='" PEER "'", true },
		{ " to='" PEER "'", " from='bob@b.example'", false },
		{ " to='" PEER "'", " from='bob@b.example/X'", false },
		{ " to='" PEER "'", " from='alice@a.example'", false },
		{ " to='" PEER "'", "", false },
		{ "", "", true },
		{ "", " from='alice@a.example'", true },
		{ "", " from='alice@a.example/proxy'", true },
		{ "", " from='a.example'", true },
		{ "", " from='alice@a.example/other'", false },
		{ "", " from='" PEER "'", false },
		{ " to='alice@proxy.example'", "", true },
		{ " to='alice@proxy.example'", " from='a.example'", true },
		{ " to='alice@proxy.example'", " from='b.example'", false },
		{ " to='a.example'", " from='a.example'", true },
		{ " to='a.example'", " from='b.example'", false },
	};
	struct asking q;
	char *xml;

	(void)state;
	begin_with(&q, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		xml = mem_printf("<iq type='get' id='i%zu'%s>"
				 "<q xmlns='urn:x'/></iq>",
		    i, rows[i].to);
		ask(&q, xml);
		free(xml);
		buf_clear(&q.cl.got);
		answer(&q, rows[i].from);
		if (has(&q.cl.got, "result") != rows[i].counts)
			fail_msg("%zu: %s", i, q.cl.got.data);
		assert_int_equal(has(&q.c->log, "spoofed-answer"),
		    !rows[i].counts);
		buf_clear(&q.c->log);
	}
	end(&q);
}

static void
test_deadline(void **state)
{
	struct asking q;

	(void)state;
	begin_with(&q, "iq-seconds='10'");
	ask(&q, ASK("mine", PEER));
	core_wait(q.c, 9000);
	assert_string_equal(q.cl.got.data, "");
	core_wait(q.c, 2000);
	expect(&q.cl.got, "id='mine'");
	expect(&q.cl.got, "type='error'");
	expect(&q.cl.got, "from='" PEER "'");
	expect(&q.cl.got, "<remote-server-timeout");
	assert_int_equal(iq_table_count(q.a->iqs), 0);
	end(&q);
}

/* Whatever else is asked meanwhile. */
static void
test_deadline_in_traffic(void **state)
{
	struct asking q;

	(void)state;
	begin_with(&q, "iq-seconds='10'");
	ask(&q, ASK("first", PEER));
	for (int i = 0; i < 24; i++) {
		core_wait(q.c, 500);
		client_say(&q.cl, ASK("more", PEER));
	}
	expect(&q.cl.got, "id='first'");
	end(&q);
}

static void
test_upstream_lost(void **state)
{
	struct asking q;

	(void)state;
	begin_with(&q, "");
	ask(&q, ASK("mine", PEER));
	stream_abort(&q.c->server->stream);
	core_run(q.c);
	expect(&q.cl.got, "id='mine'");
	expect(&q.cl.got, "<remote-server-timeout");
	/* Neither is there anybody to ask now. */
	buf_clear(&q.cl.got);
	client_say(&q.cl, ASK("next", PEER));
	expect(&q.cl.got, "id='next'");
	expect(&q.cl.got, "<remote-server-timeout");
	assert_int_equal(iq_table_count(q.a->iqs), 0);
	end(&q);
}

static void
test_session_limit(void **state)
{
	struct asking q;
	struct core_client other;

	(void)state;
	begin_with(&q, "iqs-per-session='2'");
	ask(&q, ASK("1", PEER));
	ask(&q, ASK("2", PEER));
	client_say(&q.cl, ASK("3", PEER));
	expect(&q.cl.got, "id='3'");
	expect(&q.cl.got, "<resource-constraint");
	expect(&q.cl.got, "too many open requests<");
	/* That session alone is affected, and only until it has an answer. */
	client_login(&other, q.c, "alice", "other");
	buf_clear(&q.c->server->got);
	client_say(&other, ASK("1", PEER));
	expect(&q.c->server->got, "urn:x");
	answer(&q, " from='" PEER "'");
	ask(&q, ASK("4", PEER));
	client_end(&other);
	end(&q);
}

static void
test_account_limit(void **state)
{
	struct asking q;

	(void)state;
	begin_with(&q, "iqs-per-account='2'");
	ask(&q, ASK("1", PEER));
	ask(&q, ASK("2", PEER));
	client_say(&q.cl, ASK("3", PEER));
	expect(&q.cl.got, "id='3'");
	expect(&q.cl.got, "<resource-constraint");
	expect(&q.cl.got, "too many open requests of the account");
	answer(&q, " from='" PEER "'");
	ask(&q, ASK("4", PEER));
	end(&q);
}

/* A server that does not read: no more is held for it. */
static void
test_queue_limit(void **state)
{
	struct asking q;
	char *big = mem_alloc(60001), *xml;

	(void)state;
	memset(big, 'x', 60000);
	xml = mem_printf("<iq type='set' id='big' to='" PEER
			 "'><q xmlns='urn:x'>%s</q></iq>",
	    big);
	begin_with(&q, "upstream-queue-bytes='65536'");
	conn_pause(stream_conn(q.c->server->stream), true);
	wire_set_room(q.c->server->wire, 1);
	client_say(&q.cl, xml);
	client_say(&q.cl, xml);
	assert_string_equal(q.cl.got.data, "");
	client_say(&q.cl, xml);
	expect(&q.cl.got, "<resource-constraint");
	expect(&q.cl.got, "too much waits for the account's server");
	free(xml);
	free(big);
	end(&q);
}

/* --- our own requests --- */

static unsigned answered, unanswered;

static void
on_answer(struct account *a, struct elem *e, void *arg)
{
	assert_ptr_equal(arg, a);
	if (e != NULL)
		answered++;
	else
		unanswered++;
}

static int
ask_ourselves(struct account *a)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");
	int rc;

	elem_set(iq, "type", "get");
	elem_child(iq, "urn:x", "q");
	rc = account_ask(a, iq, PEER, on_answer, a);
	arena_free(&arena);
	return rc;
}

static void
test_own(void **state)
{
	struct asking q;
	const char *at;

	(void)state;
	answered = unanswered = 0;
	begin_with(&q, "iqs-per-account='1' iq-seconds='10'");
	assert_int_equal(ask_ourselves(q.a), 0);
	assert_int_equal(ask_ourselves(q.a), -1);
	core_run(q.c);
	at = strstr(q.c->server->got.data, " id='");
	assert_int_equal(sscanf(at, " id='%63[^']'", q.id), 1);
	answer(&q, " from='" PEER "'");
	assert_int_equal(answered, 1);
	assert_int_equal(ask_ourselves(q.a), 0);
	core_wait(q.c, 11000);
	assert_int_equal(unanswered, 1);
	assert_int_equal(ask_ourselves(q.a), 0);
	stream_abort(&q.c->server->stream);
	core_run(q.c);
	assert_int_equal(unanswered, 2);
	assert_int_equal(ask_ourselves(q.a), -1);
	assert_int_equal(answered, 1);
	end(&q);
}

/* It goes while its requests are open: whoever waits hears so, once. */
static void
test_removed(void **state)
{
	struct asking q;

	(void)state;
	unanswered = 0;
	begin_with(&q, "");
	assert_int_equal(ask_ourselves(q.a), 0);
	assert_int_equal(proxy_reload(q.c->proxy, core_config(""), NULL), 0);
	assert_int_equal(unanswered, 1);
	end(&q);
}

static void
test_maps(void **state)
{
	struct asking q;
	struct session *s;
	struct address_map map;

	(void)state;
	begin_with(&q, "");
	s = user_find_resource(q.a->user, "r");
	map = account_map_up(q.a, s);
	assert_string_equal(map.bare_from, "alice@proxy.example");
	assert_string_equal(map.bare_to, "alice@a.example");
	assert_string_equal(map.full_from, "alice@proxy.example/r");
	assert_string_equal(map.full_to, "alice@a.example/proxy");
	map = account_map_down(q.a, s);
	assert_string_equal(map.bare_from, "alice@a.example");
	assert_string_equal(map.full_to, "alice@proxy.example/r");
	end(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_ids),
		cmocka_unit_test(test_spoofed),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_deadline_in_traffic),
		cmocka_unit_test(test_upstream_lost),
		cmocka_unit_test(test_session_limit),
		cmocka_unit_test(test_account_limit),
		cmocka_unit_test(test_queue_limit),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
