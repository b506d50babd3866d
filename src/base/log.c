#include "base/log.h"

#include <fcntl.h>
#include <log4c.h>
#include <log4c/appender_type_rollingfile.h>
#include <log4c/appender_type_stream.h>
#include <log4c/appender_type_stream2.h>
#include <log4c/appender_type_syslog.h>
#include <log4c/layout_type_basic.h>
#include <log4c/layout_type_basic_r.h>
#include <log4c/layout_type_dated.h>
#include <log4c/layout_type_dated_r.h>
#include <log4c/rollingpolicy_type_sizewin.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

/* Our category, and our appender: the sink that log_open() was told. */
#define OUR_NAME "xmpproxy"

enum { QUOTE_MAX = 200, CONF_MAX = 65536 };

static const struct {
	const char *name;
	int priority, syslog;
} levels[] = {
	[LEVEL_DEBUG] = { "debug", LOG4C_PRIORITY_DEBUG, LOG_DEBUG },
	[LEVEL_INFO] = { "info", LOG4C_PRIORITY_INFO, LOG_INFO },
	[LEVEL_WARN] = { "warn", LOG4C_PRIORITY_WARN, LOG_WARNING },
	[LEVEL_ERROR] = { "error", LOG4C_PRIORITY_ERROR, LOG_ERR },
	[LEVEL_CRITICAL] = { "critical", LOG4C_PRIORITY_CRIT, LOG_CRIT },
};
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static struct {
	log4c_category_t *category; /* NULL: not open */
	void (*capture)(enum log_level, const char *, void *);
	void *capture_arg;
	int threshold; /* a priority of log4c */
	bool level_was_set;
	int fd; /* of SINK_FILE and SINK_STDERR */
} state = { .threshold = LOG4C_PRIORITY_WARN, .fd = STDERR_FILENO };

static enum log_level
level_of(int priority)
{
	int level = LEVEL_CRITICAL;

	while (level > LEVEL_DEBUG && levels[level].priority < priority)
		level--;
	return (enum log_level)level;
}

static void
write_line(int fd, enum log_level level, const char *line)
{
	uint64_t wall = clock_wall();
	time_t seconds = (time_t)(wall / 1000);
	char stamp[32], name[16];
	struct tm tm;
	size_t i;

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(name, sizeof(name), "%s", levels[level].name);
	for (i = 0; name[i] != '\0'; i++)
		name[i] = (char)(name[i] - 'a' + 'A');
	dprintf(fd, "%s.%03uZ %-8s %s\n", stamp, (unsigned)(wall % 1000), name,
	    line);
}

static int
append_fd(log4c_appender_t *appender, const log4c_logging_event_t *event)
{
	(void)appender;
	write_line(state.fd, level_of(event->evt_priority), event->evt_msg);
	return 0;
}

static int
append_syslog(log4c_appender_t *appender, const log4c_logging_event_t *event)
{
	(void)appender;
	syslog(levels[level_of(event->evt_priority)].syslog, "%s",
	    event->evt_msg);
	return 0;
}

/*
 * log4c's own stream appender truncates its file, closes stderr, and puts its
 * name before each line; so these stand in for it.
 */
static const log4c_appender_type_t fd_appender = {
	.name = OUR_NAME "-fd",
	.append = append_fd,
};
static const log4c_appender_type_t syslog_appender = {
	.name = OUR_NAME "-syslog",
	.append = append_syslog,
};

/*
 * What log4c_init() does, except that it also reads ./log4crc and ~/.log4crc,
 * whoever wrote them.
 */
static void
register_types(void)
{
	log4c_layout_type_set(&log4c_layout_type_basic);
	log4c_layout_type_set(&log4c_layout_type_dated);
	log4c_layout_type_set(&log4c_layout_type_basic_r);
	log4c_layout_type_set(&log4c_layout_type_dated_r);
	log4c_appender_type_set(&log4c_appender_type_stream);
	log4c_appender_type_set(&log4c_appender_type_stream2);
	log4c_appender_type_set(&log4c_appender_type_syslog);
	log4c_appender_type_set(&log4c_appender_type_rollingfile);
	log4c_rollingpolicy_type_set(&log4c_rollingpolicy_type_sizewin);
}

