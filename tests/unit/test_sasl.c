#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "xmpp/sasl.h"

/* In the library's place, so that an exchange of an RFC can be played. */
int gsasl_nonce(char *data, size_t len);
static const char *fixed_nonce; /* base64, or NULL */

int
gsasl_nonce(char *data, size_t len)
{
	struct buf raw = { 0 };

	random_bytes(data, len);
	if (fixed_nonce != NULL) {
		assert_int_equal(text_base64_decode(&raw, fixed_nonce,
				     strlen(fixed_nonce)),
		    0);
		assert_int_equal(raw.len, len);
		memcpy(data, raw.data, len);
	}
	buf_free(&raw);
	return 0;
}

static struct buf unique = { .data = (char *)"unique bytes", .len = 12 };
static struct buf exporter = { .data = (char *)"exporter bytes", .len = 14 };
static const struct sasl_channel plain_channel = { 0 };
static const struct sasl_channel tls = { .secure = true };
static const struct sasl_channel tls12 = { true, &unique, NULL };
static const struct sasl_channel tls13 = { true, NULL, &exporter };
static const struct sasl_channel both = { true, &unique, &exporter };

/* A server's and a client's end, and what became of them. */
struct duo {
	const char *name;     /* that the server knows */
	const char *password; /* its own */
	struct sasl *server, *client;
	struct buf to_server, to_client;
	enum sasl_status at_server, at_client;
	unsigned steps;
};

static void
give_salt(void *arg, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	struct duo *d = arg;

	(void)hash;
	out->known = d->name != NULL && strcmp(name, d->name) == 0;
	out->iterations = SCRAM_ITERATIONS_MIN;
	out->salt_len = 4;
	memcpy(out->salt, "salt", 4);
}

static const struct sasl_server_events events = { give_salt };

static void
answer_server(struct duo *d)
{
	struct scram_keys keys = { 0 };
	const char *name = sasl_name(d->server);
	bool known = strcmp(name, d->name) == 0;

	if (sasl_password(d->server) != NULL) {
		d->at_server = sasl_verdict(d->server,
		    known &&
			strcmp(sasl_password(d->server), d->password) == 0);
		return;
	}
	give_salt(d, name, sasl_hash(d->server), &keys);
	assert_int_equal(scram_derive(&keys, sasl_hash(d->server), d->password,
			     NULL),
	    0);
	d->at_server = sasl_keys(d->server, known ? &keys : NULL,
	    &d->to_client);
}

static void
answer_client(struct duo *d, const char *password)
{
	struct scram_keys salt;
	unsigned char salted[SCRAM_KEY_MAX];

	assert_true(sasl_wanted(d->client, &salt));
	assert_int_equal(scram_salted(sasl_hash(d->client), password, salt.salt,
			     salt.salt_len, salt.iterations, salted, NULL),
	    0);
	d->at_client = sasl_salted(d->client, salted, &d->to_server);
}

/* Until one of them fails or both are done. */
static void
play(struct duo *d, const char *password)
{
	const char *first = NULL;
	size_t len = 0;

	for (d->steps = 0; d->steps < 8; d->steps++) {
		buf_clear(&d->to_server);
		d->at_client = sasl_step(d->client, first, len, &d->to_server);
		if (d->at_client == SASL_WAIT)
			answer_client(d, password);
		if (d->at_client != SASL_CONTINUE)
			return;
		buf_clear(&d->to_client);
		d->at_server = sasl_step(d->server, d->to_server.data,
		    d->to_server.len, &d->to_client);
		if (d->at_server == SASL_WAIT)
			answer_server(d);
		if (d->at_server == SASL_FAILED)
			return;
		first = d->to_client.len > 0 ? d->to_client.data : "";
		len = d->to_client.len;
	}
	fail_msg("no end");
}

static void
duo_init(struct duo *d, enum sasl_mech mech,
    const struct sasl_channel *at_server, const struct sasl_channel *at_client,
    const char *name, const char *password, unsigned bindings)
{
	struct sasl_client client = { name, password };

	*d = (struct duo){ .name = "user", .password = "pencil" };
	d->at_server = d->at_client = SASL_CONTINUE;
	d->server = sasl_server_new(mech, at_server, &events, d, NULL);
	d->client = sasl_client_new(mech, at_client, &client, bindings, NULL);
	assert_non_null(d->server);
	assert_non_null(d->client);
	play(d, password);
}

static void
duo_fini(struct duo *d)
{
	sasl_free(&d->server);
	sasl_free(&d->client);
	buf_free(&d->to_server);
	buf_free(&d->to_client);
}

