#include "unit/support_io.h"

#include "base/arena.h"
#include "io/tls.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

#define HEAD(to, version) \
	"<stream:stream" to version \
	" xmlns='jabber:client' xmlns:stream='" NS_STREAMS "'>"
#define GOOD HEAD(" to='a.example'", " version='1.0'")

static const struct xml_limits limits = { .stanza_bytes = 4096,
	.depth = 8,
	.attrs = 16,
	.elems = 64 };

/* The stream under test, the bare other end, and all that happened in order. */
struct peer {
	struct loop *loop;
	struct stream *stream;
	struct transport *wire;
	struct buf notes;
	const char *free_in; /* the event in which to end it */
	void (*end)(struct peer *);
	bool restart_on_stanza;
	bool mute;       /* no header in answer */
	bool was_closed; /* inside closed() */
	char out[16384];
};

static void
note(struct peer *p, const char *event, const char *text)
{
	buf_printf(&p->notes, "%s(%s) ", event, text != NULL ? text : "-");
	if (p->free_in != NULL && strcmp(p->free_in, event) == 0)
		p->end(p);
}

static void
on_open(void *arg, const struct elem *header)
{
	struct peer *p = arg;

	if (!p->mute)
		stream_open(p->stream, elem_attr(header, "to"), NULL, "en");
	note(p, "open", elem_attr(header, "to"));
}

static void
on_stanza(void *arg, struct elem *e)
{
	struct peer *p = arg;

	if (p->restart_on_stanza)
		stream_restart(p->stream);
	note(p, "stanza", e->name);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct peer *p = arg;
	char *text = mem_printf("%s;%s", cond != NULL ? cond : "-", reason);

	assert_null(stream_conn(p->stream));
	p->was_closed = stream_was_closed(p->stream);
	note(p, "closed", text);
	free(text);
}

static void
on_drained(void *arg)
{
	note(arg, "drained", NULL);
}

static const struct stream_events events = {
	.open = on_open,
	.stanza = on_stanza,
	.closed = on_closed,
	.drained = on_drained,
};

static void
peer_init(struct peer *p, enum stream_role role)
{
	struct transport *near;

	*p = (struct peer){ .loop = io_loop() };
	transport_memory(&near, &p->wire);
	p->stream = stream_new(role, conn_new(p->loop, near, "c1", NULL, NULL),
	    &limits, &events, p);
	buf_puts(&p->notes, "");
}

static void
peer_fini(struct peer *p)
{
	stream_abort(&p->stream);
	io_turns(p->loop, 1);
	p->wire->ops->free(p->wire);
	buf_free(&p->notes);
	loop_free(&p->loop);
}

static void
run(struct peer *p)
{
	if (p->stream != NULL && stream_conn(p->stream) != NULL)
		conn_poke(stream_conn(p->stream));
	io_turns(p->loop, 4);
	io_take(p->wire, p->out, sizeof(p->out));
}

static void
put(struct peer *p, const char *text)
{
	io_put(p->wire, text);
	run(p);
}

static void
put_bytes(struct peer *p, const char *text)
{
	struct buf all = { 0 };
	char one[2] = "";

	buf_puts(&all, "");
	for (; *text != '\0'; text++) {
		one[0] = *text;
		if (p->stream == NULL || stream_conn(p->stream) == NULL)
			break;
		put(p, one);
		buf_puts(&all, p->out);
	}
	snprintf(p->out, sizeof(p->out), "%s", all.data);
	buf_free(&all);
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
assert_has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in \"%s\"", what, text);
}

static void
test_server_header(void **state)
{
	struct peer p;
	char *first;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p,
	    "<?xml version='1.0'?>" HEAD(" to='&lt;a&apos;'",
		" version='1.0' xml:lang='de'"));
	assert_string_equal(p.notes.data, "open(<a') ");
	assert_has(p.out, "<?xml version='1.0'?><stream:stream ");
	assert_has(p.out, " from='&lt;a&apos;' ");
	assert_has(p.out, " version='1.0' ");
	assert_has(p.out, " xml:lang='en' ");
	assert_has(p.out, " xmlns='jabber:client' ");
	assert_has(p.out, stream_id(p.stream));
	assert_string_equal(stream_lang(p.stream), "de");
	assert_true(strlen(stream_id(p.stream)) >= 20);

	first = mem_strdup(stream_id(p.stream));
	stream_restart(p.stream);
	put(&p, GOOD);
	assert_string_equal(p.notes.data, "open(<a') open(a.example) ");
	assert_string_not_equal(stream_id(p.stream), first);
	assert_null(stream_lang(p.stream));
	free(first);
	peer_fini(&p);
}

