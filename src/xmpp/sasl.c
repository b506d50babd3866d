#include "xmpp/sasl.h"

#include <assert.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "xmpp/sasl_hash.h"
#include "xmpp/scram_wire.h"

/*
 * What sasl_step() is given next. libgsasl cannot be paused: where it would ask
 * for keys in the middle of a step, the message is held until they are here.
 */
enum turn {
	TURN_FIRST,  /* the first message of either role */
	TURN_SECOND, /* client-final, or server-first */
	TURN_ANSWER, /* nothing: sasl_keys(), _verdict(), _salted() */
	TURN_LAST,   /* the client's: what comes with success */
	TURN_OVER,
};

struct sasl {
	Gsasl *library; /* one each: gsasl_init() takes below 1 us */
	Gsasl_session *session;
	enum sasl_mech mech;
	bool is_server;
	enum turn turn;
	const struct sasl_server_events *events;
	void *arg;
	struct buf held;
	struct scram_keys wanted;
	char *name, *authzid, *password;
	const char *condition;
	struct err why;
};

static int
gsasl_hash(enum scram_hash hash)
{
	return hash == SCRAM_SHA256 ? GSASL_HASH_SHA256 : GSASL_HASH_SHA1;
}

int
sasl_hash_password(enum scram_hash hash, const char *password,
    struct scram_keys *keys, unsigned char salted[SCRAM_KEY_MAX],
    struct err *err)
{
	char client[SCRAM_KEY_MAX];
	int rc;

	rc = gsasl_scram_secrets_from_password(gsasl_hash(hash), password,
	    keys->iterations, (const char *)keys->salt, keys->salt_len,
	    (char *)salted, client, (char *)keys->server, (char *)keys->stored);
	mem_wipe(client, sizeof(client));
	if (rc != GSASL_OK)
		return err_set(err, "%s", gsasl_strerror(rc));
	return 0;
}

enum scram_hash
sasl_hash(const struct sasl *s)
{
	if (s->mech == SASL_SCRAM_SHA1 || s->mech == SASL_SCRAM_SHA1_PLUS)
		return SCRAM_SHA1;
	return SCRAM_SHA256;
}

static enum sasl_status
fail(struct sasl *s, const char *condition, const char *why)
{
	s->turn = TURN_OVER;
	s->condition = condition;
	if (why != NULL)
		err_set(&s->why, "%s", why);
	return SASL_FAILED;
}

/* A step of the library; its output is appended. */
static int
step(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	char *bytes = NULL;
	size_t count = 0;
	int rc = gsasl_step(s->session, in, len, &bytes, &count);

	if (bytes == NULL)
		return rc;
	if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
		buf_add(out, bytes, count);
	mem_wipe(bytes, count);
	gsasl_free(bytes);
	return rc;
}

static enum sasl_status
fail_by(struct sasl *s, int rc)
{
	bool syntax = rc == GSASL_MECHANISM_PARSE_ERROR ||
	    rc == GSASL_BASE64_ERROR;

	return fail(s, syntax ? "malformed-request" : "not-authorized",
	    gsasl_strerror(rc));
}

static int
set_property(struct sasl *s, Gsasl_property property, const char *value)
{
	return gsasl_property_set(s->session, property, value);
}

static int
set_base64(struct sasl *s, Gsasl_property property, const void *bytes,
    size_t len)
{
	struct buf text = { 0 };
	int rc;

	text_base64(&text, bytes, len);
	rc = set_property(s, property, text.data);
	mem_wipe(text.data, text.len);
	buf_free(&text);
	return rc;
}

/* The library frees its properties without wiping them. */
static void
wipe_property(struct sasl *s, Gsasl_property property)
{
	const char *value = gsasl_property_fast(s->session, property);

	if (value != NULL)
		mem_wipe((void *)(uintptr_t)value, strlen(value));
	gsasl_property_free(s->session, property);
}

static int
give_salt(struct sasl *s)
{
	struct scram_keys keys = { 0 };
	char number[16];
	int rc;

	s->events->salt(s->arg, s->name, sasl_hash(s), &keys);
	snprintf(number, sizeof(number), "%u", (unsigned)keys.iterations);
	if ((rc = set_property(s, GSASL_SCRAM_ITER, number)) != GSASL_OK)
		return rc;
	return set_base64(s, GSASL_SCRAM_SALT, keys.salt, keys.salt_len);
}

/*
 * What was not set beforehand. PLAIN's verdict comes later: here it is told
 * that all is well, and the exchange waits for sasl_verdict().
 */
static int
on_property(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *s = gsasl_session_hook_get(session);

	(void)library;
	if (!s->is_server)
		return GSASL_NO_CALLBACK;
	if (property == GSASL_SCRAM_ITER)
		return give_salt(s);
	return property == GSASL_VALIDATE_SIMPLE ? GSASL_OK : GSASL_NO_CALLBACK;
}

