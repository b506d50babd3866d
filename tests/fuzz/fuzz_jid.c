/*
 * A JID: prepared once it stays as it is, its parts put together give it, and
 * its domain has a form for DNS or is too long for it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "xmpp/jid.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool good)
{
	if (!good)
		abort();
}

static void
expect(const char *got, const char *text)
{
	require(got != NULL && strcmp(got, text) == 0);
}

static void
check_domain(struct arena *arena, const char *domain)
{
	const char *ascii = jid_domain_to_ascii(arena, domain, NULL);

	expect(jid_prep_domain(arena, domain, NULL), domain);
	expect(jid_prep(arena, domain, NULL), domain);
	require(jid_is_domain(domain));
	if (ascii == NULL || domain[0] == '[')
		return;
	for (const char *p = ascii; *p != '\0'; p++)
		require((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f);
	expect(jid_prep_domain(arena, ascii, NULL), domain);
}

static void
check_parts(struct arena *arena, const char *jid)
{
	const char *bare = jid_bare(arena, jid), *domain, *local = NULL;
	const char *resource = jid_resource(jid);
	size_t len;

	domain = jid_domain(jid, &len);
	require(len > 0 && len <= JID_PART_MAX);
	if (domain > jid)
		local = arena_strndup(arena, jid, (size_t)(domain - jid - 1));
	domain = arena_strndup(arena, domain, len);
	check_domain(arena, domain);
	if (local != NULL) {
		expect(jid_prep_local(arena, local, NULL), local);
		expect(arena_printf(arena, "%s@%s", local, domain), bare);
	} else {
		expect(domain, bare);
	}
	require(jid_is_bare(bare) && jid_same_bare(bare, jid));
	require(jid_is_bare(jid) == (resource == NULL));
	if (resource == NULL) {
		expect(bare, jid);
		return;
	}
	expect(jid_prep_resource(arena, resource, NULL), resource);
	expect(jid_with_resource(arena, bare, resource), jid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = size > 0 ? (const char *)data : "";
	struct arena *arena = arena_new();
	const char *raw = arena_strndup(arena, bytes, size), *jid;
	struct err err = { "" };

	jid = jid_prep(arena, raw, &err);
	if (jid != NULL) {
		require(text_is_utf8(jid, strlen(jid)));
		expect(jid_prep(arena, jid, NULL), jid);
		check_parts(arena, jid);
	} else {
		require(err.text[0] != '\0');
	}
	arena_free(&arena);
	return 0;
}
