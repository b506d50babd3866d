#include "xmpp/accept.h"

#include <stdlib.h>
#include <string.h>

#include "accept_impl.h"
#include "base/mem.h"
#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* --- life --- */

static void
stop_timers(struct accept *a)
{
	timer_stop(&a->deadline);
	timer_stop(&a->refusal);
}

static void
destroy(struct accept *a)
{
	stop_timers(a);
	sasl_free(&a->sasl);
	tls_certs_unref(&a->certs);
	arena_free(&a->scratch);
	mem_free_string(&a->domain);
	buf_free(&a->unique);
	buf_free(&a->exporter);
	free(a);
}

void
accept_enter(struct accept *a)
{
	if (a->inside++ == 0)
		arena_reset(a->scratch);
}

void
accept_leave(struct accept *a)
{
	a->inside--;
	if (a->is_dead && a->inside == 0)
		destroy(a);
}

static void
release(struct accept **holder)
{
	struct accept *a = *holder;

	*holder = NULL;
	a->is_dead = true;
	stop_timers(a);
	if (a->inside == 0)
		destroy(a);
}

void
accept_free(struct accept **holder)
{
	if (*holder == NULL)
		return;
	stream_abort(&(*holder)->stream);
	release(holder);
}

void
accept_fail(struct accept **holder, enum stream_cond cond, const char *text)
{
	if (*holder == NULL)
		return;
	stream_fail(&(*holder)->stream, cond, text);
	release(holder);
}

void
accept_end(struct accept *a, enum stream_cond cond, const char *text)
{
	accept_end_with(a, cond, NULL, text);
}

void
accept_end_with(struct accept *a, enum stream_cond cond, const char *xml,
    const char *text)
{
	stream_fail_with(&a->stream, cond, xml, text);
	stop_timers(a);
	a->host->closed(a->arg, text);
}

/* --- headers --- */

static void
send_features(struct accept *a)
{
	const char *const *more = a->options.features;
	struct buf b = { 0 };

	buf_puts(&b, "<stream:features>");
	if (a->phase == ACCEPT_BEFORE_TLS) {
		buf_puts(&b,
		    "<starttls xmlns='" NS_TLS "'><required/></starttls>");
	} else if (a->phase == ACCEPT_BEFORE_SASL) {
		accept_write_mechanisms(a, &b);
	} else {
		buf_puts(&b,
		    "<bind xmlns='" NS_BIND "'/><session xmlns='" NS_SESSION
		    "'><optional/></session>");
		for (; more != NULL && *more != NULL; more++)
			buf_puts(&b, *more);
	}
	buf_puts(&b, "</stream:features>");
	stream_send_text(a->stream, b.data);
	buf_free(&b);
}

/* Keeps the domain asked for. */
static bool
take_domain(struct accept *a, const char *domain)
{
	if (domain == NULL || !a->host->serves(a->arg, domain))
		return false;
	if (a->stream == NULL)
		return false;
	mem_free_string(&a->domain);
	a->domain = mem_strdup(domain);
	return true;
}

static void
on_open(void *arg, const struct elem *header)
{
	struct accept *a = arg;
	const char *to = elem_attr(header, "to");
	const char *domain = NULL;

	accept_enter(a);
	if (to != NULL)
		domain = jid_prep_domain(a->scratch, to, NULL);
	stream_open(a->stream, to, elem_attr(header, "from"), "en");
	/* Who is logged in to one domain is nobody in another. */
	if (a->phase == ACCEPT_BEFORE_BIND && !text_equals(domain, a->domain))
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "the domain is not the one of the login");
	else if (take_domain(a, domain))
		send_features(a);
	else if (a->stream != NULL)
		accept_end(a, STREAM_HOST_UNKNOWN,
		    to == NULL ? "the stream header names no domain in 'to'" :
				 "this domain is not served here");
	accept_leave(a);
}

/* --- TLS --- */

static void
before_tls(struct accept *a, struct elem *e)
{
	if (!elem_is(e, NS_TLS, "starttls")) {
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "nothing goes before STARTTLS");
		return;
	}
	stream_send_text(a->stream, "<proceed xmlns='" NS_TLS "'/>");
	a->phase = ACCEPT_SECURING;
	stream_start_tls_server(a->stream, a->certs, a->domain,
	    a->options.tls_ms);
}

static void
on_secured(void *arg)
{
	struct accept *a = arg;

	a->phase = ACCEPT_BEFORE_SASL;
	accept_note_channel(a);
}

/* --- binding --- */

