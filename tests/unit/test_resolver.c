#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_dns.h"
#include "io/resolver.h"

struct fixture {
	struct loop *loop;
	struct fake_dns *dns;
	struct resolver *resolver;
	struct lookup *lookup, *other;
	const struct answer *answer;
	unsigned calls;
	bool inside; /* a lookup_*() call */
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	/* c-ares has a clock of its own: silence has to be short. */
	struct resolver_options options = { .try_ms = 30, .tries = 2 };

	/* A domain to search that nobody may ever be asked for. */
	setenv("LOCALDOMAIN", "search.example", 1);
	f->loop = loop_new(NULL);
	f->dns = fake_dns_new(f->loop);
	options.servers = f->dns->address;
	f->resolver = resolver_new_with(f->loop, &options, NULL);
	assert_non_null(f->resolver);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	lookup_free(&f->lookup);
	lookup_free(&f->other);
	resolver_free(&f->resolver);
	assert_null(f->resolver);
	fake_dns_free(&f->dns);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void
on_done(void *arg, const struct answer *answer)
{
	struct fixture *f = arg;

	assert_false(f->inside);
	f->answer = answer;
	f->calls++;
}

static void
turns(struct fixture *f, unsigned calls)
{
	unsigned i;

	for (i = 0; i < 1000 && f->calls < calls; i++)
		loop_turn(f->loop, 10);
	assert_int_equal(f->calls, calls);
}

static const struct answer *
ask_srv(struct fixture *f, const char *name)
{
	lookup_free(&f->lookup);
	f->inside = true;
	f->lookup = lookup_srv(f->resolver, name, on_done, f);
	f->inside = false;
	turns(f, f->calls + 1);
	return f->answer;
}

static const struct answer *
ask_addresses(struct fixture *f, const char *host)
{
	lookup_free(&f->lookup);
	f->inside = true;
	f->lookup = lookup_addresses(f->resolver, host, on_done, f);
	f->inside = false;
	turns(f, f->calls + 1);
	return f->answer;
}

static void
assert_address(const struct answer *answer, size_t which, const char *text)
{
	const struct sockaddr_storage *at = &answer->addresses[which];
	const struct sockaddr_in *v4 = (const void *)at;
	const struct sockaddr_in6 *v6 = (const void *)at;
	char got[INET6_ADDRSTRLEN];

	assert_true(which < answer->address_count);
	inet_ntop(at->ss_family,
	    at->ss_family == AF_INET ? (const void *)&v4->sin_addr :
				       (const void *)&v6->sin6_addr,
	    got, sizeof(got));
	assert_string_equal(got, text);
}

static void
test_srv_fields(void **state)
{
	struct fixture *f = *state;
	const struct answer *answer;

	fake_dns_srv(f->dns, "_x._tcp.a.example", 3, 60000, 65535, "h.example");
	answer = ask_srv(f, "_x._tcp.a.example");
	assert_int_equal(answer->status, ANSWER_FOUND);
	assert_null(answer->reason);
	assert_int_equal(answer->record_count, 1);
	assert_string_equal(answer->records[0].target, "h.example");
	assert_int_equal(answer->records[0].priority, 3);
	assert_int_equal(answer->records[0].weight, 60000);
	assert_int_equal(answer->records[0].port, 65535);
}

static void
test_root_is_an_empty_target(void **state)
{
	struct fixture *f = *state;
	const struct answer *answer;

	fake_dns_srv(f->dns, "_x._tcp.a.example", 0, 0, 0, "");
	answer = ask_srv(f, "_x._tcp.a.example");
	assert_int_equal(answer->record_count, 1);
	assert_string_equal(answer->records[0].target, "");
}

static void
test_none(void **state)
{
	struct fixture *f = *state;
	const struct answer *answer;

	answer = ask_srv(f, "_x._tcp.nowhere.example");
	assert_int_equal(answer->status, ANSWER_NONE);
	assert_non_null(strstr(answer->reason, "_x._tcp.nowhere.example"));
	fake_dns_address(f->dns, "other.example", "127.0.0.1");
	assert_int_equal(ask_srv(f, "other.example")->status, ANSWER_NONE);
	assert_int_equal(ask_addresses(f, "nowhere.example")->status,
	    ANSWER_NONE);
}

static void
test_server_failure(void **state)
{
	struct fixture *f = *state;

	fake_dns_rcode(f->dns, "a.example", DNS_SRV, DNS_SERVFAIL);
	assert_int_equal(ask_srv(f, "a.example")->status, ANSWER_FAILED);
	assert_non_null(strstr(f->answer->reason, "a.example"));
	fake_dns_rcode(f->dns, "b.example", DNS_SRV, DNS_REFUSED);
	assert_int_equal(ask_srv(f, "b.example")->status, ANSWER_FAILED);
}

static void
test_silence(void **state)
{
	struct fixture *f = *state;

	fake_dns_rule(f->dns, "a.example", DNS_SRV, DNS_SILENT);
	assert_int_equal(ask_srv(f, "a.example")->status, ANSWER_FAILED);
	assert_non_null(strstr(f->answer->reason, "in time"));
	assert_int_equal(fake_dns_asked(f->dns, "a.example", DNS_SRV), 2);
}

static void
test_garbage(void **state)
{
	struct fixture *f = *state;

	fake_dns_rule(f->dns, "a.example", DNS_SRV, DNS_GARBLED);
	assert_int_equal(ask_srv(f, "a.example")->status, ANSWER_FAILED);
}

/* A name that no question can hold. */
static void
test_bad_name(void **state)
{
	struct fixture *f = *state;
	char label[66];

	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(ask_srv(f, label)->status, ANSWER_FAILED);
	assert_int_not_equal(ask_addresses(f, label)->status, ANSWER_FOUND);
	assert_int_equal(f->dns->asked_count, 0);
}

static void
test_truncated_goes_over_tcp(void **state)
{
	struct fixture *f = *state;

	fake_dns_rule(f->dns, "a.example", DNS_SRV, DNS_TRUNCATED);
	fake_dns_srv(f->dns, "a.example", 1, 2, 3, "h.example");
	assert_int_equal(ask_srv(f, "a.example")->record_count, 1);
	assert_int_equal(f->dns->tcp_count, 1);
}

static void
test_ipv6_first(void **state)
{
	struct fixture *f = *state;
	const struct answer *answer;

	fake_dns_address(f->dns, "h.example", "192.0.2.1");
	fake_dns_address(f->dns, "h.example", "2001:db8::1");
	fake_dns_address(f->dns, "h.example", "192.0.2.2");
	fake_dns_address(f->dns, "h.example", "2001:db8::2");
	answer = ask_addresses(f, "h.example");
	assert_int_equal(answer->address_count, 4);
	assert_int_equal(answer->addresses[0].ss_family, AF_INET6);
	assert_int_equal(answer->addresses[1].ss_family, AF_INET6);
	assert_int_equal(answer->addresses[2].ss_family, AF_INET);
	assert_int_equal(answer->addresses[3].ss_family, AF_INET);
}

/* One family that DNS cannot tell does not hide the other. */
static void
test_half_an_answer(void **state)
{
	struct fixture *f = *state;

	fake_dns_rcode(f->dns, "h.example", DNS_AAAA, DNS_SERVFAIL);
	fake_dns_address(f->dns, "h.example", "192.0.2.1");
	assert_int_equal(ask_addresses(f, "h.example")->status, ANSWER_FOUND);
	assert_address(f->answer, 0, "192.0.2.1");
	fake_dns_rcode(f->dns, "k.example", DNS_A, DNS_SERVFAIL);
	fake_dns_address(f->dns, "k.example", "2001:db8::1");
	assert_int_equal(ask_addresses(f, "k.example")->status, ANSWER_FOUND);
	assert_address(f->answer, 0, "2001:db8::1");
}

static void
test_literals_need_no_dns(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_addresses(f, "192.0.2.7")->address_count, 1);
	assert_address(f->answer, 0, "192.0.2.7");
	assert_int_equal(ask_addresses(f, "2001:db8::7")->address_count, 1);
	assert_address(f->answer, 0, "2001:db8::7");
	assert_int_equal(ask_addresses(f, "[2001:db8::8]")->address_count, 1);
	assert_address(f->answer, 0, "2001:db8::8");
	assert_int_equal(f->dns->asked_count, 0);
}

