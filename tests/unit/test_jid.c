#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support_arena.h"
#include "xmpp/jid.h"

typedef char *prep(struct arena *, const char *, struct err *);

struct row {
	const char *raw;
	const char *prepared; /* NULL: it is none */
};

static void
check_rows(struct arena *arena, prep *f, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err err = { "" };
		const char *got = f(arena, rows[i].raw, &err);

		if (rows[i].prepared == NULL) {
			if (got != NULL)
				fail_msg("<%s> is taken as <%s>", rows[i].raw,
				    got);
			assert_string_not_equal(err.text, "");
			continue;
		}
		if (got == NULL)
			fail_msg("<%s>: %s", rows[i].raw, err.text);
		assert_string_equal(got, rows[i].prepared);
		assert_string_equal(f(arena, got, &err), got);
	}
}
#define CHECK_ROWS(arena, f, rows) \
	check_rows(arena, f, rows, sizeof(rows) / sizeof((rows)[0]))

/*
 * RFC 7622 3.5, by number. Nodeprep and Resourceprep, which all deployed
 * servers use, see some of them otherwise than PRECIS; that is noted.
 */
static void
test_rfc_7622_valid(void **state)
{
	static const struct row rows[] = {
		{ "juliet@example.com", "juliet@example.com" },
		{ "juliet@example.com/foo", "juliet@example.com/foo" },
		{ "juliet@example.com/foo bar", "juliet@example.com/foo bar" },
		{ "juliet@example.com/foo@bar", "juliet@example.com/foo@bar" },
		{ "foo\\20bar@example.com", "foo\\20bar@example.com" },
		{ "fussball@example.com", "fussball@example.com" },
		/* 7: Nodeprep folds sharp s, so it is the one before. */
		{ "fu\xc3\x9f"
		  "ball@example.com",
		    "fussball@example.com" },
		{ "\xcf\x80@example.com", "\xcf\x80@example.com" },
		{ "\xce\xa3@example.com/foo", "\xcf\x83@example.com/foo" },
		{ "\xcf\x83@example.com/foo", "\xcf\x83@example.com/foo" },
		/* 11: Nodeprep folds final sigma. */
		{ "\xcf\x82@example.com/foo", "\xcf\x83@example.com/foo" },
		{ "king@example.com/\xe2\x99\x9a",
		    "king@example.com/\xe2\x99\x9a" },
		{ "example.com", "example.com" },
		{ "example.com/foobar", "example.com/foobar" },
		{ "a.example.com/b@example.net",
		    "a.example.com/b@example.net" },
	};

	CHECK_ROWS(*state, jid_prep, rows);
}

static void
test_rfc_7622_invalid(void **state)
{
	static const struct row rows[] = {
		{ "\"juliet\"@example.com", NULL },
		{ "foo bar@example.com", NULL },
		/* 18: Resourceprep has nothing against a space in front. */
		{ "juliet@example.com/ foo", "juliet@example.com/ foo" },
		{ "@example.com/", NULL },
		/* 20: Nodeprep decomposes the numeral. */
		{ "henry\xe2\x85\xa3@example.com", "henryiv@example.com" },
		/* 21: Nodeprep lets symbols through. */
		{ "\xe2\x99\x9a@example.com", "\xe2\x99\x9a@example.com" },
		{ "juliet@", NULL },
		{ "/foobar", NULL },
	};

	CHECK_ROWS(*state, jid_prep, rows);
}

static void
test_whole(void **state)
{
	static const struct row rows[] = {
		{ "", NULL },
		{ "@", NULL },
		{ "/", NULL },
		{ "@/", NULL },
		{ "a@b/", NULL },
		{ "@b", NULL },
		{ "a@/r", NULL },
		{ "a@b@c", NULL },
		{ "a@b@c/d", NULL },
		{ " a@b", NULL },
		{ "a@b ", NULL },
		{ "a@ b", NULL },
		{ "a@b/\xff", NULL },
		{ "a@b/\x01", NULL },
		{ "Romeo@Example.COM/Orchard", "romeo@example.com/Orchard" },
		{ "a@b/c/d@e/", "a@b/c/d@e/" },
		{ "b/c@d", "b/c@d" },
		{ "a@127.0.0.1/r", "a@127.0.0.1/r" },
		{ "a@[2001:DB8::0:1]/r", "a@[2001:db8::1]/r" },
		{ "\xc3\x84@b\xc3\xbc"
		  "cher.Example./r",
		    "\xc3\xa4@b\xc3\xbc"
		    "cher.example/r" },
	};

	CHECK_ROWS(*state, jid_prep, rows);
	assert_null(jid_prep(*state, NULL, NULL));
}

