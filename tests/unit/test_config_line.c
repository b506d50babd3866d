#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/config_line.h"

static const char text[] = "<?xml version='1.0'?> <!-- <a> \n -->\n" /* 1, 2 */
			   "<config a = \"<b\n>\"\n"                 /* 3, 4 */
			   " c='/>' cc\n=\n''><![CDATA[<d>\n]]>\n" /* 5 to 8 */
			   "<e/><f g='1'\th='2'\n></f>\n"          /* 9, 10 */
			   "<?pi <i>?><j\n/></config>\n";          /* 11, 12 */

static unsigned
line(unsigned number, const char *attr)
{
	return config_line(text, strlen(text), number, attr);
}

static void
elements_are_counted_in_document_order(void **state)
{
	(void)state;
	assert_int_equal(line(0, NULL), 3);
	assert_int_equal(line(1, NULL), 9);
	assert_int_equal(line(2, NULL), 9);
	assert_int_equal(line(3, NULL), 11);
}

static void
attributes_have_a_line_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(line(0, "a"), 3);
	assert_int_equal(line(0, "c"), 5);
	assert_int_equal(line(0, "cc"), 5);
	assert_int_equal(line(2, "h"), 9);
}

static void
what_is_not_there_has_the_next_best_line(void **state)
{
	(void)state;
	assert_int_equal(line(4, NULL), 1);
	assert_int_equal(line(1, "g"), 9);
	assert_int_equal(line(3, "g"), 11);
}

/* Such text has no lines to be told; it only must not be read beyond its end. */
static void
text_that_is_cut_is_survived(void **state)
{
	size_t len;
	unsigned number;

	(void)state;
	for (len = 0; len <= strlen(text); len++)
		for (number = 0; number < 5; number++)
			assert_in_range(config_line(text, len, number,
					    "nothing"),
			    1, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_counted_in_document_order),
		cmocka_unit_test(attributes_have_a_line_of_their_own),
		cmocka_unit_test(what_is_not_there_has_the_next_best_line),
		cmocka_unit_test(text_that_is_cut_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
