/*
 * Entity capabilities (XEP-0115): what contacts are told that the account can do, which
 * is what the proxy can, and all of its clients.
 */
#ifndef MOD_CAPS_H
#define MOD_CAPS_H

#include "xmpp/elem.h"

struct account;

/* What stands before the '#' in the node of a request for them. */
#define CAPS_NODE "https://xmpproxy.example/caps"

/*
 * disco#info's <query/> as it is now (node NULL), or as it was when that node was
 * announced, a few times back; NULL: it was not.
 */
struct elem *caps_info(struct account *, struct arena *, const char *node);
/* Whether a feature of a client is left out, and why; NULL: it is taken. */
const char *caps_refusal(const char *var);
/*
 * A session goes: from here on its features are held. The presence is the caller's
 * business.
 */
void caps_refresh(struct account *);

#endif
