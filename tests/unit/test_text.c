#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void
test_equals(void **state)
{
	(void)state;
	assert_true(text_equals("a", "a"));
	assert_false(text_equals("a", "b"));
	assert_true(text_equals(NULL, NULL));
	assert_false(text_equals(NULL, ""));
	assert_false(text_equals("", NULL));
}

static void
test_secret_equals(void **state)
{
	(void)state;
	assert_true(text_secret_equals("secret", "secret"));
	assert_true(text_secret_equals("", ""));
	assert_false(text_secret_equals("secret", "secres"));
	assert_false(text_secret_equals("xecret", "secret"));
	assert_false(text_secret_equals("secret", "secre"));
	assert_false(text_secret_equals("secre", "secret"));
	assert_false(text_secret_equals("", "s"));
	assert_false(text_secret_equals(NULL, ""));
	assert_false(text_secret_equals(NULL, NULL));
	/* A difference of 256 in length must not be lost in a byte. */
	assert_false(text_secret_equals("",
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x"));
}

static const char *const good_utf8[] = {
	"",
	"plain",
	"\x7f",
	"\xc2\x80",
	"\xdf\xbf",
	"\xe0\xa0\x80",
	"\xed\x9f\xbf",
	"\xee\x80\x80",
	"\xef\xbf\xbf",
	"\xf0\x90\x80\x80",
	"\xf4\x8f\xbf\xbf",
	"a\xc3\xa4z",
};
static const char *const bad_utf8[] = {
	"\x80",
	"\xbf",
	"\xc0\x80",
	"\xc1\xbf",
	"\xc2",
	"\xc2z",
	"\xc2\xc2",
	"\xe0\x80\x80",
	"\xe0\x9f\xbf",
	"\xe1\x80",
	"\xe1\x80z",
	"\xed\xa0\x80",
	"\xed\xbf\xbf",
	"\xf0\x80\x80\x80",
	"\xf0\x8f\xbf\xbf",
	"\xf1\x80\x80",
	"\xf1\x80\x80z",
	"\xf1\x80z\x80",
	"\xf4\x90\x80\x80",
	"\xf5\x80\x80\x80",
	"\xfe",
	"\xff",
	"fine\xc3\xa4, then\xff",
};

static void
test_utf8(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good_utf8) / sizeof(good_utf8[0]); i++)
		assert_true(text_is_utf8(good_utf8[i], strlen(good_utf8[i])));
	for (i = 0; i < sizeof(bad_utf8) / sizeof(bad_utf8[0]); i++)
		assert_false(text_is_utf8(bad_utf8[i], strlen(bad_utf8[i])));
	assert_true(text_is_utf8("a\0b", 3));
	assert_false(text_is_utf8("\xc3\xa4", 1));
	assert_true(text_is_utf8(NULL, 0));
}

static void
test_utf8_cut(void **state)
{
	const char *s = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t cut[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };
	size_t max;

	(void)state;
	for (max = 0; max < sizeof(cut) / sizeof(cut[0]); max++)
		assert_int_equal(text_utf8_cut(s, 10, max), cut[max]);
}

static void
test_to_uint(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1",
		"1.0", "a", "18446744073709551616", "99999999999999999999" };
	uint64_t n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_uint(bad[i], 0, UINT64_MAX, &n));
	assert_false(text_to_uint(NULL, 0, UINT64_MAX, &n));
	assert_false(text_to_uint("4", 5, 10, &n));
	assert_false(text_to_uint("11", 5, 10, &n));
	assert_int_equal(n, 77);
	assert_true(text_to_uint("5", 5, 10, &n));
	assert_int_equal(n, 5);
	assert_true(text_to_uint("10", 5, 10, &n));
	assert_int_equal(n, 10);
	assert_true(text_to_uint("18446744073709551615", 0, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
}

/* RFC 4648, section 10. */
static const char *const base64_pairs[][2] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

static void
test_base64(void **state)
{
	struct buf out = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(base64_pairs) / sizeof(base64_pairs[0]); i++) {
		const char *plain = base64_pairs[i][0];
		const char *coded = base64_pairs[i][1];

		buf_clear(&out);
		text_base64(&out, plain, strlen(plain));
		assert_int_equal(out.len, strlen(coded));
		assert_memory_equal(out.len ? out.data : "", coded, out.len);
		buf_clear(&out);
		assert_int_equal(text_base64_decode(&out, coded, strlen(coded)),
		    0);
		assert_int_equal(out.len, strlen(plain));
		assert_memory_equal(out.len ? out.data : "", plain, out.len);
	}
	buf_free(&out);
}

