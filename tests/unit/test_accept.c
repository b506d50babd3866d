#include "unit/support_io.h"

#include "base/text.h"
#include "xmpp/accept.h"
#include "xmpp/ns.h"

#define HEAD_TO(to) \
	"<stream:stream" to " version='1.0' xmlns='jabber:client' " \
	"xmlns:stream='" NS_STREAMS "'>"
#define HEAD HEAD_TO(" to='a.example'")
#define AUTH(mech, text) \
	"<auth xmlns='" NS_SASL "' mechanism='" mech "'>" text "</auth>"
/* "n,,n=user,r=abcdefgh" */
#define FIRST "biwsbj11c2VyLHI9YWJjZGVmZ2g="
#define BIND(inside) \
	"<iq type='set' id='b1'><bind xmlns='" NS_BIND "'>" inside \
	"</bind></iq>"
#define RESUME(attrs) "<resume xmlns='" NS_SM "'" attrs "/>"
#define FAILED(attrs, cond) \
	"<failed xmlns='" NS_SM "'" attrs "><" cond " xmlns='" NS_STANZA_ERROR \
	"'/></failed>"

/* The owner of what is tested, the bare other end, and all that happened. */
struct owner_of {
	struct loop *loop;
	struct accept *accept;
	struct stream *stream; /* handed over */
	struct transport *wire;
	struct buf notes;
	char out[16384];

	bool no_tries, forbid, defer;
	const char *full;           /* that bind() gives */
	enum error_cond bind_error; /* where it gives NULL */
	enum accept_resume resume_result;
	struct accept_refusal refusal;
	const char *end_in; /* the callback in which to end it */
	bool end_with_word;
};

static void
note(struct owner_of *o, const char *event, const char *text)
{
	buf_printf(&o->notes, "%s(%s) ", event, text != NULL ? text : "-");
	if (o->end_in == NULL || strcmp(o->end_in, event) != 0)
		return;
	if (o->end_with_word)
		accept_fail(&o->accept, STREAM_RESET, NULL);
	else
		accept_free(&o->accept);
}

static bool
serves(void *arg, const char *domain)
{
	note(arg, "serves", domain);
	return strcmp(domain, "a.example") == 0;
}

static void
salt(void *arg, const char *domain, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	struct owner_of *o = arg;

	(void)name;
	(void)hash;
	assert_string_equal(domain, "a.example");
	if (o->end_in != NULL)
		note(o, "salt", NULL);
	out->iterations = SCRAM_ITERATIONS_MIN;
	out->salt_len = 4;
	memcpy(out->salt, "salt", 4);
}

static bool
may_try(void *arg)
{
	struct owner_of *o = arg;

	if (o->end_in != NULL)
		note(o, "may_try", NULL);
	return !o->no_tries;
}

static void
give_keys(struct owner_of *o, const char *name, enum scram_hash hash)
{
	struct scram_keys keys = { 0 };

	salt(o, "a.example", name, hash, &keys);
	assert_int_equal(scram_derive(&keys, hash, "pencil", NULL), 0);
	accept_keys(o->accept, strcmp(name, "user") == 0 ? &keys : NULL);
}

static void
check(void *arg, const char *domain, const char *name, const char *password,
    enum scram_hash hash)
{
	struct owner_of *o = arg;

	assert_string_equal(domain, "a.example");
	assert_null(password);
	note(o, "check", name);
	if (o->accept != NULL && !o->defer)
		give_keys(o, name, hash);
}

static bool
authorize(void *arg, const char *domain, const char *name, const char *authzid)
{
	struct owner_of *o = arg;

	(void)domain;
	(void)name;
	note(o, "authorize", authzid);
	return !o->forbid;
}

static void
failed(void *arg, const char *name, const char *why)
{
	assert_true(why[0] != '\0');
	note(arg, "failed", name);
}

static const char *
bind_resource(void *arg, const char *resource, enum error_cond *cond)
{
	struct owner_of *o = arg;

	*cond = o->bind_error;
	note(o, "bind", resource);
	return o->full;
}

static enum accept_resume
resume(void *arg, const char *previd, uint32_t h,
    struct accept_refusal *refusal)
{
	struct owner_of *o = arg;
	char *text = mem_printf("%.20s,%u", previd, (unsigned)h);

