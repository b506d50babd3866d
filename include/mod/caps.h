/* Entity capabilities (XEP-0115): the hash of our own disco#info. */
#ifndef MOD_CAPS_H
#define MOD_CAPS_H

#include <stdbool.h>

#include "base/buf.h"
#include "xmpp/elem.h"

struct proxy;

/* What stands before the '#' in the node of a request for them. */
#define CAPS_NODE "https://xmpproxy.example/caps"

/*
 * Appends the verification string (section 5.1, SHA-1) of a disco#info <query/>
 * with its identities, features and forms. Whether it is well-formed (5.4) is not
 * looked at.
 */
void caps_ver(struct buf *out, const struct elem *query);
/* Adds <c/> to a presence that goes up. */
void caps_add(const struct proxy *, struct elem *presence);
/* Whether it is the node that caps_add() announces. */
bool caps_is_node(const struct proxy *, const char *node);

#endif
