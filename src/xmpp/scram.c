#include "xmpp/scram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "xmpp/sasl_hash.h"

#define FRESH_SALT 16

static const struct {
	const char *name;
	size_t len;
} hashes[SCRAM_HASHES] = {
	[SCRAM_SHA256] = { "SCRAM-SHA-256", 32 },
	[SCRAM_SHA1] = { "SCRAM-SHA-1", 20 },
};

size_t
scram_key_len(enum scram_hash hash)
{
	return hashes[hash].len;
}

const char *
scram_name(enum scram_hash hash)
{
	return hashes[hash].name;
}

/* Behind "SCRAM-SHA-256$", or NULL where it does not begin like that. */
static const char *
skip_name(const char *text, enum scram_hash *hash)
{
	for (int h = 0; h < SCRAM_HASHES; h++) {
		size_t len = strlen(hashes[h].name);

		if (strncmp(text, hashes[h].name, len) != 0 || text[len] != '$')
			continue;
		*hash = (enum scram_hash)h;
		return text + len + 1;
	}
	return NULL;
}

bool
scram_is_credential(const char *passwd)
{
	enum scram_hash hash;

	return skip_name(passwd, &hash) != NULL;
}

/* Base64 of min to max bytes. */
static int
decode(const char *text, unsigned char *out, size_t min, size_t max,
    size_t *len)
{
	struct buf raw = { 0 };
	int rc = -1;

	if (text_base64_decode(&raw, text, strlen(text)) == 0 &&
	    raw.len >= min && raw.len <= max) {
		memcpy(out, raw.data, raw.len);
		*len = raw.len;
		rc = 0;
	}
	if (raw.data != NULL)
		mem_wipe(raw.data, raw.len);
	buf_free(&raw);
	return rc;
}

/* "<iterations>:<salt>$<stored key>:<server key>"; cuts the text up. */
static int
parse_keys(struct scram_keys *keys, enum scram_hash hash, char *text,
    struct err *err)
{
	char *salt, *stored = strchr(text, '$'), *server;
	size_t len = scram_key_len(hash);
	uint64_t iterations;

	if (stored == NULL)
		return err_set(err, "no \"$\" before the stored key");
	*stored++ = '\0';
	salt = strchr(text, ':');
	server = strchr(stored, ':');
	if (salt == NULL || server == NULL)
		return err_set(err, "no \":\" before the %s",
		    salt == NULL ? "salt" : "server key");
	*salt++ = *server++ = '\0';
	if (!text_to_uint(text, SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX,
		&iterations))
		return err_set(err, "iterations must be %d to %d",
		    SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
	if (decode(salt, keys->salt, 1, SCRAM_SALT_MAX, &keys->salt_len) != 0)
		return err_set(err, "the salt must be base64 of 1 to %d bytes",
		    SCRAM_SALT_MAX);
	if (decode(stored, keys->stored, len, len, &len) != 0 ||
	    decode(server, keys->server, len, len, &len) != 0)
		return err_set(err, "a key must be base64 of %zu bytes", len);
	keys->iterations = (uint32_t)iterations;
	keys->known = true;
	return 0;
}

static int
parse_item(struct scram_credential *out, char *item, struct err *err)
{
	enum scram_hash hash;
	const char *rest = skip_name(item, &hash);

	if (rest == NULL)
		return err_set(err,
		    "a stored credential begins with \"%s$\" "
		    "or \"%s$\"",
		    scram_name(SCRAM_SHA256), scram_name(SCRAM_SHA1));
	if (out->keys[hash].known)
		return err_set(err, "%s stands there twice", scram_name(hash));
	if (parse_keys(&out->keys[hash], hash, item + (rest - item), err) != 0)
		return err_prefix(err, "%s", scram_name(hash));
	return 0;
}

int
scram_parse(struct scram_credential *out, const char *text, struct err *err)
{
	char *copy = mem_strdup(text), *rest = copy, *item;
	size_t len = strlen(text);
	int rc = 0;

	*out = (struct scram_credential){ 0 };
	while (rc == 0 && (item = strsep(&rest, ",")) != NULL)
		rc = parse_item(out, item, err);
	mem_wipe(copy, len);
	free(copy);
	if (rc != 0)
		mem_wipe(out, sizeof(*out));
	return rc;
}

void
scram_format(struct buf *out, const struct scram_credential *credential)
{
	const char *comma = "";

	for (int h = 0; h < SCRAM_HASHES; h++) {
		const struct scram_keys *keys = &credential->keys[h];

		if (!keys->known)
			continue;
		buf_printf(out, "%s%s$%" PRIu32 ":", comma, hashes[h].name,
		    keys->iterations);
		text_base64(out, keys->salt, keys->salt_len);
		buf_putc(out, '$');
		text_base64(out, keys->stored, hashes[h].len);
		buf_putc(out, ':');
		text_base64(out, keys->server, hashes[h].len);
		comma = ",";
	}
}

int
scram_salted(enum scram_hash hash, const char *password, const void *salt,
    size_t salt_len, uint32_t iterations, unsigned char out[SCRAM_KEY_MAX],
    struct err *err)
{
	struct scram_keys keys = { .iterations = iterations };
	int rc;

	if (salt_len == 0 || salt_len > SCRAM_SALT_MAX)
		return err_set(err, "a salt has 1 to %d bytes", SCRAM_SALT_MAX);
	keys.salt_len = salt_len;
	memcpy(keys.salt, salt, salt_len);
	rc = sasl_hash_password(hash, password, &keys, out, err);
	mem_wipe(&keys, sizeof(keys));
	return rc;
}

int
scram_derive(struct scram_keys *keys, enum scram_hash hash,
    const char *password, struct err *err)
{
	unsigned char salted[SCRAM_KEY_MAX];
	int rc = sasl_hash_password(hash, password, keys, salted, err);

	mem_wipe(salted, sizeof(salted));
	if (rc == 0)
		keys->known = true;
	return rc;
}

int
scram_make(struct scram_credential *out, const char *password, struct err *err)
{
	*out = (struct scram_credential){ 0 };
	for (int h = 0; h < SCRAM_HASHES; h++) {
		struct scram_keys *keys = &out->keys[h];

		keys->iterations = SCRAM_ITERATIONS;
		keys->salt_len = FRESH_SALT;
		random_bytes(keys->salt, keys->salt_len);
		if (scram_derive(keys, (enum scram_hash)h, password, err) != 0)
			return -1;
	}
	return 0;
}