static void
test_client_header(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_CLIENT);
	stream_open(p.stream, "u@a.example", "a.example", NULL);
	run(&p);
	assert_has(p.out, " from='u@a.example' to='a.example' version='1.0' ");
	assert_null(strstr(p.out, " id="));
	p.mute = true;
	put(&p,
	    HEAD(" from='a.example' id='x1'",
		" version='1.0'") "<stream:features/>");
	assert_string_equal(p.notes.data, "open(-) stanza(features) ");
	assert_string_equal(stream_id(p.stream), "x1");
	peer_fini(&p);
}

/* What a peer must not do, and the error that it gets for it. */
static const struct {
	const char *in, *cond;
} bad[] = {
	{ HEAD("", ""), "unsupported-version" },
	{ HEAD("", " version='0.9'"), "unsupported-version" },
	{ HEAD("", " version='1'"), "unsupported-version" },
	{ HEAD("", " version='x.0'"), "unsupported-version" },
	{ "<stream version='1.0'>", "invalid-namespace" },
	{ "<s:stream version='1.0' xmlns='jabber:client' xmlns:s='urn:x'>",
	    "invalid-namespace" },
	{ "<s:stream version='1.0' xmlns='jabber:server' xmlns:s='" NS_STREAMS
	  "'>",
	    "invalid-namespace" },
	{ "<s:stream version='1.0' xmlns:s='" NS_STREAMS "'>",
	    "invalid-namespace" },
	{ "<s:flood version='1.0' xmlns='jabber:client' xmlns:s='" NS_STREAMS
	  "'>",
	    "bad-format" },
	{ "GET / HTTP/1.1\r\n", "not-well-formed" },
	{ GOOD "<a></b>", "not-well-formed" },
	{ GOOD "<x:a/>", "not-well-formed" },
	{ GOOD "<a>&unknown;</a>", "restricted-xml" },
	{ "<!DOCTYPE x><x/>", "restricted-xml" },
	{ GOOD "<!-- -->", "restricted-xml" },
	{ GOOD "<?php ?>", "restricted-xml" },
	{ GOOD "text", "bad-format" },
	{ "<?xml version='1.0' encoding='latin1'?>", "unsupported-encoding" },
	{ GOOD "<a><a><a><a><a><a><a><a><a><a>", "policy-violation" },
};

static void
check_bad(const char *in, const char *cond, bool bytewise)
{
	char *error = mem_printf("<stream:error><%s xmlns='" NS_STREAM_ERROR
				 "'/><text ",
	    cond);
	char *closed = mem_printf("closed(%s;", cond);
	struct peer p;

	peer_init(&p, STREAM_SERVER);
	if (bytewise)
		put_bytes(&p, in);
	else
		put(&p, in);
	assert_has(p.out, error);
	assert_has(p.notes.data, closed);
	assert_int_equal(count(p.notes.data, "closed("), 1);
	assert_int_equal(count(p.out, "<stream:stream "), 1);
	assert_true(strstr(p.out, "<stream:stream ") < strstr(p.out, error));
	assert_int_equal(count(p.out, "</stream:error></stream:stream>"), 1);
	peer_fini(&p);
	free(error);
	free(closed);
}

static void
test_bad_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		check_bad(bad[i].in, bad[i].cond, false);
		check_bad(bad[i].in, bad[i].cond, true);
	}
}

/* The header that goes before an early error names the domain that was asked. */
static void
test_early_error_header(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, HEAD(" to='a.example'", ""));
	assert_has(p.out, "<stream:stream from='a.example' id='");
	assert_has(p.out, "<unsupported-version ");
	peer_fini(&p);
}

