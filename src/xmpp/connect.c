#include "xmpp/connect.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "connect_impl.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

/* Ours, and the only IQs that are out. */
#define BIND_ID    "bind"
#define SESSION_ID "session"

/* --- life --- */

static void
destroy(struct connect *c)
{
	timer_stop(&c->deadline);
	sasl_free(&c->sasl);
	tls_trust_unref(&c->options.trust);
	arena_free(&c->arena);
	mem_free_string(&c->domain);
	mem_free_string(&c->domain_ascii);
	mem_free_string(&c->name);
	mem_free_secret(&c->password);
	mem_free_string(&c->resource);
	mem_free_string(&c->resume_id);
	buf_free(&c->unique);
	buf_free(&c->exporter);
	free(c);
}

void
connect_enter(struct connect *c)
{
	c->inside++;
}

void
connect_leave(struct connect *c)
{
	c->inside--;
	if (c->is_dead && c->inside == 0)
		destroy(c);
}

void
connect_free(struct connect **holder)
{
	struct connect *c = *holder;

	*holder = NULL;
	if (c == NULL)
		return;
	stream_abort(&c->stream);
	timer_stop(&c->deadline);
	c->is_dead = true;
	if (c->inside == 0)
		destroy(c);
}

void
connect_fail(struct connect *c, enum connect_failure failure, const char *fmt,
    ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	/* One that may have been resumed must not end by it (XEP-0198 7). */
	if (c->phase == PHASE_RESUME)
		stream_abort(&c->stream);
	else
		stream_close(&c->stream);
	timer_stop(&c->deadline);
	c->events->failed(c->arg, failure, text.data);
	buf_free(&text);
}

/* Our own address stays unsaid until it is encrypted (RFC 6120 4.7.1). */
static void
send_header(struct connect *c)
{
	char *from = NULL;

	if (c->channel.secure)
		from = mem_printf("%s@%s", c->name, c->domain);
	stream_open(c->stream, from, c->domain, "en");
	free(from);
}

/* --- TLS --- */

static void
ask_for_tls(struct connect *c, const struct elem *features)
{
	if (elem_find(features, NS_TLS, "starttls") == NULL) {
		connect_fail(c, CONNECT_TLS, "the server offers no STARTTLS");
		return;
	}
	stream_send_text(c->stream, "<starttls xmlns='" NS_TLS "'/>");
	c->phase = PHASE_TLS_ANSWER;
}

static void
on_tls_answer(struct connect *c, const struct elem *e)
{
	if (!elem_is(e, NS_TLS, "proceed")) {
		connect_fail(c, CONNECT_TLS, "the server refuses STARTTLS");
		return;
	}
	c->phase = PHASE_SECURING;
	stream_start_tls_client(c->stream, c->options.trust, c->domain_ascii,
	    false, c->options.tls_ms);
}

static void
on_secured(void *arg)
{
	struct connect *c = arg;

	c->phase = PHASE_SASL_OFFER;
	connect_note_channel(c);
	send_header(c);
}

/* --- binding --- */

void
connect_authenticated(struct connect *c)
{
	c->phase = PHASE_BIND_OFFER;
	mem_free_secret(&c->password);
	stream_restart(c->stream);
	send_header(c);
}

void
connect_bind(struct connect *c)
{
	struct elem *iq, *bind;

	if (elem_find(c->features, NS_BIND, "bind") == NULL) {
		connect_fail(c, CONNECT_PASSING,
		    "the server offers no resource binding");
		return;
	}
	iq = elem_new(c->arena, NS_CLIENT, "iq");
	elem_set(iq, "type", "set");
	elem_set(iq, "id", BIND_ID);
	bind = elem_child(iq, NS_BIND, "bind");
	if (c->resource != NULL)
		elem_add_text(elem_child(bind, NS_BIND, "resource"),
		    c->resource);
	stream_send(c->stream, iq);
	c->phase = PHASE_BIND;
}

struct stream *
connect_take_stream(struct connect *c)
{
	struct stream *stream = c->stream;

	c->stream = NULL;
	timer_stop(&c->deadline);
	return stream;
}

static void
hand_over(struct connect *c)
{
	struct stream *stream = connect_take_stream(c);

	c->events->ready(c->arg, stream, c->full, c->features);
}

/* RFC 3921 had a session behind the resource; newer servers call it optional. */
static bool
wants_session(const struct connect *c)
{
	struct elem *session = elem_find(c->features, NS_SESSION, "session");

	return session != NULL &&
	    elem_find(session, NS_SESSION, "optional") == NULL;
}

static void
on_bound(struct connect *c, const struct elem *iq)
{
	struct elem *bind = elem_find(iq, NS_BIND, "bind");
	const char *jid = NULL;

	if (bind != NULL)
		jid = elem_child_text(bind, NS_BIND, "jid");
	if (jid != NULL)
		c->full = jid_prep(c->arena, jid, NULL);
	if (c->full == NULL || jid_resource(c->full) == NULL) {
		connect_fail(c, CONNECT_PASSING,
		    "the server bound no usable JID");
		return;
	}
	if (!wants_session(c)) {
		hand_over(c);
		return;
	}
	stream_send_text(c->stream,
	    "<iq type='set' id='" SESSION_ID "'><session xmlns='" NS_SESSION
	    "'/></iq>");
	c->phase = PHASE_SESSION;
}

