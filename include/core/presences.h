/*
 * Presence of others as last told, by full JID: for late joiners, probes, and
 * followers that missed some.
 */
#ifndef CORE_PRESENCES_H
#define CORE_PRESENCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "base/table.h"

struct presence {
	char *from;        /* prepared; full, or bare where that is what came */
	char *id, *lang;   /* or NULL */
	struct blob *body; /* children, as bytes in jabber:client */
	unsigned addresses; /* ADDRESS_* of what stands in them */
	bool is_hidden; /* blocked, as clients were told: presences_hide() */
	UT_hash_handle hh;
};

struct presences;

/* At most `max`, and max KiB of what they say in all. */
struct presences *presences_new(size_t max);
void presences_free(struct presences **);
size_t presences_count(const struct presences *);
/*
 * false where a limit is reached: then nothing of that JID is kept. A known one keeps
 * its place. The strings are copied; the body is shared, the caller keeps its
 * own reference (NULL: none).
 */
bool presences_set(struct presences *, const struct presence *);
const struct presence *presences_find(const struct presences *,
    const char *full);
/* false: there was none. */
bool presences_remove(struct presences *, const char *full);
/* Only that; false: it was so already, or there is none. */
bool presences_hide(struct presences *, const char *full, bool is_hidden);
/* Whether anything of that bare JID is there, the bare JID itself too. */
bool presences_has_bare(const struct presences *, const char *bare);
/*
 * Calls for each in order of arrival, or for each resource of `bare` where that
 * is not NULL. fn may remove any.
 */
void presences_each(struct presences *, const char *bare,
    void (*fn)(void *arg, const struct presence *), void *arg);
void presences_clear(struct presences *);

#endif
