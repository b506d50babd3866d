#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "core/config.h"
#include "core/options.h"
#include "core/run.h"
#include "core/service.h"
#include "mod/modules.h"
#include "xmpp/scram.h"

#define PASSWORD_MAX 1024

static void
warn(const char *text)
{
	fprintf(stderr, "xmpproxy: warning: %s\n", text);
}

static int
fail(int status, const struct err *err)
{
	fprintf(stderr, "xmpproxy: %s\n", err->text);
	return status;
}

static struct config *
load(const struct options *options, struct err *err)
{
	char *path = options_find_config(options, NULL, err);
	struct config *config = NULL;

	if (path != NULL)
		config = config_load(path, warn, err);
	mem_free_string(&path);
	return config;
}

static int
check(const struct options *options)
{
	struct err err;
	struct config *config = load(options, &err);

	if (config == NULL)
		return fail(EX_CONFIG, &err);
	printf("%s: good\n", config->path);
	config_free(&config);
	return EX_OK;
}

static int
hash_password(void)
{
	char line[PASSWORD_MAX];
	struct scram_credential credential;
	struct buf text = { 0 };
	struct err err;
	int rc;

	if (fgets(line, sizeof(line), stdin) == NULL) {
		err_set(&err, "no password on standard input");
		return fail(EX_NOINPUT, &err);
	}
	line[strcspn(line, "\n")] = '\0';
	rc = scram_make(&credential, line, &err);
	mem_wipe(line, sizeof(line));
	if (rc == -1)
		return fail(EX_DATAERR, &err);
	scram_format(&text, &credential);
	puts(text.data);
	buf_free(&text);
	return EX_OK;
}

static int
open_log(const struct options *options, struct err *err)
{
	enum log_sink sink = options->daemon ? SINK_SYSLOG : SINK_STDERR;

	if (log_open(options->logconf, sink, NULL, err) == -1)
		return -1;
	if (options->has_level)
		log_set_level(options->level);
	return 0;
}

static int
serve(const struct options *options)
{
	struct err err;
	struct config *config;
	int rc;

	run_hold_signals();
	if ((config = load(options, &err)) == NULL)
		return fail(EX_CONFIG, &err);
	if (open_log(options, &err) == -1) {
		config_free(&config);
		return fail(EX_CONFIG, &err);
	}
	if (options->daemon && service_daemonize(&err) == -1) {
		config_free(&config);
		return fail(EX_OSERR, &err);
	}
	rc = run(config, modules, &err);
	log_close();
	if (rc == RUN_STORE_FAILED)
		return fail(EX_TEMPFAIL, &err);
	return rc == 0 ? EX_OK : fail(EX_UNAVAILABLE, &err);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct err err;

	if (options_parse(&options, argc, argv, &err) == -1)
		return fail(EX_USAGE, &err);
	switch (options.task) {
	case OPTIONS_RUN:
		return serve(&options);
	case OPTIONS_CHECK:
		return check(&options);
	case OPTIONS_HASH:
		return hash_password();
	case OPTIONS_VERSION:
		puts(XMPPROXY_NAME " " XMPPROXY_VERSION);
		return EX_OK;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return EX_OK;
	}
	return EX_SOFTWARE;
}
