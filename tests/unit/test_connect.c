#include "unit/support_io.h"

#include "base/text.h"
#include "xmpp/connect.h"
#include "xmpp/ns.h"

#define HEAD \
	"<stream:stream from='a.example' id='s1' version='1.0' " \
	"xmlns='jabber:client' xmlns:stream='" NS_STREAMS "'>"
#define FEATURES(x)   "<stream:features>" x "</stream:features>"
#define STARTTLS      "<starttls xmlns='" NS_TLS "'><required/></starttls>"
#define MECHS(x)      "<mechanisms xmlns='" NS_SASL "'>" x "</mechanisms>"
#define SCRAM         "<mechanism>SCRAM-SHA-256</mechanism>"
#define PLAIN         "<mechanism>PLAIN</mechanism>"
#define SASL(name, x) "<" name " xmlns='" NS_SASL "'>" x "</" name ">"
#define BIND          "<bind xmlns='" NS_BIND "'/>"
#define SESSION(x)    "<session xmlns='" NS_SESSION "'>" x "</session>"
#define ERROR(x)      "<stream:error>" x "</stream:error>"
#define SM            "<sm xmlns='" NS_SM "'/>"
#define RESUMED(x)    "<resumed xmlns='" NS_SM "'" x "/>"
#define FAILED(x) \
	"<failed xmlns='" NS_SM "'" x "><item-not-found " \
	"xmlns='" NS_STANZA_ERROR "'/></failed>"
#define BOUND(jid) \
	"<iq type='result' id='bind'><bind xmlns='" NS_BIND "'><jid>" jid \
	"</jid></bind></iq>"
#define BIND_ERROR(cond) \
	"<iq type='error' id='bind'><error type='cancel'>" \
	"<" cond " xmlns='" NS_STANZA_ERROR "'/></error></iq>"

/* The owner of what is tested, the bare server, and all that happened. */
struct owner_of {
	struct loop *loop;
	struct connect *connect;
	struct stream *stream; /* handed over */
	struct transport *wire;
	struct sasl *server;
	struct buf notes;
	char out[16384];
	enum connect_failure failure;
	char text[512];
	bool defer, no_key, free_in_salted, free_in_not_resumed;
};

static void
give_salted(struct owner_of *o, enum scram_hash hash, const char *password)
{
	unsigned char salted[SCRAM_KEY_MAX];

	assert_int_equal(scram_salted(hash, password, "salt", 4,
			     SCRAM_ITERATIONS_MIN, salted, NULL),
	    0);
	connect_salted(o->connect, o->no_key ? NULL : salted);
}

static void
on_salted(void *arg, enum scram_hash hash, const struct scram_keys *salt)
{
	struct owner_of *o = arg;

	buf_puts(&o->notes, "salted ");
	assert_int_equal(salt->iterations, SCRAM_ITERATIONS_MIN);
	assert_int_equal(salt->salt_len, 4);
	if (o->free_in_salted)
		connect_free(&o->connect);
	else if (!o->defer)
		give_salted(o, hash, "pencil");
}

static void
on_stanza(void *arg, struct elem *e)
{
	struct owner_of *o = arg;

	buf_printf(&o->notes, "stanza(%s) ", e->name);
}

static const struct stream_events stream_events = { .stanza = on_stanza };

static void
take(struct owner_of *o, struct stream *stream, const struct elem *features)
{
	o->stream = stream;
	stream_set_owner(stream, &stream_events, o);
	assert_non_null(elem_find(features, NS_BIND, "bind"));
	connect_free(&o->connect);
}

static void
on_ready(void *arg, struct stream *stream, const char *full,
    const struct elem *features)
{
	struct owner_of *o = arg;

	buf_printf(&o->notes, "ready(%s) ", full);
	take(o, stream, features);
}

static void
on_resumed(void *arg, struct stream *stream, uint32_t h,
    const struct elem *features)
{
	struct owner_of *o = arg;

	buf_printf(&o->notes, "resumed(%u) ", (unsigned)h);
	take(o, stream, features);
}

static void
on_not_resumed(void *arg, bool has_h, uint32_t h)
{
	struct owner_of *o = arg;

	buf_printf(&o->notes, "not_resumed(%d,%u) ", has_h, (unsigned)h);
	if (o->free_in_not_resumed)
		connect_free(&o->connect);
}

