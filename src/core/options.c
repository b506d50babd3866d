#include "core/options.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

const char options_help[] =
    "usage: xmpproxy [-d] [--debug N] [--conffile FILE] [--logconf FILE]\n"
    "       xmpproxy --check [--conffile FILE]\n"
    "       xmpproxy --hash-password < FILE\n"
    "\n"
    "  -d, --daemon      go to the background\n"
    "  --debug N         what is logged: 0 critical, 1 errors too,\n"
    "                    2 warnings too, 3 information too, 4 everything\n"
    "  --conffile FILE   the configuration; else proxy.xml beside the\n"
    "                    program, else " OPTIONS_CONFDIR "/proxy.xml\n"
    "  --logconf FILE    a log4crc\n"
    "  --check           only check the configuration: exit status 0 or 78\n"
    "  --hash-password   print what can stand in proxy.xml in place of the\n"
    "                    password that standard input begins with\n"
    "  --version         print the version\n"
    "  --help            print this\n"
    "\n"
    "xmpproxy(8) and proxy.xml(5) say more.\n";

/* No letters: only the long form. */
enum { DEBUG = 256, CONFFILE, LOGCONF, CHECK, HASH, VERSION, HELP };

static const struct option known[] = {
	{ "daemon", no_argument, NULL, 'd' },
	{ "debug", required_argument, NULL, DEBUG },
	{ "conffile", required_argument, NULL, CONFFILE },
	{ "logconf", required_argument, NULL, LOGCONF },
	{ "check", no_argument, NULL, CHECK },
	{ "hash-password", no_argument, NULL, HASH },
	{ "version", no_argument, NULL, VERSION },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

/* The higher the number, the more is said. */
static int
parse_debug(struct options *options, const char *number, struct err *err)
{
	static const enum log_level levels[] = { LEVEL_CRITICAL, LEVEL_ERROR,
		LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };
	uint64_t n;

	if (!text_to_uint(number, 0, UINT64_MAX, &n))
		return err_set(err, "--debug %s; expected a number: 0 to 4",
		    LOG_Q(number));
	options->has_level = true;
	options->level = n < LEVEL_CRITICAL + 1 ? levels[n] : LEVEL_DEBUG;
	return 0;
}

static int
set_task(struct options *options, enum options_task task, struct err *err)
{
	if (options->task != OPTIONS_RUN && options->task != task)
		return err_set(err,
		    "two things to do; expected one of "
		    "--check, --hash-password, --version or --help");
	options->task = task;
	return 0;
}

static int
bad_option(int option, char **argv, struct err *err)
{
	const char *written = argv[optind - 1];

	/*
	 * A letter may be one of several in a word that is not yet done; -d is
	 * known, so that 'd' stands for --daemon=...
	 */
	if (option == '?' && optopt > 0 && optopt < DEBUG && optopt != 'd')
		return err_set(err,
		    "unknown option -%c; expected those of xmpproxy --help",
		    optopt);
	if (option == ':')
		return err_set(err, "%s without its value; expected %s %s",
		    written, written, optopt == DEBUG ? "N" : "FILE");
	return err_set(err,
	    "unknown option %s; expected those of xmpproxy --help",
	    LOG_Q(written));
}

static int
take(struct options *options, int option, char **argv, struct err *err)
{
	switch (option) {
	case 'd':
		options->daemon = true;
		return 0;
	case DEBUG:
		return parse_debug(options, optarg, err);
	case CONFFILE:
		options->conffile = optarg;
		return 0;
	case LOGCONF:
		options->logconf = optarg;
		return 0;
	case CHECK:
		return set_task(options, OPTIONS_CHECK, err);
	case HASH:
		return set_task(options, OPTIONS_HASH, err);
	case VERSION:
		return set_task(options, OPTIONS_VERSION, err);
	case HELP:
		return set_task(options, OPTIONS_HELP, err);
	default:
		return bad_option(option, argv, err);
	}
}

int
options_parse(struct options *options, int argc, char **argv, struct err *err)
{
	int option;

	*options = (struct options){ .task = OPTIONS_RUN };
	/* 0, not 1: glibc then forgets what an earlier argv left behind. */
	optind = 0;
	while ((option = getopt_long(argc, argv, ":d", known, NULL)) != -1)
		if (take(options, option, argv, err) < 0)
			return -1;
	if (optind < argc)
		return err_set(err, "%s; expected options alone",
		    LOG_Q(argv[optind]));
	return 0;
}

/* The folder of the running program, or NULL. */
static char *
own_folder(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return NULL;
	path[len] = '\0';
	return mem_strndup(path, (size_t)(strrchr(path, '/') - path));
}

static char *
folder_of(const char *executable)
{
	const char *slash;

	if (executable == NULL)
		return own_folder();
	if ((slash = strrchr(executable, '/')) == NULL)
		return mem_strdup(".");
	return mem_strndup(executable, (size_t)(slash - executable));
}

char *
options_find_config(const struct options *options, const char *executable,
    struct err *err)
{
	static const char there[] = OPTIONS_CONFDIR "/" OPTIONS_CONFFILE;
	char *folder, *here;

	if (options->conffile != NULL)
		return mem_strdup(options->conffile);
	folder = folder_of(executable);
	here = mem_printf("%s/%s", folder == NULL ? "." : folder,
	    OPTIONS_CONFFILE);
	mem_free_string(&folder);
	if (access(here, F_OK) == 0)
		return here;
	if (access(there, F_OK) == 0) {
		mem_free_string(&here);
		return mem_strdup(there);
	}
	err_set(err, "no configuration; expected %s, %s or --conffile FILE",
	    here, there);
	mem_free_string(&here);
	return NULL;
}
