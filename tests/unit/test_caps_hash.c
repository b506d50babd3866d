#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mod/caps_hash.h"
#include "support_arena.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static void
assert_ver(struct arena *arena, const char *inside, const char *ver)
{
	char *xml = arena_printf(arena,
	    "<query xmlns='" NS_DISCO_INFO "'>%s</query>", inside);
	struct buf out = { 0 };
	struct err err;
	struct elem *e;

	if ((e = xml_parse(arena, xml, strlen(xml), NULL, NULL, &err)) == NULL)
		fail_msg("%s: %s", xml, err.text);
	caps_ver(&out, e);
	assert_string_equal(out.data, ver);
	buf_free(&out);
}

/* The features of both examples in XEP-0115, not in order. */
#define FEATURES \
	"<feature var='http://jabber.org/protocol/muc'/>" \
	"<feature var='http://jabber.org/protocol/disco#info'/>" \
	"<feature var='http://jabber.org/protocol/caps'/>" \
	"<feature var='http://jabber.org/protocol/disco#items'/>"

static void
simple_example(void **state) /* 5.2 */
{
	assert_ver(*state,
	    "<identity category='client' name='Exodus 0.9.1' "
	    "type='pc'/>" FEATURES,
	    "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

#define PSI \
	"<identity xml:lang='en' category='client' name='Psi 0.11' " \
	"type='pc'/>" \
	"<identity xml:lang='el' category='client' name='\u03a8 0.11' " \
	"type='pc'/>" FEATURES

#define SOFTWARE(hidden) \
	"<x xmlns='jabber:x:data' type='result'>" \
	"<field var='software_version'><value>0.11</value></field>" \
	"<field var='os'><value>Mac</value></field>" \
	"<field var='FORM_TYPE'" hidden ">" \
	"<value>urn:xmpp:dataforms:softwareinfo</value></field>" \
	"<field var='ip_version'>" \
	"<value>ipv6</value><value>ipv4</value></field>" \
	"<field var='os_version'><value>10.5.1</value></field>" \
	"<field var='software'><value>Psi</value></field></x>"

static void
complex_example(void **state) /* 5.3 */
{
	assert_ver(*state, PSI SOFTWARE(" type='hidden'"),
	    "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

/* 5.4: such a form does not count. */
static void
form_without_hidden_type(void **state)
{
	const char *without = "2ZC2Fe8xb+Ln321QG0/AaqNEfBU=";

	assert_ver(*state, PSI, without);
	assert_ver(*state, PSI SOFTWARE(""), without);
	assert_ver(*state, PSI SOFTWARE(" type='text-single'"), without);
	assert_ver(*state, PSI "<x xmlns='jabber:x:data'/>", without);
}

/* Identities are sorted by category first: "a/z" stands before "a-b/c". */
static void
sorts_by_factors(void **state)
{
	assert_ver(*state,
	    "<identity category='a-b' type='c'/>"
	    "<identity category='a' type='z'/>",
	    "Dm0ZTlYoIGCynjItyKxXv1wxR0g=");
}

/* 5.1: an identity named "x<y" is none named "x" and a feature "y". */
static void
bracket_in_a_factor(void **state)
{
	assert_ver(*state, "<identity category='a' type='b' name='x&lt;y'/>",
	    "EwhZuZZ5NzQmz+l9hhTIxdzpi8g=");
	assert_ver(*state,
	    "<identity category='a' type='b' name='x'/><feature var='y'/>",
	    "m+hZFwJWYyCKABvaByH4+gSeEs0=");
}

static void
nothing_in_it(void **state)
{
	assert_ver(*state, "", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
}

/* --- well-formed (5.4) --- */

static bool
is_well_formed(struct arena *arena, const char *inside)
{
	char *xml = arena_printf(arena,
	    "<query xmlns='" NS_DISCO_INFO "'>%s</query>", inside);

	return caps_is_well_formed(
	    xml_parse(arena, xml, strlen(xml), NULL, NULL, NULL));
}

#define FORM(type, kind) \
	"<x xmlns='jabber:x:data' type='result'>" \
	"<field var='FORM_TYPE' type='" kind "'><value>" type "</value>" \
	"</field></x>"

static void
each_once_is_well_formed(void **state)
{
	assert_true(is_well_formed(*state, ""));
	assert_true(is_well_formed(*state,
	    "<identity category='client' type='pc' name='a'/>"
	    "<identity category='client' type='pc' name='b'/>" FEATURES
		FORM("urn:a", "hidden") FORM("urn:b", "hidden")));
	/* Ignored, so it may be there twice. */
	assert_true(is_well_formed(*state,
	    FORM("urn:a", "text-single") FORM("urn:a", "text-single")));
}

static void
what_is_there_twice_is_ill_formed(void **state)
{
	assert_false(is_well_formed(*state,
	    "<identity category='client' type='pc' name='a' xml:lang='en'/>"
	    "<identity category='client' type='pc' name='a' "
	    "xml:lang='en'/>"));
	assert_false(is_well_formed(*state,
	    "<feature var='a'/><feature var='b'/><feature var='a'/>"));
	assert_false(is_well_formed(*state,
	    FORM("urn:a", "hidden") FORM("urn:b", "hidden")
		FORM("urn:a", "hidden")));
}

static void
form_of_two_types_is_ill_formed(void **state)
{
	assert_false(is_well_formed(*state,
	    "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
	    "<value>urn:a</value><value>urn:b</value></field></x>"));
	assert_true(is_well_formed(*state,
	    "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
	    "<value>urn:a</value><value>urn:a</value></field></x>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(simple_example),
		TEST(complex_example),
		TEST(form_without_hidden_type),
		TEST(sorts_by_factors),
		TEST(bracket_in_a_factor),
		TEST(nothing_in_it),
		TEST(each_once_is_well_formed),
		TEST(what_is_there_twice_is_ill_formed),
		TEST(form_of_two_types_is_ill_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
