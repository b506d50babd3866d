/* Scripts that have to fail do, and say why (tests/rig/README.md). */
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
#include "rig/run.h"

/* Why it failed, for the caller to free; NULL: it did not. */
static char *
run_text(const char *text, unsigned *line)
{
	char path[] = "/tmp/xt-XXXXXX";
	int fd = mkstemp(path);
	struct script script;
	struct run run = { .script = &script };
	const struct statement *at = NULL;
	char *why = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(script_load(&script, path, NULL), 0);
	unlink(path);
	if (run_script(&run, &at) != 0)
		why = mem_strdup(run.why);
	*line = at != NULL ? at->line : 0;
	run_fini(&run);
	script_free(&script);
	return why;
}

static void
assert_good(const char *text)
{
	unsigned line;
	char *why = run_text(text, &line);

	if (why != NULL)
		print_error("%u: %s\n", line, why);
	assert_null(why);
}

static void
assert_bad(const char *text, unsigned expected_line, const char *expected)
{
	unsigned line;
	char *why = run_text(text, &line);

	assert_non_null(why);
	if (strstr(why, expected) == NULL)
		print_error("%s\n", why);
	assert_non_null(strstr(why, expected));
	assert_int_equal(line, expected_line);
	free(why);
}

#define IN \
	"S> <message from='b@b' to='$S' " \
	"type='chat'><body>x</body></message>\n"
#define OUT \
	"C1< <message from='b@b' to='$C1' " \
	"type='chat'><body>x</body></message>\n"

static void
test_strict(void **state)
{
	(void)state;
	assert_good("# a comment\nlogin C1\n" IN OUT);
	assert_good("login C1\n" IN "drain\n");
	assert_bad("login C1\n" IN, 2, "nobody expected");
	assert_bad("login C1\nlogin C2\n" IN OUT, 4, "C2 got what nobody");
	assert_bad("login C1\n" IN "nothing\n" OUT, 3, "nobody expected");
	assert_bad("login C1\n" OUT, 2, "C1 got nothing");
	assert_bad("login C1\n" IN "C1< <message>\n ...</message>\n", 3,
	    "something else");
	assert_bad("login C1\n" IN "C1<~ <iq/>\n", 3, "did not get this");
}

static void
test_streams(void **state)
{
	(void)state;
	assert_good("login C1\nC1> <!-- -->\nclosed C1 restricted-xml\n"
		    "drain S\n");
	assert_bad("login C1\nclosed C1\n", 2, "was not closed");
	assert_bad("login C1\nC1> <!-- -->\nclosed C1 conflict\n", 3,
	    "closed with restricted-xml");
	assert_bad("login C1\nclose C1\nC1> <presence/>\n", 3, "not connected");
	assert_bad("refused C1 whatever\n", 1, "can log in");
	assert_bad("login C1 as=carol@a.example\n", 1, "cannot log in");
}

static void
test_language(void **state)
{
	(void)state;
	assert_bad("", 0, "does nothing");
	assert_bad("login C1\nlogn C2\n", 2, "no verb 'logn'");
	assert_bad("login C1\nC1> <iq id='$x'/>\n", 2, "nothing is known");
	assert_bad("login C1\nC1> <iq id='{x}'/>\n", 2, "nothing is named");
	assert_bad("login C1\nC1< <iq\n", 2, "no pattern");
	assert_bad("login C1\nX1> <iq/>\n", 2, "there is no 'X1'");
	assert_bad("login C1\nlimits a=1\n", 2, "stands already");
	assert_bad("limits stanza-bytes=1\nlogin C1\n", 2, "the configuration");
	assert_bad("login C1\nlogged no such line\n", 2, "does not say");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