static void
test_local(void **state)
{
	static const struct row rows[] = {
		{ "A.b-c_d+e!#$%()*=?[]{}|~^`;,\\",
		    "a.b-c_d+e!#$%()*=?[]{}|~^`;,\\" },
		{ "", NULL },
		{ "a b", NULL },
		{ "a\tb", NULL },
		{ "a\x7f"
		  "b",
		    NULL },
		{ "a\"b", NULL },
		{ "a&b", NULL },
		{ "a'b", NULL },
		{ "a/b", NULL },
		{ "a:b", NULL },
		{ "a<b", NULL },
		{ "a>b", NULL },
		{ "a@b", NULL },
		{ "J\xc3\x9cRGEN", "j\xc3\xbcrgen" },
		/* Wide letters become narrow ones; a wide '@' is still one. */
		{ "\xef\xbc\xa1", "a" },
		{ "a\xef\xbc\xa0", NULL },
		{ "a\xc2\xa0"
		  "b",
		    NULL },
		{ "a\xe2\x80\xae"
		  "b",
		    NULL },
		/* A soft hyphen alone maps to nothing. */
		{ "\xc2\xad", NULL },
		{ "a\xc2\xad", "a" },
		/* Left to right amid right to left (RFC 3454 6). */
		{ "\xd7\x90"
		  "a\xd7\x91",
		    NULL },
		{ "\xd7\x90\xd7\x91", "\xd7\x90\xd7\x91" },
		{ "\xc3", NULL },
		{ "\xed\xa0\x80", NULL },
		{ "\xc0\xaf", NULL },
	};

	CHECK_ROWS(*state, jid_prep_local, rows);
}

static void
test_resource(void **state)
{
	static const struct row rows[] = {
		{ "Gajim.ABC", "Gajim.ABC" },
		{ "a/b@c", "a/b@c" },
		{ " a\"&'<>: ", " a\"&'<>: " },
		{ "", NULL },
		{ "a\nb", NULL },
		{ "a\x7f", NULL },
		{ "\xc3\x84", "\xc3\x84" },
		{ "A\xcc\x88", "\xc3\x84" },
		/* Newer than stringprep's Unicode 3.2. */
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xc2\xad", NULL },
		{ "\xc2\x85", NULL },
		{ "\xef\xbf\xbd", NULL },
		{ "\xf0\x9f", NULL },
	};

	CHECK_ROWS(*state, jid_prep_resource, rows);
}

#define LABEL "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void
test_domain(void **state)
{
	static const struct row rows[] = {
		{ "Example.ORG", "example.org" },
		{ "localhost", "localhost" },
		{ "example.org.", "example.org" },
		{ "my_host.x1-y2", "my_host.x1-y2" },
		{ LABEL ".org", LABEL ".org" },
		{ LABEL "g.org", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "a..", NULL },
		{ ".a", NULL },
		{ "a..b", NULL },
		{ "-a.b", NULL },
		{ "a-.b", NULL },
		{ "a b", NULL },
		{ "a:5222", NULL },
		{ "a%b", NULL },
		{ "a\x01", NULL },
		{ "[::1]", "[::1]" },
		{ "[0:0:0:0:0:0:0:1]", "[::1]" },
		{ "[::FFFF:1.2.3.4]", "[::ffff:1.2.3.4]" },
		{ "[]", NULL },
		{ "[", NULL },
		{ "[::1", NULL },
		{ "[::1]a", NULL },
		{ "[::1].", NULL },
		{ "[::g]", NULL },
		{ "[127.0.0.1]", NULL },
		{ "[fe80::1%eth0]", NULL },
		{ "::1", NULL },
		{ "[0000000:0000000:0000000:0000000:0000000:0000000:0:1]",
		    NULL },
		{ "B\xc3\x9c"
		  "CHER.example",
		    "b\xc3\xbc"
		    "cher.example" },
		{ "xn--bcher-kva.example",
		    "b\xc3\xbc"
		    "cher.example" },
		{ "a.XN--bcher-kva.example",
		    "a.b\xc3\xbc"
		    "cher.example" },
		/* It says nothing in Unicode, so it stays. */
		{ "xn--zzzz.example", "xn--zzzz.example" },
		/* Each of the dots of RFC 3490 3.1. */
		{ "\xc3\xbc\xe3\x80\x82"
		  "de",
		    "\xc3\xbc.de" },
		{ "\xc3\xbc\xef\xbc\x8e"
		  "de\xef\xbd\xa1",
		    "\xc3\xbc.de" },
		/* Wide '/', '@', and "a/c" in one character. */
		{ "a\xef\xbc\x8f"
		  "b",
		    NULL },
		{ "a\xef\xbc\xa0"
		  "b",
		    NULL },
		{ "\xe2\x84\x80.example", NULL },
		{ "\xc2\xad", NULL },
		{ "\xc3.example", NULL },
		{ "\xd7\x90"
		  "a\xd7\x91.example",
		    NULL },
	};

	CHECK_ROWS(*state, jid_prep_domain, rows);
}

/* `count` times `unit`, then `end`. */
static char *
repeat(struct arena *arena, const char *unit, size_t count, const char *end)
{
	struct buf b = { 0 };
	char *s;

	while (count-- > 0)
		buf_puts(&b, unit);
	buf_puts(&b, end);
	s = arena_strdup(arena, b.data);
	buf_free(&b);
	return s;
}