static void
assert_good(struct duo *d)
{
	assert_int_equal(d->at_server, SASL_DONE);
	assert_int_equal(d->at_client, SASL_DONE);
	assert_string_equal(sasl_name(d->server), "user");
	duo_fini(d);
}

static void
assert_refused(struct duo *d)
{
	const char *why;

	assert_int_equal(d->at_server, SASL_FAILED);
	assert_int_not_equal(d->at_client, SASL_DONE);
	assert_string_equal(sasl_failure(d->server, &why), "not-authorized");
	assert_true(why[0] != '\0');
	assert_int_equal(d->to_client.len, 0);
	duo_fini(d);
}

static void
test_each_mechanism(void **state)
{
	(void)state;
	for (int m = 0; m < SASL_MECHS; m++) {
		struct duo d;

		duo_init(&d, m, &both, &both, "user", "pencil", 3);
		assert_good(&d);
		duo_init(&d, m, &both, &both, "user", "pencils", 3);
		assert_refused(&d);
		duo_init(&d, m, &both, &both, "nobody", "pencil", 3);
		assert_refused(&d);
	}
}

/* An unknown name and a wrong password must not be told apart. */
static void
test_unknown_looks_wrong(void **state)
{
	struct duo wrong, unknown;
	const char *why_wrong, *why_unknown;

	(void)state;
	duo_init(&wrong, SASL_SCRAM_SHA256, &tls, &tls, "user", "x", 0);
	duo_init(&unknown, SASL_SCRAM_SHA256, &tls, &tls, "else", "x", 0);
	assert_string_equal(sasl_failure(wrong.server, &why_wrong),
	    sasl_failure(unknown.server, &why_unknown));
	assert_string_equal(why_wrong, why_unknown);
	assert_int_equal(wrong.steps, unknown.steps);
	duo_fini(&wrong);
	duo_fini(&unknown);
}

static void
test_bindings(void **state)
{
	static struct buf other = { .data = (char *)"of another", .len = 10 };
	static const struct sasl_channel middle12 = { true, &other, NULL };
	static const struct sasl_channel middle13 = { true, NULL, &other };
	struct duo d;

	(void)state;
	for (int m = SASL_SCRAM_SHA256_PLUS; m <= SASL_SCRAM_SHA1_PLUS;
	     m += 2) {
		duo_init(&d, m, &both, &tls12, "user", "pencil", 0);
		assert_good(&d);
		duo_init(&d, m, &both, &tls13, "user", "pencil",
		    SASL_BINDING_EXPORTER);
		assert_good(&d);
		duo_init(&d, m, &tls12, &middle12, "user", "pencil", 0);
		assert_refused(&d);
		duo_init(&d, m, &tls13, &middle13, "user", "pencil",
		    SASL_BINDING_EXPORTER);
		assert_refused(&d);
		/* A type that this channel of the server has not. */
		duo_init(&d, m, &tls12, &tls13, "user", "pencil",
		    SASL_BINDING_EXPORTER);
		assert_refused(&d);
	}
}

static void
assert_first(enum sasl_mech mech, const struct sasl_channel *channel,
    unsigned bindings, const char *start)
{
	struct sasl_client client = { "user", "pencil" };
	struct sasl *s = sasl_client_new(mech, channel, &client, bindings,
	    NULL);
	struct buf first = { 0 };

	assert_int_equal(sasl_step(s, NULL, 0, &first), SASL_CONTINUE);
	assert_int_equal(strncmp(first.data, start, strlen(start)), 0);
	sasl_free(&s);
	buf_free(&first);
}

static void
test_flag(void **state)
{
	(void)state;
	assert_first(SASL_SCRAM_SHA256, &tls, 0, "n,,n=user,r=");
	assert_first(SASL_SCRAM_SHA256, &both, 0, "n,,n=user,r=");
	assert_first(SASL_SCRAM_SHA256_PLUS, &both, 0, "p=tls-unique,,");
	assert_first(SASL_SCRAM_SHA256_PLUS, &both, 3, "p=tls-exporter,,");
	assert_first(SASL_SCRAM_SHA256_PLUS, &both, SASL_BINDING_UNIQUE,
	    "p=tls-unique,,");
}