static void
test_base64_is_strict(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"====", "Z===", "Zm9v=", "Zg==Zg==", "Zm8=Zm8=", "Zh==", "Zm9=",
		" Zg==", "Zg==\n", "Zm 9", "Zm9v\n", "-_-_",
		"Z=g=", "Zm9vYg=a" };
	struct buf out = { 0 };
	size_t i;

	(void)state;
	buf_puts(&out, "kept");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(text_base64_decode(&out, bad[i],
				     strlen(bad[i])),
		    -1);
		assert_string_equal(out.data, "kept");
	}
	assert_int_equal(text_base64_decode(&out, "Zm\0v", 4), -1);
	assert_int_equal(text_base64_decode(&out, "IQ==", 4), 0);
	assert_string_equal(out.data, "kept!");
	buf_free(&out);
}

static void
test_hex(void **state)
{
	struct buf out = { 0 };

	(void)state;
	text_hex(&out, "\x00\x1f\xa0\xff", 4);
	assert_string_equal(out.data, "001fa0ff");
	buf_free(&out);
}

static void
test_stamp(void **state)
{
	char out[TEXT_STAMP_SIZE];

	(void)state;
	assert_string_equal(text_stamp(out, 0), "1970-01-01T00:00:00Z");
	assert_string_equal(text_stamp(out, 1031699305123),
	    "2002-09-10T23:08:25.123Z");
	assert_string_equal(text_stamp(out, 951782400007),
	    "2000-02-29T00:00:00.007Z");
	assert_string_equal(text_stamp(out, UINT64_MAX),
	    "9999-12-31T23:59:59.999Z");
}

/* XEP-0082, section 3.2 and what it leaves open. */
static const struct {
	const char *text;
	uint64_t ms;
} stamps[] = {
	{ "1969-07-21T02:56:15Z", UINT64_MAX },
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2002-09-10T23:08:25Z", 1031699305000 },
	{ "2002-09-10T23:08:25.1Z", 1031699305100 },
	{ "2002-09-10T23:08:25.123Z", 1031699305123 },
	{ "2002-09-10T23:08:25.123999999Z", 1031699305123 },
	{ "2002-09-10T19:08:25-04:00", 1031699305000 },
	{ "2002-09-11T04:38:25.5+05:30", 1031699305500 },
	{ "1970-01-01T00:30:00+01:00", UINT64_MAX },
	{ "1969-12-31T23:30:00-01:00", 1800000 },
	{ "2000-02-29T00:00:00Z", 951782400000 },
	{ "2001-02-29T00:00:00Z", UINT64_MAX },
	{ "2001-13-01T00:00:00Z", UINT64_MAX },
	{ "2001-00-01T00:00:00Z", UINT64_MAX },
	{ "2001-01-00T00:00:00Z", UINT64_MAX },
	{ "2001-04-31T00:00:00Z", UINT64_MAX },
	{ "2001-01-01T24:00:00Z", UINT64_MAX },
	{ "2001-01-01T00:60:00Z", UINT64_MAX },
	{ "2001-01-01T00:00:60Z", UINT64_MAX },
	{ "2001-01-01T00:00:00", UINT64_MAX },
	{ "2001-01-01T00:00:00.Z", UINT64_MAX },
	{ "2001-01-01T00:00:00z", UINT64_MAX },
	{ "2001-01-01T00:00:00Z ", UINT64_MAX },
	{ " 2001-01-01T00:00:00Z", UINT64_MAX },
	{ "2001-01-01 00:00:00Z", UINT64_MAX },
	{ "2001-01-01T00:00:00+0100", UINT64_MAX },
	{ "2001-01-01T00:00:00+01:00Z", UINT64_MAX },
	{ "2001-01-01T00:00:00+01:60", UINT64_MAX },
	{ "2001-01-01T00:00:00+15:00", UINT64_MAX },
	{ "20010101T00:00:00", UINT64_MAX },
	{ "2001-01-01", UINT64_MAX },
	{ "", UINT64_MAX },
};

static void
test_parse_stamp(void **state)
{
	uint64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		ms = 0;
		if (!text_parse_stamp(stamps[i].text, &ms))
			ms = UINT64_MAX;
		if (ms != stamps[i].ms)
			fail_msg("%s is not %llu", stamps[i].text,
			    (unsigned long long)ms);
	}
	assert_false(text_parse_stamp(NULL, &ms));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals),
		cmocka_unit_test(test_secret_equals),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_cut),
		cmocka_unit_test(test_to_uint),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_is_strict),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_stamp),
		cmocka_unit_test(test_parse_stamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
