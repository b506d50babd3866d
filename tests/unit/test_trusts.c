#include "support_tls.h"

#include "core/trusts.h"

/* One file, one set, however many accounts name it. */
static void
test_once(void **state)
{
	struct trusts *trusts = trusts_new();
	struct tls_trust *one, *two, *system;

	(void)state;
	tls_issue(&(struct tls_issue){ .name = "ca",
	    .subject = "An authority",
	    .is_ca = true });
	one = trusts_get(trusts, tls_path("ca.pem"), NULL);
	two = trusts_get(trusts, tls_path("ca.pem"), NULL);
	system = trusts_get(trusts, NULL, NULL);
	assert_non_null(one);
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, system);
	/* Who has a reference keeps it when the table goes. */
	trusts_free(&trusts);
	assert_null(trusts);
	tls_trust_unref(&one);
	tls_trust_unref(&two);
	tls_trust_unref(&system);
}

static void
test_missing(void **state)
{
	struct trusts *trusts = trusts_new();
	struct err err = { 0 };

	(void)state;
	assert_null(trusts_get(trusts, "/nowhere/ca.pem", &err));
	assert_string_not_equal(err.text, "");
	/* It is looked for again. */
	assert_null(trusts_get(trusts, "/nowhere/ca.pem", NULL));
	trusts_free(&trusts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
