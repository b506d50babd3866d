/* The account's avatar (XEP-0084), where it is that of the vCard too (XEP-0398). */
#ifndef MOD_AVATAR_H
#define MOD_AVATAR_H

#include "xmpp/elem.h"

#define AVATAR_METADATA "urn:xmpp:avatar:metadata"

struct account;

/* Its own metadata are these <items/>. */
void avatar_changed(struct account *, const struct elem *items);

#endif
