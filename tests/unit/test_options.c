#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/options.h"

enum { ARGS_MAX = 8 };

static struct options options;
static struct err err;

/* args: words with one space between. The words live until the next call. */
static int
parse(const char *args)
{
	static char program[] = "xmpproxy", words[256];
	char *argv[ARGS_MAX + 1] = { program }, *rest = words, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", args);
	while ((word = strsep(&rest, " ")) != NULL && argc < ARGS_MAX)
		if (*word != '\0')
			argv[argc++] = word;
	err = (struct err){ 0 };
	return options_parse(&options, argc, argv, &err);
}

static void
nothing_given_means_run(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(options.task, OPTIONS_RUN);
	assert_false(options.daemon);
	assert_false(options.has_level);
	assert_null(options.conffile);
	assert_null(options.logconf);
}

static void
the_options_of_2012_are_taken(void **state)
{
	(void)state;
	assert_int_equal(parse("-d --debug 3 --conffile a.xml --logconf b"), 0);
	assert_int_equal(options.task, OPTIONS_RUN);
	assert_true(options.daemon);
	assert_true(options.has_level);
	assert_int_equal(options.level, LEVEL_INFO);
	assert_string_equal(options.conffile, "a.xml");
	assert_string_equal(options.logconf, "b");
	assert_int_equal(parse("--daemon --conffile=c.xml"), 0);
	assert_true(options.daemon);
	assert_false(options.has_level);
	assert_string_equal(options.conffile, "c.xml");
}

static void
debug_numbers_are_levels(void **state)
{
	static const struct {
		const char *args;
		enum log_level level;
	} cases[] = {
		{ "--debug 0", LEVEL_CRITICAL },
		{ "--debug 1", LEVEL_ERROR },
		{ "--debug 2", LEVEL_WARN },
		{ "--debug 3", LEVEL_INFO },
		{ "--debug 4", LEVEL_DEBUG },
		{ "--debug 5", LEVEL_DEBUG },
		{ "--debug 4294967296", LEVEL_DEBUG },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].args), 0);
		assert_true(options.has_level);
		assert_int_equal(options.level, cases[i].level);
	}
}

static void
one_thing_is_done(void **state)
{
	(void)state;
	assert_int_equal(parse("--check --conffile a.xml"), 0);
	assert_int_equal(options.task, OPTIONS_CHECK);
	assert_string_equal(options.conffile, "a.xml");
	assert_int_equal(parse("--hash-password"), 0);
	assert_int_equal(options.task, OPTIONS_HASH);
	assert_int_equal(parse("--version"), 0);
	assert_int_equal(options.task, OPTIONS_VERSION);
	assert_int_equal(parse("--help --help"), 0);
	assert_int_equal(options.task, OPTIONS_HELP);
}

static void
what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *args, *text;
	} cases[] = {
		{ "--frobnicate",
		    "unknown option \"--frobnicate\"; expected those of "
		    "xmpproxy --help" },
		{ "--daemon=yes",
		    "unknown option \"--daemon=yes\"; expected those of "
		    "xmpproxy --help" },
		{ "-x",
		    "unknown option -x; expected those of xmpproxy --help" },
		{ "-dx",
		    "unknown option -x; expected those of xmpproxy --help" },
		{ "--conffile",
		    "--conffile without its value; expected --conffile FILE" },
		{ "--debug", "--debug without its value; expected --debug N" },
		{ "--debug much",
		    "--debug \"much\"; expected a number: 0 to 4" },
		{ "--debug -1", "--debug \"-1\"; expected a number: 0 to 4" },
		{ "--check --version",
		    "two things to do; expected one of --check, "
		    "--hash-password, --version or --help" },
		{ "proxy.xml", "\"proxy.xml\"; expected options alone" },
		{ "-d -- -d", "\"-d\"; expected options alone" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].args), -1);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void
every_option_is_in_the_help(void **state)
{
	static const char *const names[] = { "-d, --daemon", "--debug N",
		"--conffile FILE", "--logconf FILE", "--check",
		"--hash-password", "--version", "--help" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(options_help, names[i]));
}

static void
conffile_is_taken_as_it_is(void **state)
{
	char *path;

	(void)state;
	assert_int_equal(parse("--conffile nowhere/a.xml"), 0);
	path = options_find_config(&options, NULL, &err);
	assert_string_equal(path, "nowhere/a.xml");
	mem_free_string(&path);
}

static void
the_file_beside_the_executable_comes_first(void **state)
{
	char folder[] = "/tmp/test_options.XXXXXX", *executable, *file, *path;
	FILE *out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	executable = mem_printf("%s/xmpproxy", folder);
	file = mem_printf("%s/proxy.xml", folder);
	assert_int_equal(parse(""), 0);
	out = fopen(file, "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	path = options_find_config(&options, executable, &err);
	assert_string_equal(path, file);
	mem_free_string(&path);
	assert_int_equal(unlink(file), 0);
	path = options_find_config(&options, executable, &err);
	if (access("/etc/xmpproxy/proxy.xml", F_OK) == 0) {
		assert_string_equal(path, "/etc/xmpproxy/proxy.xml");
	} else {
		assert_null(path);
		assert_non_null(strstr(err.text, file));
		assert_non_null(strstr(err.text, "/etc/xmpproxy/proxy.xml"));
	}
	mem_free_string(&path);
	assert_int_equal(rmdir(folder), 0);
	mem_free_string(&executable);
	mem_free_string(&file);
}

/* Without a name given, this very program's folder is where it looks. */
static void
the_executable_is_found_by_itself(void **state)
{
	char own[4096], *path;
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	(void)state;
	assert_true(len > 0);
	own[len] = '\0';
	*strrchr(own, '/') = '\0';
	assert_int_equal(parse(""), 0);
	path = options_find_config(&options, NULL, &err);
	assert_true(path != NULL || strstr(err.text, own) != NULL);
	mem_free_string(&path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_means_run),
		cmocka_unit_test(the_options_of_2012_are_taken),
		cmocka_unit_test(debug_numbers_are_levels),
		cmocka_unit_test(one_thing_is_done),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(every_option_is_in_the_help),
		cmocka_unit_test(conffile_is_taken_as_it_is),
		cmocka_unit_test(the_file_beside_the_executable_comes_first),
		cmocka_unit_test(the_executable_is_found_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
