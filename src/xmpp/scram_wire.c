#include "xmpp/scram_wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/*
 * What stands before the next comma, NUL-terminated; *p moves behind that
 * comma, and is NULL after the last field.
 */
static char *
next_field(const char **p, const char *end)
{
	const char *from = *p, *comma;

	if (from == NULL)
		return NULL;
	comma = memchr(from, ',', (size_t)(end - from));
	*p = comma != NULL ? comma + 1 : NULL;
	return mem_strndup(from, (size_t)((comma ? comma : end) - from));
}

/* "=2C" is a comma, "=3D" an equals sign; any other '=' is an error (5.1). */
static int
unescape(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s != '=') {
			buf_putc(out, *s);
		} else if (strncmp(s, "=2C", 3) == 0) {
			buf_putc(out, ',');
			s += 2;
		} else if (strncmp(s, "=3D", 3) == 0) {
			buf_putc(out, '=');
			s += 2;
		} else {
			return -1;
		}
	}
	return 0;
}

static int
check_text(const char *in, size_t len, struct err *err)
{
	if (memchr(in, '\0', len) != NULL || !text_is_utf8(in, len))
		return err_set(err, "no UTF-8 text");
	return 0;
}

int
scram_wire_user(const char *in, size_t len, struct buf *name, struct err *err)
{
	const char *p = in;
	char *field = NULL;
	int i, rc = -1;

	if (check_text(in, len, err) != 0)
		return -1;
	/* The binding's flag, the authorization id, the user. */
	for (i = 0; i < 3; i++) {
		free(field);
		field = next_field(&p, in + len);
	}
	if (field == NULL || strncmp(field, "n=", 2) != 0 ||
	    unescape(name, field + 2) != 0 || name->len == 0)
		err_set(err, "no user name in the client's first message");
	else
		rc = 0;
	free(field);
	return rc;
}

static int
take_salt(const char *field, struct scram_keys *out, struct err *err)
{
	struct buf raw = { 0 };
	int rc = -1;

	if (field == NULL || strncmp(field, "s=", 2) != 0 ||
	    text_base64_decode(&raw, field + 2, strlen(field + 2)) != 0 ||
	    raw.len == 0) {
		err_set(err, "no salt in the server's first message");
	} else if (raw.len > SCRAM_SALT_MAX) {
		err_set(err, "the server's salt has %zu bytes, over %d",
		    raw.len, SCRAM_SALT_MAX);
	} else {
		memcpy(out->salt, raw.data, raw.len);
		out->salt_len = raw.len;
		rc = 0;
	}
	buf_free(&raw);
	return rc;
}

/*
 * More than the most would let a server burn our time. Fewer than RFC 7677
 * asks servers for are refused too: they would make the proof cheap to guess
 * from for one who only pretends to be the server.
 */
static int
take_iterations(const char *field, struct scram_keys *out, struct err *err)
{
	uint64_t n;

	if (field == NULL || strncmp(field, "i=", 2) != 0 ||
	    !text_to_uint(field + 2, 1, UINT64_MAX, &n))
		return err_set(err,
		    "no iteration count in the server's first message");
	if (n < SCRAM_ITERATIONS_MIN || n > SCRAM_ITERATIONS_MAX)
		return err_set(err,
		    "the server asks for %" PRIu64 " iterations, not %d to %d",
		    n, SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
	out->iterations = (uint32_t)n;
	return 0;
}

int
scram_wire_salt(const char *in, size_t len, struct scram_keys *out,
    struct err *err)
{
	const char *p = in;
	char *nonce, *salt, *iterations;
	int rc = -1;

	if (check_text(in, len, err) != 0)
		return -1;
	nonce = next_field(&p, in + len);
	salt = next_field(&p, in + len);
	iterations = next_field(&p, in + len);
	if (nonce == NULL || strncmp(nonce, "r=", 2) != 0)
		err_set(err, "no nonce in the server's first message");
	else if (take_salt(salt, out, err) == 0)
		rc = take_iterations(iterations, out, err);
	free(nonce);
	free(salt);
	free(iterations);
	return rc;
}
