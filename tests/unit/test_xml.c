#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "unit/xml_trace.h"
#include "xmpp/ns.h"

static const struct xml_limits limits = { .stanza_bytes = 400,
	.depth = 4,
	.attrs = 4,
	.elems = 6 };
static const struct xml_limits wide = { .stanza_bytes = 1 << 20,
	.depth = 100,
	.attrs = 100,
	.elems = 10000 };

#define HEAD \
	"<stream:stream xmlns='jabber:client' " \
	"xmlns:stream='" NS_STREAMS "'>"
#define OPEN "open stream{" NS_STREAMS "} xmlns='jabber:client'\n"

struct row {
	const char *in;
	const char *log; /* the events, then the result */
	size_t len;      /* of `in`, where it has a NUL */
};

/* Feeds it in pieces of `step` bytes, the first one of `first`. */
static void
check_pieces(const struct row *row, size_t first, size_t step, unsigned budget,
    bool rests)
{
	size_t len = row->len > 0 ? row->len : strlen(row->in), at, n;
	struct trace t;
	char *piece;

	trace_init(&t, &limits, budget);
	for (at = 0, n = first; at < len; at += n, n = step) {
		if (n > len - at)
			n = len - at;
		/* On the heap, where AddressSanitizer sees what reads too far. */
		piece = mem_grow(NULL, n);
		memcpy(piece, row->in + at, n);
		trace_feed(&t, piece, n);
		free(piece);
		if (rests)
			xml_rest(t.xml);
	}
	buf_puts(&t.log, trace_result_name(t.result));
	if (strcmp(t.log.data, row->log) != 0)
		fail_msg("%s\n(%zu bytes, then %zu each, budget %u) gives\n%s\n"
			 "not\n%s",
		    row->in, first, step, budget, t.log.data, row->log);
	trace_fini(&t);
}

/* Whether it rests in between makes no difference. */
static void
check_cut(const struct row *row, size_t first, size_t step, unsigned budget)
{
	check_pieces(row, first, step, budget, false);
	check_pieces(row, first, step, budget, true);
}

