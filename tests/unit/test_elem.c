#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parsed.h"
#include "support_arena.h"
#include "xmpp/elem.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static void
test_new(void **state)
{
	char ns[] = "urn:x", name[] = "a";
	struct elem *e = elem_new(*state, ns, name), *same, *other, *none;

	memset(ns, '-', strlen(ns));
	memset(name, '-', strlen(name));
	assert_true(elem_is(e, "urn:x", "a"));
	assert_false(elem_is(e, "urn:x", "b"));
	assert_false(elem_is(e, "urn:y", "a"));
	assert_false(elem_is(e, NULL, "a"));
	assert_null(e->parent);
	same = elem_child(e, "urn:x", "b");
	other = elem_child(e, "urn:xy", "b");
	none = elem_child(e, "", "c");
	assert_string_equal(same->ns, "urn:x");
	assert_string_equal(other->ns, "urn:xy");
	assert_true(elem_is(none, NULL, "c"));
	assert_ptr_equal(none->parent, e);
	assert_ptr_equal(e->first, same);
	assert_ptr_equal(e->last, none);
}

static void
test_attributes(void **state)
{
	struct elem *e = elem_new(*state, NULL, "a");
	char value[] = "1";

	assert_null(elem_attr(e, "id"));
	elem_set(e, "id", value);
	value[0] = '-';
	assert_string_equal(elem_attr(e, "id"), "1");
	elem_setf(e, "to", "%s@%s", "a", "b");
	elem_set(e, "id", "2");
	assert_string_equal(elem_attr(e, "id"), "2");
	assert_string_equal(elem_attr(e, "to"), "a@b");
	assert_string_equal(e->attrs->name, "id");
	elem_set(e, "id", NULL);
	elem_set(e, "none", NULL);
	assert_null(elem_attr(e, "id"));
	assert_string_equal(e->attrs->name, "to");
	elem_set(e, "to", NULL);
	assert_null(e->attrs);
}

static void
test_lang(void **state)
{
	struct elem *e = elem_new(*state, NULL, "a");

	elem_set(e, "lang", "xx");
	assert_null(elem_lang(e));
	elem_set_lang(e, "de");
	assert_string_equal(elem_lang(e), "de");
	assert_string_equal(elem_attr(e, "lang"), "xx");
	elem_set_lang(e, NULL);
	assert_null(elem_lang(e));
	assert_string_equal(elem_attr(e, "lang"), "xx");
}

static void
test_finding(void **state)
{
	struct elem *e = parsed(*state,
	    "<a>t<b xmlns='urn:1'>1</b>u<b xmlns='urn:2'>2</b><c/>v</a>");
	char names[8] = "";

	assert_string_equal(elem_text(elem_find(e, NULL, "b")), "1");
	assert_string_equal(elem_text(elem_find(e, "urn:2", "b")), "2");
	assert_string_equal(elem_text(elem_find(e, "urn:2", NULL)), "2");
	assert_null(elem_find(e, "urn:2", "c"));
	assert_null(elem_find(e, "urn:3", NULL));
	assert_string_equal(elem_find(e, NULL, NULL)->name, "b");
	assert_null(elem_find(elem_find(e, NULL, "c"), NULL, NULL));
	ELEM_EACH(c, e)
		strcat(names, c->name);
	assert_string_equal(names, "bbc");
}

static void
test_text(void **state)
{
	struct elem *e = elem_new(*state, NULL, "a"), *b;

	assert_string_equal(elem_text(e), "");
	assert_null(elem_child_text(e, NULL, "b"));
	assert_ptr_equal(elem_add_text(e, "one"), e);
	assert_string_equal(elem_text(e), "one");
	b = elem_child(e, NULL, "b");
	assert_string_equal(elem_child_text(e, NULL, "b"), "");
	elem_add_text(b, "inside");
	elem_add_text(e, " two");
	assert_string_equal(elem_text(e), "one two");
	assert_string_equal(elem_child_text(e, NULL, "b"), "inside");
	assert_null(elem_child_text(e, "urn:x", "b"));
}

