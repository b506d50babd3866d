/*
 * JIDs (RFC 7622, by the stringprep profiles of RFC 6122) as prepared strings:
 * what jid_prep() returns can be compared with strcmp(), and the other functions
 * take such strings only. jid.c alone knows libidn.
 */
#ifndef XMPP_JID_H
#define XMPP_JID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define JID_PART_MAX 1023 /* bytes, each part, prepared */

/*
 * NULL and err where it is no JID, as NULL is none. Plain ASCII takes a fast
 * path. A domain is a name, an IPv4 address or "[::1]"; its A-labels become
 * U-labels, and a dot at its end goes. Underscores are let through.
 */
char *jid_prep(struct arena *, const char *raw, struct err *);
/* One part alone; NULL where it is not valid. */
char *jid_prep_local(struct arena *, const char *raw, struct err *);
char *jid_prep_domain(struct arena *, const char *raw, struct err *);
char *jid_prep_resource(struct arena *, const char *raw, struct err *);
/* As DNS and TLS take it: A-labels, or an IPv6 address without its brackets. */
char *jid_domain_to_ascii(struct arena *, const char *domain, struct err *);

size_t jid_bare_len(const char *jid); /* bytes before the '/' or the end */
bool jid_is_bare(const char *jid);
const char *jid_resource(const char *jid);            /* NULL for a bare one */
const char *jid_domain(const char *jid, size_t *len); /* points into it */
bool jid_is_domain(const char *jid); /* neither local part nor resource */
char *jid_bare(struct arena *, const char *jid);
char *jid_with_resource(struct arena *, const char *bare, const char *resource);
/* NULL is the same as nothing. */
bool jid_same_bare(const char *, const char *);

#endif
