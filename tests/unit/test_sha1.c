#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha1.h"
#include "base/text.h"

static void
assert_sha1(const void *bytes, size_t len, const char *hex)
{
	unsigned char hash[SHA1_SIZE];
	struct buf out = { 0 };

	sha1(bytes, len, hash);
	text_hex(&out, hash, sizeof(hash));
	assert_string_equal(out.data, hex);
	buf_free(&out);
}

/* RFC 3174 section 7.3, and FIPS 180's for nothing and a million letters. */
static void
test_vectors(void **state)
{
	static char a[1000000];
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
			  "mnopnopq";

	(void)state;
	memset(a, 'a', sizeof(a));
	assert_sha1("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_sha1("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_sha1(two, strlen(two),
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	assert_sha1(a, sizeof(a), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* Where the length no longer fits behind the message, and where it just does. */
static void
test_padding_borders(void **state)
{
	static const struct {
		size_t len;
		const char *hex;
	} cases[] = {
		{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
		{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
	};
	char a[65];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_sha1(a, cases[i].len, cases[i].hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_padding_borders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
