/* The command line. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

/* The folder where proxy.xml is looked for after that of the executable. */
#define OPTIONS_CONFDIR  "/etc/xmpproxy"
#define OPTIONS_CONFFILE "proxy.xml"

enum options_task {
	OPTIONS_RUN,
	OPTIONS_CHECK, /* --check: only check the configuration */
	OPTIONS_HASH,  /* --hash-password: from stdin, prints the credential */
	OPTIONS_VERSION,
	OPTIONS_HELP,
};

struct options {
	enum options_task task;
	bool daemon;
	bool has_level; /* --debug N was given; goes before LOGLEVEL */
	enum log_level level;
	const char *conffile; /* of argv, or NULL */
	const char *logconf;  /* of argv, or NULL */
};

extern const char options_help[]; /* what --help prints */

/*
 * Fills *options, defaults included. -1 and err ("unknown option --x; expected
 * ...") is a usage error. argv may be reordered and has to outlive *options.
 */
int options_parse(struct options *, int argc, char **argv, struct err *);

/*
 * Where proxy.xml is: --conffile as it was given, else beside the executable, else
 * in OPTIONS_CONFDIR. `executable` is its path, or NULL for /proc/self/exe. The
 * caller frees; NULL and err where there is none in either place.
 */
char *options_find_config(const struct options *, const char *executable,
    struct err *);

#endif