static int
open_sink(enum log_sink sink, const char *path, struct err *err)
{
	log4c_appender_t *appender = log4c_appender_get(OUR_NAME);
	int fd;

	log4c_appender_set_type(appender, &fd_appender);
	if (sink == SINK_SYSLOG) {
		openlog("xmpproxy", LOG_PID, LOG_DAEMON);
		log4c_appender_set_type(appender, &syslog_appender);
	} else if (sink == SINK_FILE) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		    0640);
		if (fd == -1)
			return err_errno(err, path);
		state.fd = fd;
	}
	return 0;
}

/* log4c takes any word and then logs everything, or nothing. */
static int
check_category(const char *name, struct err *err)
{
	log4c_category_t *category = log4c_category_get(name);
	log4c_appender_t *appender;
	const log4c_layout_t *layout;

	if (log4c_category_get_priority(category) == LOG4C_PRIORITY_UNKNOWN)
		return err_set(err,
		    "category \"%s\": "
		    "priority is none of debug, info, warn, error, crit",
		    name);
	/* The const that log4c puts on is not meant: it opens them itself. */
	appender = (log4c_appender_t *)log4c_category_get_appender(category);
	if (appender == NULL)
		return 0;
	name = log4c_appender_get_name(appender);
	layout = log4c_appender_get_layout(appender);
	if (log4c_appender_get_type(appender) == NULL)
		return err_set(err, "appender \"%s\": no such type", name);
	if (log4c_layout_get_type(layout) == NULL)
		return err_set(err, "appender \"%s\": no such layout", name);
	if (log4c_appender_open(appender) == -1)
		return err_set(err, "appender \"%s\": cannot be opened", name);
	return 0;
}

/* log4c aborts at a comment outside of its root element. */
static bool
has_outer_comment(const char *text)
{
	const char *comment = strstr(text, "<!--");
	const char *start = strstr(text, "<log4c");
	const char *end = strstr(text, "</log4c>");

	if (comment != NULL && (start == NULL || comment < start))
		return true;
	return end != NULL && strstr(end, "<!--") != NULL;
}

static int
check_text(const char *conf, struct err *err)
{
	char text[CONF_MAX];
	size_t len;
	FILE *file;

	if ((file = fopen(conf, "re")) == NULL)
		return err_errno(err, conf);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (len == sizeof(text))
		return err_set(err, "%s: longer than 64 KiB", conf);
	text[len] = '\0';
	if (has_outer_comment(text))
		return err_set(err, "%s: a comment outside of <log4c>", conf);
	return 0;
}

static int
load_conf(const char *conf, struct err *err)
{
	if (check_text(conf, err) == -1)
		return -1;
	if (log4c_load(conf) == -1)
		return err_set(err, "%s: not a configuration of log4c", conf);
	if (check_category("root", err) == -1 ||
	    check_category(OUR_NAME, err) == -1)
		return err_prefix(err, "%s", conf);
	return 0;
}

static int
level_from_environment(struct err *err)
{
	const char *name = getenv("LOGLEVEL");
	enum log_level level;

	if (name == NULL || *name == '\0')
		return 0;
	if (!log_parse_level(name, &level))
		return err_set(err,
		    "LOGLEVEL=%s: none of debug, info, warn, "
		    "error, critical",
		    name);
	log_set_level(level);
	return 0;
}

/* Categories outlive log_close() in log4c: as new again. */
static void
forget_categories(log4c_category_t *root, log4c_category_t *ours)
{
	log4c_category_set_appender(root, NULL);
	log4c_category_set_priority(root, LOG4C_PRIORITY_INFO);
	log4c_category_set_appender(ours, NULL);
	log4c_category_set_priority(ours, LOG4C_PRIORITY_NOTSET);
}

int
log_open(const char *conf, enum log_sink sink, const char *path,
    struct err *err)
{
	log4c_category_t *root, *ours;