static void
test_lengths(void **state)
{
	struct arena *arena = *state;
	const char *most = repeat(arena, "a", 1023, "");
	const char *more = repeat(arena, "a", 1024, "");
	const char *domain = repeat(arena, LABEL ".", 15, LABEL);
	const char *longer = repeat(arena, LABEL ".", 16, "a");
	const char *whole = arena_printf(arena, "%s@%s/%s", most, domain, most);

	assert_int_equal(strlen(domain), 1023);
	assert_int_equal(strlen(longer), 1025);
	assert_string_equal(jid_prep(arena, whole, NULL), whole);
	assert_null(jid_prep_local(arena, more, NULL));
	assert_null(jid_prep_resource(arena, more, NULL));
	assert_null(jid_prep_domain(arena, longer, NULL));
	/* The limit is for what comes out. */
	assert_non_null(
	    jid_prep_local(arena, repeat(arena, "\xc3\xbc", 511, "x"), NULL));
	assert_null(
	    jid_prep_local(arena, repeat(arena, "\xc3\xbc", 512, ""), NULL));
	assert_string_equal(jid_prep_local(arena,
				repeat(arena, "\xef\xbd\x81", 1023, ""), NULL),
	    most);
	assert_null(jid_prep_resource(arena,
	    repeat(arena, "\xef\xb7\xba", 32, ""), NULL));
	assert_null(jid_prep_resource(arena,
	    repeat(arena, "\xef\xb7\xba", 1000, ""), NULL));
	assert_null(jid_prep_domain(arena,
	    repeat(arena, "\xc3\xbc.", 2000, "de"), NULL));
	assert_null(
	    jid_prep_local(arena, repeat(arena, "\xc3\xbc", 10000, ""), NULL));
}

static void
test_to_ascii(void **state)
{
	struct arena *arena = *state;
	struct err err = { "" };

	assert_string_equal(jid_domain_to_ascii(arena, "example.org", &err),
	    "example.org");
	assert_string_equal(jid_domain_to_ascii(arena,
				"b\xc3\xbc"
				"cher.example",
				&err),
	    "xn--bcher-kva.example");
	assert_string_equal(jid_domain_to_ascii(arena, "[::1]", &err), "::1");
	assert_string_equal(jid_domain_to_ascii(arena, "127.0.0.1", &err),
	    "127.0.0.1");
	assert_null(
	    jid_domain_to_ascii(arena, repeat(arena, LABEL ".", 4, "a"), &err));
	assert_string_not_equal(err.text, "");
}

static void
test_reading(void **state)
{
	static const struct {
		const char *jid, *bare, *domain, *resource;
		bool is_domain;
	} rows[] = {
		{ "a@b", "a@b", "b", NULL, false },
		{ "a@b/c", "a@b", "b", "c", false },
		{ "b", "b", "b", NULL, true },
		{ "b/c@d/e", "b", "b", "c@d/e", false },
		{ "a@b/c@d", "a@b", "b", "c@d", false },
		{ "a@[::1]", "a@[::1]", "[::1]", NULL, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *jid = rows[i].jid, *domain;
		size_t len;

		domain = jid_domain(jid, &len);
		assert_int_equal(len, strlen(rows[i].domain));
		assert_memory_equal(domain, rows[i].domain, len);
		assert_int_equal(jid_bare_len(jid), strlen(rows[i].bare));
		assert_string_equal(jid_bare(*state, jid), rows[i].bare);
		assert_int_equal(jid_is_domain(jid), rows[i].is_domain);
		assert_int_equal(jid_is_bare(jid), rows[i].resource == NULL);
		if (rows[i].resource == NULL)
			continue;
		assert_string_equal(jid_resource(jid), rows[i].resource);
		assert_string_equal(jid_with_resource(*state, rows[i].bare,
					rows[i].resource),
		    jid);
	}
}

static void
test_same_bare(void **state)
{
	(void)state;
	assert_true(jid_same_bare("a@b", "a@b"));
	assert_true(jid_same_bare("a@b/c", "a@b"));
	assert_true(jid_same_bare("a@b/c", "a@b/d"));
	assert_false(jid_same_bare("a@b", "a@bc"));
	assert_false(jid_same_bare("a@bc/", "a@b"));
	assert_false(jid_same_bare("b", "a@b"));
	assert_false(jid_same_bare(NULL, "a@b"));
	assert_false(jid_same_bare("a@b", NULL));
	assert_false(jid_same_bare(NULL, NULL));
}

static void
test_errors_say_where(void **state)
{
	struct err err;

	jid_prep(*state, "a b@c", &err);
	assert_string_equal(err.text, "local part: forbidden character");
	jid_prep(*state, "a@b c", &err);
	assert_string_equal(err.text, "domain: not a domain name");
	jid_prep(*state, "a@b/", &err);
	assert_string_equal(err.text, "resource: empty");
	jid_prep_domain(*state, NULL, &err);
	assert_string_equal(err.text, "domain: none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfc_7622_valid),
		TEST(test_rfc_7622_invalid),
		TEST(test_whole),
		TEST(test_local),
		TEST(test_resource),
		TEST(test_domain),
		TEST(test_lengths),
		TEST(test_to_ascii),
		TEST(test_reading),
		TEST(test_same_bare),
		TEST(test_errors_say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
