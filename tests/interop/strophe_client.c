/*
 * A client on libstrophe that a test drives by lines.
 *
 *	strophe_client jid password host port starttls|direct ca.pem
 *
 * A line on standard input is XML that goes out as it stands, or "again": connect
 * anew. At the end of the input the stream is closed, and the program ends. On
 * standard output:
 *
 *	up <full jid>		the stream is bound
 *	resumed <full jid>	or it goes on (XEP-0198)
 *	stanza <xml>		received
 *	down <why>		the stream ended
 *
 * No presence and no roster request is sent unasked. The exit status is 0 however
 * the stream ended; another one is a fault of this program.
 */
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <unistd.h>

#define LOOP_MS 5

struct client {
	xmpp_ctx_t *ctx;
	xmpp_conn_t *conn;
	char *in; /* what was read of standard input, no line yet */
	size_t len, size;
	char **argv;
	bool is_up, is_down, is_closing, has_resumed;
};

extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool)
    __attribute__((weak));

/*
 * Stands before expat's own for libstrophe: Debian's expat would report an end
 * tag that came in two reads only with the next stanza, and a test would wait
 * for it in vain.
 */
XML_Parser
XML_ParserCreateNS(const XML_Char *encoding, XML_Char separator)
{
	const XML_Char separators[2] = { separator, 0 };
	XML_Parser parser = XML_ParserCreate_MM(encoding, NULL, separators);

	if (parser != NULL && XML_SetReparseDeferralEnabled != NULL)
		XML_SetReparseDeferralEnabled(parser, XML_FALSE);
	return parser;
}

static void
say(const char *word, const char *text)
{
	printf("%s ", word);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs("&#10;", stdout);
		else if (*text == '\r')
			fputs("&#13;", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

static int
on_stanza(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
	struct client *c = arg;
	size_t len;
	char *xml;

	(void)conn;
	if (xmpp_stanza_to_text(stanza, &xml, &len) != XMPP_EOK)
		return 1;
	say("stanza", xml);
	xmpp_free(c->ctx, xml);
	return 1;
}

static void
on_connection(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
    xmpp_stream_error_t *stream_error, void *arg)
{
	struct client *c = arg;
	char why[64];

	if (event == XMPP_CONN_CONNECT) {
		c->is_up = true;
		xmpp_handler_add(conn, on_stanza, NULL, NULL, NULL, c);
		say(c->has_resumed ? "resumed" : "up",
		    xmpp_conn_get_bound_jid(conn));
		return;
	}
	snprintf(why, sizeof(why), "error %d, stream error %d", error,
	    stream_error == NULL ? -1 : (int)stream_error->type);
	say("down",
	    stream_error != NULL && stream_error->text != NULL ?
		stream_error->text :
		why);
	c->is_up = false;
	c->is_down = true;
}

/* Nothing else tells an application that its stream goes on. */
static void
on_log(void *arg, xmpp_log_level_t level, const char *area, const char *text)
{
	struct client *c = arg;

	if (strcmp(text, "Session resumed successfully.") == 0)
		c->has_resumed = true;
	if (level == XMPP_LEVEL_ERROR || getenv("STROPHE_DEBUG") != NULL)
		fprintf(stderr, "%s: %s\n", area, text);
}

static void
connect_client(struct client *c)
{
	c->is_down = c->has_resumed = false;
	if (xmpp_connect_client(c->conn, c->argv[3], atoi(c->argv[4]),
		on_connection, c) == XMPP_EOK)
		return;
	say("down", "cannot connect");
	c->is_down = true;
}

static void
close_stream(struct client *c)
{
	if (c->is_closing)
		return;
	c->is_closing = true;
	xmpp_disconnect(c->conn);
}

/* false: it has to wait; libstrophe drops what it gets while it is off. */
static bool
take_line(struct client *c, const char *line, size_t len)
{
	bool is_again = len == 5 && memcmp(line, "again", len) == 0;

	if (is_again && c->is_down)
		connect_client(c);
	else if (c->is_up)
		xmpp_send_raw(c->conn, line, len);
	else
		return false;
	return true;
}

static void
take_lines(struct client *c)
{
	char *line = c->in, *end, *kept = c->in;

	if (c->len == 0)
		return;
	while ((end = memchr(line, '\n', c->in + c->len - line)) != NULL) {
		*end = '\0'; /* libstrophe looks for it, whatever the length */
		if (!take_line(c, line, end - line)) {
			*end = '\n';
			memmove(kept, line, end + 1 - line);
			kept += end + 1 - line;
		}
		line = end + 1;
	}
	c->len -= line - kept;
	memmove(kept, line, c->in + c->len - kept);
}

static void
read_input(struct client *c)
{
	ssize_t n;

	for (;;) {
		if (c->size - c->len < 4096) {
			c->size = c->size * 2 + 4096;
			if ((c->in = realloc(c->in, c->size)) == NULL)
				abort();
		}
		n = read(STDIN_FILENO, c->in + c->len, c->size - c->len);
		if (n == 0)
			close_stream(c);
		if (n <= 0)
			return;
		c->len += n;
		take_lines(c);
	}
}

static void
make_connection(struct client *c)
{
	bool is_direct = strcmp(c->argv[5], "direct") == 0;

	c->conn = xmpp_conn_new(c->ctx);
	xmpp_conn_set_flags(c->conn,
	    is_direct ? XMPP_CONN_FLAG_LEGACY_SSL :
			XMPP_CONN_FLAG_MANDATORY_TLS);
	xmpp_conn_set_jid(c->conn, c->argv[1]);
	xmpp_conn_set_pass(c->conn, c->argv[2]);
	xmpp_conn_set_cafile(c->conn, c->argv[6]);
}

int
main(int argc, char **argv)
{
	struct client c = { .argv = argv };
	xmpp_log_t log = { on_log, &c };

	if (argc != 7) {
		fputs("strophe_client jid password host port starttls|direct "
		      "ca.pem\n",
		    stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	signal(SIGPIPE, SIG_IGN); /* libstrophe writes to what was cut */
	xmpp_initialize();
	c.ctx = xmpp_ctx_new(NULL, &log);
	make_connection(&c);
	connect_client(&c);
	while (!c.is_down || !c.is_closing) {
		xmpp_run_once(c.ctx, LOOP_MS);
		if (c.is_up || c.is_down) {
			take_lines(&c);
			read_input(&c);
		}
	}
	xmpp_conn_release(c.conn);
	xmpp_ctx_free(c.ctx);
	xmpp_shutdown();
	free(c.in);
	return 0;
}