static void
on_failed(void *arg, enum connect_failure failure, const char *text)
{
	struct owner_of *o = arg;

	o->failure = failure;
	snprintf(o->text, sizeof(o->text), "%s", text);
	buf_puts(&o->notes, "failed ");
	connect_free(&o->connect);
}

static const struct connect_events events = {
	.salted = on_salted,
	.ready = on_ready,
	.resumed = on_resumed,
	.not_resumed = on_not_resumed,
	.failed = on_failed,
};

static void
put(struct owner_of *o, const char *text)
{
	io_put(o->wire, text);
	io_turns(o->loop, 4);
	io_take(o->wire, o->out, sizeof(o->out));
}

static void
begin_with(struct owner_of *o, enum connect_tls tls, const char *resource,
    const char *resume_id)
{
	struct connect_options options = {
		.domain = "a.example",
		.domain_ascii = "a.example",
		.name = "user",
		.password = "pencil",
		.resource = resource,
		.resume_id = resume_id,
		.resume_h = UINT32_MAX,
		.tls = tls,
		.limits = { 4096, 8, 16, 64 },
		.tls_ms = 20000,
		.total_ms = 60000,
	};
	int fds[2];

	*o = (struct owner_of){ .loop = io_loop() };
	io_pair(fds);
	o->wire = transport_socket(fds[1]);
	o->connect = connect_new(o->loop,
	    conn_new(o->loop, transport_socket(fds[0]), "u1", NULL, NULL),
	    &options, &events, o);
	buf_puts(&o->notes, "");
	put(o, "");
}

static void
begin(struct owner_of *o, enum connect_tls tls, const char *resource)
{
	begin_with(o, tls, resource, NULL);
}

static void
finish(struct owner_of *o)
{
	connect_free(&o->connect);
	stream_abort(&o->stream);
	sasl_free(&o->server);
	io_turns(o->loop, 1);
	o->wire->ops->free(o->wire);
	buf_free(&o->notes);
	loop_free(&o->loop);
}

static void
assert_has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in \"%s\"", what, text);
}

/* What the client said in its last SASL element, decoded. */
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
say(struct owner_of *o, const char *name, const struct buf *raw)
{
	struct buf b = { 0 };

	buf_printf(&b, "<%s xmlns='" NS_SASL "'>", name);
	text_base64(&b, raw->data, raw->len);
	buf_printf(&b, "</%s>", name);
	put(o, b.data);
	buf_free(&b);
}

static void
give_salt(void *arg, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	(void)arg;
	(void)hash;
	assert_string_equal(name, "user");
	out->iterations = SCRAM_ITERATIONS_MIN;
	out->salt_len = 4;
	memcpy(out->salt, "salt", 4);
}

static const struct sasl_server_events sasl_events = { give_salt };

/* The server's first message: from here on the client waits for its salted key. */
static void
challenge(struct owner_of *o)
{
	static const struct sasl_channel none = { 0 };
	struct buf mine = { 0 }, theirs = said(o);

	assert_has(o->out,
	    "<auth xmlns='" NS_SASL "' mechanism='SCRAM-SHA-256'>");
	o->server = sasl_server_new(SASL_SCRAM_SHA256, &none, &sasl_events, o,
	    NULL);
	assert_int_equal(sasl_step(o->server, theirs.data, theirs.len, &mine),
	    SASL_CONTINUE);
	say(o, "challenge", &mine);
	buf_free(&mine);
	buf_free(&theirs);
}

/* The proof that the server has to show, where the client's was right. */
static struct buf
prove(struct owner_of *o)
{
	struct buf mine = { 0 }, theirs = said(o);
	struct scram_keys keys = { 0 };

	assert_int_equal(sasl_step(o->server, theirs.data, theirs.len, &mine),
	    SASL_WAIT);
	give_salt(NULL, "user", SCRAM_SHA256, &keys);
	assert_int_equal(scram_derive(&keys, SCRAM_SHA256, "pencil", NULL), 0);
	assert_int_equal(sasl_keys(o->server, &keys, &mine), SASL_DONE);
	buf_free(&theirs);
	return mine;
}

static void
log_in(struct owner_of *o)
{
	struct buf proof;

	put(o, HEAD FEATURES(MECHS("<mechanism>X</mechanism>" SCRAM PLAIN)));
	challenge(o);
	proof = prove(o);
	say(o, "success", &proof);
	assert_has(o->out, "<stream:stream ");
	buf_free(&proof);
}

