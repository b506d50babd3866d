#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xmpp/sasl.h"

#define BIT(mech) (1u << (mech))

static struct buf unique = { .data = (char *)"unique bytes", .len = 12 };
static struct buf exporter = { .data = (char *)"exporter bytes", .len = 14 };
static const struct sasl_channel plain_channel = { 0 };
static const struct sasl_channel tls = { .secure = true };
static const struct sasl_channel tls12 = { true, &unique, NULL };
static const struct sasl_channel tls13 = { true, NULL, &exporter };
static const struct sasl_channel both = { true, &unique, &exporter };

static void
test_names(void **state)
{
	enum sasl_mech mech;

	(void)state;
	for (int m = 0; m < SASL_MECHS; m++) {
		assert_true(sasl_mech_parse(sasl_mech_name(m), &mech));
		assert_int_equal(mech, m);
	}
	assert_false(sasl_mech_parse("DIGEST-MD5", &mech));
	assert_false(sasl_mech_parse("plain", &mech));
	assert_false(sasl_mech_parse("", &mech));
	assert_false(sasl_mech_parse("ANONYMOUS", &mech));
}

static void
test_offer(void **state)
{
	unsigned scram = BIT(SASL_SCRAM_SHA256) | BIT(SASL_SCRAM_SHA1);

	(void)state;
	assert_int_equal(sasl_offer(&plain_channel), scram);
	assert_int_equal(sasl_offer(&tls), scram | BIT(SASL_PLAIN));
	assert_int_equal(sasl_offer(&tls12), 0x1f);
	assert_int_equal(sasl_offer(&tls13), sasl_offer(&tls12));
}

static void
test_choose(void **state)
{
	static const struct {
		unsigned offered, bindings;
		const struct sasl_channel *channel;
		int mech;
	} cases[] = {
		{ 0x1f, 0, &plain_channel, SASL_SCRAM_SHA256 },
		{ 0x1f, 0, &tls, SASL_SCRAM_SHA256 },
		{ 0x1f, 0, &tls12, SASL_SCRAM_SHA256_PLUS },
		/* Says nothing: tls-unique alone, which TLS 1.3 has not. */
		{ 0x1f, 0, &tls13, SASL_SCRAM_SHA256 },
		{ 0x1f, SASL_BINDING_EXPORTER, &tls13, SASL_SCRAM_SHA256_PLUS },
		{ 0x1f, SASL_BINDING_EXPORTER, &tls12, SASL_SCRAM_SHA256 },
		{ 1u << SASL_SCRAM_SHA1_PLUS | 1u << SASL_SCRAM_SHA256,
		    SASL_BINDING_UNIQUE, &tls12, SASL_SCRAM_SHA256 },
		{ 1u << SASL_PLAIN, 0, &tls, SASL_PLAIN },
		{ 1u << SASL_PLAIN, 0, &plain_channel, -1 },
		{ 0, 0, &both, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum sasl_mech mech;
		struct err err = { "" };
		int rc = sasl_choose(cases[i].offered, cases[i].bindings,
		    cases[i].channel, &mech, &err);

		assert_int_equal(rc == 0 ? (int)mech : -1, cases[i].mech);
		assert_int_equal(err.text[0] != '\0', rc != 0);
	}
}

static void
test_common_bindings(void **state)
{
	(void)state;
	assert_int_equal(sasl_bindings(&tls), 0);
	assert_int_equal(sasl_bindings(&both), 3);
	assert_int_equal(sasl_common_bindings(&both, 0), SASL_BINDING_UNIQUE);
	assert_int_equal(sasl_common_bindings(&tls13, 0), 0);
	assert_int_equal(sasl_common_bindings(&both, SASL_BINDING_EXPORTER),
	    SASL_BINDING_EXPORTER);
	assert_int_equal(sasl_common_bindings(&both, SASL_BINDING_OTHER), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_common_bindings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
