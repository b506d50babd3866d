/*
 * Presence of others in node view, where several accounts may see the same full JID:
 * what the first of them sees, in the configuration's order, is what is shown. So it
 * needs no memory, and is the same for who was there and who comes later.
 */
#ifndef CORE_NODE_PRESENCE_H
#define CORE_NODE_PRESENCE_H

#include <stdbool.h>

#include "xmpp/elem.h"

struct account;
struct blob;
struct presence;
struct user;

/* presence NULL: no account sees it. Borrowed until something changes. */
struct node_shown {
	struct account *account;
	const struct presence *presence;
};
/* view: in node view's terms (node_roster.h). */
struct node_shown node_shown(struct user *, struct arena *, const char *view);

/* What was shown before something changed; it keeps what it needs. */
struct node_before {
	char *view;
	struct account *account; /* NULL: it was not seen */
	char *lang;
	struct blob *body;
};
/* Of what that account calls so. */
void node_before_init(struct node_before *, struct account *, const char *from);
void node_before_fini(struct node_before *);
/*
 * Whether sessions have to hear of what is shown now, because that account said
 * something. Not where another one has told it already.
 */
bool node_is_news(const struct node_before *, const struct account *,
    const struct node_shown *);

#endif
