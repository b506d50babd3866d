#include "support_io.h"

#include "core/peers.h"

static void
connections_are_counted_by_address(void **state)
{
	struct peers *p = peers_new();

	(void)state;
	assert_int_equal(peers_count(p, "192.0.2.1"), 0);
	peers_add(p, "192.0.2.1");
	peers_add(p, "192.0.2.1");
	peers_add(p, "2001:db8::1");
	assert_int_equal(peers_count(p, "192.0.2.1"), 2);
	assert_int_equal(peers_count(p, "2001:db8::1"), 1);
	peers_remove(p, "192.0.2.1");
	assert_int_equal(peers_count(p, "192.0.2.1"), 1);
	assert_int_equal(peers_count(p, "2001:db8::1"), 1);
	peers_remove(p, "192.0.2.1");
	assert_int_equal(peers_count(p, "192.0.2.1"), 0);
	peers_free(&p);
	assert_null(p);
}

static void
one_that_is_not_there_is_not_removed(void **state)
{
	struct peers *p = peers_new(), *none = NULL;

	(void)state;
	peers_remove(p, "192.0.2.1");
	assert_int_equal(peers_count(p, "192.0.2.1"), 0);
	peers_add(p, "192.0.2.1");
	assert_int_equal(peers_count(p, "192.0.2.1"), 1);
	peers_free(&p);
	peers_free(&none);
}

static const char *
key(const char *address)
{
	static char out[PEERS_KEY_SIZE];

	peers_key(address, out);
	return out;
}

static void
a_network_of_ipv6_is_one_peer(void **state)
{
	struct peers *p = peers_new();

	(void)state;
	assert_string_equal(key("192.0.2.1"), "192.0.2.1");
	assert_string_equal(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
	assert_string_equal(key("2001:db8::6"), "2001:db8::/64");
	assert_string_equal(key("::1"), "::/64");
	assert_string_equal(key("?"), "?");
	peers_add(p, "2001:db8:1:2:3:4:5:6");
	peers_add(p, "2001:db8:1:2::1");
	assert_int_equal(peers_count(p, "2001:db8:1:2::2"), 2);
	assert_int_equal(peers_count(p, "2001:db8:1:3::1"), 0);
	peers_remove(p, "2001:db8:1:2::1");
	peers_remove(p, "2001:db8:1:2:3:4:5:6");
	assert_int_equal(peers_count(p, "2001:db8:1:2::1"), 0);
	peers_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_counted_by_address),
		cmocka_unit_test(a_network_of_ipv6_is_one_peer),
		cmocka_unit_test(one_that_is_not_there_is_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