/* Whole, byte by byte, and split at each place. */
static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].in);

		check_cut(&rows[i], len, len, 0);
		check_cut(&rows[i], len, len, 1);
		check_cut(&rows[i], 1, 1, 0);
		check_cut(&rows[i], 1, 1, 1);
		for (size_t cut = 1; cut < len; cut++) {
			check_cut(&rows[i], cut, len, 0);
			check_cut(&rows[i], cut, len, 2);
		}
	}
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void
test_streams(void **state)
{
	static const struct row rows[] = {
		{ HEAD, OPEN "ok", 0 },
		{ "<?xml version='1.0'?>" HEAD, OPEN "ok", 0 },
		{ "<?xml version='1.0' encoding='utf-8' "
		  "standalone='yes'?>\n" HEAD "</stream:stream>\n",
		    OPEN "close\nok", 0 },
		{ " \n" HEAD " \r\n\t ", OPEN "ok", 0 },
		{ "<stream to='x' xml:lang='de' xmlns='" NS_STREAMS "'/>",
		    "open stream{" NS_STREAMS "} to='x' lang{" NS_XML "}='de' "
		    "xmlns='" NS_STREAMS "'\nclose\nok",
		    0 },
		{ "<a><b/></a>", "open a{}\n<b xmlns=''/>\nclose\nok", 0 },
		{ HEAD "<message to='x'><body>hi</body></message>",
		    OPEN "<message to='x'><body>hi</body></message>\nok", 0 },
		{ HEAD "<a>1</a> <b/>\n<c><d/>\r\n</c></stream:stream>",
		    OPEN "<a>1</a>\n<b/>\n<c><d/>\n</c>\nclose\nok", 0 },
		{ HEAD "<stream:features/><stream:error><x/></stream:error>",
		    OPEN "<features xmlns='" NS_STREAMS
			 "'/>\n<error xmlns='" NS_STREAMS
			 "'><x xmlns='jabber:client'/></error>\nok",
		    0 },
		/* A prefix bound on the root. */
		{ "<s xmlns='jabber:client' xmlns:p='urn:p'><p:a><b p:c='1'/>"
		  "</p:a><a xmlns='urn:p'/>",
		    "open s{jabber:client} xmlns='jabber:client'\n"
		    "<a xmlns='urn:p'><b xmlns='jabber:client' "
		    "xmlns:n0='urn:p' n0:c='1'/></a>\n<a xmlns='urn:p'/>\nok",
		    0 },
		{ HEAD "<a>\xc3\xa9\xf0\x9f\x98\x80&amp;&lt;&#xe9;&#128512;"
		       "<![CDATA[<b>&amp;]]]>]]x</a>",
		    OPEN "<a>\xc3\xa9\xf0\x9f\x98\x80&amp;&lt;\xc3\xa9"
			 "\xf0\x9f\x98\x80&lt;b&gt;&amp;amp;]]]x</a>\nok",
		    0 },
		{ HEAD "<a b='1\n2&#10;&quot;&gt;\"'>1\r2\r\n3&#13;</a>",
		    OPEN "<a b='1 2&#10;\"&gt;\"'>1\n2\n3&#13;</a>\nok", 0 },
		{ HEAD "&#x20;<![CDATA[ \n]]><a/>", OPEN "<a/>\nok", 0 },
		{ HEAD "<a/><stop/><b/>", OPEN "<a/>\n<stop/>\nstopped", 0 },
		{ HEAD "<a/><restart/><b/>", OPEN "<a/>\n<restart/>\nstopped",
		    0 },
		{ HEAD "<stop>x</stop><!-- -->", OPEN "<stop>x</stop>\nstopped",
		    0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
test_restricted(void **state)
{
	static const struct row rows[] = {
		{ "<!DOCTYPE a>" HEAD, "restricted-xml", 0 },
		{ "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" HEAD,
		    "restricted-xml", 0 },
		{ "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;",
		    "restricted-xml", 0 },
		{ "<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;'>"
		  "<!ENTITY c '&b;&b;&b;'>]><l>&c;</l>",
		    "restricted-xml", 0 },
		{ "<!DOCTYPE a [<!ENTITY % p SYSTEM 'x'>%p;]><a>",
		    "restricted-xml", 0 },
		{ "<?target data?>" HEAD, "restricted-xml", 0 },
		{ HEAD "<?target?>", OPEN "restricted-xml", 0 },
		{ HEAD "<a/><b><?t?></b>", OPEN "<a/>\nrestricted-xml", 0 },
		{ "<!-- -->" HEAD, "restricted-xml", 0 },
		{ HEAD "<!---->", OPEN "restricted-xml", 0 },
		{ HEAD "<a><!-- x --></a>", OPEN "restricted-xml", 0 },
		{ HEAD "</stream:stream><!-- -->", OPEN "close\nrestricted-xml",
		    0 },
		{ HEAD "<a>&nbsp;</a>", OPEN "restricted-xml", 0 },
		{ HEAD "<a b='&x;'/>", OPEN "restricted-xml", 0 },
		{ HEAD "&x;", OPEN "restricted-xml", 0 },
		{ "<a b='&x;'>", "restricted-xml", 0 },
		{ HEAD "<a/>text", OPEN "<a/>\nbad-format", 0 },
		{ HEAD " \n x <a/>", OPEN "bad-format", 0 },
		{ HEAD "<![CDATA[x]]>", OPEN "bad-format", 0 },
		{ HEAD "&#65;", OPEN "bad-format", 0 },
		{ HEAD "<a/>\xc2\xa0<b/>", OPEN "<a/>\nbad-format", 0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
test_encodings(void **state)
{
	static const struct row rows[] = {
		{ "<?xml version='1.0' encoding='ISO-8859-1'?>" HEAD,
		    "unsupported-encoding", 0 },
		{ "<?xml version='1.0' encoding='US-ASCII'?>" HEAD,
		    "unsupported-encoding", 0 },
		{ "<?xml version='1.0' encoding='UTF-16'?>" HEAD,
		    "unsupported-encoding", 0 },
		{ "<?xml version='1.0' encoding='koi8-r'?>" HEAD,
		    "unsupported-encoding", 0 },
		{ "\xff\xfe<\0a\0/\0>\0", "unsupported-encoding", 10 },
		{ "\xfe\xff\0<\0a\0/\0>", "unsupported-encoding", 10 },
		{ "<\0a\0/\0>\0", "unsupported-encoding", 8 },
		{ "\0<\0a\0/\0>", "unsupported-encoding", 8 },
		{ " \0<\0", "unsupported-encoding", 4 },
		{ "\x16\0\x01\0", "not-well-formed", 4 },
		{ "\xef\xbb\xbf" HEAD, "not-well-formed", 0 },
		/* Overlong, surrogates, beyond U+10FFFF, cut short, alone. */
		{ HEAD "<a>\xc0\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xc1\xbf</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xe0\x80\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xf0\x80\x80\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xed\xa0\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xed\xbf\xbf</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xf4\x90\x80\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xf5\x80\x80\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xc3</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xe2\x82</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\x80</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xff</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b='\xe9'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<\xc3/>", OPEN "not-well-formed", 0 },
		/* Half a character may yet become one. */
		{ HEAD "<a/><b>\xe2\x82", OPEN "<a/>\nok", 0 },
		/* What XML 1.0 has no place for (2.2). */
		{ HEAD "<a>\xef\xbf\xbe</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\xef\xbf\xbf</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\x01</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b='\x0b'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>\0</a>", OPEN "not-well-formed", sizeof(HEAD) + 7 },
		{ HEAD "\0", OPEN "not-well-formed", sizeof(HEAD) },
		{ HEAD "<a>&#0;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&#31;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&#xD800;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&#xFFFF;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&#x110000;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&#4294967361;</a>", OPEN "not-well-formed", 0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
test_malformed(void **state)
{
	static const struct row rows[] = {
		{ "text ", "not-well-formed", 0 },
		{ "<>", "not-well-formed", 0 },
		{ "</a>", "not-well-formed", 0 },
		{ "GET / HTTP/1.1\r\n\r\n", "not-well-formed", 0 },
		{ "\x16\x03\x01\x02", "not-well-formed", 0 },
		{ HEAD HEAD "</stream:stream></stream:stream>",
		    OPEN "<stream xmlns='" NS_STREAMS "'/>\nclose\nok", 0 },
		{ HEAD "</stream:stream>" HEAD, OPEN "close\nnot-well-formed",
		    0 },
		{ HEAD "</stream:stream>x", OPEN "close\nnot-well-formed", 0 },
		{ HEAD "</stream>", OPEN "not-well-formed", 0 },
		{ HEAD "</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a></b>", OPEN "not-well-formed", 0 },
		{ HEAD "<a><b></a></b>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b='1' b='2'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:p='urn:1' xmlns:q='urn:1' p:b='' q:b=''/>",
		    OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns='' xmlns=''/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b=1/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b='1'c='2'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a b='<'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>]]></a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&</a>", OPEN "not-well-formed", 0 },
		{ HEAD "<a>&;</a>", OPEN "not-well-formed", 0 },
		{ HEAD "< a/>", OPEN "not-well-formed", 0 },
		{ HEAD "<1/>", OPEN "not-well-formed", 0 },
		{ HEAD "<!DOCTYPE a>", OPEN "not-well-formed", 0 },
		{ HEAD "<![IGNORE[x]]>", OPEN "not-well-formed", 0 },
		{ HEAD "<?xml version='1.0'?>", OPEN "not-well-formed", 0 },
		{ " <?xml version='1.0'?>" HEAD, "not-well-formed", 0 },
		{ "<?xml?>" HEAD, "not-well-formed", 0 },
		/* Unclosed is not wrong yet. */
		{ HEAD "<a b='", OPEN "ok", 0 },
		{ HEAD "<a><b>", OPEN "ok", 0 },
		{ HEAD "<a><![CDATA[x]]", OPEN "ok", 0 },
		{ "<a", "ok", 0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
test_namespaces(void **state)
{
	static const struct row rows[] = {
		{ "<p:a/>", "not-well-formed", 0 },
		{ HEAD "<p:a/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a p:b='1'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a><p:b xmlns:p='urn:p'/><p:c/></a>",
		    OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:p=''/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a:b:c xmlns:a='urn:a'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<:a/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a:/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:xml='urn:x'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:p='" NS_XML "'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns='" NS_XML "'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:xmlns='urn:x'/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
		    OPEN "not-well-formed", 0 },
		{ HEAD "<xmlns:a/>", OPEN "not-well-formed", 0 },
		{ HEAD "<a xmlns:xml='" NS_XML "'/>", OPEN "<a/>\nok", 0 },
		{ HEAD "<xml:a/>", OPEN "<xml:a/>\nok", 0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* --- limits: what is just inside of them, and what crosses them --- */

#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X390 X100 X100 X100 X10 X10 X10 X10 X10 X10 X10 X10 X10
/* Longer than 400 bytes with the rest of it. */
#define X400 X390 X10

static void
test_limits(void **state)
{
	static const struct row rows[] = {
		{ HEAD "<a>xxx" X390 "</a>", OPEN "<a>xxx" X390 "</a>\nok", 0 },
		{ HEAD "<a>xxxx" X390 "</a>", OPEN "policy-violation", 0 },
		{ HEAD "<a/> <a b='x" X390 "'/><a/>",
		    OPEN "<a/>\n<a b='x" X390 "'/>\n<a/>\nok", 0 },
		{ HEAD "<a/> <a b='xx" X390 "'/><a/>",
		    OPEN "<a/>\npolicy-violation", 0 },
		/* What never ends, whatever it is. */
		{ HEAD "<a>" X400, OPEN "policy-violation", 0 },
		{ HEAD "<a b='" X400, OPEN "policy-violation", 0 },
		{ HEAD "<" X400, OPEN "policy-violation", 0 },
		{ HEAD "<!--" X400, OPEN "policy-violation", 0 },
		{ HEAD "<?" X400, OPEN "policy-violation", 0 },
		{ HEAD "<a>&" X400, OPEN "policy-violation", 0 },
		{ HEAD "<a><![CDATA[" X400, OPEN "policy-violation", 0 },
		{ HEAD "<a></a"
		       "          " X400,
		    OPEN "not-well-formed", 0 },
		{ "<" X400, "policy-violation", 0 },
		{ "<a b='" X400 "'>", "policy-violation", 0 },
		{ "<?xml version='1.0' encoding='" X400, "policy-violation",
		    0 },
		{ "<!DOCTYPE " X400, "policy-violation", 0 },
		/* A wrong thing behind the limit is not reached. */
		{ HEAD "<a>" X400 "<!-- --></a>", OPEN "policy-violation", 0 },
		{ HEAD "<a>" X400 "&</a>", OPEN "policy-violation", 0 },
		/* Depth, attributes, elements. */
		{ HEAD "<a><b><c><d/></c></b></a>",
		    OPEN "<a><b><c><d/></c></b></a>\nok", 0 },
		{ HEAD "<a><b><c><d><e/></d></c></b></a>",
		    OPEN "policy-violation", 0 },
		{ HEAD "<a b='' c='' d='' e=''/>",
		    OPEN "<a b='' c='' d='' e=''/>\nok", 0 },
		{ HEAD "<a b='' c='' d='' e='' f=''/>", OPEN "policy-violation",
		    0 },
		{ HEAD "<a xmlns:b='1' xmlns:c='2' xmlns:d='3' xmlns='4'/>",
		    OPEN "<a xmlns='4'/>\nok", 0 },
		{ HEAD "<a xmlns:b='1' xmlns:c='2' xmlns:d='3' xmlns='4' "
		       "e=''/>",
		    OPEN "policy-violation", 0 },
		{ "<a b='' c='' d='' e='' f=''>", "policy-violation", 0 },
		{ HEAD "<a><b/><b/><b/><b/><b/></a><a><b/></a>",
		    OPEN "<a><b/><b/><b/><b/><b/></a>\n<a><b/></a>\nok", 0 },
		{ HEAD "<a><b/><b/><b/><b/><b/><b/></a>",
		    OPEN "policy-violation", 0 },
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* The header and white space for keeping alive are not part of a stanza. */
static void
test_white_space_is_free(void **state)
{
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	trace_feed(&t, HEAD, strlen(HEAD));
	for (int i = 0; i < 2000; i++)
		assert_int_equal(trace_feed(&t, i % 2 ? " " : "\r\n\t", 1),
		    XML_OK);
	assert_int_equal(trace_feed(&t, "<a/>", 4), XML_OK);
	assert_int_equal(t.stanzas, 1);
	trace_fini(&t);
}

static void
test_white_space_before_the_root_is_not(void **state)
{
	struct trace t;
	size_t fed = 0;

	(void)state;
	trace_init(&t, &limits, 0);
	while (trace_feed(&t, " ", 1) == XML_OK)
		fed++;
	assert_int_equal(t.result, XML_TOO_LARGE);
	assert_int_equal(fed, limits.stanza_bytes);
	trace_fini(&t);
}

/* How much of `unit`, again and again, is taken before it ends; 10 MB at most. */
static size_t
taken(const struct xml_limits *l, const char *head, const char *unit)
{
	struct buf piece = { 0 };
	struct trace t;
	size_t fed = 0;

	while (piece.len < 8192)
		buf_puts(&piece, unit);
	trace_init(&t, l, 0);
	trace_feed(&t, head, strlen(head));
	while (
	    fed < 10000000 && trace_feed(&t, piece.data, piece.len) == XML_OK)
		fed += piece.len;
	assert_int_equal(t.result, XML_TOO_LARGE);
	assert_int_equal(t.stanzas, 0);
	trace_fini(&t);
	buf_free(&piece);
	return fed;
}

static void
test_ten_megabytes(void **state)
{
	size_t most = wide.stanza_bytes;

	(void)state;
	assert_true(taken(&wide, HEAD "<a>", "xxxx") <= most);
	assert_true(taken(&wide, HEAD "<a b='", "xxxx") <= most);
	assert_true(taken(&wide, HEAD "<a>", "&lt;") <= most);
	assert_true(taken(&wide, HEAD "<!--", "xxxx") <= most);
	assert_true(taken(&wide, "<a b='", "xxxx") <= most);
	assert_true(taken(&wide, "", "\n\n") <= most);
}

static void
test_ten_thousand_levels(void **state)
{
	struct xml_limits deep = wide;

	(void)state;
	assert_true(taken(&wide, HEAD, "<a>") <= 300);
	deep.depth = 10000;
	deep.elems = 20000;
	assert_true(taken(&deep, HEAD, "<a>") <= 40000);
}

static void
test_many_elements(void **state)
{
	(void)state;
	assert_true(taken(&wide, HEAD "<a>", "<b/>") <= 50000);
}

/* Each byte of an unfinished token has all of it read again. */
static void
test_dribbled_token(void **state)
{
	struct xml_limits huge = wide;
	struct trace t;
	size_t fed = 0;

	(void)state;
	huge.stanza_bytes = 65536;
	trace_init(&t, &huge, 0);
	trace_feed(&t, HEAD "<a b='", strlen(HEAD "<a b='"));
	while (trace_feed(&t, "x", 1) == XML_OK)
		fed++;
	assert_int_equal(t.result, XML_TOO_LARGE);
	assert_string_equal(t.err.text, "token in too many pieces");
	assert_in_range(fed, 6000, 6300);
	trace_fini(&t);
}

/* The same in reads as they are is no trouble, nor in one piece. */
static void
test_long_token(void **state)
{
	static const size_t steps[] = { 1400, 16384, 1 << 20 };
	struct xml_limits l = wide;
	struct buf in = { 0 };
	struct trace t;

	(void)state;
	l.stanza_bytes = 262144;
	buf_puts(&in, HEAD "<a b='");
	while (in.len < 262000)
		buf_puts(&in, X100);
	buf_puts(&in, "'/>");
	for (size_t i = 0; i < 3; i++) {
		size_t step = steps[i];

		trace_init(&t, &l, 0);
		for (size_t at = 0; at < in.len; at += step)
			trace_feed(&t, in.data + at,
			    in.len - at < step ? in.len - at : step);
		assert_int_equal(t.result, XML_OK);
		assert_int_equal(t.stanzas, 1);
		trace_fini(&t);
	}
	buf_free(&in);
}

/* --- how it is driven --- */

static void
test_end_comes_with_its_bytes(void **state)
{
	struct trace t;
	const char *p;

	(void)state;
	trace_init(&t, &limits, 0);
	trace_feed(&t, HEAD, strlen(HEAD));
	for (p = "<message to='a'><body>b</body></message>"; *p != '\0'; p++) {
		assert_int_equal(t.stanzas, 0);
		trace_feed(&t, p, 1);
	}
	assert_int_equal(t.stanzas, 1);
	trace_fini(&t);
}

static void
test_budget(void **state)
{
	struct trace t;
	char in[] = HEAD "<a/><b/><c/>";
	struct xml *x;

	(void)state;
	trace_init(&t, &limits, 0);
	x = t.xml;
	assert_int_equal(xml_feed(x, NULL, 0, 0, NULL), XML_OK);
	assert_int_equal(xml_feed(x, in, strlen(in), 2, NULL), XML_MORE);
	assert_int_equal(xml_handled(x), 2);
	assert_string_equal(t.log.data, OPEN "<a/>\n<b/>\n");
	memset(in, '-', sizeof(in));
	assert_int_equal(xml_feed(x, NULL, 0, 2, NULL), XML_OK);
	assert_int_equal(xml_handled(x), 1);
	assert_string_equal(t.log.data, OPEN "<a/>\n<b/>\n<c/>\n");
	assert_int_equal(xml_feed(x, NULL, 0, 2, NULL), XML_OK);
	assert_int_equal(xml_handled(x), 0);
	trace_fini(&t);
}

/* More than expat is given at once: what is behind it is held as well. */
static void
test_budget_of_one_over_much(void **state)
{
	struct buf in = { 0 };
	struct trace t;
	enum xml_result r;
	unsigned turns = 0;

	(void)state;
	buf_puts(&in, HEAD);
	for (int i = 0; i < 2000; i++)
		buf_printf(&in, "<a id='%d'/>", i);
	trace_init(&t, &limits, 0);
	r = xml_feed(t.xml, in.data, in.len, 1, NULL);
	buf_free(&in);
	for (; r == XML_MORE; turns++) {
		assert_int_equal(xml_handled(t.xml), 1);
		r = xml_feed(t.xml, NULL, 0, 1, NULL);
	}
	assert_int_equal(r, XML_OK);
	assert_int_equal(turns, 2000);
	assert_int_equal(t.stanzas, 2000);
	trace_fini(&t);
}

static void
test_stopping(void **state)
{
	struct trace t;
	struct err err;

	(void)state;
	trace_init(&t, &limits, 0);
	assert_int_equal(trace_feed(&t, HEAD "<stop/>", strlen(HEAD "<stop/>")),
	    XML_STOPPED);
	assert_int_equal(xml_feed(t.xml, "<a/>", 4, 0, &err), XML_STOPPED);
	assert_string_equal(t.log.data, OPEN "<stop/>\n");
	trace_fini(&t);

	trace_init(&t, &limits, 0);
	xml_feed(t.xml, HEAD "<a/><b/>", strlen(HEAD "<a/><b/>"), 1, NULL);
	xml_stop(t.xml);
	assert_int_equal(xml_feed(t.xml, NULL, 0, 1, NULL), XML_STOPPED);
	assert_string_equal(t.log.data, OPEN "<a/>\n");
	trace_fini(&t);
}

static void
test_error_stays(void **state)
{
	struct trace t;
	struct err err = { "" };

	(void)state;
	trace_init(&t, &limits, 0);
	assert_int_equal(xml_feed(t.xml, "<!---->", 7, 0, &err),
	    XML_RESTRICTED);
	assert_string_equal(err.text, "comment");
	assert_int_equal(xml_feed(t.xml, HEAD, strlen(HEAD), 0, NULL),
	    XML_RESTRICTED);
	assert_int_equal(t.log.len, 0);
	xml_restart(t.xml);
	assert_int_equal(trace_feed(&t, HEAD, strlen(HEAD)), XML_OK);
	assert_string_equal(t.log.data, OPEN);
	trace_fini(&t);
}

/* Bytes behind <starttls/> are not read as part of either document. */
static void
test_restarting(void **state)
{
	static const char first[] = HEAD "<a/><restart/><b>";
	static const char next[] = "<?xml version='1.0'?>" HEAD "<!---->";
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	for (int i = 0; i < 3; i++) {
		buf_clear(&t.log);
		t.result = XML_OK;
		assert_int_equal(trace_feed(&t, first, strlen(first)),
		    XML_STOPPED);
		assert_string_equal(t.log.data, OPEN "<a/>\n<restart/>\n");
	}
	buf_clear(&t.log);
	t.result = XML_OK;
	assert_int_equal(trace_feed(&t, next, strlen(next)), XML_RESTRICTED);
	assert_string_equal(t.log.data, OPEN);
	trace_fini(&t);
}

/* What a parser that was reset has forgotten must have been set again. */
static void
test_restarted_is_as_new(void **state)
{
	struct trace t;
	const char *p;

	(void)state;
	trace_init(&t, &limits, 0);
	trace_feed(&t, HEAD "<a>x", strlen(HEAD "<a>x"));
	xml_restart(t.xml);
	for (p = HEAD "<b xmlns:p='urn:p'><p:c/></b>"; *p != '\0'; p++) {
		assert_int_equal(t.stanzas, 0);
		trace_feed(&t, p, 1);
	}
	assert_string_equal(t.log.data,
	    OPEN OPEN "<b><c xmlns='urn:p'/></b>\n");
	xml_restart(t.xml);
	assert_int_equal(trace_feed(&t, "<\0", 2), XML_BAD_ENCODING);
	xml_restart(t.xml);
	t.result = XML_OK;
	trace_feed(&t, HEAD "<a/>", strlen(HEAD "<a/>"));
	xml_restart(t.xml);
	assert_int_equal(trace_feed(&t, "<a b='" X400, 406), XML_TOO_LARGE);
	trace_fini(&t);
}

static void
test_restart_while_suspended(void **state)
{
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	assert_int_equal(xml_feed(t.xml, HEAD "<a/><b/>",
			     strlen(HEAD "<a/><b/>"), 1, NULL),
	    XML_MORE);
	xml_restart(t.xml);
	assert_int_equal(trace_feed(&t, HEAD "<c/>", strlen(HEAD "<c/>")),
	    XML_OK);
	assert_string_equal(t.log.data, OPEN "<a/>\n" OPEN "<c/>\n");
	trace_fini(&t);
}

static void
test_rest(void **state)
{
	static const struct {
		const char *in;
		bool rests;
	} rows[] = { { "<", false }, { HEAD + 1, true }, { " ", true },
		{ "<a", false }, { ">", false }, { "x", false },
		{ "</a>", true }, { "<b/><", false }, { "c/>", true },
		{ "<![CDATA[", false }, { "]]>", false }, { "<d/>", true },
		{ "</stream:stream>", false } };
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		trace_feed(&t, rows[i].in, strlen(rows[i].in));
		assert_int_equal(t.result, XML_OK);
		assert_int_equal(xml_rest(t.xml), rows[i].rests);
		assert_false(xml_rest(t.xml));
	}
	xml_rest(t.xml);
	trace_fini(&t);
}

/* Its parser is made anew where it has none. */
static void
test_restart_at_rest(void **state)
{
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	trace_feed(&t, HEAD "<a/>", strlen(HEAD "<a/>"));
	assert_true(xml_rest(t.xml));
	xml_restart(t.xml);
	assert_false(xml_rest(t.xml));
	trace_feed(&t, HEAD "<b/>", strlen(HEAD "<b/>"));
	assert_string_equal(t.log.data, OPEN "<a/>\n" OPEN "<b/>\n");
	trace_fini(&t);
}

static void
test_new_limits(void **state)
{
	static const char in[] = HEAD "<a><b><c><d><e/></d></c></b></a>";
	struct trace t;

	(void)state;
	trace_init(&t, &limits, 0);
	xml_set_limits(t.xml, &wide);
	assert_int_equal(trace_feed(&t, in, strlen(in)), XML_OK);
	assert_int_equal(t.stanzas, 1);
	xml_free(&t.xml);
	xml_free(&t.xml);
	trace_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_white_space_is_free),
		cmocka_unit_test(test_white_space_before_the_root_is_not),
		cmocka_unit_test(test_ten_megabytes),
		cmocka_unit_test(test_ten_thousand_levels),
		cmocka_unit_test(test_many_elements),
		cmocka_unit_test(test_dribbled_token),
		cmocka_unit_test(test_long_token),
		cmocka_unit_test(test_end_comes_with_its_bytes),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_of_one_over_much),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_error_stays),
		cmocka_unit_test(test_restarting),
		cmocka_unit_test(test_restarted_is_as_new),
		cmocka_unit_test(test_restart_while_suspended),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_restart_at_rest),
		cmocka_unit_test(test_new_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
