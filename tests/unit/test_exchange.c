#include "support_talk.h"

#include "core/exchange.h"
#include "parsed.h"

#define JINGLE(action, sid, more) \
	"<iq type='set'><jingle xmlns='urn:xmpp:jingle:1' action='" action \
	"' sid='" sid "'>" more "</jingle></iq>"
#define IBB(name, sid) \
	"<iq type='set'><" name " xmlns='" NS_IBB "' sid='" sid "'/></iq>"
#define COMMAND(more) \
	"<iq type='set'><command xmlns='" NS_COMMANDS "' node='n' " more \
	"/></iq>"
#define BOB "bob@b.example/x"

static void
note(void **state, const char *client, const char *peer, const char *xml)
{
	struct arena *arena = arena_new();

	exchange_note(talk_account(state), talk_session(state, client), peer,
	    parsed(arena, xml));
	arena_free(&arena);
}

static bool
owns(void **state, const char *client, const char *peer, const char *xml)
{
	struct session *s = client != NULL ? talk_session(state, client) : NULL;
	struct arena *arena = arena_new();
	bool is;

	is = exchange_owner(talk_account(state), peer, parsed(arena, xml)) == s;
	arena_free(&arena);
	return is;
}

static void
peer_kind_and_id_make_it(void **state)
{
	TALK(state, "connect C1", "connect C2");
	assert_true(owns(state, NULL, BOB, JINGLE("session-info", "1", "")));
	note(state, "C1", BOB, JINGLE("session-initiate", "1", ""));
	note(state, "C2", BOB, JINGLE("session-initiate", "2", ""));
	note(state, "C2", "bob@b.example/y", JINGLE("x", "1", ""));
	note(state, "C2", BOB, IBB("open", "1"));
	assert_true(owns(state, "C1", BOB, JINGLE("session-info", "1", "")));
	assert_true(owns(state, "C2", BOB, JINGLE("session-info", "2", "")));
	assert_true(owns(state, "C2", "bob@b.example/y", JINGLE("x", "1", "")));
	assert_true(owns(state, "C2", BOB, IBB("data", "1")));
	assert_true(owns(state, NULL, BOB, COMMAND("sessionid='1'")));
	assert_true(owns(state, NULL, BOB, JINGLE("x", "3", "")));
}

/* Who of us took part last, as when another one of them accepts. */
static void
the_last_one_has_it(void **state)
{
	TALK(state, "connect C1", "connect C2");
	note(state, "C1", BOB, JINGLE("session-initiate", "1", ""));
	note(state, "C2", BOB, JINGLE("session-accept", "1", ""));
	assert_true(owns(state, "C2", BOB, JINGLE("session-info", "1", "")));
	TALK(state, "close C2");
	assert_true(owns(state, NULL, BOB, JINGLE("session-info", "1", "")));
}

/* One id for what is negotiated by SI, SOCKS5 or Jingle, and carried by messages. */
static void
a_stream_has_one_id(void **state)
{
	static const char *const opens[] = {
		IBB("open", "s"),
		"<iq type='set'><si xmlns='http://jabber.org/protocol/si' "
		"id='s'/></iq>",
		"<iq type='set'><query xmlns='" NS_BYTESTREAMS
		"' sid='s'/></iq>",
		JINGLE("session-initiate", "j",
		    "<content><description/><transport xmlns='" NS_JINGLE_S5B
		    "' sid='s'/></content>"),
		"<message><data xmlns='" NS_IBB "' sid='s'/></message>",
	};
	size_t i;

	TALK(state, "connect C1");
	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		note(state, "C1", BOB, opens[i]);
		assert_true(owns(state, "C1", BOB, IBB("data", "s")));
		assert_true(owns(state, "C1", BOB,
		    "<message><body/><data xmlns='" NS_IBB
		    "' sid='s'/></message>"));
		note(state, "C1", BOB, IBB("close", "s"));
		assert_true(owns(state, NULL, BOB, IBB("data", "s")));
	}
}

