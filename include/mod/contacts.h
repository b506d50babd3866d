/* Presence of contacts, for mod/presence.c. */
#ifndef MOD_CONTACTS_H
#define MOD_CONTACTS_H

struct account;
struct session;

/* Who is there, as the session's view has it; in node view each full JID once. */
void contacts_tell(struct session *);
/* The account's block list is another: who is on it goes, who is not shows again. */
void contacts_settle_blocked(struct account *);

#endif