void
accept_authenticated(struct accept *a)
{
	a->phase = ACCEPT_BEFORE_BIND;
	timer_stop(&a->refusal);
	stream_restart(a->stream);
	stream_set_limits(a->stream, &a->options.bound_limits);
}

static void
send_bound(struct accept *a, const struct elem *iq, const char *full)
{
	struct elem *result = stanza_result(iq);
	struct elem *bind = elem_child(result, NS_BIND, "bind");

	elem_add_text(elem_child(bind, NS_BIND, "jid"), full);
	stream_send(a->stream, result);
}

void
accept_hand_over(struct accept *a, void (*take)(void *, struct stream *))
{
	struct stream *stream = a->stream;

	a->stream = NULL;
	timer_stop(&a->deadline);
	take(a->arg, stream);
}

static void
bind_resource(struct accept *a, const struct elem *iq, const struct elem *bind)
{
	const char *asked = elem_child_text(bind, NS_BIND, "resource");
	enum error_cond cond = ERR_BAD_REQUEST;
	const char *full = NULL;

	if (asked != NULL && asked[0] == '\0')
		asked = NULL;
	if (asked == NULL)
		full = a->host->bind(a->arg, NULL, &cond);
	else if ((asked = jid_prep_resource(a->scratch, asked, NULL)) != NULL)
		full = a->host->bind(a->arg, asked, &cond);
	if (a->stream == NULL)
		return;
	if (full == NULL) {
		stream_send(a->stream, stanza_error(iq, cond, NULL));
		return;
	}
	send_bound(a, iq, full);
	accept_hand_over(a, a->host->ready);
}

/* RFC 6120 7.1: no stanza before the resource is bound. */
static void
before_bind(struct accept *a, struct elem *e)
{
	struct elem *bind = elem_find(e, NS_BIND, "bind");

	if (stanza_kind(e) == STANZA_IQ && stanza_type(e) == TYPE_SET &&
	    bind != NULL)
		bind_resource(a, e, bind);
	else if (!accept_on_sm(a, e))
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "nothing goes before a resource is bound");
}

/* --- the stream's events --- */

static void
on_stanza(void *arg, struct elem *e)
{
	struct accept *a = arg;

	accept_enter(a);
	if (text_equals(e->ns, NS_SASL) && a->phase != ACCEPT_BEFORE_BIND)
		accept_on_sasl(a, e);
	else if (a->phase == ACCEPT_BEFORE_TLS)
		before_tls(a, e);
	else if (a->phase == ACCEPT_BEFORE_BIND)
		before_bind(a, e);
	else
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "nothing goes before the login");
	accept_leave(a);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	struct accept *a = arg;
	struct buf why = { 0 };

	accept_enter(a);
	stream_abort(&a->stream);
	stop_timers(a);
	if (cond != NULL)
		buf_printf(&why, "%s: ", cond);
	buf_puts(&why, reason);
	a->host->closed(a->arg, why.data);
	buf_free(&why);
	accept_leave(a);
}

static void
on_deadline(void *arg)
{
	struct accept *a = arg;

	accept_enter(a);
	accept_end(a, STREAM_CONNECTION_TIMEOUT, "the login took too long");
	accept_leave(a);
}

static const struct stream_events stream_events = {
	.open = on_open,
	.stanza = on_stanza,
	.secured = on_secured,
	.closed = on_closed,
};

struct accept *
accept_new(struct loop *loop, struct conn *conn,
    const struct accept_options *options, const struct accept_host *host,
    void *arg)
{
	struct accept *a = mem_alloc(sizeof(*a));

	a->options = *options;
	a->options.certs = NULL;
	if (options->certs != NULL)
		a->certs = tls_certs_ref(options->certs);
	a->host = host;
	a->arg = arg;
	a->scratch = arena_new();
	a->stream = stream_new(STREAM_SERVER, conn, &options->limits,
	    &stream_events, a);
	timer_init(&a->deadline, loop, on_deadline, a);
	timer_set(&a->deadline, options->auth_ms);
	timer_init(&a->refusal, loop, accept_refuse_now, a);
	if (options->tls == ACCEPT_STARTTLS) {
		a->phase = ACCEPT_BEFORE_TLS;
	} else if (options->tls == ACCEPT_PLAIN) {
		a->phase = ACCEPT_BEFORE_SASL;
	} else {
		a->phase = ACCEPT_SECURING;
		stream_start_tls_server(a->stream, a->certs, NULL,
		    options->tls_ms);
	}
	return a;
}
