#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"

static uint64_t
value_of(const struct limits *limits, const struct limit_info *info)
{
	uint64_t value;

	memcpy(&value, (const char *)limits + info->offset, sizeof(value));
	return value;
}

static void
defaults_are_those_of_the_table(void **state)
{
	const struct limit_info *info;
	struct limits limits;

	(void)state;
	memset(&limits, 0xff, sizeof(limits));
	limits_init(&limits);
	for (info = limit_table; info->name != NULL; info++)
		assert_int_equal(value_of(&limits, info), info->value);
	assert_int_equal(limits.stanza_bytes, 262144);
	assert_int_equal(limits.connect_seconds, 10);
}

static void
defaults_are_within_their_bounds(void **state)
{
	const struct limit_info *info;

	(void)state;
	for (info = limit_table; info->name != NULL; info++) {
		assert_true(info->least <= info->value);
		assert_true(info->value <= info->most);
	}
}

static void
every_field_has_one_row(void **state)
{
	const struct limit_info *info, *other;
	size_t count = 0;

	(void)state;
	for (info = limit_table; info->name != NULL; info++, count++)
		for (other = limit_table; other != info; other++) {
			assert_string_not_equal(info->name, other->name);
			assert_int_not_equal(info->offset, other->offset);
		}
	assert_int_equal(count * sizeof(uint64_t), sizeof(struct limits));
}

/* RFC 6120 13.12: a server takes stanzas of 10,000 bytes at least. */
static void
the_least_stanza_is_that_of_the_rfc(void **state)
{
	const struct limit_info *info = limit_table;

	(void)state;
	while (strcmp(info->name, "stanza-bytes") != 0)
		info++;
	assert_int_equal(info->least, 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(defaults_are_within_their_bounds),
		cmocka_unit_test(every_field_has_one_row),
		cmocka_unit_test(the_least_stanza_is_that_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
