/* Presence of contacts, for mod/presence.c. */
#ifndef MOD_CONTACTS_H
#define MOD_CONTACTS_H

struct session;

/* Who is there, as the session's view has it; in node view each full JID once. */
void contacts_tell(struct session *);

#endif
