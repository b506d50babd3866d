/*
 * Addresses inside payloads (stanzas.md, "Rules without exception"): one table
 * of (namespace, element, attribute or text), walked structurally. Only the
 * carrying account's JIDs are rewritten. Not among them: URIs, text for people,
 * what is encrypted, and the SOCKS5 hash over full JIDs, which is mod/s5b.c's.
 */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include <stdbool.h>

#include "xmpp/elem.h"

/*
 * A JID with the bare part `bare_from` becomes one with `bare_to`; that with
 * the resource of full_from becomes full_to. All prepared. full_from NULL: no
 * full JID of our own is known (the bare rule alone holds). full_to NULL: it
 * becomes bare_to. Any other full JID keeps its resource.
 */
struct address_map {
	const char *bare_from, *full_from;
	const char *bare_to, *full_to;
};

/*
 * What was found of own JIDs in the payload. A full JID that is not the one
 * asked for counts as a bare one: its bare part alone is mapped.
 */
enum { ADDRESS_BARE = 1, ADDRESS_FULL = 2 };
/* Among an entry's: ids stand in it that are not those of all views (read_state.h). */
#define ADDRESS_IDS 4

/*
 * The mapped form of one address (not prepared; what is no JID or not ours is
 * returned as it is). The result lives in the arena or is the argument.
 */
const char *address_map(struct arena *, const struct address_map *,
    const char *jid);
/* Rewrites the payload (not the stanza's own to and from) in place. */
void address_rewrite(struct elem *stanza, const struct address_map *);
/*
 * Which own JIDs stand in the payload: ADDRESS_* bits. bare and full are
 * prepared; full may be NULL.
 */
unsigned address_scan(const struct elem *stanza, const char *bare,
    const char *full);

#endif