static void
test_good(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	assert_has(o.out, "<stream:stream to='a.example' version='1.0' ");
	log_in(&o);
	put(&o, HEAD FEATURES(BIND SESSION("<optional/>")));
	assert_has(o.out, "type='set'");
	assert_has(o.out,
	    "<bind xmlns='" NS_BIND "'><resource>r</resource></bind></iq>");
	put(&o,
	    "<message/><iq type='result' id='other'/>" BOUND(
		"USER@a.example/R2") "<presence/>");
	assert_string_equal(o.notes.data,
	    "salted ready(user@a.example/R2) stanza(presence) ");
	clock_advance(100000);
	put(&o, "<message/>");
	assert_has(o.notes.data, "stanza(message)");
	finish(&o);
}

/* Salted later; the proof in a challenge; a resource of the server's; a session. */
static void
test_other_ways(void **state)
{
	struct owner_of o;
	struct buf proof;

	(void)state;
	begin(&o, CONNECT_PLAIN, NULL);
	o.defer = true;
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	assert_string_equal(o.out, "");
	give_salted(&o, SCRAM_SHA256, "pencil");
	/* Not asked for again. */
	give_salted(&o, SCRAM_SHA256, "pencil");
	put(&o, "");
	proof = prove(&o);
	say(&o, "challenge", &proof);
	assert_string_equal(o.out, SASL("response", ""));
	put(&o, SASL("success", ""));
	put(&o, HEAD FEATURES(BIND SESSION("")));
	assert_has(o.out, "<bind xmlns='" NS_BIND "'/></iq>");
	put(&o, BOUND("user@a.example/x"));
	assert_has(o.out, "<session xmlns='" NS_SESSION "'/></iq>");
	assert_string_equal(o.notes.data, "salted ");
	put(&o, "<iq type='result' id='session'/>");
	assert_string_equal(o.notes.data, "salted ready(user@a.example/x) ");
	buf_free(&proof);
	finish(&o);
}

enum stage { AT_START, AT_SASL, AT_BIND };

