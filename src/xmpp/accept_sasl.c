#include <string.h>

#include "accept_impl.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

/* --- what is offered --- */

void
accept_note_channel(struct accept *a)
{
	struct tls *tls = conn_tls(stream_conn(a->stream));

	a->channel.secure = true;
	if (tls_unique(tls, &a->unique))
		a->channel.unique = &a->unique;
	if (tls_exporter(tls, &a->exporter))
		a->channel.exporter = &a->exporter;
}

static void
write_bindings(struct buf *b, unsigned bindings)
{
	if (bindings == 0)
		return;
	buf_puts(b, "<sasl-channel-binding xmlns='" NS_SASL_CB "'>");
	if ((bindings & SASL_BINDING_EXPORTER) != 0)
		buf_puts(b, "<channel-binding type='tls-exporter'/>");
	if ((bindings & SASL_BINDING_UNIQUE) != 0)
		buf_puts(b, "<channel-binding type='tls-unique'/>");
	buf_puts(b, "</sasl-channel-binding>");
}

void
accept_write_mechanisms(struct accept *a, struct buf *b)
{
	unsigned offer = sasl_offer(&a->channel);

	buf_puts(b, "<mechanisms xmlns='" NS_SASL "'>");
	for (int m = 0; m < SASL_MECHS; m++) {
		if ((offer & 1u << m) != 0)
			buf_printf(b, "<mechanism>%s</mechanism>",
			    sasl_mech_name((enum sasl_mech)m));
	}
	buf_puts(b, "</mechanisms>");
	write_bindings(b, sasl_bindings(&a->channel));
}

/* --- answers --- */

static void
send_failure(struct accept *a, const char *cond, const char *text)
{
	struct buf b = { 0 };

	buf_printf(&b, "<failure xmlns='" NS_SASL "'><%s/>", cond);
	if (text != NULL) {
		buf_puts(&b, "<text xml:lang='en'>");
		elem_escape(&b, text);
		buf_puts(&b, "</text>");
	}
	buf_puts(&b, "</failure>");
	stream_send_text(a->stream, b.data);
	buf_free(&b);
}

/* Ends the exchange; one more of the tries that a client has. */
static void
fail(struct accept *a, const char *cond, const char *text)
{
	if (a->stream == NULL)
		return;
	sasl_free(&a->sasl);
	a->asked_at = 0;
	a->check = ACCEPT_CHECK_NONE;
	timer_stop(&a->refusal);
	send_failure(a, cond, text);
	if (++a->failures >= a->options.tries)
		accept_end(a, STREAM_POLICY_VIOLATION,
		    "too many logins have failed");
}

static void
send_bytes(struct accept *a, const char *name, const struct buf *bytes)
{
	struct buf b = { 0 };

	buf_printf(&b, "<%s xmlns='" NS_SASL "'>", name);
	text_base64(&b, bytes->data, bytes->len);
	buf_printf(&b, "</%s>", name);
	stream_send_text(a->stream, b.data);
	mem_wipe(b.data, b.len);
	buf_free(&b);
}

/*
 * The name as a local part; one that can be none matches nobody, and is passed on
 * as it came.
 */
static const char *
prepare_name(struct accept *a, const char *name)
{
	const char *local = jid_prep_local(a->scratch, name, NULL);

	return local != NULL ? local : name;
}

static void
on_proven(struct accept *a, const struct buf *out)
{
	const char *name = prepare_name(a, sasl_name(a->sasl));
	const char *authzid = sasl_authzid(a->sasl);
	bool allowed = true;

	if (authzid != NULL && authzid[0] != '\0') {
		authzid = jid_prep(a->scratch, authzid, NULL);
		allowed = authzid != NULL;
	}
	if (allowed)
		allowed = a->host->authorize(a->arg, a->domain, name, authzid);
	if (a->stream == NULL)
		return;
	if (!allowed) {
		a->host->failed(a->arg, name, "invalid-authzid");
		fail(a, "invalid-authzid", NULL);
		return;
	}
	send_bytes(a, "success", out);
	sasl_free(&a->sasl);
	accept_authenticated(a);
}

void
accept_refuse_now(void *arg)
{
	struct accept *a = arg;

	accept_enter(a);
	fail(a, a->refusal_cond, NULL);
	accept_leave(a);
}

static void
refuse(struct accept *a, const char *cond)
{
	uint64_t due = a->asked_at + a->options.refusal_ms;
	uint64_t now = clock_now();

	if (a->asked_at == 0 || a->options.refusal_ms == 0) {
		fail(a, cond, NULL);
		return;
	}
	a->check = ACCEPT_CHECK_REFUSED;
	a->refusal_cond = cond;
	timer_set(&a->refusal, due > now ? due - now : 0);
}

static void
on_refused(struct accept *a)
{
	const char *why, *cond = sasl_failure(a->sasl, &why);
	const char *name = sasl_name(a->sasl);

	if (name != NULL)
		name = prepare_name(a, name);
	a->host->failed(a->arg, name, why);
	if (a->stream != NULL)
		refuse(a, cond);
}

