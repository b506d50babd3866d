/* The rig's own patterns: what they take, and above all what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig/match.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

struct state {
	struct arena *arena;
	struct vars vars;
};

static int
setup(void **state)
{
	static struct state s;

	s.arena = arena_new();
	vars_init(&s.vars);
	*state = &s;
	return 0;
}

static int
teardown(void **state)
{
	struct state *s = *state;

	vars_fini(&s->vars);
	arena_free(&s->arena);
	return 0;
}

static bool
matches(struct state *s, const char *pattern, const char *xml)
{
	struct err err = { "" };
	struct elem *p = match_parse(s->arena, pattern, &err);
	struct elem *e = xml_parse(s->arena, xml, strlen(xml), NS_CLIENT, NULL,
	    &err);

	assert_string_equal(err.text, "");
	return match_elem(&s->vars, p, e, &err);
}

static void
test_names(void **state)
{
	struct state *s = *state;

	assert_true(matches(s, "<iq/>", "<iq/>"));
	assert_true(matches(s, "<iq/>", "<c:iq xmlns:c='jabber:client'/>"));
	assert_false(matches(s, "<iq/>", "<presence/>"));
	assert_false(matches(s, "<iq/>", "<iq xmlns='urn:x'/>"));
}

static void
test_attributes(void **state)
{
	struct state *s = *state;

	assert_true(matches(s, "<a x='1' y='2'/>", "<a y='2' x='1'/>"));
	assert_false(matches(s, "<a x='1'/>", "<a x='2'/>"));
	assert_false(matches(s, "<a x='1'/>", "<a/>"));
	assert_false(matches(s, "<a/>", "<a x='1'/>"));
	assert_true(matches(s, "<a x='...'/>", "<a x='1'/>"));
	assert_false(matches(s, "<a x='...'/>", "<a/>"));
	assert_true(matches(s, "<a ...><b ...>x</b></a>",
	    "<a x='1'><b y='2'>x</b></a>"));
	assert_true(matches(s, "<a x='1' .../>", "<a x='1' y='2'/>"));
	assert_false(matches(s, "<a x='1' .../>", "<a y='2'/>"));
	assert_false(matches(s, "<a n:x='1' xmlns:n='urn:n'/>", "<a x='1'/>"));
	assert_true(matches(s, "<a/>", "<a xml:lang='en'/>"));
	assert_false(matches(s, "<a xml:lang='de'/>", "<a xml:lang='en'/>"));
}

static void
test_children(void **state)
{
	struct state *s = *state;

	assert_true(matches(s, "<a><b/><c/></a>", "<a><c/><b/></a>"));
	assert_false(matches(s, "<a><b/></a>", "<a><b/><b/></a>"));
	assert_false(matches(s, "<a><b/><b/></a>", "<a><b/></a>"));
	assert_false(matches(s, "<a><b/></a>", "<a/>"));
	assert_false(matches(s, "<a/>", "<a><b/></a>"));
	assert_true(matches(s, "<a>...</a>", "<a><b/>text</a>"));
	assert_true(matches(s, "<a>...</a>", "<a/>"));
	assert_true(matches(s, "<a><b/>...</a>", "<a><c/><b/></a>"));
	assert_false(matches(s, "<a><b/>...</a>", "<a><c/></a>"));
	/* The first that fits is not always the one. */
	assert_true(matches(s, "<a><b x='...'/><b x='1'/></a>",
	    "<a><b x='1'/><b x='2'/></a>"));
	assert_false(matches(s, "<a><b x='1'/><b x='1'/></a>",
	    "<a><b x='1'/><b x='2'/></a>"));
}

static void
test_text(void **state)
{
	struct state *s = *state;

	assert_true(matches(s, "<a>hi</a>", "<a>hi</a>"));
	assert_false(matches(s, "<a>hi</a>", "<a>hi </a>"));
	assert_false(matches(s, "<a/>", "<a>hi</a>"));
	assert_false(matches(s, "<a>hi</a>", "<a/>"));
	assert_true(matches(s, "<a>one ... three</a>", "<a>one two three</a>"));
	assert_false(matches(s, "<a>one ... three</a>", "<a>one two</a>"));
	assert_true(matches(s, "<a> <b/> </a>", "<a><b/></a>"));
	assert_false(matches(s, "<a><b/></a>", "<a>x<b/></a>"));
	assert_true(matches(s, "<a>$$5</a>", "<a>$5</a>"));
}

#define SID(by) "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='" by "'/>"

static void
test_stanza_ids_are_overlooked(void **state)
{
	struct state *s = *state;

	assert_false(matches(s, "<a/>", "<a>" SID("a@b") "</a>"));
	s->vars.archive = "a@b";
	assert_true(matches(s, "<a/>", "<a>" SID("a@b") "</a>"));
	assert_true(matches(s, "<a/>", "<a/>"));
	assert_false(matches(s, "<a/>", "<a>" SID("c@b") "</a>"));
	assert_true(matches(s, "<a>" SID("c@b") "</a>",
	    "<a>" SID("a@b") SID("c@b") "</a>"));
	assert_false(matches(s, "<a>" SID("a@b") "</a>", "<a/>"));
	assert_false(matches(s, "<a>" SID("a@b") "</a>",
	    "<a>" SID("a@b") SID("a@b") "</a>"));
}

static void
test_variables(void **state)
{
	struct state *s = *state;

	assert_true(matches(s, "<a x='$v' y='$v'/>", "<a x='1' y='1'/>"));
	assert_string_equal(vars_get(&s->vars, "v", 1), "1");
	assert_false(matches(s, "<a x='$v'/>", "<a x='2'/>"));
	assert_true(matches(s, "<a x='$v'/>", "<a x='1'/>"));
	assert_false(matches(s, "<a x='$w' y='$w'/>", "<a x='1' y='2'/>"));
	assert_null(vars_get(&s->vars, "w", 1));
	assert_false(matches(s, "<a x='$w'/>", "<a x=''/>"));
	assert_true(matches(s, "<a x='b@c/$r'/>", "<a x='b@c/home'/>"));
	assert_string_equal(vars_get(&s->vars, "r", 1), "home");
	assert_true(matches(s, "<a x='$p-$q'/>", "<a x='1-2-3'/>"));
	assert_string_equal(vars_get(&s->vars, "p", 1), "1");
	assert_string_equal(vars_get(&s->vars, "q", 1), "2-3");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_attributes),
		TEST(test_children),
		TEST(test_text),
		TEST(test_stanza_ids_are_overlooked),
		TEST(test_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