static void
test_localhost_needs_no_dns(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_addresses(f, "localhost")->address_count, 2);
	assert_address(f->answer, 0, "::1");
	assert_address(f->answer, 1, "127.0.0.1");
	assert_int_equal(ask_addresses(f, "a.LocalHost")->address_count, 2);
	assert_int_equal(f->dns->asked_count, 0);
}

static void
test_search_domains_are_not_used(void **state)
{
	struct fixture *f = *state;

	fake_dns_address(f->dns, "short.search.example", "192.0.2.1");
	assert_int_equal(ask_addresses(f, "short")->status, ANSWER_NONE);
	assert_int_equal(fake_dns_asked(f->dns, "short", DNS_A), 1);
	assert_int_equal(fake_dns_asked(f->dns, "short.search.example", DNS_A),
	    0);
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;
	char text[32];
	unsigned i;

	for (i = 0; i < RESOLVER_MAX_RECORDS + 1; i++)
		fake_dns_srv(f->dns, "many.example", 0, 0, i, "h");
	assert_int_equal(ask_srv(f, "many.example")->record_count,
	    RESOLVER_MAX_RECORDS);
	for (i = 0; i < RESOLVER_MAX_ADDRESSES + 1; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i + 1);
		fake_dns_address(f->dns, "many.example", text);
	}
	assert_int_equal(ask_addresses(f, "many.example")->address_count,
	    RESOLVER_MAX_ADDRESSES);
}

