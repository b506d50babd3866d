/*
 * Invitations to rooms, mediated (XEP-0045 7.8.2) and direct (XEP-0249), to N clients of
 * one account: which are open, and which are settled since one of them joined or declined.
 */
#ifndef CORE_INVITATION_H
#define CORE_INVITATION_H

#include <stdbool.h>

#include "xmpp/elem.h"

struct account;
struct entry;

/* The room's bare JID, prepared; NULL: it is none. from: prepared, who sent it. */
const char *invitation_room(const struct elem *message, const char *from);
/* The <decline/> of a message; NULL: it is none. */
const struct elem *invitation_decline(const struct elem *message);

/* One came: it is open. Does nothing where the message is none. */
void invitation_came(struct account *, const char *from,
    const struct elem *message);
/* One was declined, in a message that went up to the room; as above. */
void invitation_declined(struct account *, const char *to,
    const struct elem *message);
/* The user is in that room, if there is an invitation: it is settled. */
void invitation_joined(struct account *, const char *room);
/* Why a decline, to the room, is too late; NULL: it is not. */
const char *invitation_late(const struct account *, const char *to,
    const struct elem *message);
bool invitation_is_known(const struct account *, const char *room);
/*
 * The same has come already, to us or to another device: the same sender, id and
 * content. Nothing less makes two of them one for sure.
 */
bool invitation_is_repeated(const struct account *, const struct entry *);

#endif
