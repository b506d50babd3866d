/*
 * Runs one script (README.md), as it is and with its connections cut into single
 * bytes; speaks TAP. -v shows each stanza and each line of the log.
 */
#include <stdio.h>
#include <string.h>

#include "rig/run.h"

#define LOG_LINES 12 /* of the proxy's log, where a script fails */

/* A line each, behind "# ". */
static void
print_comment(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] != '\0')) {
		len = strcspn(text, "\n");
		printf("# %.*s\n", (int)len, text);
	}
}

static void
print_log(const struct buf *log)
{
	size_t at = log->len;

	for (int lines = 0; at > 0 && lines <= LOG_LINES; at--)
		lines += log->data[at - 1] == '\n';
	printf("# the log:\n");
	print_comment(log->data + at + (at > 0 ? 1 : 0));
}

static bool
run_case(struct script *script, size_t cut, bool is_traced)
{
	struct run run = { .script = script,
		.cut = cut,
		.is_traced = is_traced };
	const struct statement *at = NULL;
	int rc = run_script(&run, &at);

	if (rc != 0) {
		printf("# %s:%u: %s %.200s\n", script->path,
		    at != NULL ? at->line : 0, at != NULL ? at->verb : "",
		    at != NULL ? at->rest : "");
		print_comment(run.why);
		if (run.rig != NULL && run.rig->log.len > 0)
			print_log(&run.rig->log);
	}
	run_fini(&run);
	return rc == 0;
}

int
main(int argc, char **argv)
{
	bool is_traced = argc > 2 && strcmp(argv[1], "-v") == 0;
	const char *path = argv[argc - 1];
	struct script script;
	struct err err;
	bool good[2];

	if (argc != 2 + is_traced) {
		fprintf(stderr, "usage: xt [-v] script.xt\n");
		return 2;
	}
	if (script_load(&script, path, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..2\n");
	good[0] = run_case(&script, 0, is_traced);
	printf("%s 1 - %s\n", good[0] ? "ok" : "not ok", path);
	good[1] = run_case(&script, 1, is_traced);
	printf("%s 2 - %s in single bytes\n", good[1] ? "ok" : "not ok", path);
	script_free(&script);
	return good[0] && good[1] ? 0 : 1;
}
