/* The verification string of entity capabilities (XEP-0115 5): pure functions. */
#ifndef MOD_CAPS_HASH_H
#define MOD_CAPS_HASH_H

#include <stdbool.h>

#include "base/buf.h"
#include "xmpp/elem.h"

/*
 * Appends the verification string (section 5.1, SHA-1) of a disco#info <query/>
 * with its identities, features and forms. Whether it is well-formed (5.4) is not
 * looked at.
 */
void caps_ver(struct buf *out, const struct elem *query);
/* No identity, feature or form twice, no form of two types (5.4). */
bool caps_is_well_formed(const struct elem *query);

#endif