/* What a server may say instead of the right thing, and what it comes to. */
static const struct {
	enum connect_tls tls;
	enum stage stage;
	const char *in;
	enum connect_failure failure;
	const char *text;
} failures[] = {
	{ CONNECT_STARTTLS, AT_START, HEAD FEATURES(MECHS(PLAIN)), CONNECT_TLS,
	    "offers no STARTTLS" },
	{ CONNECT_STARTTLS, AT_START,
	    HEAD FEATURES(STARTTLS) "<failure xmlns='" NS_TLS "'/>",
	    CONNECT_TLS, "refuses STARTTLS" },
	{ CONNECT_STARTTLS, AT_START,
	    HEAD FEATURES(STARTTLS) SASL("success", ""), CONNECT_TLS,
	    "refuses STARTTLS" },
	{ CONNECT_STARTTLS, AT_START, HEAD SASL("success", ""), CONNECT_PASSING,
	    "<success/> out of turn" },
	{ CONNECT_STARTTLS, AT_START,
	    HEAD ERROR("<see-other-host xmlns='" NS_STREAM_ERROR
		       "'>evil.example</see-other-host>"),
	    CONNECT_PASSING, "see-other-host: evil.example" },
	{ CONNECT_PLAIN, AT_START,
	    HEAD ERROR("<see-other-host xmlns='" NS_STREAM_ERROR
		       "'>evil.example</see-other-host>"),
	    CONNECT_PASSING, "see-other-host: evil.example" },
	{ CONNECT_PLAIN, AT_START,
	    HEAD ERROR("<system-shutdown xmlns='" NS_STREAM_ERROR "'/>"),
	    CONNECT_PASSING, "system-shutdown" },
	{ CONNECT_PLAIN, AT_START,
	    HEAD ERROR("<conflict xmlns='" NS_STREAM_ERROR "'/>"),
	    CONNECT_CONFLICT, "conflict" },
	{ CONNECT_PLAIN, AT_START,
	    HEAD ERROR("<host-unknown xmlns='" NS_STREAM_ERROR "'/>"),
	    CONNECT_PASSING, "host-unknown" },
	{ CONNECT_PLAIN, AT_START, HEAD "</stream:stream>", CONNECT_LOST,
	    "closed the stream" },
	{ CONNECT_PLAIN, AT_START, "HTTP/1.1 400", CONNECT_PASSING,
	    "not-well-formed" },
	{ CONNECT_PLAIN, AT_START,
	    "<stream:stream xmlns='jabber:client' "
	    "xmlns:stream='" NS_STREAMS "'>",
	    CONNECT_PASSING, "unsupported-version" },
	{ CONNECT_PLAIN, AT_START, HEAD FEATURES(""), CONNECT_NO_MECHANISM,
	    "no mechanism" },
	{ CONNECT_PLAIN, AT_START, HEAD FEATURES(MECHS(PLAIN)),
	    CONNECT_NO_MECHANISM, "PLAIN alone" },
	{ CONNECT_PLAIN, AT_START,
	    HEAD FEATURES(MECHS("<mechanism>SCRAM-SHA-256-PLUS</mechanism>")),
	    CONNECT_NO_MECHANISM, "no mechanism" },
	{ CONNECT_PLAIN, AT_START, HEAD "<message/>", CONNECT_PASSING,
	    "<message/> out of turn" },

	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<not-authorized/>"),
	    CONNECT_REFUSED, "not-authorized" },
	{ CONNECT_PLAIN, AT_SASL,
	    SASL("failure",
		"<text>no &amp; no</text>"
		"<account-disabled/>"),
	    CONNECT_REFUSED, "account-disabled: no & no" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<credentials-expired/>"),
	    CONNECT_REFUSED, "credentials-expired" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<invalid-authzid/>"),
	    CONNECT_REFUSED, "invalid-authzid" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<never-heard-of/>"),
	    CONNECT_REFUSED, "never-heard-of" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", ""), CONNECT_REFUSED, "" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<temporary-auth-failure/>"),
	    CONNECT_PASSING, "temporary-auth-failure" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<aborted/>"),
	    CONNECT_PASSING, "aborted" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<malformed-request/>"),
	    CONNECT_PASSING, "malformed-request" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<incorrect-encoding/>"),
	    CONNECT_PASSING, "incorrect-encoding" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<invalid-mechanism/>"),
	    CONNECT_NO_MECHANISM, "invalid-mechanism" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<mechanism-too-weak/>"),
	    CONNECT_NO_MECHANISM, "mechanism-too-weak" },
	{ CONNECT_PLAIN, AT_SASL, SASL("failure", "<encryption-required/>"),
	    CONNECT_NO_MECHANISM, "encryption-required" },
	{ CONNECT_PLAIN, AT_SASL, SASL("success", ""), CONNECT_REFUSED,
	    "did not prove" },
	{ CONNECT_PLAIN, AT_SASL, SASL("success", "dj1BQUFB"), CONNECT_REFUSED,
	    "did not prove" },
	{ CONNECT_PLAIN, AT_SASL, SASL("challenge", "!"), CONNECT_PASSING,
	    "without base64" },
	{ CONNECT_PLAIN, AT_SASL, SASL("challenge", "="), CONNECT_NO_MECHANISM,
	    "no nonce" },
	/* r=a,s=c2FsdA==,i=99999999 */
	{ CONNECT_PLAIN, AT_SASL,
	    SASL("challenge", "cj1hLHM9YzJGc2RBPT0saT05OTk5OTk5OQ=="),
	    CONNECT_NO_MECHANISM, "99999999 iterations" },
	{ CONNECT_PLAIN, AT_SASL, SASL("x", ""), CONNECT_PASSING,
	    "<x/> out of turn" },
	{ CONNECT_PLAIN, AT_SASL, FEATURES(BIND), CONNECT_PASSING,
	    "features out of turn" },

	{ CONNECT_PLAIN, AT_BIND, HEAD FEATURES(""), CONNECT_PASSING,
	    "no resource binding" },
	{ CONNECT_PLAIN, AT_BIND, HEAD FEATURES(BIND) BIND_ERROR("conflict"),
	    CONNECT_CONFLICT, "conflict" },
	{ CONNECT_PLAIN, AT_BIND,
	    HEAD FEATURES(BIND) BIND_ERROR("resource-constraint"),
	    CONNECT_PASSING, "resource-constraint" },
	{ CONNECT_PLAIN, AT_BIND,
	    HEAD FEATURES(BIND) "<iq type='result' id='bind'/>",
	    CONNECT_PASSING, "no usable JID" },
	{ CONNECT_PLAIN, AT_BIND, HEAD FEATURES(BIND) BOUND("user@a.example"),
	    CONNECT_PASSING, "no usable JID" },
	{ CONNECT_PLAIN, AT_BIND, HEAD FEATURES(BIND) BOUND("@/"),
	    CONNECT_PASSING, "no usable JID" },
	{ CONNECT_PLAIN, AT_BIND,
	    HEAD FEATURES(BIND)
		ERROR("<conflict xmlns='" NS_STREAM_ERROR "'/>"),
	    CONNECT_CONFLICT, "conflict" },
	{ CONNECT_PLAIN, AT_BIND, SASL("success", ""), CONNECT_PASSING,
	    "invalid-namespace" },
};

