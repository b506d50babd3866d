#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/config_names.h"

static void
assert_narrowed(const char *written, const char *expected)
{
	struct config_names names = { 0 };
	struct buf text = { 0 };

	config_names_add(&names, "passwd");
	config_names_add(&names, "passwd-file");
	config_names_add(&names, "resource");
	config_names_narrow(&names, written);
	config_names_join(&text, &names, "", "");
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static void
near_names_are_kept(void **state)
{
	(void)state;
	assert_narrowed("password", "passwd");
	assert_narrowed("pass", "passwd or passwd-file");
	assert_narrowed("paswd", "passwd");
	assert_narrowed("passwdfile", "passwd-file");
	assert_narrowed("ressource", "resource");
	assert_narrowed("resuorce", "resource");
}

static void
all_names_are_kept_where_none_is_near(void **state)
{
	static const char far[] =
	    "a-name-that-is-longer-than-anything-we-know-of";

	(void)state;
	assert_narrowed("colour", "passwd, passwd-file or resource");
	assert_narrowed("", "passwd, passwd-file or resource");
	assert_narrowed(far, "passwd, passwd-file or resource");
}

static void
names_are_joined_as_a_sentence(void **state)
{
	struct config_names names = { 0 };
	struct buf text = { 0 };

	(void)state;
	config_names_add(&names, "a");
	config_names_join(&text, &names, "<", ">");
	assert_string_equal(text.data, "<a>");
	config_names_add(&names, "b");
	buf_clear(&text);
	config_names_join(&text, &names, "<", ">");
	assert_string_equal(text.data, "<a> or <b>");
	config_names_add(&names, "c");
	buf_clear(&text);
	config_names_join(&text, &names, "<", ">");
	assert_string_equal(text.data, "<a>, <b> or <c>");
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_names_are_kept),
		cmocka_unit_test(all_names_are_kept_where_none_is_near),
		cmocka_unit_test(names_are_joined_as_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