	assert_true(strlen(previd) <= SM_ID_MAX);
	*refusal = o->refusal;
	note(o, "resume", text);
	free(text);
	return o->resume_result;
}

static void
on_stanza(void *arg, struct elem *e)
{
	note(arg, "stanza", e->name);
}

static void
on_closed(void *arg, const char *cond, const char *reason)
{
	(void)reason;
	note(arg, "lost", cond);
}

static const struct stream_events stream_events = { .stanza = on_stanza,
	.closed = on_closed };

static void
take(struct owner_of *o, struct stream *stream, const char *event)
{
	o->stream = stream;
	stream_set_owner(stream, &stream_events, o);
	accept_free(&o->accept);
	note(o, event, NULL);
}

static void
ready(void *arg, struct stream *stream)
{
	take(arg, stream, "ready");
}

static void
resumed(void *arg, struct stream *stream)
{
	take(arg, stream, "resumed");
	stream_send_text(stream, "<resumed/>");
}

static void
closed(void *arg, const char *reason)
{
	struct owner_of *o = arg;

	note(o, "closed", reason);
	accept_free(&o->accept);
}

static const struct accept_host host = {
	.serves = serves,
	.salt = salt,
	.may_try = may_try,
	.check = check,
	.authorize = authorize,
	.failed = failed,
	.bind = bind_resource,
	.resume = resume,
	.ready = ready,
	.resumed = resumed,
	.closed = closed,
};

/* One that resumes nothing. */
static struct accept_host plain_host;

static const char *const more[] = { "<x xmlns='urn:x'/>", NULL };

static void
begin_with(struct owner_of *o, enum accept_tls tls, unsigned refusal_ms,
    const struct accept_host *with)
{
	struct accept_options options = {
		.tls = tls,
		.auth_ms = 60000,
		.tls_ms = 20000,
		.refusal_ms = refusal_ms,
		.tries = 3,
		.limits = { 2048, 8, 16, 64 },
		.bound_limits = { 8192, 8, 16, 64 },
		.features = more,
	};
	int fds[2];

	*o = (struct owner_of){ .loop = io_loop(), .full = "user@a.example/r" };
	io_pair(fds);
	o->wire = transport_socket(fds[1]);
	o->accept = accept_new(o->loop,
	    conn_new(o->loop, transport_socket(fds[0]), "c1", NULL, NULL),
	    &options, with, o);
	buf_puts(&o->notes, "");
}

static void
begin_refusing(struct owner_of *o, enum accept_tls tls, unsigned refusal_ms)
{
	begin_with(o, tls, refusal_ms, &host);
}

static void
begin(struct owner_of *o, enum accept_tls tls)
{
	begin_refusing(o, tls, 0);
}

static void
finish(struct owner_of *o)
{
	accept_free(&o->accept);
	stream_abort(&o->stream);
	io_turns(o->loop, 1);
	o->wire->ops->free(o->wire);
	buf_free(&o->notes);
	loop_free(&o->loop);
}

static void
put(struct owner_of *o, const char *text)
{
	io_put(o->wire, text);
	io_turns(o->loop, 4);
	io_take(o->wire, o->out, sizeof(o->out));
}

static void
assert_has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in \"%s\"", what, text);
}

static void
assert_has_no(const char *text, const char *what)
{
	if (strstr(text, what) != NULL)
		fail_msg("\"%s\" in \"%s\"", what, text);
}

/* What the server said in its last <challenge/> or <success/>, decoded. */
static struct buf
said(struct owner_of *o)
{
	const char *end = strrchr(o->out, '<'), *start = end;
	struct buf raw = { 0 };

	assert_non_null(end);
	while (start > o->out && start[-1] != '>')
		start--;
	buf_puts(&raw, "");
	assert_int_equal(text_base64_decode(&raw, start, (size_t)(end - start)),
	    0);
	return raw;
}

static void
say(struct owner_of *o, const char *start, const struct buf *raw,
    const char *end)
{
	struct buf b = { 0 };

	buf_puts(&b, start);
	text_base64(&b, raw->data, raw->len);
	buf_puts(&b, end);
	put(o, b.data);
	buf_free(&b);
}

