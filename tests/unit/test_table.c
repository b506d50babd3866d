#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/table.h"

/* Made by CPython 3.11, whose bytes are hashed by SipHash-1-3, with seed 0. */
static const struct {
	const char *text;
	uint64_t hash;
} vectors[] = {
	{ "a", 0x407448d2b89b1813 },
	{ "abc", 0xc03bc3a0042630f2 },
	{ "abcdefg", 0x6db12aae9070f506 },
	{ "abcdefgh", 0x3f7b849c0b8e35ea },
	{ "abcdefghi", 0xf89b34a3d11eb6e5 },
	{ "the quick brown fox jumps", 0x00c98b97e4f70042 },
};

static void
test_siphash(void **state)
{
	const uint64_t zero[2] = { 0 }, other[2] = { 1, 2 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(table_siphash(zero, vectors[i].text,
				     strlen(vectors[i].text)),
		    vectors[i].hash);
	assert_int_not_equal(table_siphash(other, "a", 1), vectors[0].hash);
}

static void
test_hash_is_seeded(void **state)
{
	const uint64_t zero[2] = { 0 };
	size_t i, same = 0;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const char *text = vectors[i].text;

		assert_int_equal(table_hash(text, strlen(text)),
		    table_hash(text, strlen(text)));
		same += table_hash(text, strlen(text)) ==
		    (uint32_t)table_siphash(zero, text, strlen(text));
	}
	assert_true(same < 3);
}

struct entry {
	char name[16];
	int number;
	UT_hash_handle hh;
};

static void
test_as_a_table(void **state)
{
	struct entry *table = NULL, *e, *next;
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		e = mem_alloc(sizeof(*e));
		snprintf(e->name, sizeof(e->name), "entry %d", i);
		e->number = i;
		HASH_ADD_STR(table, name, e);
	}
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "entry %d", i);
		HASH_FIND_STR(table, name, e);
		assert_non_null(e);
		assert_int_equal(e->number, i);
	}
	HASH_FIND_STR(table, "entry", e);
	assert_null(e);
	HASH_ITER(hh, table, e, next) {
		HASH_DEL(table, e);
		free(e);
	}
	assert_null(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_hash_is_seeded),
		cmocka_unit_test(test_as_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
