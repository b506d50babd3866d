/*
 * SASL, both roles, fed with a peer's bytes, and stored credentials. The first
 * byte picks role, mechanism and channel; each line behind it is a message. Nonces
 * are all zero bits, so that the corpus can hold whole exchanges.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int gsasl_nonce(char *data, size_t len);

static struct buf binding = { .data = (char *)"binding", .len = 7 };
static const struct sasl_channel channels[] = {
	{ 0 },
	{ .secure = true },
	{ true, &binding, NULL },
	{ true, NULL, &binding },
};

/* In the library's place. */
int
gsasl_nonce(char *data, size_t len)
{
	memset(data, 0, len);
	return 0;
}

static void
give_salt(void *arg, const char *name, enum scram_hash hash,
    struct scram_keys *out)
{
	(void)arg;
	(void)hash;
	if (name[0] == '\0')
		abort();
	out->iterations = SCRAM_ITERATIONS_MIN;
	out->salt_len = 4;
	memcpy(out->salt, "salt", 4);
}

static const struct sasl_server_events events = { give_salt };

/* Of "pencil"; once, for it takes time. */
static const struct scram_keys *
keys_of(enum scram_hash hash)
{
	static struct scram_keys keys[SCRAM_HASHES];

	if (!keys[hash].known) {
		give_salt(NULL, "user", hash, &keys[hash]);
		if (scram_derive(&keys[hash], hash, "pencil", NULL) != 0)
			abort();
	}
	return &keys[hash];
}

static const unsigned char *
salted_of(enum scram_hash hash)
{
	static unsigned char salted[SCRAM_HASHES][SCRAM_KEY_MAX];
	static bool known[SCRAM_HASHES];

	if (!known[hash] &&
	    scram_salted(hash, "pencil", "salt", 4, SCRAM_ITERATIONS_MIN,
		salted[hash], NULL) != 0)
		abort();
	known[hash] = true;
	return salted[hash];
}

static enum sasl_status
answer(struct sasl *s, bool is_server, struct buf *out)
{
	struct scram_keys salt;
	bool known;

	if (!is_server) {
		if (!sasl_wanted(s, &salt) ||
		    salt.iterations < SCRAM_ITERATIONS_MIN ||
		    salt.iterations > SCRAM_ITERATIONS_MAX)
			abort();
		return sasl_salted(s, salted_of(sasl_hash(s)), out);
	}
	if (sasl_name(s) == NULL || sasl_name(s)[0] == '\0')
		abort();
	known = strcmp(sasl_name(s), "user") == 0;
	if (sasl_password(s) != NULL)
		return sasl_verdict(s,
		    known && strcmp(sasl_password(s), "pencil") == 0);
	return sasl_keys(s, known ? keys_of(sasl_hash(s)) : NULL, out);
}

/* A refused login says why, and gives nothing away; an unknown name has none. */
static void
check(struct sasl *s, bool is_server, enum sasl_status status,
    const struct buf *out)
{
	if (status == SASL_FAILED &&
	    (sasl_failure(s, NULL) == NULL || out->len > 0))
		abort();
	if (is_server && status == SASL_DONE &&
	    strcmp(sasl_name(s), "user") != 0)
		abort();
}

static void
play(struct sasl *s, bool is_server, const char *in, size_t left)
{
	enum sasl_status status = SASL_CONTINUE;
	struct buf out = { 0 };

	if (!is_server)
		status = sasl_step(s, NULL, 0, &out);
	while (left > 0 && status == SASL_CONTINUE) {
		const char *end = memchr(in, '\n', left);
		size_t len = end != NULL ? (size_t)(end - in) : left;
		char *message = mem_alloc(len); /* its end is a fence */

		memcpy(message, in, len);
		buf_clear(&out);
		status = sasl_step(s, message, len, &out);
		if (status == SASL_WAIT)
			status = answer(s, is_server, &out);
		check(s, is_server, status, &out);
		free(message);
		len += end != NULL;
		in += len;
		left -= len;
	}
	buf_free(&out);
}

/* What can be read is written and read as the same. */
static void
credential(const char *in, size_t len)
{
	struct scram_credential first, second;
	struct buf text = { 0 }, again = { 0 };
	char *copy = mem_strndup(in, len);

	if (scram_parse(&first, copy, NULL) == 0) {
		scram_format(&text, &first);
		if (scram_parse(&second, text.data, NULL) != 0)
			abort();
		scram_format(&again, &second);
		if (strcmp(text.data, again.data) != 0)
			abort();
	}
	free(copy);
	buf_free(&text);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sasl_client client = { "user", "pencil" };
	const char *bytes = (const char *)data;
	const struct sasl_channel *channel;
	struct sasl *s;
	enum sasl_mech mech;
	bool is_server;

	if (size == 0)
		return 0;
	credential(bytes, size);
	mech = (enum sasl_mech)(data[0] % SASL_MECHS);
	is_server = data[0] / SASL_MECHS % 2 == 0;
	channel = &channels[data[0] / SASL_MECHS / 2 % 4];
	s = is_server ? sasl_server_new(mech, channel, &events, NULL, NULL) :
			sasl_client_new(mech, channel, &client, 0, NULL);
	if (s == NULL)
		abort();
	play(s, is_server, bytes + 1, size - 1);
	sasl_free(&s);
	return 0;
}