static struct sasl *
exchange_new(enum sasl_mech mech, bool is_server, struct err *err)
{
	struct sasl *s = mem_alloc(sizeof(*s));
	const char *name = sasl_mech_name(mech);
	int rc;

	s->mech = mech;
	s->is_server = is_server;
	if ((rc = gsasl_init(&s->library)) != GSASL_OK)
		goto fail;
	gsasl_callback_set(s->library, on_property);
	if (is_server)
		rc = gsasl_server_start(s->library, name, &s->session);
	else
		rc = gsasl_client_start(s->library, name, &s->session);
	if (rc != GSASL_OK)
		goto fail;
	gsasl_session_hook_set(s->session, s);
	return s;
fail:
	err_set(err, "%s: %s", name, gsasl_strerror(rc));
	sasl_free(&s);
	return NULL;
}

static void
set_bindings(struct sasl *s, const struct sasl_channel *channel,
    unsigned bindings)
{
	if ((bindings & SASL_BINDING_UNIQUE) != 0)
		set_base64(s, GSASL_CB_TLS_UNIQUE, channel->unique->data,
		    channel->unique->len);
	if ((bindings & SASL_BINDING_EXPORTER) != 0)
		set_base64(s, GSASL_CB_TLS_EXPORTER, channel->exporter->data,
		    channel->exporter->len);
}

struct sasl *
sasl_server_new(enum sasl_mech mech, const struct sasl_channel *channel,
    const struct sasl_server_events *events, void *arg, struct err *err)
{
	struct sasl *s = exchange_new(mech, true, err);

	if (s == NULL)
		return NULL;
	s->events = events;
	s->arg = arg;
	/* Without PLUS too: a client that says "y" was lied to, and is refused. */
	set_bindings(s, channel, sasl_bindings(channel));
	return s;
}

struct sasl *
sasl_client_new(enum sasl_mech mech, const struct sasl_channel *channel,
    const struct sasl_client *client, unsigned bindings, struct err *err)
{
	struct sasl *s = exchange_new(mech, false, err);

	if (s == NULL)
		return NULL;
	set_property(s, GSASL_AUTHID, client->name);
	if (mech == SASL_PLAIN)
		set_property(s, GSASL_PASSWORD, client->password);
	if (sasl_mech_is_plus(mech))
		set_bindings(s, channel,
		    sasl_common_bindings(channel, bindings));
	return s;
}

void
sasl_free(struct sasl **holder)
{
	struct sasl *s = *holder;

	*holder = NULL;
	if (s == NULL)
		return;
	if (s->session != NULL) {
		wipe_property(s, GSASL_PASSWORD);
		wipe_property(s, GSASL_SCRAM_SALTED_PASSWORD);
		wipe_property(s, GSASL_SCRAM_STOREDKEY);
		wipe_property(s, GSASL_SCRAM_SERVERKEY);
		gsasl_finish(s->session);
	}
	if (s->library != NULL)
		gsasl_done(s->library);
	buf_free(&s->held);
	mem_free_string(&s->name);
	mem_free_string(&s->authzid);
	mem_free_secret(&s->password);
	free(s);
}

/* --- the server's steps --- */

static enum sasl_status
on_client_first(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	struct buf name = { 0 };
	int rc;

	if (scram_wire_user(in, len, &name, &s->why) != 0) {
		buf_free(&name);
		return fail(s, "malformed-request", NULL);
	}
	rc = gsasl_saslprep(name.data, GSASL_ALLOW_UNASSIGNED, &s->name, NULL);
	buf_free(&name);
	if (rc != GSASL_OK)
		return fail(s, "not-authorized", gsasl_strerror(rc));
	if (s->name[0] == '\0')
		return fail(s, "malformed-request", "an empty name");
	if ((rc = step(s, in, len, out)) != GSASL_NEEDS_MORE)
		return fail_by(s, rc);
	s->authzid = mem_strdup(gsasl_property_fast(s->session, GSASL_AUTHZID));
	s->turn = TURN_SECOND;
	return SASL_CONTINUE;
}

static enum sasl_status
on_plain(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	int rc;

	if (len == 0 || !text_is_utf8(in, len))
		return fail(s, "malformed-request", "no UTF-8 text");
	if ((rc = step(s, in, len, out)) != GSASL_OK)
		return fail_by(s, rc);
	s->name = mem_strdup(gsasl_property_fast(s->session, GSASL_AUTHID));
	/* The library makes the name of an authorization id that is not there. */
	if (in[0] != '\0')
		s->authzid = mem_strdup(
		    gsasl_property_fast(s->session, GSASL_AUTHZID));
	s->password = mem_strdup(
	    gsasl_property_fast(s->session, GSASL_PASSWORD));
	wipe_property(s, GSASL_PASSWORD);
	if (s->name == NULL || s->name[0] == '\0' || s->password == NULL ||
	    s->password[0] == '\0')
		return fail(s, "malformed-request",
		    "an empty name or password");
	s->turn = TURN_ANSWER;
	return SASL_WAIT;
}

