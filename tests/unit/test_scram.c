#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "xmpp/scram.h"

/* Base64 of RFC 5802 section 5 and RFC 7677 section 3, user "user", "pencil". */
#define RFC5802_SALT "QSXCR+Q6sek8bf92"
#define RFC7677_SALT "W22ZaJ0SNY7soEsUEjb6gQ=="

static void
assert_base64(const void *bytes, size_t len, const char *expected)
{
	struct buf text = { 0 };

	text_base64(&text, bytes, len);
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static void
set_salt(struct scram_keys *keys, const char *base64)
{
	struct buf raw = { 0 };

	assert_int_equal(text_base64_decode(&raw, base64, strlen(base64)), 0);
	memcpy(keys->salt, raw.data, raw.len);
	keys->salt_len = raw.len;
	keys->iterations = 4096;
	buf_free(&raw);
}

static void
test_rfc_keys(void **state)
{
	struct scram_keys keys = { 0 };
	unsigned char salted[SCRAM_KEY_MAX];
	struct buf hex = { 0 };

	(void)state;
	set_salt(&keys, RFC5802_SALT);
	assert_int_equal(scram_salted(SCRAM_SHA1, "pencil", keys.salt,
			     keys.salt_len, 4096, salted, NULL),
	    0);
	text_hex(&hex, salted, 20);
	assert_string_equal(hex.data,
	    "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d");
	assert_int_equal(scram_derive(&keys, SCRAM_SHA1, "pencil", NULL), 0);
	assert_true(keys.known);
	assert_base64(keys.stored, 20, "6dlGYMOdZcOPutkcNY8U2g7vK9Y=");
	assert_base64(keys.server, 20, "D+CSWLOshSulAsxiupA+qs2/fTE=");

	set_salt(&keys, RFC7677_SALT);
	assert_int_equal(scram_derive(&keys, SCRAM_SHA256, "pencil", NULL), 0);
	assert_base64(keys.stored, 32,
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
	assert_base64(keys.server, 32,
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
	buf_free(&hex);
}

/* SASLprep: NFKC, mapped to nothing; and what it refuses. */
static void
test_saslprep(void **state)
{
	unsigned char a[SCRAM_KEY_MAX], b[SCRAM_KEY_MAX];
	struct err err;

	(void)state;
	assert_int_equal(scram_salted(SCRAM_SHA256, "I\xc2\xadX", "salt", 4,
			     4096, a, NULL),
	    0);
	assert_int_equal(scram_salted(SCRAM_SHA256, "IX", "salt", 4, 4096, b,
			     NULL),
	    0);
	assert_memory_equal(a, b, 32);
	assert_int_equal(scram_salted(SCRAM_SHA256, "a\x07", "salt", 4, 4096, a,
			     &err),
	    -1);
	assert_true(err.text[0] != '\0');
	assert_int_equal(scram_salted(SCRAM_SHA256, "\xff", "salt", 4, 4096, a,
			     NULL),
	    -1);
	assert_int_equal(scram_salted(SCRAM_SHA256, "a", "", 0, 4096, a, NULL),
	    -1);
}

static void
test_round_trip(void **state)
{
	struct scram_credential made, read;
	struct buf text = { 0 }, again = { 0 };
	struct scram_keys keys;

	(void)state;
	assert_int_equal(scram_make(&made, "pencil", NULL), 0);
	scram_format(&text, &made);
	assert_true(scram_is_credential(text.data));
	assert_int_equal(scram_parse(&read, text.data, NULL), 0);
	scram_format(&again, &read);
	assert_string_equal(text.data, again.data);
	for (int h = 0; h < SCRAM_HASHES; h++) {
		keys = read.keys[h];
		assert_int_equal(keys.iterations, SCRAM_ITERATIONS);
		assert_int_equal(scram_derive(&keys, h, "pencil", NULL), 0);
		assert_memory_equal(keys.stored, read.keys[h].stored,
		    scram_key_len(h));
		assert_int_equal(scram_derive(&keys, h, "pencils", NULL), 0);
		assert_memory_not_equal(keys.stored, read.keys[h].stored,
		    scram_key_len(h));
	}
	buf_free(&text);
	buf_free(&again);
}

#define SHA1_KEYS "$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE="

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92" SHA1_KEYS, true },
		{ "SCRAM-SHA-1$1000000:QSXCR+Q6sek8bf92" SHA1_KEYS, true },
		{ "SCRAM-SHA-1$4095:QSXCR+Q6sek8bf92" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$1000001:QSXCR+Q6sek8bf92" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$-1:QSXCR+Q6sek8bf92" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$4096:" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$4096:QSX" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$4096" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92", false },
		{ "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$QUJD:QUJD", false },
		{ "SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92" SHA1_KEYS ",", false },
		{ "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92" SHA1_KEYS
		  ",SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92" SHA1_KEYS,
		    false },
		{ "SCRAM-SHA-512$4096:QSXCR+Q6sek8bf92" SHA1_KEYS, false },
		{ "SCRAM-SHA-1$", false },
		{ "", false },
	};
	struct scram_credential out;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err.text[0] = '\0';
		assert_int_equal(scram_parse(&out, cases[i].text, &err),
		    cases[i].good ? 0 : -1);
		assert_int_equal(out.keys[SCRAM_SHA1].known, cases[i].good);
		assert_int_equal(err.text[0] == '\0', cases[i].good);
	}
	assert_false(scram_is_credential("SCRAM-SHA-1"));
	assert_false(scram_is_credential("secret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_keys),
		cmocka_unit_test(test_saslprep),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
