#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xmpp/elem.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static struct elem *
parse(struct arena *arena, const char *xml, struct err *err)
{
	return xml_parse(arena, xml, strlen(xml), NS_CLIENT, NULL, err);
}

static void
test_one_element(void **state)
{
	struct arena *arena = arena_new();
	struct elem *e;

	(void)state;
	e = parse(arena, " <a b='1'><c xmlns='urn:c'/>t</a>\n", NULL);
	assert_non_null(e);
	assert_true(elem_is(e, NS_CLIENT, "a"));
	assert_string_equal(elem_attr(e, "b"), "1");
	assert_non_null(elem_find(e, "urn:c", "c"));
	assert_string_equal(elem_text(e), "t");
	assert_ptr_equal(e->arena, arena);
	e = xml_parse(arena, "<a/>b", 4, "urn:'&", NULL, NULL);
	assert_string_equal(e->ns, "urn:'&");
	assert_null(xml_parse(arena, "<a/>", 4, NULL, NULL, NULL)->ns);
	arena_free(&arena);
}

static void
test_anything_else(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"text",
		"<a/><b/>",
		"<a/>b",
		"b<a/>",
		"<a>",
		"<a",
		"<a></b>",
		"</x>",
		"<a/></x>",
		"<a/></x><x>",
		"<x>",
		"<a/></x>  ",
		"<a/><!-- -->",
		"<!DOCTYPE a><a/>",
		"<a>&b;</a>",
		"<a/>\xc3",
		"<a/><!--",
		"<a/><![CDATA[",
		"<p:a/>",
		"<?xml version='1.0'?><a/>",
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { "" };

		if (parse(arena, rows[i], &err) != NULL)
			fail_msg("%s is taken", rows[i]);
		assert_string_not_equal(err.text, "");
	}
	assert_null(xml_parse(arena, "<a>\0</a>", 8, NULL, NULL, NULL));
	arena_free(&arena);
}

static void
test_limits(void **state)
{
	static const struct xml_limits limits = { 100, 2, 3, 4 };
	static const struct {
		const char *xml;
		bool good;
	} rows[] = {
		{ "<a><b/></a>", true },
		{ "<a><b><c/></b></a>", false },
		{ "<a b='' c='' d=''/>", true },
		{ "<a b='' c='' d='' e=''/>", false },
		{ "<a><b/><b/><b/></a>", true },
		{ "<a><b/><b/><b/><b/></a>", false },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(rows[i].good,
		    xml_parse(arena, rows[i].xml, strlen(rows[i].xml), NULL,
			&limits, NULL) != NULL);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_element),
		cmocka_unit_test(test_anything_else),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
