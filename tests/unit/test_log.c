#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static char *dir;

static char *
in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void
read_file(const char *path, struct buf *out)
{
	char chunk[4096];
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	buf_clear(out);
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, len);
	fclose(file);
}

static char *
write_conf(const char *text)
{
	char *path = in_dir("log4crc");
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static int
setup(void **state)
{
	(void)state;
	dir = mem_strdup("/tmp/test_log.XXXXXX");
	assert_non_null(mkdtemp(dir));
	unsetenv("LOGLEVEL");
	clock_fake(0, 1031699305007);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "log", "log4crc", "other" };
	char *path;
	size_t i;

	(void)state;
	log_capture(NULL, NULL);
	log_close();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path = in_dir(names[i]);
		unlink(path);
		mem_free_string(&path);
	}
	assert_int_equal(rmdir(dir), 0);
	mem_free_string(&dir);
	clock_real();
	return 0;
}

static void
take_line(enum log_level level, const char *line, void *arg)
{
	buf_printf(arg, "%d:%s\n", (int)level, line);
}

static void
test_capture(void **state)
{
	struct buf lines = { 0 };

	(void)state;
	log_capture(take_line, &lines);
	log_event(LEVEL_DEBUG, "s1", "bound", "resource=%s", "a");
	log_event(LEVEL_CRITICAL, NULL, "end", "");
	assert_string_equal(lines.data,
	    "0:s1 event=bound resource=a\n4:- event=end\n");
	buf_clear(&lines);
	log_set_level(LEVEL_WARN);
	log_event(LEVEL_INFO, "s1", "hidden", "");
	log_event(LEVEL_WARN, "s1", "shown", "");
	assert_string_equal(lines.data, "2:s1 event=shown\n");
	buf_free(&lines);
}

static void
test_one_line_only(void **state)
{
	struct buf lines = { 0 };

	(void)state;
	log_capture(take_line, &lines);
	log_event(LEVEL_WARN, "s\n1", "x", "a=%s",
	    "1\r\n2 \x1b[2J \x7f \xc2\x9b \xc3\xa4 %n");
	assert_string_equal(lines.data,
	    "2:s\\x0a1 event=x a=1\\x0d\\x0a2 \\x1b[2J \\x7f "
	    "\\xc2\x9b \xc3\xa4 %n\n");
	buf_free(&lines);
}