/* A client's exchange, up to what the server answers to the proof and `behind`. */
static void
exchange_then(struct owner_of *o, const char *name, const char *password,
    const char *behind)
{
	char *end = mem_printf("</response>%s", behind);
	static const struct sasl_channel none = { 0 };
	struct sasl_client client = { name, password };
	struct sasl *s = sasl_client_new(SASL_SCRAM_SHA256, &none, &client, 0,
	    NULL);
	unsigned char salted[SCRAM_KEY_MAX];
	struct buf mine = { 0 }, theirs;

	assert_int_equal(sasl_step(s, NULL, 0, &mine), SASL_CONTINUE);
	say(o, "<auth xmlns='" NS_SASL "' mechanism='SCRAM-SHA-256'>", &mine,
	    "</auth>");
	theirs = said(o);
	assert_int_equal(sasl_step(s, theirs.data, theirs.len, &mine),
	    SASL_WAIT);
	assert_int_equal(scram_salted(SCRAM_SHA256, password, "salt", 4,
			     SCRAM_ITERATIONS_MIN, salted, NULL),
	    0);
	buf_clear(&mine);
	assert_int_equal(sasl_salted(s, salted, &mine), SASL_CONTINUE);
	say(o, "<response xmlns='" NS_SASL "'>", &mine, end);
	sasl_free(&s);
	buf_free(&mine);
	buf_free(&theirs);
	free(end);
}

static void
exchange(struct owner_of *o, const char *name, const char *password)
{
	exchange_then(o, name, password, "");
}

static void
begin_bound_with(struct owner_of *o, const struct accept_host *with)
{
	begin_with(o, ACCEPT_PLAIN, 0, with);
	put(o, HEAD);
	exchange(o, "user", "pencil");
	assert_has(o->out, "<success xmlns='" NS_SASL "'>");
	put(o, HEAD);
	buf_clear(&o->notes);
}

static void
begin_bound_to(struct owner_of *o)
{
	begin_bound_with(o, &host);
}

static void
test_features(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_STARTTLS);
	put(&o, HEAD);
	assert_has(o.out, " from='a.example' ");
	assert_has(o.out,
	    "<stream:features><starttls xmlns='" NS_TLS
	    "'><required/></starttls></stream:features>");
	finish(&o);

	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD_TO(" to='A.EXAMPLE' from='user@a.example'"));
	assert_has(o.notes.data, "serves(a.example)");
	assert_has(o.out, " from='A.EXAMPLE' to='user@a.example' ");
	assert_has(o.out,
	    "<stream:features><mechanisms xmlns='" NS_SASL
	    "'><mechanism>SCRAM-SHA-256</mechanism>"
	    "<mechanism>SCRAM-SHA-1</mechanism></mechanisms>"
	    "</stream:features>");
	finish(&o);

	begin_bound_to(&o);
	assert_has(o.out,
	    "<stream:features><bind xmlns='" NS_BIND
	    "'/><session xmlns='" NS_SESSION "'><optional/></session>"
	    "<x xmlns='urn:x'/></stream:features>");
	finish(&o);
}