static enum sasl_status
server_step(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	if (in == NULL && s->turn == TURN_FIRST)
		return SASL_CONTINUE;
	if (in == NULL)
		in = "";
	if (s->turn == TURN_SECOND) {
		buf_add(&s->held, in, len);
		s->turn = TURN_ANSWER;
		return SASL_WAIT;
	}
	if (s->mech == SASL_PLAIN)
		return on_plain(s, in, len, out);
	return on_client_first(s, in, len, out);
}

enum sasl_status
sasl_keys(struct sasl *s, const struct scram_keys *keys, struct buf *out)
{
	struct scram_keys none = { 0 };
	bool known = keys != NULL && keys->known;
	size_t len = scram_key_len(sasl_hash(s)), before = out->len;
	int rc;

	assert(s->is_server && s->turn == TURN_ANSWER);
	/* An unknown name goes the same way, to take the same time. */
	if (!known)
		keys = &none;
	set_base64(s, GSASL_SCRAM_STOREDKEY, keys->stored, len);
	set_base64(s, GSASL_SCRAM_SERVERKEY, keys->server, len);
	rc = step(s, s->held.data, s->held.len, out);
	if (rc != GSASL_OK)
		return fail_by(s, rc);
	if (!known) {
		buf_truncate(out, before);
		return fail_by(s, GSASL_AUTHENTICATION_ERROR);
	}
	s->turn = TURN_OVER;
	return SASL_DONE;
}

enum sasl_status
sasl_verdict(struct sasl *s, bool good)
{
	assert(s->is_server && s->turn == TURN_ANSWER);
	mem_free_secret(&s->password);
	if (!good)
		return fail_by(s, GSASL_AUTHENTICATION_ERROR);
	s->turn = TURN_OVER;
	return SASL_DONE;
}

const char *
sasl_name(const struct sasl *s)
{
	return s->name;
}

const char *
sasl_authzid(const struct sasl *s)
{
	return s->authzid;
}

const char *
sasl_password(const struct sasl *s)
{
	return s->password;
}

/* --- the client's steps --- */

static enum sasl_status
on_client_start(struct sasl *s, struct buf *out)
{
	int rc = step(s, NULL, 0, out);

	wipe_property(s, GSASL_PASSWORD);
	/* For the library PLAIN ends here; for us with the server's word. */
	if (rc != GSASL_NEEDS_MORE && rc != GSASL_OK)
		return fail_by(s, rc);
	s->turn = s->mech == SASL_PLAIN ? TURN_LAST : TURN_SECOND;
	return SASL_CONTINUE;
}

static enum sasl_status
on_last(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	if (s->mech == SASL_PLAIN) {
		if (len > 0)
			return fail(s, "malformed-request",
			    "the server answers PLAIN with data");
	} else if (step(s, in, len, out) != GSASL_OK) {
		return fail(s, "not-authorized",
		    "the server did not prove that it knows the password");
	}
	s->turn = TURN_OVER;
	return SASL_DONE;
}

static enum sasl_status
client_step(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	if (s->turn == TURN_FIRST)
		return on_client_start(s, out);
	if (in == NULL)
		in = "";
	if (s->turn == TURN_LAST)
		return on_last(s, in, len, out);
	if (scram_wire_salt(in, len, &s->wanted, &s->why) != 0)
		return fail(s, "malformed-request", NULL);
	buf_add(&s->held, in, len);
	s->turn = TURN_ANSWER;
	return SASL_WAIT;
}

bool
sasl_wanted(const struct sasl *s, struct scram_keys *out)
{
	if (s->is_server || s->turn != TURN_ANSWER)
		return false;
	*out = s->wanted;
	return true;
}

enum sasl_status
sasl_salted(struct sasl *s, const unsigned char *salted, struct buf *out)
{
	struct buf hex = { 0 };
	int rc;

	assert(!s->is_server && s->turn == TURN_ANSWER);
	text_hex(&hex, salted, scram_key_len(sasl_hash(s)));
	set_property(s, GSASL_SCRAM_SALTED_PASSWORD, hex.data);
	mem_wipe(hex.data, hex.len);
	buf_free(&hex);
	rc = step(s, s->held.data, s->held.len, out);
	if (rc != GSASL_NEEDS_MORE)
		return fail_by(s, rc);
	s->turn = TURN_LAST;
	return SASL_CONTINUE;
}

/* --- both --- */

enum sasl_status
sasl_step(struct sasl *s, const char *in, size_t len, struct buf *out)
{
	if (s->turn == TURN_OVER || s->turn == TURN_ANSWER)
		return fail(s, "malformed-request", "a message out of turn");
	if (s->is_server)
		return server_step(s, in, len, out);
	return client_step(s, in, len, out);
}

const char *
sasl_failure(const struct sasl *s, const char **text)
{
	if (text != NULL)
		*text = s->why.text;
	return s->condition;
}