/* One byte below the limit is taken, one above is not. */
static void
test_stanza_limit(void **state)
{
	struct peer p;

	(void)state;
	for (size_t size = limits.stanza_bytes; size <= limits.stanza_bytes + 1;
	     size++) {
		struct buf stanza = { 0 };

		peer_init(&p, STREAM_SERVER);
		put(&p, GOOD);
		buf_puts(&stanza, "<a>");
		while (stanza.len < size - 4)
			buf_putc(&stanza, 'x');
		buf_puts(&stanza, "</a>");
		put(&p, stanza.data);
		assert_has(p.notes.data,
		    size == limits.stanza_bytes ? "stanza(a)" :
						  "closed(policy-violation;");
		buf_free(&stanza);
		peer_fini(&p);
	}
}

static void
test_peer_error(void **state)
{
	static const struct {
		const char *error, *closed;
	} cases[] = {
		{ "<conflict xmlns='" NS_STREAM_ERROR "'/>",
		    "closed(conflict;conflict) " },
		{ "<system-shutdown xmlns='" NS_STREAM_ERROR "'/>"
		  "<text xmlns='" NS_STREAM_ERROR "'>bye</text>",
		    "closed(system-shutdown;bye) " },
		{ "<text xmlns='" NS_STREAM_ERROR "'>bye</text>"
		  "<reset xmlns='" NS_STREAM_ERROR "'/>",
		    "closed(reset;bye) " },
		{ "<see-other-host xmlns='" NS_STREAM_ERROR
		  "'>[::1]:5222</see-other-host><text xmlns='" NS_STREAM_ERROR
		  "'>bye</text>",
		    "closed(see-other-host;[::1]:5222) " },
		{ "<x xmlns='urn:x'/>",
		    "closed(undefined-condition;undefined-condition) " },
		{ "", "closed(undefined-condition;undefined-condition) " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct peer p;

		peer_init(&p, STREAM_SERVER);
		put(&p, GOOD);
		buf_clear(&p.notes);
		io_put(p.wire, "<stream:error>");
		io_put(p.wire, cases[i].error);
		put(&p, "</stream:error></stream:stream>");
		assert_string_equal(p.notes.data, cases[i].closed);
		assert_string_equal(p.out, "</stream:stream>");
		peer_fini(&p);
	}
}

static void
test_peer_closes(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD "<a/></stream:stream>");
	assert_string_equal(p.notes.data,
	    "open(a.example) stanza(a) "
	    "closed(-;the peer closed the stream) ");
	assert_int_equal(count(p.out, "</stream:stream>"), 1);
	/* Sending to what has ended does nothing. */
	stream_send_text(p.stream, "<late/>");
	stream_open(p.stream, NULL, NULL, NULL);
	stream_restart(p.stream);
	run(&p);
	assert_string_equal(p.out, "");
	peer_fini(&p);
}

static void
test_connection_lost(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	buf_clear(&p.notes);
	p.wire->ops->shut(p.wire);
	run(&p);
	assert_has(p.notes.data, "closed(-;");
	peer_fini(&p);
}

static void
test_our_end(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	stream_fail(&p.stream, STREAM_SYSTEM_SHUTDOWN, "<soon>");
	assert_null(p.stream);
	run(&p);
	assert_has(p.out, "<stream:stream id='");
	assert_has(p.out,
	    "<stream:error><system-shutdown xmlns='" NS_STREAM_ERROR
	    "'/><text xmlns='" NS_STREAM_ERROR
	    "' xml:lang='en'>&lt;soon&gt;</text></stream:error>"
	    "</stream:stream>");
	assert_string_equal(p.notes.data, "");
	peer_fini(&p);

	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	stream_close(&p.stream);
	run(&p);
	assert_string_equal(p.out, "</stream:stream>");
	peer_fini(&p);

	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	stream_abort(&p.stream);
	run(&p);
	assert_string_equal(p.out, "");
	peer_fini(&p);

	/* XEP-0198 7: what was queued is written, and no word of an end. */
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	stream_send_text(p.stream, "<last/>");
	stream_leave(&p.stream);
	assert_null(p.stream);
	run(&p);
	assert_string_equal(p.out, "<last/>");
	peer_fini(&p);
}

static void
end_fail(struct peer *p)
{
	stream_fail(&p->stream, STREAM_RESET, NULL);
}

static void
end_close(struct peer *p)
{
	stream_close(&p->stream);
}

static void
end_abort(struct peer *p)
{
	stream_abort(&p->stream);
}