static void
test_unknown_host(void **state)
{
	static const char *const heads[] = {
		HEAD_TO(" to='b.example'"),
		HEAD_TO(""),
		HEAD_TO(" to=''"),
		HEAD_TO(" to='a.example/x'"),
		HEAD_TO(" to='a@a.example'"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct owner_of o;

		begin(&o, ACCEPT_STARTTLS);
		put(&o, heads[i]);
		assert_has(o.out, "<stream:stream ");
		assert_has(o.out, "<host-unknown ");
		assert_has(o.out, "</stream:stream>");
		assert_has_no(o.out, "features");
		assert_has(o.notes.data, "closed(");
		assert_null(o.accept);
		finish(&o);
	}
}

/* A single element that is not due, and what it gets. */
static void
test_out_of_order(void **state)
{
	static const struct {
		enum accept_tls tls;
		const char *in, *out;
		bool ends;
	} cases[] = {
		{ ACCEPT_STARTTLS, "<iq type='get'/>", "<not-authorized ",
		    true },
		{ ACCEPT_STARTTLS, "<message/>", "<not-authorized ", true },
		{ ACCEPT_STARTTLS, "<starttls/>", "<not-authorized ", true },
		{ ACCEPT_STARTTLS, AUTH("SCRAM-SHA-1", FIRST),
		    "<failure xmlns='" NS_SASL "'><encryption-required/>",
		    false },
		{ ACCEPT_PLAIN, BIND(""), "<not-authorized ", true },
		{ ACCEPT_PLAIN, "<presence/>", "<not-authorized ", true },
		{ ACCEPT_PLAIN, "<starttls xmlns='" NS_TLS "'/>",
		    "<not-authorized ", true },
		{ ACCEPT_PLAIN, "<response xmlns='" NS_SASL "'/>",
		    "<not-authorized ", true },
		{ ACCEPT_PLAIN, "<success xmlns='" NS_SASL "'/>",
		    "<not-authorized ", true },
		{ ACCEPT_PLAIN, "<abort xmlns='" NS_SASL "'/>",
		    "<failure xmlns='" NS_SASL "'><aborted/></failure>",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct owner_of o;

		begin(&o, cases[i].tls);
		put(&o, HEAD);
		put(&o, cases[i].in);
		assert_has(o.out, cases[i].out);
		assert_int_equal(o.accept == NULL, cases[i].ends);
		if (cases[i].ends)
			assert_has(o.out, "<text ");
		finish(&o);
	}
}

static void
test_failures(void **state)
{
	static const struct {
		const char *in, *cond;
	} cases[] = {
		{ "<auth xmlns='" NS_SASL "'/>", "malformed-request" },
		{ AUTH("DIGEST-MD5", ""), "invalid-mechanism" },
		{ AUTH("ANONYMOUS", ""), "invalid-mechanism" },
		{ AUTH("", ""), "invalid-mechanism" },
		{ AUTH("PLAIN", "AHUAcA=="), "mechanism-too-weak" },
		{ AUTH("SCRAM-SHA-1-PLUS", FIRST), "invalid-mechanism" },
		{ AUTH("SCRAM-SHA-1", "!"), "incorrect-encoding" },
		{ AUTH("SCRAM-SHA-1", "QUJ"), "incorrect-encoding" },
		{ AUTH("SCRAM-SHA-1", "Q U J D"), "incorrect-encoding" },
		{ AUTH("SCRAM-SHA-1", "="), "malformed-request" },
		{ AUTH("SCRAM-SHA-1", "QUJD"), "malformed-request" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *failure = mem_printf("<failure xmlns='" NS_SASL "'><%s/>",
		    cases[i].cond);
		struct owner_of o;

		begin(&o, ACCEPT_PLAIN);
		put(&o, HEAD);
		put(&o, cases[i].in);
		assert_has(o.out, failure);
		/* The stream goes on: a good login is still welcome. */
		exchange(&o, "user", "pencil");
		assert_has(o.out, "<success ");
		finish(&o);
		free(failure);
	}
}

/* Without an initial response an empty challenge asks for it, once. */
static void
test_no_initial_response(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	put(&o, AUTH("SCRAM-SHA-1", ""));
	assert_string_equal(o.out,
	    "<challenge xmlns='" NS_SASL "'></challenge>");
	put(&o, "<response xmlns='" NS_SASL "'>" FIRST "</response>");
	assert_has(o.out, "<challenge xmlns='" NS_SASL "'>cj1hYmNkZWZna");
	finish(&o);

	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	put(&o, AUTH("SCRAM-SHA-1", ""));
	put(&o, "<response xmlns='" NS_SASL "'/>");
	assert_has(o.out, "<malformed-request/>");
	finish(&o);
}

static void
test_tries(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	put(&o, AUTH("X", ""));
	put(&o, AUTH("X", ""));
	assert_has(o.out, "<invalid-mechanism/>");
	assert_has_no(o.out, "policy-violation");
	put(&o, AUTH("X", ""));
	assert_has(o.out, "<invalid-mechanism/>");
	assert_has(o.out, "<policy-violation ");
	assert_null(o.accept);
	finish(&o);
}

static void
test_throttled(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	o.no_tries = true;
	put(&o, HEAD);
	put(&o, AUTH("SCRAM-SHA-1", FIRST));
	assert_has(o.out, "<temporary-auth-failure/>");
	finish(&o);
}

static void
test_timeout(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	clock_advance(59999);
	put(&o, HEAD);
	assert_non_null(o.accept);
	clock_advance(1);
	put(&o, " ");
	assert_has(o.out, "<connection-timeout ");
	assert_has(o.notes.data, "closed(the login took too long)");
	finish(&o);

	/* Who says nothing at all gets a header with it. */
	begin(&o, ACCEPT_STARTTLS);
	clock_advance(60000);
	put(&o, "");
	assert_has(o.out, "<stream:stream ");
	assert_has(o.out, "<connection-timeout ");
	finish(&o);
}

/* Wrong password and unknown name: the same bytes, the same calls. */
static void
test_wrong(void **state)
{
	struct owner_of wrong, unknown;

	(void)state;
	begin(&wrong, ACCEPT_PLAIN);
	put(&wrong, HEAD);
	exchange(&wrong, "user", "pencils");
	begin(&unknown, ACCEPT_PLAIN);
	put(&unknown, HEAD);
	exchange(&unknown, "resu", "pencil");
	assert_string_equal(wrong.out,
	    "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");
	assert_string_equal(wrong.out, unknown.out);
	assert_string_equal(wrong.notes.data,
	    "serves(a.example) check(user) failed(user) ");
	assert_string_equal(unknown.notes.data,
	    "serves(a.example) check(resu) failed(resu) ");
	finish(&wrong);
	finish(&unknown);
}

static void
test_name_is_prepared(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	exchange(&o, "USER", "pencil");
	assert_has(o.notes.data, "check(user) authorize(-) ");
	assert_has(o.out, "<success ");
	finish(&o);

	/* None that it could be: passed on as it is, and refused. */
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	exchange(&o, "u@x", "pencil");
	assert_has(o.notes.data, "check(u@x) failed(u@x) ");
	finish(&o);
}

static void
test_authzid(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	o.forbid = true;
	exchange(&o, "user", "pencil");
	assert_has(o.out, "<failure xmlns='" NS_SASL "'><invalid-authzid/>");
	assert_has_no(o.out, "<success ");
	assert_has(o.notes.data, "authorize(-) failed(user) ");
	finish(&o);
}

static void
test_bind(void **state)
{
	struct owner_of o;

	(void)state;
	begin_bound_to(&o);
	put(&o, BIND("<resource>&#8546;</resource>") "<presence/>");
	assert_string_equal(o.notes.data,
	    "bind(III) ready(-) stanza(presence) ");
	assert_has(o.out, "<iq ");
	assert_has(o.out, "type='result'");
	assert_has(o.out, "id='b1'");
	assert_has(o.out,
	    "<bind xmlns='" NS_BIND
	    "'><jid>user@a.example/r</jid></bind></iq>");
	/* The time that a login has is over for good. */
	clock_advance(100000);
	put(&o, "<message/>");
	assert_has(o.notes.data, "stanza(message) ");
	finish(&o);
}

static void
test_bind_errors(void **state)
{
	static const struct {
		const char *resource, *notes;
		enum error_cond error;
		const char *out;
	} cases[] = {
		{ "<resource>&#173;</resource>", "", ERR_CONFLICT,
		    "type='modify'><bad-request " },
		{ "<resource>r</resource>", "bind(r) ", ERR_CONFLICT,
		    "type='cancel'><conflict " },
		{ "<resource/>", "bind(-) ", ERR_RESOURCE_CONSTRAINT,
		    "type='wait'><resource-constraint " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *iq = mem_printf(BIND("%s"), cases[i].resource);
		struct owner_of o;

		begin_bound_to(&o);
		o.full = NULL;
		o.bind_error = cases[i].error;
		put(&o, iq);
		assert_string_equal(o.notes.data, cases[i].notes);
		assert_has(o.out, cases[i].out);
		assert_has(o.out, "id='b1'");
		/* It may try again. */
		o.full = "user@a.example/x";
		put(&o, BIND(""));
		assert_has(o.notes.data, "bind(-) ready(-) ");
		finish(&o);
		free(iq);
	}
}

static void
test_before_bind(void **state)
{
	static const char *const early[] = {
		"<message/>",
		"<presence/>",
		"<iq type='get' id='1'/>",
		"<iq type='get' id='1'><bind xmlns='" NS_BIND "'/></iq>",
		"<iq type='set' id='1'><session xmlns='" NS_SESSION "'/></iq>",
		"<enable/>",
		"<r xmlns='" NS_SM "'/>",
		"<a xmlns='" NS_SM "' h='0'/>",
		"<resumed xmlns='" NS_SM "' previd='x' h='0'/>",
		AUTH("SCRAM-SHA-1", FIRST),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++) {
		struct owner_of o;

		begin_bound_to(&o);
		put(&o, early[i]);
		assert_has(o.out, "<not-authorized ");
		assert_null(o.accept);
		finish(&o);
	}
}

/* All that the server answers, of input in pieces of so many bytes. */
static void
put_pieces(struct owner_of *o, const char *text, size_t size)
{
	struct buf all = { 0 };
	char piece[256];

	buf_puts(&all, "");
	for (; *text != '\0'; text += strlen(piece)) {
		snprintf(piece, size + 1, "%s", text);
		put(o, piece);
		buf_puts(&all, o->out);
	}
	snprintf(o->out, sizeof(o->out), "%s", all.data);
	buf_free(&all);
}

/* What comes behind <resume/> is the new owner's, in order; nothing else answers. */
static void
test_resume(void **state)
{
	static const char in[] = RESUME(
	    " h='4294967295' previd='&lt;id'") "<message/><r xmlns='" NS_SM
					       "'/><presence/>";
	static const size_t sizes[] = { 255, 1, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct owner_of o;

		begin_bound_to(&o);
		put_pieces(&o, in, sizes[i]);
		assert_string_equal(o.notes.data,
		    "resume(<id,4294967295) resumed(-) stanza(message) "
		    "stanza(r) stanza(presence) ");
		assert_string_equal(o.out, "<resumed/>");
		/* The time that a login has is over for good. */
		clock_advance(100000);
		put(&o, "<iq/>");
		assert_has(o.notes.data, "stanza(iq) ");
		finish(&o);
	}
}

/* The one that was refused binds, with what came directly behind it. */
static void
test_not_resumed(void **state)
{
	static const char in[] = RESUME(" h='0' previd='x'")
	    BIND("") "<presence/>";
	static const size_t sizes[] = { 255, 1 };
	struct owner_of o;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		begin_bound_to(&o);
		o.resume_result = ACCEPT_NOT_RESUMED;
		o.refusal.has_h = i % 2 != 0;
		o.refusal.h = 4294967295;
		put_pieces(&o, in, sizes[i / 2]);
		assert_string_equal(o.notes.data,
		    "resume(x,0) bind(-) ready(-) stanza(presence) ");
		assert_int_equal(strncmp(o.out,
				     i % 2 != 0 ? FAILED(" h='4294967295'",
						      "item-not-found") :
						  FAILED("", "item-not-found"),
				     strlen(FAILED("", "item-not-found"))),
		    0);
		assert_has(o.out, "<jid>user@a.example/r</jid>");
		finish(&o);
	}

	/* Or tries another, in the time that a login has. */
	begin_bound_to(&o);
	o.resume_result = ACCEPT_NOT_RESUMED;
	put(&o, RESUME(" h='0' previd='x'"));
	o.resume_result = ACCEPT_RESUMED;
	put(&o, RESUME(" h='1' previd='y'"));
	assert_string_equal(o.notes.data,
	    "resume(x,0) resume(y,1) resumed(-) ");
	finish(&o);

	begin_bound_to(&o);
	o.resume_result = ACCEPT_NOT_RESUMED;
	put(&o, RESUME(" h='0' previd='x'"));
	clock_advance(60000);
	put(&o, " ");
	assert_has(o.out, "<connection-timeout ");
	assert_has(o.notes.data, "closed(the login took too long)");
	finish(&o);
}

static void
test_resume_too_high(void **state)
{
	struct owner_of o;

	(void)state;
	begin_bound_to(&o);
	o.resume_result = ACCEPT_TOO_HIGH;
	o.refusal.sent = 8;
	put(&o, RESUME(" h='10' previd='x'") BIND("") "<presence/>");
	assert_has(o.out,
	    "<stream:error><undefined-condition xmlns='" NS_STREAM_ERROR
	    "'/><text ");
	assert_has(o.out,
	    "</text><handled-count-too-high xmlns='" NS_SM
	    "' h='10' send-count='8'/></stream:error></stream:stream>");
	assert_string_equal(o.notes.data,
	    "resume(x,10) closed(10 stanzas acknowledged, but only 8 sent) ");
	assert_null(o.accept);
	finish(&o);
}

/* What is no good, and what it gets; the client may go on in each case. */
static void
test_bad_resume(void **state)
{
	static const struct {
		const char *in, *cond;
	} cases[] = {
		{ "<enable xmlns='" NS_SM "' resume='true'/>",
		    "unexpected-request" },
		{ RESUME(""), "bad-request" },
		{ RESUME(" h='1'"), "bad-request" },
		{ RESUME(" h='1' previd=''"), "bad-request" },
		{ RESUME(" previd='x'"), "bad-request" },
		{ RESUME(" h='' previd='x'"), "bad-request" },
		{ RESUME(" h='-1' previd='x'"), "bad-request" },
		{ RESUME(" h='4294967296' previd='x'"), "bad-request" },
		{ RESUME(" h='1x' previd='x'"), "bad-request" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *failure = mem_printf(FAILED("", "%s"), cases[i].cond);
		struct owner_of o;

		begin_bound_to(&o);
		put(&o, cases[i].in);
		assert_string_equal(o.out, failure);
		put(&o, BIND(""));
		assert_string_equal(o.notes.data, "bind(-) ready(-) ");
		finish(&o);
		free(failure);
	}
}

static void
test_long_previd(void **state)
{
	struct buf id = { 0 };
	struct owner_of o;
	char *in;

	(void)state;
	while (id.len < SM_ID_MAX)
		buf_putc(&id, 'i');
	for (int too_long = 0; too_long < 2; too_long++) {
		in = mem_printf(RESUME(" h='1' previd='%s'"), id.data);
		begin_bound_to(&o);
		put(&o, in);
		if (too_long)
			assert_string_equal(o.out, FAILED("", "bad-request"));
		else
			assert_has(o.notes.data, "resumed(-)");
		finish(&o);
		free(in);
		buf_putc(&id, 'i');
	}
	buf_free(&id);
}

static void
test_resumes_nothing(void **state)
{
	struct owner_of o;

	(void)state;
	plain_host = host;
	plain_host.resume = NULL;
	begin_bound_with(&o, &plain_host);
	put(&o, RESUME(" h='1' previd='x'"));
	assert_string_equal(o.out, FAILED("", "feature-not-implemented"));
	put(&o, BIND(""));
	assert_string_equal(o.notes.data, "bind(-) ready(-) ");
	finish(&o);
}

static void
test_domain_stays(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	exchange(&o, "user", "pencil");
	put(&o, HEAD_TO(" to='b.example'"));
	assert_has(o.out, "<not-authorized ");
	assert_null(o.accept);
	finish(&o);
}

/* The limits of before the login, and those of after it. */
static void
test_limits(void **state)
{
	struct buf big = { 0 };
	struct owner_of o;

	(void)state;
	buf_puts(&big, "<message>");
	while (big.len < 3000)
		buf_putc(&big, 'x');
	buf_puts(&big, "</message>");
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD);
	put(&o, big.data);
	assert_has(o.out, "<policy-violation ");
	assert_has(o.notes.data, "closed(policy-violation: ");
	finish(&o);

	begin_bound_to(&o);
	put(&o, BIND(""));
	put(&o, big.data);
	assert_has(o.notes.data, "stanza(message) ");
	finish(&o);
	buf_free(&big);
}

/* One that was not asked for, or is the second, goes nowhere. */
static void
test_stray_answer(void **state)
{
	struct owner_of o;

	(void)state;
	begin_refusing(&o, ACCEPT_PLAIN, 300);
	put(&o, HEAD);
	accept_verdict(o.accept, true);
	exchange(&o, "user", "wrong");
	give_keys(&o, "user", SCRAM_SHA256);
	accept_verdict(o.accept, true);
	clock_advance(300);
	put(&o, " ");
	assert_string_equal(o.out,
	    "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");
	give_keys(&o, "user", SCRAM_SHA256);
	exchange(&o, "user", "pencil");
	assert_has(o.out, "<success ");
	finish(&o);
}

/*
 * Whether the keys of a name were at hand or a worker is out for them must not
 * show: what comes before the answer, with the proof or after it, ends the stream.
 */
static void
test_before_the_answer(void **state)
{
	static const char *const early[] = {
		"<response xmlns='" NS_SASL "'/>",
		"<abort xmlns='" NS_SASL "'/>",
		"<abort xmlns='" NS_SASL "'/>" AUTH("SCRAM-SHA-256", FIRST),
		AUTH("SCRAM-SHA-256", FIRST),
		AUTH("X", ""),
		"<success xmlns='" NS_SASL "'/>",
		"<message/>",
	};
	const size_t count = sizeof(early) / sizeof(*early);

	(void)state;
	for (size_t i = 0; i < 4 * count; i++) {
		const char *in = early[i / 4];
		bool is_behind = (i & 1) != 0;
		struct owner_of o;

		begin_refusing(&o, ACCEPT_PLAIN, 300);
		o.defer = (i & 2) != 0;
		put(&o, HEAD);
		exchange_then(&o, "resu", "pencil", is_behind ? in : "");
		if (!is_behind) {
			assert_string_equal(o.out, "");
			put(&o, in);
		}
		assert_has(o.out, "<stream:error><not-authorized ");
		assert_has_no(o.out, "<failure ");
		assert_null(o.accept);
		finish(&o);
	}
}

/* The ms from the proof to the refusal, of an answer that comes after `late`. */
static unsigned
refusal_ms(unsigned late)
{
	struct owner_of o;
	unsigned ms = 0;

	begin_refusing(&o, ACCEPT_PLAIN, 300);
	o.defer = late > 0;
	put(&o, HEAD);
	exchange(&o, "user", "wrong");
	while (o.out[0] == '\0' && ms < 1000) {
		clock_advance(1);
		if (++ms == late)
			give_keys(&o, "user", SCRAM_SHA256);
		put(&o, "");
	}
	assert_has(o.out, "<not-authorized/>");
	/* Another exchange is not hurt by it. */
	o.defer = false;
	exchange(&o, "user", "pencil");
	assert_has(o.out, "<success ");
	put(&o, HEAD);
	clock_advance(1000);
	put(&o, BIND(""));
	assert_has(o.notes.data, "ready(-)");
	finish(&o);
	return ms;
}

static void
test_refusal_time(void **state)
{
	(void)state;
	assert_int_equal(refusal_ms(0), 300);
	assert_int_equal(refusal_ms(1), 300);
	assert_int_equal(refusal_ms(299), 300);
	assert_int_equal(refusal_ms(500), 500);
}

static void
test_answer_later(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	o.defer = true;
	put(&o, HEAD);
	exchange(&o, "user", "pencil");
	give_keys(&o, "user", SCRAM_SHA256);
	put(&o, HEAD);
	assert_has(o.out, "<success ");
	assert_has(o.out, "<bind ");
	finish(&o);
}

/* Ended inside each of its callbacks. */
static void
test_end_inside(void **state)
{
	static const char *const in[] = { "serves", "may_try", "salt", "check",
		"authorize", "resume", "bind", "failed" };
	const size_t count = sizeof(in) / sizeof(*in);

	(void)state;
	for (size_t i = 0; i < 2 * count; i++) {
		const char *where = in[i % count];
		bool fails = strcmp(where, "failed") == 0;
		bool early = i % count == 1 || i % count == 2;
		struct owner_of o;

		begin(&o, ACCEPT_PLAIN);
		o.end_in = where;
		o.end_with_word = i >= count;
		o.resume_result = ACCEPT_NOT_RESUMED;
		put(&o, HEAD);
		if (early)
			put(&o, AUTH("SCRAM-SHA-256", FIRST));
		if (o.accept != NULL)
			exchange(&o, fails ? "resu" : "user", "pencil");
		if (o.accept != NULL)
			put(&o, HEAD);
		if (o.accept != NULL)
			put(&o, RESUME(" h='1' previd='x'") BIND(""));
		assert_null(o.accept);
		assert_null(o.stream);
		assert_has_no(o.notes.data, "closed");
		if (o.end_with_word)
			assert_has(o.out, "<reset ");
		finish(&o);
	}
}

static void
test_lost(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, ACCEPT_PLAIN);
	put(&o, HEAD "</stream:stream>");
	assert_has(o.notes.data, "closed(the peer closed the stream)");
	assert_null(o.accept);
	finish(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_unknown_host),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_no_initial_response),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_throttled),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_name_is_prepared),
		cmocka_unit_test(test_authzid),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_bind_errors),
		cmocka_unit_test(test_before_bind),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_not_resumed),
		cmocka_unit_test(test_resume_too_high),
		cmocka_unit_test(test_bad_resume),
		cmocka_unit_test(test_long_previd),
		cmocka_unit_test(test_resumes_nothing),
		cmocka_unit_test(test_domain_stays),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stray_answer),
		cmocka_unit_test(test_before_the_answer),
		cmocka_unit_test(test_refusal_time),
		cmocka_unit_test(test_answer_later),
		cmocka_unit_test(test_end_inside),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
