#include "xmpp/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "io/loop.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

/* For the peer to take our last words. */
#define LINGER_MS 2000

struct stream {
	enum stream_role role;
	struct conn *conn; /* NULL once the stream has ended */
	struct xml *xml;
	const struct stream_events *events;
	void *arg;
	struct sm *sm; /* NULL: nobody counts */
	char *id, *lang;
	char *asked;      /* `to` of the peer's header */
	bool is_open;     /* our header was sent */
	bool was_closed;  /* by the peer */
	uint64_t written; /* frames, when it ended */
	unsigned inside;  /* callbacks that run */
	bool is_dead;     /* freed when the last of them returns */
};

static const char *const conditions[STREAM_COND_COUNT] = {
	[STREAM_BAD_FORMAT] = "bad-format",
	[STREAM_BAD_NAMESPACE_PREFIX] = "bad-namespace-prefix",
	[STREAM_CONFLICT] = "conflict",
	[STREAM_CONNECTION_TIMEOUT] = "connection-timeout",
	[STREAM_HOST_GONE] = "host-gone",
	[STREAM_HOST_UNKNOWN] = "host-unknown",
	[STREAM_IMPROPER_ADDRESSING] = "improper-addressing",
	[STREAM_INTERNAL_SERVER_ERROR] = "internal-server-error",
	[STREAM_INVALID_FROM] = "invalid-from",
	[STREAM_INVALID_NAMESPACE] = "invalid-namespace",
	[STREAM_INVALID_XML] = "invalid-xml",
	[STREAM_NOT_AUTHORIZED] = "not-authorized",
	[STREAM_NOT_WELL_FORMED] = "not-well-formed",
	[STREAM_POLICY_VIOLATION] = "policy-violation",
	[STREAM_REMOTE_CONNECTION_FAILED] = "remote-connection-failed",
	[STREAM_RESET] = "reset",
	[STREAM_RESOURCE_CONSTRAINT] = "resource-constraint",
	[STREAM_RESTRICTED_XML] = "restricted-xml",
	[STREAM_SEE_OTHER_HOST] = "see-other-host",
	[STREAM_SYSTEM_SHUTDOWN] = "system-shutdown",
	[STREAM_UNDEFINED_CONDITION] = "undefined-condition",
	[STREAM_UNSUPPORTED_ENCODING] = "unsupported-encoding",
	[STREAM_UNSUPPORTED_FEATURE] = "unsupported-feature",
	[STREAM_UNSUPPORTED_STANZA_TYPE] = "unsupported-stanza-type",
	[STREAM_UNSUPPORTED_VERSION] = "unsupported-version",
};

const char *
stream_cond_name(enum stream_cond cond)
{
	return conditions[cond];
}

/* --- life --- */

static void
destroy(struct stream *s)
{
	xml_free(&s->xml);
	mem_free_string(&s->id);
	mem_free_string(&s->lang);
	mem_free_string(&s->asked);
	free(s);
}

static void
enter(struct stream *s)
{
	s->inside++;
}

/* false: it is gone. */
static bool
leave(struct stream *s)
{
	s->inside--;
	if (!s->is_dead)
		return true;
	if (s->inside == 0)
		destroy(s);
	return false;
}

/* The owner let go of it. */
static void
release(struct stream **holder)
{
	struct stream *s = *holder;

	*holder = NULL;
	s->is_dead = true;
	xml_stop(s->xml);
	if (s->inside == 0)
		destroy(s);
}

/* --- last words --- */

static void
send_bytes(struct stream *s, const struct buf *b)
{
	if (s->conn != NULL)
		conn_send(s->conn, b->data, b->len, NULL, NULL);
}

static void
add_attr(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, " %s='", name);
	elem_escape(b, value);
	buf_putc(b, '\'');
}

void
stream_open(struct stream *s, const char *from, const char *to,
    const char *lang)
{
	char id[RANDOM_ID_SIZE];
	struct buf b = { 0 };

	if (s->conn == NULL)
		return;
	buf_puts(&b, "<?xml version='1.0'?><stream:stream");
	add_attr(&b, "from", from);
	add_attr(&b, "to", to);
	if (s->role == STREAM_SERVER) {
		mem_free_string(&s->id);
		s->id = mem_strdup(random_id(id));
		add_attr(&b, "id", s->id);
	}
	buf_puts(&b, " version='1.0'");
	add_attr(&b, "xml:lang", lang);
	buf_puts(&b, " xmlns='" NS_CLIENT "' xmlns:stream='" NS_STREAMS "'>");
	send_bytes(s, &b);
	buf_free(&b);
	s->is_open = true;
}

/* An error needs a header before it (RFC 6120 4.9.1.2); its order is of 4.9.2. */
static void
send_error(struct stream *s, enum stream_cond cond, const char *xml,
    const char *text)
{
	struct buf b = { 0 };

	if (!s->is_open)
		stream_open(s, s->role == STREAM_SERVER ? s->asked : NULL, NULL,
		    NULL);
	buf_printf(&b, "<stream:error><%s xmlns='" NS_STREAM_ERROR "'/>",
	    conditions[cond]);
	if (text != NULL) {
		buf_puts(&b,
		    "<text xmlns='" NS_STREAM_ERROR "' xml:lang='en'>");
		elem_escape(&b, text);
		buf_puts(&b, "</text>");
	}
	buf_puts(&b, xml != NULL ? xml : "");
	buf_puts(&b, "</stream:error>");
	send_bytes(s, &b);
	buf_free(&b);
}

