/* Directed presence (RFC 6121 4.6): where a session is, besides its contacts. */
#ifndef CORE_DIRECTED_H
#define CORE_DIRECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "xmpp/elem.h"

struct directed {
	UT_hash_handle hh;
	uint64_t account; /* the account that carries it */
	bool is_room;     /* it had <x xmlns='.../muc'/>: a join */
	char *xml;        /* as it last went up */
	char target[];    /* prepared, in the account's terms */
};

/* false: the limit is reached. */
bool directed_add(struct directed **, const char *target, uint64_t account,
    bool is_room, const char *xml, size_t max);
/* false: it was not there. */
bool directed_remove(struct directed **, const char *target);
/* The same at another target, which takes the place of what was there. */
void directed_rename(struct directed **, struct directed *, const char *target);
struct directed *directed_find(struct directed *, const char *target);
/* Any target with that bare JID. */
struct directed *directed_find_bare(struct directed *, const char *jid);
void directed_clear(struct directed **);

/* A status code in what a room says, its <x/> (XEP-0045 15.6). */
bool directed_has_status(const struct elem *x, const char *code);
/* Whether it is about ourselves: not every service says 110 where it should. */
bool directed_is_self(const struct directed *, const struct elem *x,
    const char *from);

#endif
