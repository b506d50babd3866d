#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/archive_id.h"

static const unsigned char key[STORE_KEY_SIZE] =
    "abcdefghijklmnopqrstuvwxyz01234";
static const unsigned char other[STORE_KEY_SIZE] =
    "abcdefghijklmnopqrstuvwxyz01235";

static void
an_id_leads_back(void **state)
{
	static const uint64_t seqs[] = { 1, 2, 3, 255, 65536, 1000000,
		STORE_SEQ_MAX - 1 };
	char id[ARCHIVE_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(*seqs); i++) {
		assert_ptr_equal(archive_id(id, key, 7, seqs[i]), id);
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		assert_int_equal(archive_id_seq(key, 7, id), seqs[i]);
	}
}

/* Clients keep ids: they are the same after an upgrade, and on another machine. */
static void
ids_are_stable(void **state)
{
	char id[ARCHIVE_ID_SIZE];

	(void)state;
	assert_string_equal(archive_id(id, key, 7, 1),
	    "289a648e791262ab74711bcd194d7ffd");
	assert_string_equal(archive_id(id, key, 7, 2),
	    "1c9f5662b747c964f1bbb3be2e677dfc");
}

static void
an_id_is_of_one_user_and_file(void **state)
{
	char id[ARCHIVE_ID_SIZE];

	(void)state;
	archive_id(id, key, 7, 12);
	assert_int_equal(archive_id_seq(key, 8, id), 0);
	assert_int_equal(archive_id_seq(other, 7, id), 0);
}

static void
each_digit_counts(void **state)
{
	char id[ARCHIVE_ID_SIZE], was;

	(void)state;
	archive_id(id, key, 7, 12);
	for (int i = 0; i < 32; i++) {
		was = id[i];
		id[i] = was == '0' ? '1' : '0';
		assert_int_equal(archive_id_seq(key, 7, id), 0);
		id[i] = was;
	}
	assert_int_equal(archive_id_seq(key, 7, id), 12);
}

static void
what_is_no_id_is_none(void **state)
{
	static const char *const wrong[] = { "", "1", "28482-98726-73623",
		"00000000000000000000000000000000",
		"ffffffffffffffffffffffffffffffff",
		"0000000000000000000000000000000g" };
	char id[ARCHIVE_ID_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(archive_id_seq(key, 7, wrong[i]), 0);
	archive_id(id, key, 7, 12);
	strcat(id, "0");
	assert_int_equal(archive_id_seq(key, 7, id), 0);
	id[31] = '\0';
	assert_int_equal(archive_id_seq(key, 7, id), 0);
	/* Letters in capitals: another string is another id. */
	archive_id(id, key, 7, 12);
	id[strcspn(id, "abcdef")] -= 'a' - 'A';
	assert_int_equal(archive_id_seq(key, 7, id), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_leads_back),
		cmocka_unit_test(ids_are_stable),
		cmocka_unit_test(an_id_is_of_one_user_and_file),
		cmocka_unit_test(each_digit_counts),
		cmocka_unit_test(what_is_no_id_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
