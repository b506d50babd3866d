#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/host.h"

/* NULL: nothing is expected in that place. */
static void
assert_plain(const char *host, const char *first, const char *second)
{
	const char *want[HOST_ADDRESSES] = { first, second };
	struct sockaddr_storage got[HOST_ADDRESSES];
	char text[INET6_ADDRSTRLEN];
	const void *bytes;
	size_t i, count = host_plain(host, got);

	assert_int_equal(count, (first != NULL) + (second != NULL));
	for (i = 0; i < count; i++) {
		bytes = &((const struct sockaddr_in *)&got[i])->sin_addr;
		if (got[i].ss_family == AF_INET6)
			bytes =
			    &((const struct sockaddr_in6 *)&got[i])->sin6_addr;
		assert_non_null(
		    inet_ntop(got[i].ss_family, bytes, text, sizeof(text)));
		assert_string_equal(text, want[i]);
	}
}

static void
test_literals(void **state)
{
	(void)state;
	assert_plain("127.0.0.1", "127.0.0.1", NULL);
	assert_plain("255.255.255.255", "255.255.255.255", NULL);
	assert_plain("::1", "::1", NULL);
	assert_plain("[2001:db8::7]", "2001:db8::7", NULL);
}

static void
test_localhost(void **state)
{
	(void)state;
	assert_plain("localhost", "::1", "127.0.0.1");
	assert_plain("LocalHost", "::1", "127.0.0.1");
	assert_plain("a.b.localhost", "::1", "127.0.0.1");
}

static void
test_names(void **state)
{
	(void)state;
	assert_plain("", NULL, NULL);
	assert_plain("a.example", NULL, NULL);
	assert_plain("127.0.0.1.example", NULL, NULL);
	assert_plain("notlocalhost", NULL, NULL);
	assert_plain("localhost.example", NULL, NULL);
	assert_plain(".localhost", NULL, NULL);
}

static void
test_broken_literals(void **state)
{
	(void)state;
	assert_plain("127.1", NULL, NULL);
	assert_plain("256.0.0.1", NULL, NULL);
	assert_plain("[127.0.0.1]", NULL, NULL);
	assert_plain("[]", NULL, NULL);
	assert_plain("[::1", NULL, NULL);
	assert_plain("::1]", NULL, NULL);
	assert_plain("2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0007",
	    NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_broken_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