	log_close();
	register_types();
	root = log4c_category_get("root");
	ours = log4c_category_get(OUR_NAME);
	forget_categories(root, ours);
	if (open_sink(sink, path, err) == -1)
		return -1;
	if (conf != NULL && load_conf(conf, err) == -1)
		goto fail;
	if (log4c_category_get_appender(root) == NULL &&
	    log4c_category_get_appender(ours) == NULL)
		log4c_category_set_appender(root, log4c_appender_get(OUR_NAME));
	state.category = ours;
	state.threshold = log4c_category_get_chainedpriority(ours);
	if (level_from_environment(err) == -1)
		goto fail;
	return 0;
fail:
	log_close();
	return -1;
}

void
log_close(void)
{
	state.category = NULL;
	state.threshold = LOG4C_PRIORITY_WARN;
	state.level_was_set = false;
	if (state.fd != STDERR_FILENO)
		close(state.fd);
	state.fd = STDERR_FILENO;
	closelog();
}

void
log_set_level(enum log_level level)
{
	state.threshold = levels[level].priority;
	state.level_was_set = true;
	if (state.category != NULL)
		log4c_category_set_priority(state.category, state.threshold);
}

bool
log_parse_level(const char *name, enum log_level *level)
{
	int i;

	for (i = 0; i < LEVELS; i++) {
		if (strcasecmp(name, levels[i].name) != 0)
			continue;
		*level = (enum log_level)i;
		return true;
	}
	return false;
}

bool
log_on(enum log_level level)
{
	return levels[level].priority <= state.threshold;
}

void
log_capture(void (*sink)(enum log_level, const char *line, void *arg),
    void *arg)
{
	state.capture = sink;
	state.capture_arg = arg;
	if (state.category == NULL && !state.level_was_set)
		state.threshold = sink != NULL ? LOG4C_PRIORITY_DEBUG :
						 LOG4C_PRIORITY_WARN;
}

/* Bytes that could forge a line or drive a terminal, C1 controls included. */
static bool
is_control(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return p[0] < 0x20 || p[0] == 0x7f ||
	    (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
}

static void
escape_controls(struct buf *line)
{
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < line->len; i++) {
		if (is_control(line->data + i))
			buf_printf(&out, "\\x%02x",
			    (unsigned char)line->data[i]);
		else
			buf_putc(&out, line->data[i]);
	}
	buf_free(line);
	*line = out;
}

static void
deliver(enum log_level level, const char *line)
{
	if (state.capture != NULL)
		state.capture(level, line, state.capture_arg);
	else if (state.category != NULL)
		log4c_category_log(state.category, levels[level].priority, "%s",
		    line);
	else
		write_line(STDERR_FILENO, level, line);
}

void
log_event(enum log_level level, const char *id, const char *event,
    const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;

	if (!log_on(level))
		return;
	buf_printf(&line, "%s event=%s", id != NULL ? id : "-", event);
	if (*fmt != '\0') {
		buf_putc(&line, ' ');
		va_start(ap, fmt);
		buf_vprintf(&line, fmt, ap);
		va_end(ap);
	}
	escape_controls(&line);
	deliver(level, line.data);
	buf_free(&line);
}

/* One character of `left` bytes; how many it took. */
static size_t
quote_one(char **out, const char *s, size_t left)
{
	static const char plain[] = "\n\r\t\"\\", letters[] = "nrt\"\\";
	const char *special = strchr(plain, *s);
	size_t len = 1;

	if (special != NULL) {
		*(*out)++ = '\\';
		*(*out)++ = letters[special - plain];
		return 1;
	}
	while (len < left && ((unsigned char)s[len] & 0xc0) == 0x80)
		len++;
	if (is_control(s) || !text_is_utf8(s, len)) {
		*out += sprintf(*out, "\\x%02x", (unsigned char)*s);
		return 1;
	}
	memcpy(*out, s, len);
	*out += len;
	return len;
}

char *
log_quote(char out[LOG_QUOTE_SIZE], const char *text)
{
	size_t len, cut, i;
	char *p = out;

	if (text == NULL)
		return strcpy(out, "-");
	len = strnlen(text, QUOTE_MAX + 1);
	cut = text_utf8_cut(text, len, QUOTE_MAX);
	*p++ = '"';
	for (i = 0; i < cut;)
		i += quote_one(&p, text + i, cut - i);
	strcpy(p, cut < len ? "\"..." : "\"");
	return out;
}
