#include "core/archive_prefs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/jid.h"

static void
jids_fini(struct archive_jids *jids)
{
	for (size_t i = 0; i < jids->count; i++)
		free(jids->list[i]);
	free(jids->list);
}

void
archive_prefs_fini(struct archive_prefs *p)
{
	jids_fini(&p->always);
	jids_fini(&p->never);
	*p = (struct archive_prefs){ 0 };
}

void
archive_jids_add(struct archive_jids *jids, const char *jid)
{
	jids->list = mem_grow(jids->list,
	    (jids->count + 1) * sizeof(*jids->list));
	jids->list[jids->count++] = mem_strdup(jid);
}

/* --- matching (XEP-0441 2.3) --- */

static bool
has(const struct archive_jids *jids, const char *jid, size_t len)
{
	for (size_t i = 0; i < jids->count; i++) {
		if (strlen(jids->list[i]) == len &&
		    memcmp(jids->list[i], jid, len) == 0)
			return true;
	}
	return false;
}

bool
archive_prefs_want(const struct archive_prefs *p, const char *jid,
    bool is_in_roster)
{
	const size_t lens[] = { strlen(jid), jid_bare_len(jid) };

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		if (has(&p->always, jid, lens[i]))
			return true;
		if (has(&p->never, jid, lens[i]))
			return false;
	}
	return p->by_default == ARCHIVE_ALWAYS ||
	    (p->by_default == ARCHIVE_ROSTER && is_in_roster);
}

/* --- on disk --- */

static void
pack_jids(const struct archive_jids *jids, struct buf *b)
{
	pack_uint(b, jids->count);
	for (size_t i = 0; i < jids->count; i++)
		pack_string(b, jids->list[i]);
}

static void
unpack_jids(struct archive_jids *jids, struct unpack *u)
{
	uint64_t count = unpack_uint(u);
	char *jid;

	for (uint64_t i = 0; i < count && unpack_is_good(u); i++) {
		if ((jid = unpack_string(u)) != NULL)
			archive_jids_add(jids, jid);
		free(jid);
	}
}

void
archive_prefs_pack(const struct archive_prefs *p, struct buf *b)
{
	pack_uint(b, p->by_default);
	pack_jids(&p->always, b);
	pack_jids(&p->never, b);
}

void
archive_prefs_unpack(struct archive_prefs *p, struct unpack *u)
{
	uint64_t by_default = unpack_uint(u);

	p->by_default = (enum archive_default)by_default;
	unpack_jids(&p->always, u);
	unpack_jids(&p->never, u);
	if (!unpack_is_good(u) || by_default > ARCHIVE_ROSTER)
		archive_prefs_fini(p);
}
