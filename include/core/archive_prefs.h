/* What an archive of ours is to keep (XEP-0441); the default is all. */
#ifndef CORE_ARCHIVE_PREFS_H
#define CORE_ARCHIVE_PREFS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/pack.h"

/* Numbers on disk. */
enum archive_default { ARCHIVE_ALWAYS, ARCHIVE_NEVER, ARCHIVE_ROSTER };

struct archive_jids {
	char **list; /* prepared */
	size_t count;
};

struct archive_prefs {
	enum archive_default by_default;
	struct archive_jids always, never;
};

/* All zero is the default. */
void archive_prefs_fini(struct archive_prefs *);
void archive_jids_add(struct archive_jids *, const char *jid); /* copies */
/*
 * Whether messages to or from that JID are archived. A full JID that is listed goes
 * before its bare one, `always` before `never`.
 */
bool archive_prefs_want(const struct archive_prefs *, const char *jid,
    bool is_in_roster);

void archive_prefs_pack(const struct archive_prefs *, struct buf *);
/* Into one that is zero; what is damaged is the default. */
void archive_prefs_unpack(struct archive_prefs *, struct unpack *);

#endif
