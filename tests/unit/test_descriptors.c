#include "support_io.h"

#include <sys/resource.h>

#include "base/log.h"
#include "core/descriptors.h"

static struct rlimit before;

static int
setup(void **state)
{
	*state = mem_alloc(sizeof(struct buf));
	return getrlimit(RLIMIT_NOFILE, &before);
}

static int
teardown(void **state)
{
	struct buf *log = *state;

	log_capture(NULL, NULL);
	buf_free(log);
	free(log);
	return setrlimit(RLIMIT_NOFILE, &before);
}

static void
on_log(enum log_level level, const char *line, void *log)
{
	assert_int_equal(level, LEVEL_WARN);
	buf_puts(log, line);
}

/* Two accounts, and so many connections. */
static void
raise_for(uint64_t connections, struct buf *log)
{
	struct user_config user = { .name = (char *)"alice" };
	struct account_config accounts[2] = { 0 };
	struct config config = { .limits = { .connections = connections } };

	STAILQ_INIT(&config.users);
	STAILQ_INIT(&user.accounts);
	STAILQ_INSERT_TAIL(&config.users, &user, next);
	STAILQ_INSERT_TAIL(&user.accounts, &accounts[0], next);
	STAILQ_INSERT_TAIL(&user.accounts, &accounts[1], next);
	log_capture(on_log, log);
	descriptors_raise(&config);
}

static void
the_soft_limit_becomes_the_hard_one(void **state)
{
	struct rlimit low = { 64, before.rlim_max }, now;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	raise_for(16, *state);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, before.rlim_max);
}

/* 128 more are for all that is no connection. */
static void
too_few_are_told(void **state)
{
	struct buf *log = *state;

	raise_for(before.rlim_max - 130, log);
	assert_int_equal(log->len, 0);
	raise_for(before.rlim_max - 129, log);
	assert_non_null(log->data);
	assert_non_null(strstr(log->data, "event=few-descriptors"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_soft_limit_becomes_the_hard_one),
		TEST(too_few_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
