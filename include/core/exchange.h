/*
 * Exchanges of an account: what a session and a peer do together over several
 * stanzas, known by an id that they have agreed on. A request of the peer goes to the
 * session that its exchange belongs to (stanzas.md, IQ): Jingle sessions (XEP-0166),
 * bytestreams (XEP-0047, 0065, 0095) and commands (XEP-0050). Whoever of ours took part
 * last owns it. Not kept on disk: after a restart the peer hears from the client
 * that it is asked that there is no such exchange.
 */
#ifndef CORE_EXCHANGE_H
#define CORE_EXCHANGE_H

#include <stddef.h>

#include "xmpp/elem.h"

struct account;
struct exchanges;
struct session;

/* max: of each, exchanges and peers; the one unused for longest is forgotten. */
struct exchanges *exchanges_new(size_t max);
void exchanges_free(struct exchanges **);

/*
 * That stanza is part of what goes on between the two, in either direction: it opens
 * an exchange, goes on with it, or closes it. peer is prepared, as in all of these.
 */
void exchange_note(struct account *, const struct session *, const char *peer,
    const struct elem *stanza);
/* The session was in touch with that full JID; else nothing happens. */
void exchange_touch(struct account *, const struct session *, const char *peer);
/* The session whose exchange the peer's stanza is about, or NULL. */
struct session *exchange_owner(const struct account *, const char *peer,
    const struct elem *stanza);
/* The session that was last in touch with that full JID and can be asked, or NULL. */
struct session *exchange_latest(const struct account *, const char *peer);
/* The account by which this session has the exchange that its stanza is about, or NULL. */
struct account *exchange_account(const struct session *, const char *peer,
    const struct elem *stanza);

#endif
