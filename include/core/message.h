/*
 * What kind of message it is: pure functions of the stanza (stanzas.md,
 * Classes).
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include <stdbool.h>

#include "xmpp/elem.h"

enum message_class { CLASS_ARCHIVE, CLASS_PLAYBACK, CLASS_LIVE };

/*
 * *reason (may be NULL) says why, for the log. <no-permanent-store/> makes
 * CLASS_PLAYBACK of what is kept: an archive is not to serve it (XEP-0334 4.1).
 * Kept as well: invitations, a subject without a body, empty OMEMO messages.
 */
enum message_class message_class(const struct elem *, const char **reason);
bool message_has_body(const struct elem *);
/*
 * A known encrypted payload (OMEMO both versions, OpenPGP, PGP, or XEP-0380).
 * An empty OMEMO message has none (XEP-0384).
 */
bool message_is_encrypted(const struct elem *);
/* <private/> of carbons, or the hint no-copy to a full JID (XEP-0334 4.3). */
bool message_is_private(const struct elem *);
/* Never of an error: its hints are those of what it answers (XEP-0334 5). */
bool message_has_hint(const struct elem *, const char *hint);
/* A PEP or pubsub event. */
/* <data/> of an in-band bytestream (XEP-0047 4), or NULL. */
const struct elem *message_stream_data(const struct elem *);
bool message_is_event(const struct elem *);
/* urn:xmpp:mam:2 <result/>; NULL where it is none. */
const struct elem *message_archive_result(const struct elem *);
/*
 * From or to an occupant of a room: an empty muc#user <x/> (XEP-0280 6.1,
 * XEP-0045 7.5). Invitations and what a room tells have something in it.
 */
bool message_is_room_private(const struct elem *);
/*
 * Eligible for carbons (XEP-0280 6.1). Errors are the caller's business: it
 * knows whether the original was. outgoing: sent by the user, so a private
 * message to an occupant counts.
 */
bool message_is_eligible(const struct elem *, bool outgoing);
/*
 * The id that a receipt or displayed marker speaks of; NULL where it is none. Receipts
 * in the older form of XEP-0333 count as such.
 */
const char *message_receipt_id(const struct elem *);
const char *message_displayed_id(const struct elem *);
/*
 * The only thing in it is a chat state (beside hints, thread, ids, <private/>,
 * delay and the room's mark): its name, or NULL.
 */
const char *message_lone_chat_state(const struct elem *);
/* Nothing of that is in it either. */
bool message_says_nothing(const struct elem *);
/* Any chat state in it: its name, or NULL. */
const char *message_chat_state(const struct elem *);

/*
 * What goes up has an id and an origin-id of the same value unless the client
 * gave one, and never a stanza-id (XEP-0359, XEP-0313 3.5). An error keeps the
 * id that it has.
 */
void message_complete(struct elem *);

#endif
