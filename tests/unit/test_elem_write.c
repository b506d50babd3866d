#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parsed.h"
#include "xmpp/elem.h"
#include "xmpp/ns.h"

static void
test_writing(void **state)
{
	static const struct {
		const char *in, *ns, *out;
	} rows[] = {
		{ "<a/>", NULL, "<a/>" },
		{ "<a></a>", NULL, "<a/>" },
		{ "<a  y=\"1\" x = '2' >t</a >", NULL, "<a y='1' x='2'>t</a>" },
		{ "<a><b>1</b><c/>2</a>", NS_CLIENT, "<a><b>1</b><c/>2</a>" },
		{ "<a xmlns='urn:1'><b/></a>", NULL,
		    "<a xmlns='urn:1'><b/></a>" },
		{ "<p:a xmlns:p='urn:1'><p:b/><c/></p:a>", NULL,
		    "<a xmlns='urn:1'><b/><c xmlns=''/></a>" },
		{ "<a><b xmlns='urn:1'><c xmlns='jabber:client'/></b></a>",
		    NS_CLIENT,
		    "<a><b xmlns='urn:1'><c xmlns='jabber:client'/></b></a>" },
		{ "<a xmlns=''><b/></a>", NS_CLIENT, "<a xmlns=''><b/></a>" },
		{ "<a xml:lang='de'/>", NULL, "<a xml:lang='de'/>" },
		{ "<a xmlns:p='urn:1' xmlns:q='urn:2' x='0' p:x='1' q:x='2' "
		  "p:y='3'/>",
		    NULL,
		    "<a x='0' xmlns:n1='urn:1' n1:x='1' xmlns:n2='urn:2' "
		    "n2:x='2' n1:y='3'/>" },
		/* Nobody may declare that namespace as the default. */
		{ "<xml:a>1<b/><xml:c xml:d='2'/></xml:a>", NULL,
		    "<xml:a>1<b xmlns=''/><xml:c xml:d='2'/></xml:a>" },
		{ "<a x='&lt;&amp;&quot;&apos;&gt;&#9;&#10;&#13; '/>", NULL,
		    "<a x='&lt;&amp;\"&apos;&gt;&#9;&#10;&#13; '/>" },
		{ "<a>&lt;&amp;&quot;&apos;]]&gt;\t\n&#13; </a>", NULL,
		    "<a>&lt;&amp;\"']]&gt;\t\n&#13; </a>" },
		{ "<a xmlns='urn:&apos;&amp;'/>", NULL,
		    "<a xmlns='urn:&apos;&amp;'/>" },
		{ "<a>\xc3\xa9\xf0\x9f\x98\x80\x7f</a>", NULL,
		    "<a>\xc3\xa9\xf0\x9f\x98\x80\x7f</a>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct buf b = { 0 };
		struct elem *e = parsed_in(arena, rows[i].in, rows[i].ns);

		elem_write(&b, e, rows[i].ns);
		assert_string_equal(b.data, rows[i].out);
		assert_true(
		    elem_equals(e, parsed_in(arena, b.data, rows[i].ns)));
		buf_free(&b);
		arena_free(&arena);
	}
}

static void
check_parts(const char *xml, const char *head, const char *body)
{
	struct arena *arena = arena_new();
	struct elem *e = parsed_in(arena, xml, NS_CLIENT);
	struct buf b = { 0 };

	elem_write_head(&b, e, NS_CLIENT);
	assert_string_equal(b.data, head);
	buf_clear(&b);
	elem_write_body(&b, e);
	assert_string_equal(b.data, body);
	buf_free(&b);
	arena_free(&arena);
}

static void
test_parts(void **state)
{
	(void)state;
	check_parts("<message to='x'><body>1</body><x "
		    "xmlns='urn:x'/></message>",
	    "<message to='x'", "><body>1</body><x xmlns='urn:x'/></message>");
	check_parts("<presence/>", "<presence", "/>");
	check_parts("<r xmlns='urn:r'><s/></r>", "<r xmlns='urn:r'",
	    "><s/></r>");
	check_parts("<xml:r><s/></xml:r>", "<xml:r",
	    "><s xmlns='jabber:client'/></xml:r>");
}

static void
test_escape(void **state)
{
	struct buf b = { 0 };

	(void)state;
	elem_escape(&b, "");
	assert_string_equal(b.data, "");
	elem_escape(&b, "a<b>&'\"\n\x01\x1b\x1f z");
	assert_string_equal(b.data,
	    "a&lt;b&gt;&amp;&apos;\"&#10;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
	    "z");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