/* Somebody took PLUS out of the offer: "y", and the server that made it refuses. */
static void
test_downgrade(void **state)
{
	static const struct {
		const struct sasl_channel *channel;
		enum sasl_status status;
	} cases[] = {
		{ &both, SASL_FAILED },
		{ &tls12, SASL_FAILED },
		{ &tls13, SASL_FAILED },
		{ &tls, SASL_CONTINUE },
		{ &plain_channel, SASL_CONTINUE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct duo d = { .name = "user", .password = "pencil" };

		d.server = sasl_server_new(SASL_SCRAM_SHA256, cases[i].channel,
		    &events, &d, NULL);
		assert_int_equal(sasl_step(d.server, "y,,n=user,r=abcdefgh", 20,
				     &d.to_client),
		    cases[i].status);
		duo_fini(&d);
	}
}

/* RFC 5802 section 5, in the client's role. */
static void
test_rfc5802(void **state)
{
	static const char first[] = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL";
	static const char challenge[] =
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096";
	static const char final[] =
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
	static const char proof[] = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";
	struct sasl_client client = { "user", "pencil" };
	struct duo d = { 0 };

	(void)state;
	fixed_nonce = "fyko+d2lbbFgONRv9qkxdawL";
	d.client = sasl_client_new(SASL_SCRAM_SHA1, &plain_channel, &client, 0,
	    NULL);
	fixed_nonce = NULL;
	assert_int_equal(sasl_step(d.client, NULL, 0, &d.to_server),
	    SASL_CONTINUE);
	assert_string_equal(d.to_server.data, first);
	assert_int_equal(sasl_step(d.client, challenge, strlen(challenge),
			     &d.to_server),
	    SASL_WAIT);
	buf_clear(&d.to_server);
	answer_client(&d, "pencil");
	assert_int_equal(d.at_client, SASL_CONTINUE);
	assert_string_equal(d.to_server.data, final);
	assert_int_equal(sasl_step(d.client, proof, strlen(proof),
			     &d.to_server),
	    SASL_DONE);
	duo_fini(&d);
}

static void
hmac(const unsigned char *key, const char *text, unsigned char out[32])
{
	unsigned len;

	assert_non_null(HMAC(EVP_sha256(), key, 32, (const unsigned char *)text,
	    strlen(text), out, &len));
}

/*
 * RFC 7677 section 3. Its nonces are shorter than the library's, so the numbers
 * are checked against the keys that we derive.
 */
static void
test_rfc7677(void **state)
{
	static const char message[] =
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	static const char proof[] =
	    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
	static const char verifier[] =
	    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
	struct scram_keys keys = { .iterations = 4096 };
	unsigned char signature[32], hashed[32];
	struct buf raw = { 0 }, text = { 0 };

	(void)state;
	text_base64_decode(&raw, "W22ZaJ0SNY7soEsUEjb6gQ==", 24);
	memcpy(keys.salt, raw.data, keys.salt_len = raw.len);
	assert_int_equal(scram_derive(&keys, SCRAM_SHA256, "pencil", NULL), 0);
	hmac(keys.server, message, signature);
	text_base64(&text, signature, 32);
	assert_string_equal(text.data, verifier);
	hmac(keys.stored, message, signature);
	buf_clear(&raw);
	text_base64_decode(&raw, proof, strlen(proof));
	for (int i = 0; i < 32; i++)
		signature[i] ^= (unsigned char)raw.data[i];
	EVP_Digest(signature, 32, hashed, NULL, EVP_sha256(), NULL);
	assert_memory_equal(hashed, keys.stored, 32);
	buf_free(&raw);
	buf_free(&text);
}

/* The server's role: everything that is no login, each way that it can be none. */
static void
test_hostile_first(void **state)
{
	static const struct {
		enum sasl_mech mech;
		const char *in;
		size_t len;
	} cases[] = {
		{ SASL_SCRAM_SHA256, "", 0 },
		{ SASL_SCRAM_SHA256, "n", 1 },
		{ SASL_SCRAM_SHA256, "n,,", 3 },
		{ SASL_SCRAM_SHA256, ",,,,,,,,,,,,,,,,,,,,", 20 },
		{ SASL_SCRAM_SHA256, "n,,n=user", 9 },
		{ SASL_SCRAM_SHA256, "n,,n=,r=abcdefgh", 16 },
		{ SASL_SCRAM_SHA256, "n,,n=\xc2\xad,r=abcdefgh", 18 },
		{ SASL_SCRAM_SHA256, "n,,n=us\0r,r=abcdefgh", 20 },
		{ SASL_SCRAM_SHA256, "n,,n=us\xff,r=abcdefgh", 19 },
		{ SASL_SCRAM_SHA256, "n,,n=us\x07,r=abcdefgh", 19 },
		{ SASL_SCRAM_SHA256, "n,,n=a=b,r=abcdefgh", 19 },
		{ SASL_SCRAM_SHA256, "n,,m=x,n=user,r=abcdefgh", 24 },
		{ SASL_SCRAM_SHA256, "x,,n=user,r=abcdefgh", 20 },
		{ SASL_SCRAM_SHA256, "y,,n=user,r=abcdefgh", 20 },
		{ SASL_SCRAM_SHA256, "n,,n=user,r=", 12 },
		{ SASL_SCRAM_SHA256_PLUS, "n,,n=user,r=abcdefgh", 20 },
		{ SASL_SCRAM_SHA256_PLUS, "p=,,n=user,r=abcdefgh", 21 },
		{ SASL_SCRAM_SHA256_PLUS,
		    "p=tls-server-end-point,,n=user,r=abcdefgh", 41 },
		{ SASL_PLAIN, "", 0 },
		{ SASL_PLAIN, "\0", 1 },
		{ SASL_PLAIN, "\0\0", 2 },
		{ SASL_PLAIN, "user", 4 },
		{ SASL_PLAIN, "\0user", 5 },
		{ SASL_PLAIN, "\0user\0", 6 },
		{ SASL_PLAIN, "\0\0pencil", 8 },
		{ SASL_PLAIN, "\0user\0pen\0cil", 13 },
		{ SASL_PLAIN, "\0us\xff\0pencil", 11 },
		{ SASL_PLAIN, "\0user\0pen\x07", 10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct duo d = { .name = "user", .password = "pencil" };
		/* An own copy: no byte behind it may be read. */
		char *in = mem_alloc(cases[i].len);

		memcpy(in, cases[i].in, cases[i].len);
		d.server = sasl_server_new(cases[i].mech, &both, &events, &d,
		    NULL);
		assert_int_equal(sasl_step(d.server, in, cases[i].len,
				     &d.to_client),
		    SASL_FAILED);
		assert_non_null(sasl_failure(d.server, NULL));
		assert_int_equal(d.to_client.len, 0);
		assert_int_equal(sasl_step(d.server, "n,,n=user,r=abcdefgh", 20,
				     &d.to_client),
		    SASL_FAILED);
		free(in);
		duo_fini(&d);
	}
}

/* A good first message, then what is not its end. %s is the nonce. */
static void
test_hostile_final(void **state)
{
	static const char *const finals[] = {
		"",
		"c=biws",
		"c=biws,r=%s",
		"c=biws,r=%s,p=",
		"c=biws,r=%s,p=!",
		"c=biws,r=%s,p=QUJD",
		"c=,r=%s,p=QUJD",
		"c=biws,r=abc,p=QUJD",
		"c=eSws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(finals) / sizeof(*finals); i++) {
		struct duo d = { .name = "user", .password = "pencil" };
		char *nonce;

		d.server = sasl_server_new(SASL_SCRAM_SHA256, &tls, &events, &d,
		    NULL);
		assert_int_equal(sasl_step(d.server, "n,,n=user,r=abcdefgh", 20,
				     &d.to_client),
		    SASL_CONTINUE);
		nonce = mem_strndup(d.to_client.data + 2,
		    strcspn(d.to_client.data + 2, ","));
		buf_clear(&d.to_client);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		buf_printf(&d.to_server, finals[i], nonce);
#pragma GCC diagnostic pop
		assert_int_equal(sasl_step(d.server, d.to_server.data,
				     d.to_server.len, &d.to_client),
		    SASL_WAIT);
		answer_server(&d);
		assert_int_equal(d.at_server, SASL_FAILED);
		assert_int_equal(d.to_client.len, 0);
		free(nonce);
		duo_fini(&d);
	}
}

/* A server that does not know the password, or skips its proof. */
static void
test_false_server(void **state)
{
	static const char *const proofs[] = {
		"",
		"v=",
		"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"e=other-error",
		"v=!!!!!!!!",
		"x",
	};
	struct sasl_client client = { "user", "pencil" };

	(void)state;
	for (size_t i = 0; i < sizeof(proofs) / sizeof(*proofs); i++) {
		struct duo d = { .name = "user", .password = "pencil" };

		d.server = sasl_server_new(SASL_SCRAM_SHA256, &tls, &events, &d,
		    NULL);
		d.client = sasl_client_new(SASL_SCRAM_SHA256, &tls, &client, 0,
		    NULL);
		sasl_step(d.client, NULL, 0, &d.to_server);
		sasl_step(d.server, d.to_server.data, d.to_server.len,
		    &d.to_client);
		assert_int_equal(sasl_step(d.client, d.to_client.data,
				     d.to_client.len, &d.to_server),
		    SASL_WAIT);
		answer_client(&d, "pencil");
		assert_int_equal(d.at_client, SASL_CONTINUE);
		assert_int_equal(sasl_step(d.client, proofs[i],
				     strlen(proofs[i]), &d.to_server),
		    SASL_FAILED);
		assert_string_equal(sasl_failure(d.client, NULL),
		    "not-authorized");
		duo_fini(&d);
	}
}

static void
test_hostile_challenge(void **state)
{
	static const char *const challenges[] = {
		"",
		"r=abc",
		"r=fyko+d2lbbFgONRv9qkxdawL,s=QUJD,i=1",
		"r=fyko+d2lbbFgONRv9qkxdawLx,s=QUJD,i=1000001",
		"r=fyko+d2lbbFgONRv9qkxdawLx,s=,i=4096",
		"m=1,r=fyko+d2lbbFgONRv9qkxdawLx,s=QUJD,i=4096",
	};
	struct sasl_client client = { "user", "pencil" };

	(void)state;
	for (size_t i = 0; i < sizeof(challenges) / sizeof(*challenges); i++) {
		struct duo d = { 0 };

		d.client = sasl_client_new(SASL_SCRAM_SHA256, &tls, &client, 0,
		    NULL);
		sasl_step(d.client, NULL, 0, &d.to_server);
		assert_int_equal(sasl_step(d.client, challenges[i],
				     strlen(challenges[i]), &d.to_server),
		    SASL_FAILED);
		duo_fini(&d);
	}
}

/* A nonce that does not begin with ours fails, after the wait. */
static void
test_foreign_nonce(void **state)
{
	static const char challenge[] = "r=somebodyelsesnonce,s=QUJD,i=4096";
	struct sasl_client client = { "user", "pencil" };
	struct duo d = { 0 };

	(void)state;
	d.client = sasl_client_new(SASL_SCRAM_SHA256, &tls, &client, 0, NULL);
	sasl_step(d.client, NULL, 0, &d.to_server);
	buf_clear(&d.to_server);
	assert_int_equal(sasl_step(d.client, challenge, strlen(challenge),
			     &d.to_server),
	    SASL_WAIT);
	answer_client(&d, "pencil");
	assert_int_equal(d.at_client, SASL_FAILED);
	assert_int_equal(d.to_server.len, 0);
	duo_fini(&d);
}

static void
test_plain_parts(void **state)
{
	struct duo d = { .name = "user", .password = "pencil" };

	(void)state;
	d.server = sasl_server_new(SASL_PLAIN, &tls, &events, &d, NULL);
	assert_int_equal(sasl_step(d.server, NULL, 0, &d.to_client),
	    SASL_CONTINUE);
	assert_int_equal(d.to_client.len, 0);
	assert_int_equal(sasl_step(d.server, "a@b\0u\xc2\xadser\0p", 12,
			     &d.to_client),
	    SASL_WAIT);
	assert_string_equal(sasl_authzid(d.server), "a@b");
	assert_string_equal(sasl_name(d.server), "user");
	assert_string_equal(sasl_password(d.server), "p");
	assert_int_equal(sasl_verdict(d.server, true), SASL_DONE);
	assert_null(sasl_password(d.server));
	duo_fini(&d);

	d = (struct duo){ .name = "user", .password = "pencil" };
	d.server = sasl_server_new(SASL_PLAIN, &tls, &events, &d, NULL);
	assert_int_equal(sasl_step(d.server, "\0user\0p", 7, &d.to_client),
	    SASL_WAIT);
	assert_null(sasl_authzid(d.server));
	duo_fini(&d);
}

static void
test_scram_authzid(void **state)
{
	struct duo d = { .name = "user", .password = "pencil" };

	(void)state;
	d.server = sasl_server_new(SASL_SCRAM_SHA1, &tls, &events, &d, NULL);
	assert_int_equal(sasl_step(d.server, "n,a=b=2Cc,n=a=3Db,r=abcdefgh", 28,
			     &d.to_client),
	    SASL_CONTINUE);
	assert_string_equal(sasl_authzid(d.server), "b,c");
	assert_string_equal(sasl_name(d.server), "a=b");
	duo_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mechanism),
		cmocka_unit_test(test_unknown_looks_wrong),
		cmocka_unit_test(test_bindings),
		cmocka_unit_test(test_flag),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_rfc5802),
		cmocka_unit_test(test_rfc7677),
		cmocka_unit_test(test_hostile_first),
		cmocka_unit_test(test_hostile_final),
		cmocka_unit_test(test_false_server),
		cmocka_unit_test(test_hostile_challenge),
		cmocka_unit_test(test_foreign_nonce),
		cmocka_unit_test(test_plain_parts),
		cmocka_unit_test(test_scram_authzid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
