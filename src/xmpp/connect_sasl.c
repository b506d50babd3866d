#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "connect_impl.h"
#include "xmpp/ns.h"

void
connect_note_channel(struct connect *c)
{
	struct tls *tls = conn_tls(stream_conn(c->stream));

	c->channel.secure = true;
	if (tls_unique(tls, &c->unique))
		c->channel.unique = &c->unique;
	if (tls_exporter(tls, &c->exporter))
		c->channel.exporter = &c->exporter;
}

/* --- the offer --- */

static unsigned
offered_mechanisms(const struct elem *features)
{
	struct elem *list = elem_find(features, NS_SASL, "mechanisms");
	enum sasl_mech mech;
	unsigned offered = 0;

	if (list == NULL)
		return 0;
	ELEM_EACH(e, list) {
		if (elem_is(e, NS_SASL, "mechanism") &&
		    sasl_mech_parse(elem_text(e), &mech))
			offered |= 1u << mech;
	}
	return offered;
}

/* XEP-0440. A list with nothing that we know is still a list. */
static unsigned
offered_bindings(const struct elem *features)
{
	struct elem *list = elem_find(features, NS_SASL_CB,
	    "sasl-channel-binding");
	unsigned bindings = 0;

	if (list == NULL)
		return 0;
	ELEM_EACH(e, list) {
		const char *type = elem_attr(e, "type");

		if (text_equals(type, "tls-unique"))
			bindings |= SASL_BINDING_UNIQUE;
		else if (text_equals(type, "tls-exporter"))
			bindings |= SASL_BINDING_EXPORTER;
		else
			bindings |= SASL_BINDING_OTHER;
	}
	return bindings;
}

/* --- what we say --- */

static void
send_bytes(struct connect *c, const char *start, const char *name,
    const struct buf *bytes)
{
	struct buf b = { 0 };

	buf_puts(&b, start);
	text_base64(&b, bytes->data, bytes->len);
	buf_printf(&b, "</%s>", name);
	stream_send_text(c->stream, b.data);
	mem_wipe(b.data, b.len);
	buf_free(&b);
}

static void
send_response(struct connect *c, const struct buf *bytes)
{
	send_bytes(c, "<response xmlns='" NS_SASL "'>", "response", bytes);
}

static void
send_auth(struct connect *c, enum sasl_mech mech, struct buf *first)
{
	char *start = mem_printf("<auth xmlns='" NS_SASL "' mechanism='%s'>",
	    sasl_mech_name(mech));

	send_bytes(c, start, "auth", first);
	free(start);
}

/* We gave up: the server is not what it should be, or asks for too much. */
static void
fail_by_sasl(struct connect *c)
{
	const char *why, *cond = sasl_failure(c->sasl, &why);
	bool refused = strcmp(cond, "not-authorized") == 0;

	stream_send_text(c->stream, "<abort xmlns='" NS_SASL "'/>");
	connect_fail(c, refused ? CONNECT_REFUSED : CONNECT_NO_MECHANISM, "%s",
	    why);
}

/* The exchange with the best of what is offered, or NULL. */
static struct sasl *
choose(struct connect *c, const struct elem *features, enum sasl_mech *mech,
    struct err *err)
{
	struct sasl_client client = { c->name, c->password };
	unsigned bindings = offered_bindings(features);

	if (sasl_choose(offered_mechanisms(features), bindings, &c->channel,
		mech, err) != 0)
		return NULL;
	return sasl_client_new(*mech, &c->channel, &client, bindings, err);
}

void
connect_begin_sasl(struct connect *c, const struct elem *features)
{
	struct buf first = { 0 };
	enum sasl_mech mech;
	struct err err = { "" };

	c->sasl = choose(c, features, &mech, &err);
	if (c->sasl == NULL) {
		connect_fail(c, CONNECT_NO_MECHANISM, "%s", err.text);
		return;
	}
	c->phase = PHASE_SASL;
	if (sasl_step(c->sasl, NULL, 0, &first) == SASL_CONTINUE)
		send_auth(c, mech, &first);
	else
		fail_by_sasl(c);
	if (first.data != NULL)
		mem_wipe(first.data, first.len);
	buf_free(&first);
}

/* --- what the server says --- */

