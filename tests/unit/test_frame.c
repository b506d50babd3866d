#include "support_io.h"

#include "core/frame.h"
#include "parsed.h"

static void
assert_bytes(struct buf *b, const char *expected)
{
	assert_string_equal(b->data, expected);
	buf_free(b);
}

static void
an_attribute_is_escaped_or_left_out(void **state)
{
	struct buf b = { 0 };

	(void)state;
	frame_attr(&b, "id", "a'b<c>&\"d");
	frame_attr(&b, "to", NULL);
	frame_attr(&b, "x", "");
	assert_bytes(&b, " id='a&apos;b&lt;c&gt;&amp;\"d' x=''");
}

static void
a_head_has_what_is_there_in_order(void **state)
{
	struct buf b = { 0 };

	(void)state;
	frame_head(&b,
	    &(struct frame_head){ .name = "message",
		.xmlns = "jabber:client",
		.from = "a@x",
		.to = "b@x/r",
		.type = "chat",
		.id = "1",
		.lang = "en" });
	assert_bytes(&b,
	    "<message xmlns='jabber:client' from='a@x' to='b@x/r' "
	    "type='chat' id='1' xml:lang='en'");
	frame_head(&b, &(struct frame_head){ .name = "presence" });
	assert_bytes(&b, "<presence");
}

static void
a_delay_is_utc_and_may_have_no_from(void **state)
{
	struct buf b = { 0 };

	(void)state;
	frame_delay(&b, "a@x", 1735689600000);
	assert_bytes(&b,
	    "<delay xmlns='urn:xmpp:delay' from='a@x' "
	    "stamp='2025-01-01T00:00:00Z'/>");
	frame_delay(&b, NULL, 1735689600500);
	assert_bytes(&b,
	    "<delay xmlns='urn:xmpp:delay' stamp='2025-01-01T00:00:00.500Z'/>");
}

static void
a_body_is_all_children_and_stands_in_jabber_client(void **state)
{
	struct arena *arena = arena_new();
	struct blob *body;

	(void)state;
	body = frame_body(parsed(arena,
	    "<message xmlns='jabber:client' to='b@x'><body>a &lt; b</body>"
	    "<p:x xmlns:p='urn:x'><p:y z='1'/></p:x> t</message>"));
	assert_string_equal(blob_data(body),
	    "<body>a &lt; b</body><x xmlns='urn:x'><y z='1'/></x> t");
	blob_unref(&body);
	body = frame_body(parsed(arena, "<message xmlns='jabber:client'/>"));
	assert_non_null(body);
	assert_int_equal(blob_len(body), 0);
	blob_unref(&body);
	arena_free(&arena);
}

static void
types_have_names_except_the_default_ones(void **state)
{
	static const struct {
		enum stanza_type type;
		const char *name;
	} types[] = { { TYPE_CHAT, "chat" }, { TYPE_GROUPCHAT, "groupchat" },
		{ TYPE_HEADLINE, "headline" }, { TYPE_ERROR, "error" },
		{ TYPE_UNAVAILABLE, "unavailable" },
		{ TYPE_SUBSCRIBE, "subscribe" },
		{ TYPE_SUBSCRIBED, "subscribed" },
		{ TYPE_UNSUBSCRIBE, "unsubscribe" },
		{ TYPE_UNSUBSCRIBED, "unsubscribed" }, { TYPE_PROBE, "probe" },
		{ TYPE_GET, "get" }, { TYPE_SET, "set" },
		{ TYPE_RESULT, "result" } };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_string_equal(frame_type(types[i].type), types[i].name);
	assert_null(frame_type(TYPE_NORMAL));
	assert_null(frame_type(TYPE_AVAILABLE));
	assert_null(frame_type(TYPE_UNKNOWN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attribute_is_escaped_or_left_out),
		cmocka_unit_test(a_head_has_what_is_there_in_order),
		cmocka_unit_test(a_delay_is_utc_and_may_have_no_from),
		cmocka_unit_test(
		    a_body_is_all_children_and_stands_in_jabber_client),
		cmocka_unit_test(types_have_names_except_the_default_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