static void
on_bind_error(struct connect *c, const struct elem *iq)
{
	const char *cond = stanza_error_cond(iq);
	bool conflict = text_equals(cond, "conflict");

	connect_fail(c, conflict ? CONNECT_CONFLICT : CONNECT_PASSING,
	    "the resource was not bound: %s",
	    cond != NULL ? cond : "no reason given");
}

/* Anything but our answers is early, and nobody is there for it. */
static void
on_iq(struct connect *c, const struct elem *iq)
{
	const char *id = c->phase == PHASE_BIND ? BIND_ID : SESSION_ID;
	enum stanza_type type = stanza_type(iq);

	if (stanza_kind(iq) != STANZA_IQ ||
	    !text_equals(elem_attr(iq, "id"), id))
		return;
	if (type == TYPE_ERROR)
		on_bind_error(c, iq);
	else if (type == TYPE_RESULT && c->phase == PHASE_BIND)
		on_bound(c, iq);
	else if (type == TYPE_RESULT)
		hand_over(c);
}

/* --- the stream's events --- */

static void
on_open(void *arg, const struct elem *header)
{
	(void)arg;
	(void)header;
}

static void
on_features(struct connect *c, const struct elem *features)
{
	switch (c->phase) {
	case PHASE_TLS_OFFER:
		ask_for_tls(c, features);
		break;
	case PHASE_SASL_OFFER:
		connect_begin_sasl(c, features);
		break;
	case PHASE_BIND_OFFER:
		c->features = elem_copy(c->arena, features);
		if (!connect_begin_resume(c))
			connect_bind(c);
		break;
	default:
		connect_fail(c, CONNECT_PASSING,
		    "the server sent features out of turn");
	}
}

static void
on_stanza(void *arg, struct elem *e)
{
	struct connect *c = arg;

	connect_enter(c);
	if (elem_is(e, NS_STREAMS, "features"))
		on_features(c, e);
	else if (c->phase == PHASE_TLS_ANSWER)
		on_tls_answer(c, e);
	else if (c->phase == PHASE_SASL && text_equals(e->ns, NS_SASL))
		connect_on_sasl(c, e);
	else if (c->phase == PHASE_RESUME && text_equals(e->ns, NS_SM))
		connect_on_resume(c, e);
	else if (c->phase == PHASE_BIND || c->phase == PHASE_SESSION)
		on_iq(c, e);
	else
		connect_fail(c, CONNECT_PASSING,
		    "the server sent <%s/> out of turn", e->name);
	connect_leave(c);
}

/* RFC 6120 4.9.3.19: see-other-host counts only where TLS says who asks for it. */
static enum connect_failure
failure_of(const struct connect *c, const char *cond)
{
	if (cond == NULL)
		return c->phase == PHASE_SECURING ? CONNECT_TLS : CONNECT_LOST;
	if (strcmp(cond, "conflict") == 0)
		return CONNECT_CONFLICT;
	if (strcmp(cond, "see-other-host") == 0 && c->channel.secure)
		return CONNECT_ELSEWHERE;
	return CONNECT_PASSING;
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct connect *c = arg;
	enum connect_failure failure = failure_of(c, cond);

	connect_enter(c);
	if (cond == NULL || failure == CONNECT_ELSEWHERE)
		connect_fail(c, failure, "%s", reason);
	else
		connect_fail(c, failure, "%s: %s", cond, reason);
	connect_leave(c);
}

static void
on_deadline(void *arg)
{
	struct connect *c = arg;

	connect_enter(c);
	connect_fail(c, CONNECT_LOST, "the login took too long");
	connect_leave(c);
}

static const struct stream_events stream_events = {
	.open = on_open,
	.stanza = on_stanza,
	.secured = on_secured,
	.closed = on_closed,
};

/* --- */

static void
copy_options(struct connect *c, const struct connect_options *options)
{
	c->options = *options;
	c->domain = mem_strdup(options->domain);
	c->domain_ascii = mem_strdup(options->domain_ascii);
	c->name = mem_strdup(options->name);
	c->password = mem_strdup(options->password);
	c->resource = mem_strdup(options->resource);
	c->resume_id = mem_strdup(options->resume_id);
	if (options->trust != NULL)
		tls_trust_ref(options->trust);
}

struct connect *
connect_new(struct loop *loop, struct conn *conn,
    const struct connect_options *options, const struct connect_events *events,
    void *arg)
{
	struct connect *c = mem_alloc(sizeof(*c));

	copy_options(c, options);
	c->events = events;
	c->arg = arg;
	c->arena = arena_new();
	c->stream = stream_new(STREAM_CLIENT, conn, &options->limits,
	    &stream_events, c);
	timer_init(&c->deadline, loop, on_deadline, c);
	timer_set(&c->deadline, options->total_ms);
	if (options->tls == CONNECT_DIRECT) {
		c->phase = PHASE_SECURING;
		stream_start_tls_client(c->stream, options->trust,
		    c->domain_ascii, true, options->tls_ms);
		return c;
	}
	c->phase = options->tls == CONNECT_PLAIN ? PHASE_SASL_OFFER :
						   PHASE_TLS_OFFER;
	send_header(c);
	return c;
}
