#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "xmpp/scram_wire.h"

static void
test_user(void **state)
{
	static const struct {
		const char *in, *name;
	} cases[] = {
		{ "n,,n=user,r=abc", "user" },
		{ "y,a=other,n=user,r=abc", "user" },
		{ "p=tls-unique,,n=a=2Cb=3Dc,r=abc", "a,b=c" },
		{ "n,,n=a=b,r=abc", NULL },
		{ "n,,n=a=2,r=abc", NULL },
		{ "n,,n=,r=abc", NULL },
		{ "n,,m=x,n=user,r=abc", NULL },
		{ "n,n=user,r=abc", NULL },
		{ "n,,n=\xff,r=abc", NULL },
		{ "n,,", NULL },
		{ ",,", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf name = { 0 };
		int rc = scram_wire_user(cases[i].in, strlen(cases[i].in),
		    &name, NULL);

		assert_int_equal(rc, cases[i].name != NULL ? 0 : -1);
		if (rc == 0)
			assert_string_equal(name.data, cases[i].name);
		buf_free(&name);
	}
}

static void
test_salt(void **state)
{
	static const struct {
		const char *in;
		unsigned iterations;
	} cases[] = {
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=4096", 4096 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=1000000,x=y", 1000000 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=1000001", 0 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=4095", 0 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=0", 0 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=99999999999999999999999", 0 },
		{ "r=abc,s=QSXCR+Q6sek8bf92,i=4096x", 0 },
		{ "r=abc,s=QSXCR+Q6sek8bf92", 0 },
		{ "r=abc,s=,i=4096", 0 },
		{ "r=abc,s=!,i=4096", 0 },
		{ "m=x,r=abc,s=QSXCR+Q6sek8bf92,i=4096", 0 },
		{ "e=other-error", 0 },
		{ "", 0 },
	};
	struct scram_keys keys;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int rc = scram_wire_salt(cases[i].in, strlen(cases[i].in),
		    &keys, NULL);

		assert_int_equal(rc, cases[i].iterations > 0 ? 0 : -1);
		if (rc == 0)
			assert_int_equal(keys.iterations, cases[i].iterations);
	}
}

/* 64 bytes of salt are taken, 65 are not. */
static void
test_salt_size(void **state)
{
	unsigned char salt[SCRAM_SALT_MAX + 1] = { 0 };
	struct scram_keys keys;

	(void)state;
	for (size_t len = SCRAM_SALT_MAX; len <= sizeof(salt); len++) {
		struct buf in = { 0 };

		buf_puts(&in, "r=abc,s=");
		text_base64(&in, salt, len);
		buf_puts(&in, ",i=4096");
		assert_int_equal(scram_wire_salt(in.data, in.len, &keys, NULL),
		    len == SCRAM_SALT_MAX ? 0 : -1);
		buf_free(&in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_salt),
		cmocka_unit_test(test_salt_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