static void
ask_for_salted(struct connect *c)
{
	struct scram_keys salt = { 0 };

	sasl_wanted(c->sasl, &salt);
	c->is_salting = true;
	c->events->salted(c->arg, sasl_hash(c->sasl), &salt);
}

static void
on_challenge(struct connect *c, const struct buf *in)
{
	struct buf out = { 0 };

	switch (sasl_step(c->sasl, in->data, in->len, &out)) {
	case SASL_CONTINUE:
		send_response(c, &out);
		break;
	case SASL_WAIT:
		ask_for_salted(c);
		break;
	case SASL_DONE:
		/* Its proof came in a challenge; success is still to come. */
		c->is_proven = true;
		send_response(c, &out);
		break;
	case SASL_FAILED:
		fail_by_sasl(c);
		break;
	}
	buf_free(&out);
}

void
connect_salted(struct connect *c, const unsigned char *salted)
{
	struct buf out = { 0 };

	if (!c->is_salting || c->stream == NULL)
		return;
	connect_enter(c);
	c->is_salting = false;
	if (salted == NULL)
		connect_fail(c, CONNECT_PASSING,
		    "the password could not be hashed");
	else if (sasl_salted(c->sasl, salted, &out) == SASL_CONTINUE)
		send_response(c, &out);
	else
		fail_by_sasl(c);
	buf_free(&out);
	connect_leave(c);
}

static bool
is_server_proven(struct connect *c, const struct buf *in)
{
	struct buf out = { 0 };
	enum sasl_status status;

	if (c->is_proven)
		return in->len == 0;
	status = sasl_step(c->sasl, in->data, in->len, &out);
	buf_free(&out);
	return status == SASL_DONE;
}

static void
on_success(struct connect *c, const struct buf *in)
{
	if (!is_server_proven(c, in)) {
		connect_fail(c, CONNECT_REFUSED,
		    "the server reports success and did not prove "
		    "that it knows the password");
		return;
	}
	sasl_free(&c->sasl);
	connect_authenticated(c);
}

/* RFC 6120 6.5; what is not there is a server's word for "no". */
static enum connect_failure
failure_of(const char *cond)
{
	static const struct {
		const char *cond;
		enum connect_failure failure;
	} known[] = {
		{ "aborted", CONNECT_PASSING },
		{ "encryption-required", CONNECT_NO_MECHANISM },
		{ "incorrect-encoding", CONNECT_PASSING },
		{ "invalid-mechanism", CONNECT_NO_MECHANISM },
		{ "malformed-request", CONNECT_PASSING },
		{ "mechanism-too-weak", CONNECT_NO_MECHANISM },
		{ "temporary-auth-failure", CONNECT_PASSING },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].cond, cond) == 0)
			return known[i].failure;
	return CONNECT_REFUSED;
}

static void
on_failure(struct connect *c, const struct elem *failure)
{
	const char *text = elem_child_text(failure, NS_SASL, "text");
	const char *cond = "not-authorized";

	ELEM_EACH(e, failure) {
		if (strcmp(e->name, "text") != 0) {
			cond = e->name;
			break;
		}
	}
	if (text != NULL && text[0] != '\0')
		connect_fail(c, failure_of(cond), "%s: %s", cond, text);
	else
		connect_fail(c, failure_of(cond), "%s", cond);
}

/* Content in base64; "=" stands for none (6.4.2). */
static bool
decode(const struct elem *e, struct buf *in)
{
	const char *text = elem_text(e);

	buf_puts(in, "");
	return strcmp(text, "=") == 0 ||
	    text_base64_decode(in, text, strlen(text)) == 0;
}

void
connect_on_sasl(struct connect *c, struct elem *e)
{
	struct buf in = { 0 };

	if (strcmp(e->name, "failure") == 0)
		on_failure(c, e);
	else if (c->is_salting)
		connect_fail(c, CONNECT_PASSING,
		    "the server sent <%s/> out of turn", e->name);
	else if (!decode(e, &in))
		connect_fail(c, CONNECT_PASSING,
		    "the server sent <%s/> without base64", e->name);
	else if (strcmp(e->name, "challenge") == 0)
		on_challenge(c, &in);
	else if (strcmp(e->name, "success") == 0)
		on_success(c, &in);
	else
		connect_fail(c, CONNECT_PASSING,
		    "the server sent <%s/> out of turn", e->name);
	buf_free(&in);
}