/* Ended in each of its own callbacks, in each way: no event after that. */
static void
test_free_inside(void **state)
{
	static void (*const ends[])(
	    struct peer *) = { end_fail, end_close, end_abort };
	static const char *const in[] = { "open", "stanza", "closed" };
	static const char *const notes[] = {
		"open(a.example) ",
		"open(a.example) stanza(a) ",
		"open(a.example) stanza(a) stanza(b) "
		"closed(-;the peer closed the stream) ",
	};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct peer p;

		peer_init(&p, STREAM_SERVER);
		p.free_in = in[i % 3];
		p.end = ends[i / 3];
		put(&p, GOOD "<a/><b/></stream:stream>");
		assert_null(p.stream);
		assert_string_equal(p.notes.data, notes[i % 3]);
		peer_fini(&p);
	}
}

static void
test_free_in_drained(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	p.free_in = "drained";
	p.end = end_abort;
	conn_set_window(stream_conn(p.stream), 3, 1000);
	stream_send_text(p.stream, "<a/>");
	stream_send_text(p.stream, "<b/>");
	run(&p);
	assert_null(p.stream);
	assert_string_equal(p.notes.data, "drained(-) ");
	peer_fini(&p);
}

/* What came behind the element that restarts the stream is never parsed. */
static void
test_restart_drops(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	p.restart_on_stanza = true;
	put(&p, GOOD "<starttls xmlns='" NS_TLS "'/><iq/>" GOOD "<presence/>");
	assert_string_equal(p.notes.data, "open(a.example) stanza(starttls) ");
	put(&p, GOOD);
	assert_string_equal(p.notes.data,
	    "open(a.example) stanza(starttls) open(a.example) ");
	assert_int_equal(count(p.out, "<stream:stream "), 1);
	peer_fini(&p);
}

/* A slice takes so many stanzas; the rest comes in its turn, in order. */
static void
test_budget(void **state)
{
	struct loop_budget budget;
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	buf_clear(&p.notes);
	budget = *loop_budget(p.loop);
	budget.slice_stanzas = 2;
	budget.stanzas = 2;
	loop_set_budget(p.loop, &budget);
	io_put(p.wire, "<a/><b/><c/><d/><e/>");
	conn_poke(stream_conn(p.stream));
	io_turns(p.loop, 1);
	assert_string_equal(p.notes.data, "stanza(a) stanza(b) ");
	io_turns(p.loop, 1);
	assert_string_equal(p.notes.data,
	    "stanza(a) stanza(b) stanza(c) stanza(d) ");
	io_turns(p.loop, 2);
	assert_string_equal(p.notes.data,
	    "stanza(a) stanza(b) stanza(c) stanza(d) stanza(e) ");
	peer_fini(&p);
}

static void
test_send(void **state)
{
	struct blob *body = blob_new("><b/></message>", 15);
	struct arena *arena = arena_new();
	struct elem *e = elem_new(arena, NS_CLIENT, "iq");
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	elem_child(e, NS_PING, "ping");
	stream_send(p.stream, e);
	stream_send_frame(p.stream, "<message to='x'", 15, body, "<r/>");
	stream_send_text(p.stream, "<a/>");
	run(&p);
	assert_string_equal(p.out,
	    "<iq><ping xmlns='urn:xmpp:ping'/></iq>"
	    "<message to='x'><b/></message><r/><a/>");
	blob_unref(&body);
	arena_free(&arena);
	peer_fini(&p);
}

