#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void
test_alloc_is_zeroed(void **state)
{
	static const char zeros[64];
	char *p = mem_alloc(sizeof(zeros));

	(void)state;
	assert_memory_equal(p, zeros, sizeof(zeros));
	free(p);
	p = mem_array(8, 8);
	assert_memory_equal(p, zeros, sizeof(zeros));
	free(p);
}

static void
test_nothing_is_something(void **state)
{
	void *p = mem_alloc(0);

	(void)state;
	assert_non_null(p);
	free(p);
	p = mem_array(0, 8);
	assert_non_null(p);
	p = mem_grow(p, 0);
	assert_non_null(p);
	free(p);
}

static void
test_grow_keeps(void **state)
{
	char *p = mem_strdup("kept");

	(void)state;
	p = mem_grow(p, 5000);
	assert_string_equal(p, "kept");
	free(p);
}

static void
test_strings(void **state)
{
	char *s = mem_strndup("abcdef", 3);

	(void)state;
	assert_string_equal(s, "abc");
	mem_free_string(&s);
	assert_null(s);
	mem_free_string(&s);
	s = mem_strndup("ab", 100);
	assert_string_equal(s, "ab");
	mem_free_string(&s);
	assert_null(mem_strdup(NULL));
	assert_null(mem_strndup(NULL, 3));
	s = mem_printf("%s-%d", "x", 7);
	assert_string_equal(s, "x-7");
	mem_free_secret(&s);
	assert_null(s);
	mem_free_secret(&s);
}

static void
test_wipe(void **state)
{
	char secret[] = "secret";

	(void)state;
	mem_wipe(secret, 3);
	assert_memory_equal(secret, "\0\0\0ret", 7);
	mem_wipe(NULL, 0);
}

static void
test_overflow_dies(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_int_not_equal(child, -1);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		mem_array(SIZE_MAX / 4, 8);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_is_zeroed),
		cmocka_unit_test(test_nothing_is_something),
		cmocka_unit_test(test_grow_keeps),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_overflow_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
