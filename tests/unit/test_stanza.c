#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parsed.h"
#include "support_arena.h"
#include "xmpp/stanza.h"

static void
check_same(const struct elem *e, const char *xml)
{
	struct buf b = { 0 };

	if (!elem_equals(e, parsed(e->arena, xml))) {
		elem_write(&b, e, NS_CLIENT);
		fail_msg("%s\nnot\n%s", b.data, xml);
	}
}

static void
test_kinds_and_types(void **state)
{
	static const struct {
		const char *xml;
		enum stanza_kind kind;
		enum stanza_type type;
		bool may_fail;
	} rows[] = {
		{ "<message/>", STANZA_MESSAGE, TYPE_NORMAL, true },
		{ "<message type='normal'/>", STANZA_MESSAGE, TYPE_NORMAL,
		    true },
		{ "<message type='chat'/>", STANZA_MESSAGE, TYPE_CHAT, true },
		{ "<message type='groupchat'/>", STANZA_MESSAGE, TYPE_GROUPCHAT,
		    true },
		{ "<message type='headline'/>", STANZA_MESSAGE, TYPE_HEADLINE,
		    true },
		{ "<message type='error'/>", STANZA_MESSAGE, TYPE_ERROR,
		    false },
		{ "<message type='subscribe'/>", STANZA_MESSAGE, TYPE_NORMAL,
		    true },
		{ "<message type=''/>", STANZA_MESSAGE, TYPE_NORMAL, true },
		{ "<presence/>", STANZA_PRESENCE, TYPE_AVAILABLE, true },
		{ "<presence type='unavailable'/>", STANZA_PRESENCE,
		    TYPE_UNAVAILABLE, true },
		{ "<presence type='subscribe'/>", STANZA_PRESENCE,
		    TYPE_SUBSCRIBE, true },
		{ "<presence type='subscribed'/>", STANZA_PRESENCE,
		    TYPE_SUBSCRIBED, true },
		{ "<presence type='unsubscribe'/>", STANZA_PRESENCE,
		    TYPE_UNSUBSCRIBE, true },
		{ "<presence type='unsubscribed'/>", STANZA_PRESENCE,
		    TYPE_UNSUBSCRIBED, true },
		{ "<presence type='probe'/>", STANZA_PRESENCE, TYPE_PROBE,
		    true },
		{ "<presence type='error'/>", STANZA_PRESENCE, TYPE_ERROR,
		    false },
		{ "<presence type='available'/>", STANZA_PRESENCE, TYPE_UNKNOWN,
		    true },
		{ "<presence type='chat'/>", STANZA_PRESENCE, TYPE_UNKNOWN,
		    true },
		{ "<iq type='get'/>", STANZA_IQ, TYPE_GET, true },
		{ "<iq type='set'/>", STANZA_IQ, TYPE_SET, true },
		{ "<iq type='result'/>", STANZA_IQ, TYPE_RESULT, false },
		{ "<iq type='error'/>", STANZA_IQ, TYPE_ERROR, false },
		{ "<iq/>", STANZA_IQ, TYPE_UNKNOWN, true },
		{ "<iq type='GET'/>", STANZA_IQ, TYPE_UNKNOWN, true },
		{ "<iq xmlns='jabber:server' type='get'/>", STANZA_NONE,
		    TYPE_UNKNOWN, false },
		{ "<iq xmlns='' type='get'/>", STANZA_NONE, TYPE_UNKNOWN,
		    false },
		{ "<query type='get'/>", STANZA_NONE, TYPE_UNKNOWN, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elem *e = parsed(*state, rows[i].xml);

		if (stanza_kind(e) != rows[i].kind ||
		    stanza_type(e) != rows[i].type ||
		    stanza_may_fail(e) != rows[i].may_fail)
			fail_msg("%s", rows[i].xml);
	}
}

static void
test_answers(void **state)
{
	struct elem *iq = parsed(*state,
	    "<iq from='a@b/c' to='d@e' id='1' "
	    "type='get' xml:lang='de' x='y'>"
	    "<query xmlns='urn:q'>t</query></iq>");
	struct elem *to_own = parsed(*state, "<message><body/></message>");

	check_same(stanza_result(iq),
	    "<iq from='d@e' to='a@b/c' id='1' type='result'/>");
	check_same(stanza_error(iq, ERR_FORBIDDEN, NULL),
	    "<iq from='d@e' to='a@b/c' id='1' type='error'>"
	    "<error type='auth'><forbidden xmlns='" NS_STANZA_ERROR "'/>"
	    "</error></iq>");
	check_same(stanza_error(to_own, ERR_POLICY_VIOLATION, "Too < large"),
	    "<message type='error'><error type='modify'>"
	    "<policy-violation xmlns='" NS_STANZA_ERROR "'/>"
	    "<text xmlns='" NS_STANZA_ERROR "'>Too &lt; large</text>"
	    "</error></message>");
	assert_ptr_equal(stanza_result(iq)->arena, *state);
}

static void
test_conditions(void **state)
{
	struct elem *e = parsed(*state, "<message/>");

	for (unsigned c = 0; c < ERR_COND_COUNT; c++) {
		const char *type = error_cond_type(c);

		assert_non_null(error_cond_name(c));
		assert_true(strcmp(type, "cancel") == 0 ||
		    strcmp(type, "wait") == 0 || strcmp(type, "auth") == 0 ||
		    strcmp(type, "modify") == 0);
		assert_string_equal(stanza_error_cond(
					stanza_error(e, c, "text")),
		    error_cond_name(c));
	}
	assert_string_equal(error_cond_name(ERR_BAD_REQUEST), "bad-request");
	assert_string_equal(error_cond_name(ERR_UNEXPECTED_REQUEST),
	    "unexpected-request");
}

static void
test_condition_of_a_peer(void **state)
{
	static const struct {
		const char *xml, *condition;
	} rows[] = {
		{ "<message/>", NULL },
		{ "<message><error><gone xmlns='" NS_STANZA_ERROR "'/></error>"
		  "</message>",
		    NULL },
		{ "<iq type='error'/>", "undefined-condition" },
		{ "<iq type='error'><error/></iq>", "undefined-condition" },
		{ "<iq type='error'><error><gone/></error></iq>",
		    "undefined-condition" },
		{ "<iq type='error'><error xmlns='urn:x'><gone "
		  "xmlns='" NS_STANZA_ERROR "'/></error></iq>",
		    "undefined-condition" },
		{ "<iq type='error'><query xmlns='urn:q'/><error><x xmlns='"
		  "urn:x'/><text xmlns='" NS_STANZA_ERROR "'>t</text>"
		  "<gone xmlns='" NS_STANZA_ERROR "'>xmpp:a@b</gone></error>"
		  "</iq>",
		    "gone" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = stanza_error_cond(
		    parsed(*state, rows[i].xml));

		if (rows[i].condition == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].condition);
	}
}

static void
test_delay(void **state)
{
	struct elem *e = parsed(*state, "<message><body>hi</body></message>");

	assert_int_equal(stanza_delay(e), 0);
	e = parsed(*state,
	    "<message><delay xmlns='urn:xmpp:delay' from='a@b' "
	    "stamp='2002-09-10T23:08:25Z'/></message>");
	assert_true(stanza_delay(e) == UINT64_C(1031699305000));
	e = parsed(*state,
	    "<presence><delay xmlns='urn:xmpp:delay' "
	    "stamp='2002-09-10T23:08:25.123Z'/></presence>");
	assert_true(stanza_delay(e) == UINT64_C(1031699305123));
	e = parsed(*state,
	    "<presence><delay xmlns='urn:xmpp:delay' stamp='soon'/>"
	    "</presence>");
	assert_int_equal(stanza_delay(e), 0);
}

static void
test_delay_of_a_peer(void **state)
{
	static const char *const rows[] = {
		"<message><delay xmlns='urn:xmpp:delay'/></message>",
		"<message><delay xmlns='urn:xmpp:delay' stamp=''/></message>",
		"<message><delay xmlns='urn:xmpp:delay' stamp='now'/>"
		"</message>",
		"<message><delay stamp='2002-09-10T23:08:25Z'/></message>",
		"<message><x><delay xmlns='urn:xmpp:delay' "
		"stamp='2002-09-10T23:08:25Z'/></x></message>",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(stanza_delay(parsed(*state, rows[i])), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kinds_and_types),
		TEST(test_answers),
		TEST(test_conditions),
		TEST(test_condition_of_a_peer),
		TEST(test_delay),
		TEST(test_delay_of_a_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