static void
it_ends_as_each_kind_does(void **state)
{
	static const char *const rows[][2] = {
		{ JINGLE("session-initiate", "1", ""),
		    JINGLE("session-terminate", "1", "") },
		{ IBB("open", "1"), IBB("close", "1") },
		{ COMMAND("sessionid='1' status='executing'"),
		    COMMAND("sessionid='1' status='completed'") },
		{ COMMAND("sessionid='1' action='next'"),
		    COMMAND("sessionid='1' action='cancel'") },
		{ COMMAND("sessionid='1'"),
		    COMMAND("sessionid='1' status='canceled'") },
	};
	size_t i;

	TALK(state, "connect C1");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		note(state, "C1", BOB, rows[i][0]);
		assert_true(owns(state, "C1", BOB, rows[i][0]));
		note(state, "C1", BOB, rows[i][1]);
		assert_true(owns(state, NULL, BOB, rows[i][0]));
	}
}

static void
nothing_else_is_one(void **state)
{
	static const char *const none[] = {
		"<iq type='set'><query xmlns='urn:q' sid='1'/></iq>",
		"<iq type='set'/>",
		COMMAND(""),
		"<message><body>x</body></message>",
		"<iq type='error'><open xmlns='" NS_IBB "' sid='1'/></iq>",
		"<iq type='set'><jingle xmlns='urn:xmpp:jingle:1'/></iq>",
	};
	size_t i;

	TALK(state, "connect C1");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		note(state, "C1", BOB, none[i]);
		assert_true(owns(state, NULL, BOB, none[i]));
	}
	assert_true(owns(state, NULL, BOB, IBB("data", "1")));
}

/* A peer cannot make much of it with one stanza. */
static void
ids_have_an_end(void **state)
{
	struct buf xml = { 0 };
	char sid[1026];

	TALK(state, "connect C1");
	memset(sid, 'x', sizeof(sid));
	for (size_t len = 1024; len <= 1025; len++) {
		sid[len] = '\0';
		buf_clear(&xml);
		buf_printf(&xml,
		    "<iq type='set'><open xmlns='" NS_IBB "' sid='%s'/></iq>",
		    sid);
		note(state, "C1", BOB, xml.data);
		assert_true(
		    owns(state, len == 1024 ? "C1" : NULL, BOB, xml.data));
		sid[len] = 'x';
	}
	buf_clear(&xml);
	buf_puts(&xml,
	    "<iq type='set'><jingle xmlns='urn:xmpp:jingle:1' sid='1'>");
	for (unsigned i = 1; i <= 17; i++)
		buf_printf(&xml,
		    "<content><transport xmlns='" NS_JINGLE_S5B
		    "' sid='t%u'/></content>",
		    i);
	buf_puts(&xml, "</jingle></iq>");
	note(state, "C1", BOB, xml.data);
	assert_true(owns(state, "C1", BOB, IBB("open", "t16")));
	assert_true(owns(state, NULL, BOB, IBB("open", "t17")));
	buf_free(&xml);
}

/* Full JIDs alone, and of those that can be asked. */
static void
who_was_last_in_touch(void **state)
{
	struct account *a;

	TALK(state, "connect C1 sm", "connect C2");
	a = talk_account(state);
	assert_null(exchange_latest(a, BOB));
	exchange_touch(a, talk_session(state, "C2"), BOB);
	exchange_touch(a, talk_session(state, "C1"), BOB);
	exchange_touch(a, talk_session(state, "C1"), "carol@c.example");
	assert_ptr_equal(exchange_latest(a, BOB), talk_session(state, "C1"));
	assert_null(exchange_latest(a, "carol@c.example"));
	TALK(state, "lose C1");
	assert_null(exchange_latest(a, BOB));
	TALK(state, "resume C1");
	assert_ptr_equal(exchange_latest(a, BOB), talk_session(state, "C1"));
	TALK(state, "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(peer_kind_and_id_make_it),
		talk_test(the_last_one_has_it),
		talk_test(a_stream_has_one_id),
		talk_test(it_ends_as_each_kind_does),
		talk_test(nothing_else_is_one),
		talk_test(ids_have_an_end),
		talk_test(who_was_last_in_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