static void
test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		struct owner_of o;

		begin(&o, failures[i].tls, "r");
		if (failures[i].stage == AT_SASL)
			put(&o, HEAD FEATURES(MECHS(SCRAM)));
		else if (failures[i].stage == AT_BIND)
			log_in(&o);
		put(&o, failures[i].in);
		assert_has(o.notes.data, "failed ");
		assert_has(o.text, failures[i].text);
		assert_int_equal(o.failure, failures[i].failure);
		finish(&o);
	}
}

/* --- resuming --- */

static void
begin_resume(struct owner_of *o, const char *features)
{
	begin_with(o, CONNECT_PLAIN, "r", "<id>'");
	log_in(o);
	put(o, features);
}

/* In pieces of so many bytes; `out` is what was said to all of them. */
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

/* What comes behind <resumed/> is the new owner's, in order. */
static void
test_resumed(void **state)
{
	static const char in[] = RESUMED(
	    " previd=\"&lt;id>'\" h='4294967295'") "<message/><r xmlns='" NS_SM
						   "'/><presence/>";
	static const size_t sizes[] = { 255, 1, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct owner_of o;

		begin_resume(&o, HEAD FEATURES(BIND SM));
		assert_string_equal(o.out,
		    "<resume xmlns='" NS_SM
		    "' previd='&lt;id&gt;&apos;' h='4294967295'/>");
		put_pieces(&o, in, sizes[i]);
		assert_string_equal(o.out, "");
		assert_string_equal(o.notes.data,
		    "salted resumed(4294967295) stanza(message) stanza(r) "
		    "stanza(presence) ");
		/* The time that a login has is over for good. */
		clock_advance(100000);
		put(&o, "<iq/>");
		assert_has(o.notes.data, "stanza(iq) ");
		finish(&o);
	}
}

static void
test_not_resumed(void **state)
{
	static const struct {
		const char *features, *in, *note;
	} cases[] = {
		{ BIND SM, FAILED(""), "not_resumed(0,0) " },
		{ BIND SM, FAILED(" h='7'"), "not_resumed(1,7) " },
		{ BIND SM, FAILED(" h='x'"), "not_resumed(0,0) " },
		{ BIND SM, "<failed xmlns='" NS_SM "'/>", "not_resumed(0,0) " },
		{ BIND, "", "not_resumed(0,0) " },
		{ BIND "<sm xmlns='urn:xmpp:sm:2'/>", "", "not_resumed(0,0) " },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		char *features = mem_printf(HEAD FEATURES("%s"),
		    cases[i / 2].features);
		struct owner_of o;

		begin_resume(&o, features);
		if (cases[i / 2].in[0] != '\0')
			put_pieces(&o, cases[i / 2].in, i % 2 == 0 ? 255 : 1);
		assert_has(o.notes.data, cases[i / 2].note);
		assert_has(o.out, "<resource>r</resource>");
		put(&o, BOUND("user@a.example/r") "<presence/>");
		assert_has(o.notes.data,
		    ") ready(user@a.example/r) stanza(presence) ");
		finish(&o);
		free(features);
	}
}

static void
test_free_in_not_resumed(void **state)
{
	struct owner_of o;

	(void)state;
	for (int offered = 0; offered < 2; offered++) {
		begin_with(&o, CONNECT_PLAIN, "r", "x");
		o.free_in_not_resumed = true;
		log_in(&o);
		put(&o,
		    offered ? HEAD FEATURES(BIND SM) FAILED("") :
			      HEAD FEATURES(BIND));
		assert_null(o.connect);
		assert_string_equal(o.notes.data, "salted not_resumed(0,0) ");
		finish(&o);
	}
}