static void
ask(struct accept *a)
{
	a->check = ACCEPT_CHECK_OUT;
	a->asked_at = clock_now();
	a->host->check(a->arg, a->domain, prepare_name(a, sasl_name(a->sasl)),
	    sasl_password(a->sasl), sasl_hash(a->sasl));
}

static void
go_on(struct accept *a, enum sasl_status status, const struct buf *out)
{
	switch (status) {
	case SASL_CONTINUE:
		send_bytes(a, "challenge", out);
		break;
	case SASL_WAIT:
		ask(a);
		break;
	case SASL_DONE:
		on_proven(a, out);
		break;
	case SASL_FAILED:
		on_refused(a);
		break;
	}
}

/* The client may be gone. */
static bool
take_answer(struct accept *a)
{
	if (a->check != ACCEPT_CHECK_OUT || a->stream == NULL)
		return false;
	a->check = ACCEPT_CHECK_NONE;
	return true;
}

void
accept_keys(struct accept *a, const struct scram_keys *keys)
{
	struct buf out = { 0 };

	accept_enter(a);
	if (take_answer(a)) {
		enum sasl_status status = sasl_keys(a->sasl, keys, &out);

		go_on(a, status, &out);
	}
	buf_free(&out);
	accept_leave(a);
}

void
accept_verdict(struct accept *a, bool good)
{
	struct buf none = { 0 };

	accept_enter(a);
	if (take_answer(a))
		go_on(a, sasl_verdict(a->sasl, good), &none);
	accept_leave(a);
}

void
accept_busy(struct accept *a)
{
	accept_enter(a);
	if (take_answer(a))
		refuse(a, "temporary-auth-failure");
	accept_leave(a);
}

/* --- the client's elements --- */

static void
give_salt(void *arg, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	struct accept *a = arg;

	a->host->salt(a->arg, a->domain, prepare_name(a, name), hash, out);
}

static const struct sasl_server_events sasl_events = { give_salt };

static void
step(struct accept *a, const char *in, size_t len)
{
	struct buf out = { 0 };
	enum sasl_status status = sasl_step(a->sasl, in, len, &out);

	if (a->stream != NULL)
		go_on(a, status, &out);
	buf_free(&out);
}

/* The content of <auth/> or <response/>; "=" stands for no bytes (6.4.2). */
static void
feed(struct accept *a, const struct elem *e, bool is_initial)
{
	const char *text = elem_text(e);
	struct buf in = { 0 };

	if (text[0] == '\0') {
		step(a, is_initial ? NULL : "", 0);
	} else if (strcmp(text, "=") == 0) {
		step(a, "", 0);
	} else if (text_base64_decode(&in, text, strlen(text)) != 0) {
		fail(a, "incorrect-encoding", NULL);
	} else {
		step(a, in.data != NULL ? in.data : "", in.len);
	}
	if (in.data != NULL)
		mem_wipe(in.data, in.len);
	buf_free(&in);
}

/* NULL where an exchange with it may begin, else the condition of the failure. */
static const char *
check_mechanism(struct accept *a, const char *name, enum sasl_mech *mech)
{
	if (name == NULL)
		return "malformed-request";
	if (!sasl_mech_parse(name, mech))
		return "invalid-mechanism";
	if ((sasl_offer(&a->channel) & 1u << *mech) == 0)
		return *mech == SASL_PLAIN ? "mechanism-too-weak" :
					     "invalid-mechanism";
	if (!a->host->may_try(a->arg))
		return "temporary-auth-failure";
	return NULL;
}

static void
on_auth(struct accept *a, struct elem *e)
{
	enum sasl_mech mech;
	const char *cond;

	if (a->sasl != NULL) {
		fail(a, "malformed-request", "an exchange is running");
		return;
	}
	cond = check_mechanism(a, elem_attr(e, "mechanism"), &mech);
	if (a->stream == NULL)
		return;
	if (cond == NULL) {
		a->sasl = sasl_server_new(mech, &a->channel, &sasl_events, a,
		    NULL);
		if (a->sasl == NULL)
			cond = "temporary-auth-failure";
	}
	if (cond != NULL)
		fail(a, cond, NULL);
	else
		feed(a, e, true);
}

void
accept_on_sasl(struct accept *a, struct elem *e)
{
	if (a->check != ACCEPT_CHECK_NONE)
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "the login has not been answered");
	else if (a->domain == NULL || a->phase == ACCEPT_BEFORE_TLS)
		fail(a, "encryption-required", "STARTTLS goes first");
	else if (strcmp(e->name, "auth") == 0)
		on_auth(a, e);
	else if (strcmp(e->name, "abort") == 0)
		fail(a, "aborted", NULL);
	else if (strcmp(e->name, "response") == 0 && a->sasl != NULL)
		feed(a, e, false);
	else
		accept_end(a, STREAM_NOT_AUTHORIZED,
		    "this is not due in the login");
}