static void
test_quote(void **state)
{
	(void)state;
	assert_string_equal(LOG_Q(NULL), "-");
	assert_string_equal(LOG_Q(""), "\"\"");
	assert_string_equal(LOG_Q("a b"), "\"a b\"");
	assert_string_equal(LOG_Q("\n\r\t\"\\"), "\"\\n\\r\\t\\\"\\\\\"");
	assert_string_equal(LOG_Q("\x1b\x01\x7f"), "\"\\x1b\\x01\\x7f\"");
	assert_string_equal(LOG_Q("\xc3\xa4\xe2\x82\xac"),
	    "\"\xc3\xa4\xe2\x82\xac\"");
	assert_string_equal(LOG_Q("\xc2\x9b"), "\"\\xc2\\x9b\"");
	assert_string_equal(LOG_Q("\xff\xc3"), "\"\\xff\\xc3\"");
	assert_string_equal(LOG_Q("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");
}

/* 200 bytes go in; the worst of them become four each. */
static void
test_quote_cuts(void **state)
{
	char text[301], quoted[LOG_QUOTE_SIZE];

	(void)state;
	memset(text, 'x', 300);
	text[300] = '\0';
	log_quote(quoted, text);
	assert_int_equal(strlen(quoted), 1 + 200 + 4);
	assert_string_equal(quoted + 199, "xx\"...");
	text[200] = '\0';
	log_quote(quoted, text);
	assert_string_equal(quoted + 199, "xx\"");
	memset(text, 1, 300);
	log_quote(quoted, text);
	assert_int_equal(strlen(quoted), 1 + 4 * 200 + 4);
	/* Half a character is not left over at the cut. */
	memset(text, 'x', 300);
	memcpy(text + 199, "\xc3\xa4", 2);
	log_quote(quoted, text);
	assert_string_equal(quoted + 198, "xx\"...");
}

static void
test_level_names(void **state)
{
	enum log_level level = LEVEL_DEBUG;

	(void)state;
	assert_true(log_parse_level("Critical", &level));
	assert_int_equal(level, LEVEL_CRITICAL);
	assert_true(log_parse_level("warn", &level));
	assert_int_equal(level, LEVEL_WARN);
	assert_true(log_parse_level("ERROR", &level));
	assert_true(log_parse_level("info", &level));
	assert_true(log_parse_level("debug", &level));
	assert_false(log_parse_level("warning", &level));
	assert_false(log_parse_level("", &level));
	assert_int_equal(level, LEVEL_DEBUG);
}

static void
test_file(void **state)
{
	char *path = in_dir("log");
	struct buf out = { 0 };
	struct err err;
	struct stat st;
	int i;

	(void)state;
	/* Opened twice: what is there stays. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(log_open(NULL, SINK_FILE, path, &err), 0);
		log_event(LEVEL_DEBUG, "m", "hidden", "");
		log_event(LEVEL_INFO, "m", "started", "n=%d s=%%s", i);
		log_close();
	}
	read_file(path, &out);
	assert_string_equal(out.data,
	    "2002-09-10T23:08:25.007Z INFO     m event=started n=0 s=%s\n"
	    "2002-09-10T23:08:25.007Z INFO     m event=started n=1 s=%s\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	buf_free(&out);
	mem_free_string(&path);
}

static void
test_file_that_cannot_be(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(log_open(NULL, SINK_FILE, "/nowhere/log", &err), -1);
	assert_string_equal(err.text,
	    "/nowhere/log: No such file or directory");
	assert_false(log_on(LEVEL_INFO));
	assert_true(log_on(LEVEL_WARN));
}

/* stderr, as the foreground has it; unopened, only WARN and above. */
static void
test_stderr(void **state)
{
	char *path = in_dir("other");
	struct buf out = { 0 };
	int saved = dup(STDERR_FILENO);
	struct err err;

	(void)state;
	assert_non_null(freopen(path, "we", stderr));
	log_event(LEVEL_INFO, "m", "unopened", "");
	log_event(LEVEL_WARN, "m", "unopened", "");
	assert_int_equal(log_open(NULL, SINK_STDERR, NULL, &err), 0);
	log_event(LEVEL_INFO, "m", "opened", "");
	log_close();
	log_event(LEVEL_ERROR, "m", "closed", "");
	dup2(saved, STDERR_FILENO);
	close(saved);
	read_file(path, &out);
	assert_string_equal(out.data,
	    "2002-09-10T23:08:25.007Z WARN     m event=unopened\n"
	    "2002-09-10T23:08:25.007Z INFO     m event=opened\n"
	    "2002-09-10T23:08:25.007Z ERROR    m event=closed\n");
	buf_free(&out);
	mem_free_string(&path);
}

static void
expect_levels(const char *conf, enum log_level lowest)
{
	struct err err = { 0 };
	int level;

	if (log_open(conf, SINK_STDERR, NULL, &err) == -1)
		fail_msg("%s", err.text);
	for (level = LEVEL_DEBUG; level <= LEVEL_CRITICAL; level++)
		assert_int_equal(log_on((enum log_level)level),
		    level >= (int)lowest);
	log_close();
}

static void
test_conf_sets_level(void **state)
{
	static const struct {
		const char *priority;
		enum log_level lowest;
	} cases[] = {
		{ "debug", LEVEL_DEBUG },
		{ "info", LEVEL_INFO },
		{ "WARN", LEVEL_WARN },
		{ "error", LEVEL_ERROR },
		{ "crit", LEVEL_CRITICAL },
		{ "notice", LEVEL_WARN },
	};
	char *text, *path;
	size_t i;

	(void)state;
	expect_levels(NULL, LEVEL_INFO);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = mem_printf("<log4c><category name='root' "
				  "priority='%s'/></log4c>",
		    cases[i].priority);
		path = write_conf(text);
		expect_levels(path, cases[i].lowest);
		mem_free_string(&text);
		mem_free_string(&path);
	}
}

static void
test_loglevel_is_over_conf(void **state)
{
	char *path = write_conf(
	    "<log4c><category name='root' priority='error'/></log4c>");
	struct err err;

	(void)state;
	setenv("LOGLEVEL", "Debug", 1);
	expect_levels(path, LEVEL_DEBUG);
	setenv("LOGLEVEL", "critical", 1);
	expect_levels(path, LEVEL_CRITICAL);
	setenv("LOGLEVEL", "", 1);
	expect_levels(path, LEVEL_ERROR);
	setenv("LOGLEVEL", "loud", 1);
	assert_int_equal(log_open(path, SINK_STDERR, NULL, &err), -1);
	assert_string_equal(err.text,
	    "LOGLEVEL=loud: "
	    "none of debug, info, warn, error, critical");
	unsetenv("LOGLEVEL");
	/* And it is gone with it. */
	expect_levels(path, LEVEL_ERROR);
	mem_free_string(&path);
}

static void
test_conf_chooses_appender(void **state)
{
	char *log = in_dir("log"), *other = in_dir("other"), *text, *path;
	struct buf out = { 0 };
	struct err err;

	(void)state;
	text = mem_printf("<log4c><appender name='%s' type='stream'/>"
			  "<category name='xmpproxy' priority='info' "
			  "appender='%s'/>"
			  "</log4c>",
	    other, other);
	path = write_conf(text);
	assert_int_equal(log_open(path, SINK_FILE, log, &err), 0);
	log_event(LEVEL_INFO, "m", "elsewhere", "");
	read_file(other, &out);
	assert_non_null(strstr(out.data, "m event=elsewhere"));
	read_file(log, &out);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	mem_free_string(&text);
	mem_free_string(&path);
	mem_free_string(&log);
	mem_free_string(&other);
}

static const char *const broken[][2] = {
	{ "", ": not a configuration of log4c" },
	{ "<log4c>", ": not a configuration of log4c" },
	{ "<log5c/>", ": not a configuration of log4c" },
	{ "<!-- x --><log4c/>", ": a comment outside of <log4c>" },
	{ "<log4c></log4c><!-- x -->", ": a comment outside of <log4c>" },
	{ "<log4c><category name='root' priority='loud'/></log4c>",
	    ": category \"root\": "
	    "priority is none of debug, info, warn, error, crit" },
	{ "<log4c><appender name='a' type='b'/>"
	  "<category name='root' appender='a'/></log4c>",
	    ": appender \"a\": no such type" },
	{ "<log4c><layout name='l' type='b'/><appender name='c' layout='l'/>"
	  "<category name='xmpproxy' appender='c'/></log4c>",
	    ": appender \"c\": no such layout" },
};

static void
test_broken_conf(void **state)
{
	struct err err;
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		path = write_conf(broken[i][0]);
		assert_int_equal(log_open(path, SINK_STDERR, NULL, &err), -1);
		assert_memory_equal(err.text, path, strlen(path));
		assert_string_equal(err.text + strlen(path), broken[i][1]);
		mem_free_string(&path);
	}
	assert_int_equal(log_open("/nowhere", SINK_STDERR, NULL, &err), -1);
	assert_string_equal(err.text, "/nowhere: No such file or directory");
}

static void
test_conf_too_long(void **state)
{
	char *path = in_dir("log4crc");
	FILE *file = fopen(path, "we");
	struct err err;

	(void)state;
	assert_non_null(file);
	fprintf(file, "<log4c>%65536s</log4c>", "");
	fclose(file);
	assert_int_equal(log_open(path, SINK_STDERR, NULL, &err), -1);
	assert_non_null(strstr(err.text, ": longer than 64 KiB"));
	mem_free_string(&path);
}

static void
test_shipped_conf(void **state)
{
	(void)state;
	expect_levels("conf/log4crc", LEVEL_INFO);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_capture),
		LOG_TEST(test_one_line_only),
		LOG_TEST(test_quote),
		LOG_TEST(test_quote_cuts),
		LOG_TEST(test_level_names),
		LOG_TEST(test_file),
		LOG_TEST(test_file_that_cannot_be),
		LOG_TEST(test_stderr),
		LOG_TEST(test_conf_sets_level),
		LOG_TEST(test_loglevel_is_over_conf),
		LOG_TEST(test_conf_chooses_appender),
		LOG_TEST(test_broken_conf),
		LOG_TEST(test_conf_too_long),
		LOG_TEST(test_shipped_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