static void
hang_up(struct stream *s)
{
	if (s->conn == NULL)
		return;
	if (s->is_open)
		conn_send(s->conn, "</stream:stream>", 16, NULL, NULL);
	s->written = conn_frames_written(s->conn);
	conn_finish(&s->conn, LINGER_MS);
}

/* The last event. */
static void
tell_closed(struct stream *s, const char *cond, const char *reason)
{
	enter(s);
	xml_stop(s->xml);
	if (!s->is_dead)
		s->events->closed(s->arg, cond, reason);
	leave(s);
}

/* The peer broke the rules. */
static void
refuse(struct stream *s, enum stream_cond cond, const char *text)
{
	send_error(s, cond, NULL, text);
	hang_up(s);
	tell_closed(s, conditions[cond], text);
}

void
stream_fail(struct stream **holder, enum stream_cond cond, const char *text)
{
	stream_fail_with(holder, cond, NULL, text);
}

void
stream_fail_with(struct stream **holder, enum stream_cond cond, const char *xml,
    const char *text)
{
	struct stream *s = *holder;

	if (s == NULL)
		return;
	if (s->conn != NULL)
		send_error(s, cond, xml, text);
	hang_up(s);
	release(holder);
}

void
stream_close(struct stream **holder)
{
	if (*holder == NULL)
		return;
	hang_up(*holder);
	release(holder);
}

void
stream_leave(struct stream **holder)
{
	if (*holder == NULL)
		return;
	(*holder)->is_open = false;
	hang_up(*holder);
	release(holder);
}

void
stream_abort(struct stream **holder)
{
	if (*holder == NULL)
		return;
	conn_abort(&(*holder)->conn);
	release(holder);
}

/* --- what the peer says --- */

/* RFC 6120 4.7.5: none is 0.9, of which we know nothing; 1.x and above are good. */
static bool
is_known_version(const char *version)
{
	uint64_t major, minor;
	const char *dot;
	char *whole;
	bool good;

	if (version == NULL || (dot = strchr(version, '.')) == NULL)
		return false;
	whole = mem_strndup(version, (size_t)(dot - version));
	good = text_to_uint(whole, 1, UINT32_MAX, &major) &&
	    text_to_uint(dot + 1, 0, UINT32_MAX, &minor);
	free(whole);
	return good;
}

/* true: a header that we can talk under. */
static bool
check_header(struct stream *s, const struct elem *root)
{
	if (!text_equals(root->ns, NS_STREAMS)) {
		refuse(s, STREAM_INVALID_NAMESPACE,
		    "the namespace of the stream is not " NS_STREAMS);
	} else if (strcmp(root->name, "stream") != 0) {
		refuse(s, STREAM_BAD_FORMAT, "the root is not <stream/>");
	} else if (!text_equals(elem_attr(root, "xmlns"), NS_CLIENT)) {
		refuse(s, STREAM_INVALID_NAMESPACE,
		    "the content's namespace is not " NS_CLIENT);
	} else if (!is_known_version(elem_attr(root, "version"))) {
		refuse(s, STREAM_UNSUPPORTED_VERSION,
		    "the version has to be 1.0");
	} else {
		return true;
	}
	return false;
}

static void
keep(char **field, const char *value)
{
	mem_free_string(field);
	*field = mem_strdup(value);
}

static void
on_open(void *arg, const struct elem *root)
{
	struct stream *s = arg;

	keep(&s->asked, elem_attr(root, "to"));
	if (!check_header(s, root))
		return;
	keep(&s->lang, elem_lang(root));
	if (s->role == STREAM_CLIENT)
		keep(&s->id, elem_attr(root, "id"));
	s->events->open(s->arg, root);
}

/* What it says of itself: for see-other-host the host, else the text. */
static void
on_error(struct stream *s, const struct elem *error)
{
	const char *text = elem_child_text(error, NS_STREAM_ERROR, "text");
	const char *cond = "undefined-condition", *said = "";

	s->was_closed = true;
	ELEM_EACH(child, error) {
		if (!text_equals(child->ns, NS_STREAM_ERROR) ||
		    strcmp(child->name, "text") == 0)
			continue;
		cond = child->name;
		said = elem_text(child);
		break;
	}
	hang_up(s);
	if (said[0] == '\0')
		said = text != NULL && text[0] != '\0' ? text : cond;
	tell_closed(s, cond, said);
}

static void
on_stanza(void *arg, struct elem *stanza)
{
	struct stream *s = arg;

	if (elem_is(stanza, NS_STREAMS, "error"))
		on_error(s, stanza);
	else
		s->events->stanza(s->arg, stanza);
}

static void
on_close(void *arg)
{
	struct stream *s = arg;

	s->was_closed = true;
	hang_up(s);
	tell_closed(s, NULL, "the peer closed the stream");
}

