#include "xmpp/jid.h"

#include <arpa/inet.h>
#include <idn-free.h>
#include <idna.h>
#include <stdlib.h>
#include <string.h>
#include <stringprep.h>

#include "base/text.h"

/* What raw text can shrink from, or grow to on the way. */
enum { WORK_SIZE = 4 * JID_PART_MAX, LABEL_MAX = 63, DNS_MAX = 253 };

/* All three parts with '@' and '/'. */
enum { JID_SIZE = 3 * (JID_PART_MAX + 1) };

static bool
is_ascii(const char *s, size_t len)
{
	while (len > 0 && (unsigned char)s[len - 1] < 0x80)
		len--;
	return len == 0;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The prepared part is in `out`, which holds WORK_SIZE bytes; 0 or -1. */
static int
stringprep_part(char *out, const char *raw, size_t len,
    const Stringprep_profile *profile, struct err *err)
{
	int rc;

	if (len >= WORK_SIZE)
		return err_set(err, "longer than %d bytes", JID_PART_MAX);
	if (!text_is_utf8(raw, len))
		return err_set(err, "not UTF-8");
	memcpy(out, raw, len);
	out[len] = '\0';
	rc = stringprep(out, WORK_SIZE, 0, profile);
	if (rc != STRINGPREP_OK)
		return err_set(err, "%s", stringprep_strerror(rc));
	return 0;
}

/*
 * Copies a part of the right length to `out`; the length or -1. What a second
 * round would change compares with nothing, so it is none.
 */
static int
take_part(char *out, const char *part, const char *again, struct err *err)
{
	size_t len = strlen(part);

	if (len == 0)
		return err_set(err, "empty");
	if (len > JID_PART_MAX)
		return err_set(err, "longer than %d bytes", JID_PART_MAX);
	if (strcmp(part, again) != 0)
		return err_set(err, "not stable under preparation");
	memcpy(out, part, len);
	return (int)len;
}

static int
prep_unicode(char *out, const char *raw, size_t len,
    const Stringprep_profile *profile, struct err *err)
{
	char once[WORK_SIZE], twice[WORK_SIZE];

	if (stringprep_part(once, raw, len, profile, err) != 0 ||
	    stringprep_part(twice, once, strlen(once), profile, err) != 0)
		return -1;
	return take_part(out, once, twice, err);
}

/* These write at most JID_PART_MAX bytes to `out`; their number, or -1. */

static int
prep_local(char *out, const char *raw, size_t len, struct err *err)
{
	if (!is_ascii(raw, len))
		return prep_unicode(out, raw, len, stringprep_xmpp_nodeprep,
		    err);
	if (len == 0)
		return err_set(err, "empty");
	if (len > JID_PART_MAX)
		return err_set(err, "longer than %d bytes", JID_PART_MAX);
	for (size_t i = 0; i < len; i++) {
		if (is_control(raw[i]) || strchr(" \"&'/:<>@", raw[i]) != NULL)
			return err_set(err, "forbidden character");
		out[i] = lower(raw[i]);
	}
	return (int)len;
}

static int
prep_resource(char *out, const char *raw, size_t len, struct err *err)
{
	if (!is_ascii(raw, len))
		return prep_unicode(out, raw, len, stringprep_xmpp_resourceprep,
		    err);
	if (len == 0)
		return err_set(err, "empty");
	if (len > JID_PART_MAX)
		return err_set(err, "longer than %d bytes", JID_PART_MAX);
	for (size_t i = 0; i < len; i++)
		if (is_control(raw[i]))
			return err_set(err, "forbidden character");
	memcpy(out, raw, len);
	return (int)len;
}

/* --- domains --- */

/* Underscores are in no host name, but in names that people gave to servers. */
static bool
is_domain_byte(char c)
{
	return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool
is_label(const char *s, size_t len)
{
	if (len == 0 || s[0] == '-' || s[len - 1] == '-')
		return false;
	if (len > LABEL_MAX && is_ascii(s, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_domain_byte(s[i]))
			return false;
	return true;
}

/* Less the one dot that may stand at the end (RFC 7622 3.2); 0: not a domain. */
static size_t
domain_length(const char *s, size_t len)
{
	size_t from = 0, i;

	if (len > 1 && s[len - 1] == '.')
		len--;
	for (i = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		if (!is_label(s + from, i - from))
			return 0;
		from = i + 1;
	}
	return len;
}

/* "[::1]", in the one form that inet_ntop() gives. */
static int
prep_address(char *out, const char *raw, size_t len, struct err *err)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t inner = len - 2;

	if (len < 4 || inner >= sizeof(text) || raw[len - 1] != ']')
		return err_set(err, "not an IPv6 address");
	memcpy(text, raw + 1, inner);
	text[inner] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return err_set(err, "not an IPv6 address");
	inet_ntop(AF_INET6, &address, text, sizeof(text));
	len = strlen(text);
	out[0] = '[';
	memcpy(out + 1, text, len);
	out[len + 1] = ']';
	return (int)len + 2;
}

/* One round: nameprep, A-labels to U-labels, each kind of dot to '.'. */
static int
to_unicode(char *out, const char *raw, size_t len, struct err *err)
{
	char *unicode = NULL, *ascii = NULL;
	int rc, result = -1;

	if (stringprep_part(out, raw, len, stringprep_nameprep, err) != 0)
		return -1;
	rc = idna_to_unicode_8z8z(out, &unicode, IDNA_ALLOW_UNASSIGNED);
	if (rc == IDNA_SUCCESS)
		rc = idna_to_ascii_8z(unicode, &ascii, IDNA_ALLOW_UNASSIGNED);
	if (rc != IDNA_SUCCESS) {
		err_set(err, "%s", idna_strerror(rc));
		goto out;
	}
	len = strlen(unicode);
	if (len >= WORK_SIZE) {
		err_set(err, "longer than %d bytes", JID_PART_MAX);
		goto out;
	}
	memcpy(out, unicode, len + 1);
	result = 0;
out:
	idn_free(unicode);
	idn_free(ascii);
	return result;
}

static int
prep_international(char *out, const char *raw, size_t len, struct err *err)
{
	char once[WORK_SIZE], twice[WORK_SIZE];

	if (to_unicode(once, raw, len, err) != 0 ||
	    to_unicode(twice, once, strlen(once), err) != 0)
		return -1;
	return take_part(out, once, twice, err);
}

static bool
has_a_label(const char *s, size_t len)
{
	for (; len >= 4; s++, len--)
		if (s[2] == '-' && s[3] == '-' && lower(s[0]) == 'x' &&
		    lower(s[1]) == 'n')
			return true;
	return false;
}

static int
prep_domain(char *out, const char *raw, size_t len, struct err *err)
{
	int n = (int)len;

	if (len > 0 && raw[0] == '[')
		return prep_address(out, raw, len, err);
	if (!is_ascii(raw, len) || has_a_label(raw, len)) {
		n = prep_international(out, raw, len, err);
		if (n < 0)
			return -1;
	} else if (len > JID_PART_MAX) {
		return err_set(err, "longer than %d bytes", JID_PART_MAX);
	} else {
		for (size_t i = 0; i < len; i++)
			out[i] = lower(raw[i]);
	}
	n = (int)domain_length(out, (size_t)n);
	return n > 0 ? n : err_set(err, "not a domain name");
}

char *
jid_domain_to_ascii(struct arena *arena, const char *domain, struct err *err)
{
	char *ascii = NULL, *copy = NULL;
	int rc;

	if (domain[0] == '[')
		return arena_strndup(arena, domain + 1, strlen(domain) - 2);
	rc = idna_to_ascii_8z(domain, &ascii, IDNA_ALLOW_UNASSIGNED);
	if (rc != IDNA_SUCCESS)
		err_set(err, "%s: %s", domain, idna_strerror(rc));
	else if (strlen(ascii) > DNS_MAX)
		err_set(err, "%s: longer than %d bytes", domain, DNS_MAX);
	else
		copy = arena_strdup(arena, ascii);
	idn_free(ascii);
	return copy;
}

/* --- preparing --- */

static char *
prep_one(struct arena *arena, const char *raw, struct err *err,
    int (*prep)(char *, const char *, size_t, struct err *), const char *what)
{
	char out[JID_PART_MAX];
	int len = raw != NULL ? prep(out, raw, strlen(raw), err) :
				err_set(err, "none");

	if (len < 0) {
		err_prefix(err, "%s", what);
		return NULL;
	}
	return arena_strndup(arena, out, (size_t)len);
}

char *
jid_prep_local(struct arena *arena, const char *raw, struct err *err)
{
	return prep_one(arena, raw, err, prep_local, "local part");
}

char *
jid_prep_domain(struct arena *arena, const char *raw, struct err *err)
{
	return prep_one(arena, raw, err, prep_domain, "domain");
}

char *
jid_prep_resource(struct arena *arena, const char *raw, struct err *err)
{
	return prep_one(arena, raw, err, prep_resource, "resource");
}

/* The '/' is looked for first: a resource can hold an '@' (RFC 7622 3.1). */
static int
prep_all(char *out, const char *raw, struct err *err)
{
	size_t bare = strcspn(raw, "/"), used = 0;
	const char *at = memchr(raw, '@', bare);
	const char *domain = at != NULL ? at + 1 : raw;
	int n;

	if (at != NULL) {
		n = prep_local(out, raw, (size_t)(at - raw), err);
		if (n < 0)
			return err_prefix(err, "local part");
		used = (size_t)n;
		out[used++] = '@';
	}
	n = prep_domain(out + used, domain, bare - (size_t)(domain - raw), err);
	if (n < 0)
		return err_prefix(err, "domain");
	used += (size_t)n;
	if (raw[bare] == '\0')
		return (int)used;
	out[used++] = '/';
	n = prep_resource(out + used, raw + bare + 1, strlen(raw + bare + 1),
	    err);
	return n < 0 ? err_prefix(err, "resource") : (int)used + n;
}

char *
jid_prep(struct arena *arena, const char *raw, struct err *err)
{
	char out[JID_SIZE];
	int len = raw != NULL ? prep_all(out, raw, err) :
				err_set(err, "no JID");

	return len >= 0 ? arena_strndup(arena, out, (size_t)len) : NULL;
}

/* --- reading --- */

size_t
jid_bare_len(const char *jid)
{
	return strcspn(jid, "/");
}

bool
jid_is_bare(const char *jid)
{
	return jid_resource(jid) == NULL;
}

const char *
jid_resource(const char *jid)
{
	const char *slash = strchr(jid, '/');

	return slash != NULL ? slash + 1 : NULL;
}

const char *
jid_domain(const char *jid, size_t *len)
{
	size_t bare = jid_bare_len(jid);
	const char *at = memchr(jid, '@', bare);
	const char *domain = at != NULL ? at + 1 : jid;

	*len = bare - (size_t)(domain - jid);
	return domain;
}

bool
jid_is_domain(const char *jid)
{
	return strpbrk(jid, "@/") == NULL;
}

char *
jid_bare(struct arena *arena, const char *jid)
{
	return arena_strndup(arena, jid, jid_bare_len(jid));
}

char *
jid_with_resource(struct arena *arena, const char *bare, const char *resource)
{
	return arena_printf(arena, "%s/%s", bare, resource);
}

bool
jid_same_bare(const char *a, const char *b)
{
	size_t len;

	if (a == NULL || b == NULL)
		return false;
	len = jid_bare_len(a);
	return len == jid_bare_len(b) && memcmp(a, b, len) == 0;
}