static void
check_children(const struct elem *e, const char *expected)
{
	char names[8] = "";
	const struct elem *last = NULL;

	for (const struct elem *c = e->first; c != NULL; c = c->next) {
		strcat(names, c->name);
		assert_ptr_equal(c->parent, e);
		last = c;
	}
	assert_string_equal(names, expected);
	assert_ptr_equal(e->last, last);
}

static void
test_removing(void **state)
{
	struct elem *e = elem_new(*state, NULL, "e");
	struct elem *a = elem_child(e, NULL, "a");
	struct elem *b = elem_child(e, NULL, "b");
	struct elem *c = elem_child(e, NULL, "c");

	check_children(e, "abc");
	elem_remove(b);
	assert_null(b->parent);
	check_children(e, "ac");
	elem_remove(c);
	check_children(e, "a");
	assert_ptr_equal(elem_append(e, b), b);
	check_children(e, "ab");
	elem_remove(a);
	check_children(e, "b");
	elem_remove(b);
	check_children(e, "");
	elem_remove(b);
	elem_append(e, c);
	check_children(e, "c");
}

static void
test_copy(void **state)
{
	struct arena *arena = arena_new();
	struct elem *e, *copy;

	e = parsed(arena,
	    "<a xml:lang='de' x='1'>t<b xmlns='urn:1' "
	    "xmlns:p='urn:p' p:y='2'><c xmlns=''/></b>u</a>");
	copy = elem_copy(*state, e->first->next);
	assert_null(copy->parent);
	assert_null(copy->next);
	copy = elem_copy(*state, e);
	assert_true(elem_equals(e, copy));
	arena_free(&arena);
	assert_true(elem_equals(copy,
	    parsed(*state,
		"<a x='1' xml:lang='de'>t<b xmlns='urn:1' xmlns:q='urn:p' "
		"q:y='2'><c xmlns=''/></b>u</a>")));
	assert_ptr_equal(copy->last->arena, *state);
}

static void
test_equals(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "<a/>", "<a></a>", true },
		{ "<a/>", "<b/>", false },
		{ "<a/>", "<a xmlns='urn:x'/>", false },
		{ "<a/>", "<x:a xmlns:x='jabber:client'/>", true },
		{ "<a x='1' y='2'/>", "<a y='2' x='1'/>", true },
		{ "<a x='1'/>", "<a x='2'/>", false },
		{ "<a x='1'/>", "<a/>", false },
		{ "<a/>", "<a x='1'/>", false },
		{ "<a xml:lang='1'/>", "<a lang='1'/>", false },
		{ "<a>x&amp;y</a>", "<a>x<![CDATA[&]]>y</a>", true },
		{ "<a>x</a>", "<a>xy</a>", false },
		{ "<a>xy</a>", "<a>x</a>", false },
		{ "<a>x</a>", "<a/>", false },
		{ "<a>x<b/>y</a>", "<a>xy<b/></a>", false },
		{ "<a>x<b/>y</a>", "<a>x<b/>y</a>", true },
		{ "<a><b/><c/></a>", "<a><c/><b/></a>", false },
		{ "<a><b/></a>", "<a><b/><b/></a>", false },
		{ "<a><b/> </a>", "<a><b/></a>", false },
		{ "<a><b><c/></b></a>", "<a><b><d/></b></a>", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elem *a = parsed(*state, rows[i].a);
		struct elem *b = parsed(*state, rows[i].b);

		if (elem_equals(a, b) != rows[i].same ||
		    elem_equals(b, a) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void
test_equals_joins_text(void **state)
{
	struct elem *a = elem_new(*state, NULL, "a");
	struct elem *b = elem_new(*state, NULL, "a");

	elem_add_text(a, "");
	elem_add_text(elem_add_text(a, "x"), "");
	elem_add_text(a, "yz");
	elem_add_text(elem_add_text(b, "xy"), "z");
	assert_true(elem_equals(a, b));
	elem_child(a, NULL, "c");
	elem_add_text(a, "");
	elem_child(b, NULL, "c");
	assert_true(elem_equals(a, b));
	assert_true(elem_equals(b, a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new),
		TEST(test_attributes),
		TEST(test_lang),
		TEST(test_finding),
		TEST(test_text),
		TEST(test_removing),
		TEST(test_copy),
		TEST(test_equals),
		TEST(test_equals_joins_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