static const struct xml_events xml_events = { on_open, on_stanza, on_close };

/* --- the connection's side --- */

static enum stream_cond
condition_of(enum xml_result result)
{
	switch (result) {
	case XML_RESTRICTED:
		return STREAM_RESTRICTED_XML;
	case XML_BAD_ENCODING:
		return STREAM_UNSUPPORTED_ENCODING;
	case XML_TOO_LARGE:
		return STREAM_POLICY_VIOLATION;
	case XML_BAD_FORMAT:
		return STREAM_BAD_FORMAT;
	default:
		return STREAM_NOT_WELL_FORMED;
	}
}

static bool
on_data(void *arg, const char *bytes, size_t len)
{
	struct stream *s = arg;
	struct loop *loop = conn_loop(s->conn);
	struct err err = { "" };
	enum xml_result result;

	enter(s);
	result = xml_feed(s->xml, bytes, len, loop_budget(loop)->slice_stanzas,
	    &err);
	loop_spend(loop, xml_handled(s->xml));
	if (result != XML_OK && result != XML_MORE && result != XML_STOPPED &&
	    !s->is_dead)
		refuse(s, condition_of(result), err.text);
	return leave(s) && result == XML_MORE && s->conn != NULL;
}

static void
on_secured(void *arg)
{
	struct stream *s = arg;

	enter(s);
	s->events->secured(s->arg);
	leave(s);
}

static void
on_drained(void *arg)
{
	struct stream *s = arg;

	enter(s);
	if (s->events->drained != NULL)
		s->events->drained(s->arg);
	leave(s);
}

static void
on_lost(void *arg, const char *reason)
{
	struct stream *s = arg;
	char *why = mem_strdup(reason);

	/* The reason may be the connection's own. */
	s->written = conn_frames_written(s->conn);
	conn_abort(&s->conn);
	tell_closed(s, NULL, why);
	free(why);
}

static const struct conn_events conn_events = { on_data, on_secured, on_drained,
	on_lost };

/* --- the owner's side --- */

struct stream *
stream_new(enum stream_role role, struct conn *conn,
    const struct xml_limits *limits, const struct stream_events *events,
    void *arg)
{
	struct stream *s = mem_alloc(sizeof(*s));

	s->role = role;
	s->conn = conn;
	s->xml = xml_new(limits, &xml_events, s);
	stream_set_owner(s, events, arg);
	conn_set_owner(conn, &conn_events, s);
	return s;
}

void
stream_set_owner(struct stream *s, const struct stream_events *events,
    void *arg)
{
	s->events = events;
	s->arg = arg;
}

void
stream_set_limits(struct stream *s, const struct xml_limits *limits)
{
	xml_set_limits(s->xml, limits);
}

bool
stream_rest(struct stream *s)
{
	return xml_rest(s->xml);
}

void
stream_restart(struct stream *s)
{
	if (s->conn == NULL)
		return;
	xml_restart(s->xml);
	s->is_open = false;
}

void
stream_start_tls_server(struct stream *s, struct tls_certs *certs,
    const char *hint, unsigned timeout_ms)
{
	if (s->conn == NULL)
		return;
	stream_restart(s);
	conn_start_tls_server(s->conn, certs, hint, timeout_ms);
}

void
stream_start_tls_client(struct stream *s, struct tls_trust *trust,
    const char *domain, bool direct, unsigned timeout_ms)
{
	if (s->conn == NULL)
		return;
	stream_restart(s);
	conn_start_tls_client(s->conn, trust, domain, direct, timeout_ms);
}

void
stream_set_sm(struct stream *s, struct sm *sm)
{
	s->sm = sm;
}

static void
count_stanza(struct stream *s)
{
	if (s->sm != NULL)
		s->sm->out++;
}

void
stream_send(struct stream *s, const struct elem *e)
{
	struct buf b = { 0 };

	if (s->conn == NULL)
		return;
	if (stanza_kind(e) != STANZA_NONE)
		count_stanza(s);
	elem_write(&b, e, NS_CLIENT);
	send_bytes(s, &b);
	buf_free(&b);
}

void
stream_send_frame(struct stream *s, const char *head, size_t len,
    struct blob *body, const char *tail)
{
	if (s->conn == NULL)
		return;
	count_stanza(s);
	conn_send(s->conn, head, len, body, tail);
}

void
stream_send_text(struct stream *s, const char *text)
{
	if (s->conn != NULL)
		conn_send(s->conn, text, strlen(text), NULL, NULL);
}

struct conn *
stream_conn(struct stream *s)
{
	return s->conn;
}

bool
stream_was_closed(const struct stream *s)
{
	return s->was_closed;
}

uint64_t
stream_frames_written(const struct stream *s)
{
	return s->conn != NULL ? conn_frames_written(s->conn) : s->written;
}

const char *
stream_id(const struct stream *s)
{
	return s->id;
}

bool
stream_is_secure(const struct stream *s)
{
	return s->conn != NULL && conn_is_secure(s->conn);
}

const char *
stream_lang(const struct stream *s)
{
	return s->lang;
}