static void
test_free_before_the_answer(void **state)
{
	struct fixture *f = *state;

	fake_dns_address(f->dns, "h.example", "192.0.2.1");
	f->lookup = lookup_addresses(f->resolver, "h.example", on_done, f);
	lookup_free(&f->lookup);
	assert_null(f->lookup);
	/* In /etc/hosts, so that it is answered and not yet told. */
	f->lookup = lookup_addresses(f->resolver, "localhost", on_done, f);
	lookup_free(&f->lookup);
	ask_srv(f, "_x._tcp.later.example");
	assert_int_equal(f->calls, 1);
}

/* The channel is torn down with questions that nobody waits for any more. */
static void
test_free_with_questions_under_way(void **state)
{
	struct fixture *f = *state;

	fake_dns_rule(f->dns, "h.example", DNS_A, DNS_SILENT);
	fake_dns_rule(f->dns, "h.example", DNS_AAAA, DNS_SILENT);
	fake_dns_rule(f->dns, "h.example", DNS_SRV, DNS_SILENT);
	f->lookup = lookup_addresses(f->resolver, "h.example", on_done, f);
	f->other = lookup_srv(f->resolver, "h.example", on_done, f);
	loop_turn(f->loop, 0);
	lookup_free(&f->lookup);
	lookup_free(&f->other);
	resolver_free(&f->resolver);
	assert_int_equal(f->calls, 0);
}

static void
on_done_free_all(void *arg, const struct answer *answer)
{
	struct fixture *f = arg;

	assert_int_equal(answer->status, ANSWER_FOUND);
	f->calls++;
	lookup_free(&f->lookup);
	lookup_free(&f->other);
}

static void
test_free_inside_the_callback(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	f->lookup = lookup_addresses(f->resolver, "192.0.2.1", on_done_free_all,
	    f);
	f->other = lookup_addresses(f->resolver, "192.0.2.2", on_done_free_all,
	    f);
	for (i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_int_equal(f->calls, 1);
}

static void
on_done_ask_again(void *arg, const struct answer *answer)
{
	struct fixture *f = arg;

	assert_int_equal(answer->status, ANSWER_FOUND);
	lookup_free(&f->lookup);
	if (++f->calls < 3)
		f->lookup = lookup_addresses(f->resolver, "192.0.2.1",
		    on_done_ask_again, f);
}

static void
test_ask_inside_the_callback(void **state)
{
	struct fixture *f = *state;

	f->lookup = lookup_addresses(f->resolver, "192.0.2.1",
	    on_done_ask_again, f);
	turns(f, 3);
}

static void
test_bad_servers(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };

	assert_null(resolver_new(f->loop, "not an address", &err));
	assert_non_null(strstr(err.text, "not an address"));
}

static void
write_conf(const char *path, const char *server)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "nameserver %s\n", server);
	assert_int_equal(fclose(file), 0);
}

/* At the first server nobody listens; then the file names another one. */
static void
test_changed_conf_is_read(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/test_resolver.XXXXXX";
	struct resolver_options options = { .conf = path,
		.try_ms = 30,
		.tries = 1,
		.port = f->dns->port };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_conf(path, "127.0.0.2");
	resolver_free(&f->resolver);
	f->resolver = resolver_new_with(f->loop, &options, NULL);
	assert_non_null(f->resolver);
	fake_dns_srv(f->dns, "a.example", 1, 1, 1, "h.example");
	assert_int_equal(ask_srv(f, "a.example")->status, ANSWER_FAILED);
	assert_int_equal(f->dns->asked_count, 0);
	unlink(path);
	write_conf(path, "127.0.0.1");
	assert_int_equal(ask_srv(f, "a.example")->status, ANSWER_FOUND);
	unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_srv_fields),
		TEST(test_root_is_an_empty_target),
		TEST(test_none),
		TEST(test_server_failure),
		TEST(test_silence),
		TEST(test_garbage),
		TEST(test_bad_name),
		TEST(test_truncated_goes_over_tcp),
		TEST(test_ipv6_first),
		TEST(test_half_an_answer),
		TEST(test_literals_need_no_dns),
		TEST(test_localhost_needs_no_dns),
		TEST(test_search_domains_are_not_used),
		TEST(test_limits),
		TEST(test_free_before_the_answer),
		TEST(test_free_with_questions_under_way),
		TEST(test_free_inside_the_callback),
		TEST(test_ask_inside_the_callback),
		TEST(test_bad_servers),
		TEST(test_changed_conf_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