static void
test_bad_resumed(void **state)
{
	static const struct {
		const char *in, *text;
	} cases[] = {
		{ RESUMED(" previd='y' h='1'"), "another stream" },
		{ RESUMED(" h='1'"), "another stream" },
		{ RESUMED(" previd=\"&lt;id>'\""), "what it has handled" },
		{ RESUMED(" previd=\"&lt;id>'\" h='4294967296'"),
		    "what it has handled" },
		{ "<enabled xmlns='" NS_SM "'/>", "<enabled/> out of turn" },
		{ "<message/>", "<message/> out of turn" },
		{ BOUND("user@a.example/r"), "<iq/> out of turn" },
		{ FEATURES(BIND SM), "features out of turn" },
		{ FAILED("") FAILED("") BOUND("@/"), "no usable JID" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct owner_of o;

		begin_resume(&o, HEAD FEATURES(BIND SM));
		put(&o, cases[i].in);
		assert_has(o.text, cases[i].text);
		assert_int_equal(o.failure, CONNECT_PASSING);
		finish(&o);
	}
}

/* The server may have resumed it: not a word that would end it (XEP-0198 7). */
static void
test_resume_timeout(void **state)
{
	struct owner_of o;

	(void)state;
	begin_resume(&o, HEAD FEATURES(BIND SM));
	clock_advance(60000);
	put(&o, " ");
	assert_int_equal(o.failure, CONNECT_LOST);
	assert_string_equal(o.out, "");
	finish(&o);
}

/* A server's root that is none is an error of ours, with a word to the server. */
static void
test_success_as_root(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	log_in(&o);
	put(&o, SASL("success", ""));
	assert_has(o.out, "<stream:error>");
	assert_int_equal(o.failure, CONNECT_PASSING);
	finish(&o);
}

static void
test_wrong_proof(void **state)
{
	struct owner_of o;
	struct buf proof;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	proof = prove(&o);
	proof.data[5] ^= 1;
	say(&o, "success", &proof);
	assert_int_equal(o.failure, CONNECT_REFUSED);
	assert_has(o.text, "did not prove");
	buf_free(&proof);
	finish(&o);

	/* Proven in a challenge; then success says something more. */
	begin(&o, CONNECT_PLAIN, "r");
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	proof = prove(&o);
	say(&o, "challenge", &proof);
	put(&o, SASL("success", "QUJD"));
	assert_int_equal(o.failure, CONNECT_REFUSED);
	buf_free(&proof);
	finish(&o);
}

static void
test_no_key(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	o.no_key = true;
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	assert_int_equal(o.failure, CONNECT_PASSING);
	assert_has(o.text, "could not be hashed");
	finish(&o);

	begin(&o, CONNECT_PLAIN, "r");
	o.free_in_salted = true;
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	assert_null(o.connect);
	assert_string_equal(o.notes.data, "salted ");
	finish(&o);

	/* While the key is out the server has nothing to say but no. */
	begin(&o, CONNECT_PLAIN, "r");
	o.defer = true;
	put(&o, HEAD FEATURES(MECHS(SCRAM)));
	challenge(&o);
	put(&o, SASL("challenge", ""));
	assert_has(o.text, "<challenge/> out of turn");
	finish(&o);
}

static void
test_timeout(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	clock_advance(59999);
	put(&o, HEAD);
	assert_string_equal(o.notes.data, "");
	clock_advance(1);
	put(&o, " ");
	assert_int_equal(o.failure, CONNECT_LOST);
	assert_has(o.text, "took too long");
	assert_has(o.out, "</stream:stream>");
	finish(&o);
}

static void
test_lost(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	o.wire->ops->shut(o.wire);
	io_turns(o.loop, 4);
	assert_int_equal(o.failure, CONNECT_LOST);
	assert_string_equal(o.notes.data, "failed ");
	finish(&o);
}

/* No mechanism name but those of the table is ever asked for. */
static void
test_strange_names(void **state)
{
	struct owner_of o;

	(void)state;
	begin(&o, CONNECT_PLAIN, "r");
	put(&o,
	    HEAD FEATURES(MECHS(
		"<mechanism>ANONYMOUS</mechanism>"
		"<mechanism>EXTERNAL</mechanism><mechanism>LOGIN</mechanism>"
		"<mechanism>scram-sha-256</mechanism><mechanism/>")));
	assert_int_equal(o.failure, CONNECT_NO_MECHANISM);
	assert_null(strstr(o.out, "<auth"));
	finish(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_other_ways),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_not_resumed),
		cmocka_unit_test(test_free_in_not_resumed),
		cmocka_unit_test(test_bad_resumed),
		cmocka_unit_test(test_resume_timeout),
		cmocka_unit_test(test_success_as_root),
		cmocka_unit_test(test_wrong_proof),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_strange_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