/* Stanzas of each kind and way; what is none, and what was not sent, is not counted. */
static void
test_counts_stanzas(void **state)
{
	static const char *const names[] = { "message", "presence", "iq" };
	struct blob *body = blob_new("/>", 2);
	struct arena *arena = arena_new();
	struct sm sm = { 0 };
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	stream_send_frame(p.stream, "<message", 8, body, NULL);
	stream_set_sm(p.stream, &sm);
	put(&p, GOOD "<message/>");
	for (size_t i = 0; i < 3; i++)
		stream_send(p.stream, elem_new(arena, NS_CLIENT, names[i]));
	assert_int_equal(sm.out, 3);
	stream_send_frame(p.stream, "<message", 8, body, NULL);
	assert_int_equal(sm.out, 4);
	stream_send(p.stream, elem_new(arena, NS_SM, "iq"));
	stream_send(p.stream, elem_new(arena, NS_CLIENT, "r"));
	stream_send_text(p.stream, "<message/>");
	assert_int_equal(sm.out, 4);
	assert_int_equal(sm.in, 0);
	stream_set_sm(p.stream, NULL);
	stream_send_frame(p.stream, "<message", 8, body, NULL);
	stream_set_sm(p.stream, &sm);
	put(&p, "</stream:stream>");
	stream_send_frame(p.stream, "<message", 8, body, NULL);
	stream_send(p.stream, elem_new(arena, NS_CLIENT, "iq"));
	assert_int_equal(sm.out, 4);
	blob_unref(&body);
	arena_free(&arena);
	peer_fini(&p);
}

/* How a peer may go, and whether it meant to end its stream (XEP-0198 7). */
static void
test_was_closed(void **state)
{
	static const struct {
		const char *in;
		bool was_closed;
	} cases[] = {
		{ "</stream:stream>", true },
		{ "<stream:error><conflict xmlns='" NS_STREAM_ERROR
		  "'/></stream:error>",
		    true },
		{ "<a></b>", false },
		{ "<a>", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct peer p;

		peer_init(&p, STREAM_SERVER);
		put(&p, GOOD);
		if (i % 2 == 0)
			put(&p, cases[i / 2].in);
		else
			put_bytes(&p, cases[i / 2].in);
		p.wire->ops->shut(p.wire);
		run(&p);
		assert_int_equal(count(p.notes.data, "closed("), 1);
		assert_int_equal(p.was_closed, cases[i / 2].was_closed);
		assert_int_equal(stream_was_closed(p.stream),
		    cases[i / 2].was_closed);
		peer_fini(&p);
	}
}

/* RFC 6120 4.9.2: the condition, the text, more in a namespace of its own. */
static void
test_fail_with(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	stream_fail_with(&p.stream, STREAM_UNDEFINED_CONDITION,
	    "<x xmlns='urn:x'/>", "why");
	assert_null(p.stream);
	run(&p);
	assert_string_equal(p.out,
	    "<stream:error><undefined-condition xmlns='" NS_STREAM_ERROR
	    "'/><text xmlns='" NS_STREAM_ERROR
	    "' xml:lang='en'>why</text><x xmlns='urn:x'/></stream:error>"
	    "</stream:stream>");
	assert_string_equal(p.notes.data, "open(a.example) ");
	stream_fail_with(&p.stream, STREAM_RESET, NULL, NULL);
	peer_fini(&p);
}

static void
test_owner_changes(void **state)
{
	struct peer p, other = { 0 };

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD);
	stream_set_owner(p.stream, &events, &other);
	put(&p, "<a/>");
	assert_string_equal(p.notes.data, "open(a.example) ");
	assert_string_equal(other.notes.data, "stanza(a) ");
	buf_free(&other.notes);
	peer_fini(&p);
}

static void
test_limits_change(void **state)
{
	struct xml_limits small = limits;
	struct peer p;

	(void)state;
	peer_init(&p, STREAM_SERVER);
	put(&p, GOOD "<a>0123456789</a>");
	small.stanza_bytes = 10;
	stream_set_limits(p.stream, &small);
	put(&p, "<a>0123456789</a>");
	assert_has(p.notes.data, "stanza(a) closed(policy-violation;");
	peer_fini(&p);
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < STREAM_COND_COUNT; i++)
		assert_true(strlen(stream_cond_name(i)) > 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_header),
		cmocka_unit_test(test_client_header),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_early_error_header),
		cmocka_unit_test(test_stanza_limit),
		cmocka_unit_test(test_peer_error),
		cmocka_unit_test(test_peer_closes),
		cmocka_unit_test(test_connection_lost),
		cmocka_unit_test(test_our_end),
		cmocka_unit_test(test_free_inside),
		cmocka_unit_test(test_free_in_drained),
		cmocka_unit_test(test_restart_drops),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_counts_stanzas),
		cmocka_unit_test(test_was_closed),
		cmocka_unit_test(test_fail_with),
		cmocka_unit_test(test_owner_changes),
		cmocka_unit_test(test_limits_change),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
