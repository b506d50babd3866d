/*
 * The log: one line per event, "id event=name key=value ...". log.c alone
 * knows log4c. Not thread-safe. Never a password, a SASL payload or a message
 * body; what a peer said goes through LOG_Q().
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Not LOG_*: those are names of <syslog.h>. */
enum log_level {
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_WARN,
	LEVEL_ERROR,
	LEVEL_CRITICAL
};

/* Where the lines of the root category go unless the configuration says more. */
enum log_sink { SINK_STDERR, SINK_SYSLOG, SINK_FILE };

/*
 * Starts logging: `conf` is a log4crc or NULL, `path` the file of SINK_FILE.
 * LOGLEVEL in the environment sets the level over what `conf` says (a name
 * above, any case); a wrong name is an error. `conf` refers to the sink as the
 * appender "xmpproxy". On failure logging is as before log_open().
 */
int log_open(const char *conf, enum log_sink sink, const char *path,
    struct err *);
void log_close(void);
void log_set_level(enum log_level);
/* "debug", "info", ... in any case; false where it is none. */
bool log_parse_level(const char *, enum log_level *);
bool log_on(enum log_level);

/*
 * Tests take the lines instead: sink() gets each whole line without its end.
 * NULL goes back to log4c. Before log_open() and with no sink WARN and above go
 * to stderr; a sink gets all levels until log_set_level().
 */
void log_capture(void (*sink)(enum log_level, const char *line, void *arg),
    void *arg);

/* fmt gives the key=value part; "" for none. One line, control bytes escaped. */
void log_event(enum log_level, const char *id, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Peer text, quoted and escaped ("\n", "\x1b", "\""), cut after about 200
 * bytes with "..."; NULL is "-". The result lives as long as the enclosing
 * block.
 */
#define LOG_QUOTE_SIZE 1024

#define LOG_Q(text) log_quote((char[LOG_QUOTE_SIZE]){ 0 }, (text))
char *log_quote(char out[LOG_QUOTE_SIZE], const char *text);

#endif
