/*
 * Heads of stanzas: start tags whose addresses differ per receiver, while the rest is
 * shared (design section 10, Fan-out).
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "base/blob.h"
#include "base/buf.h"
#include "core/address.h"
#include "xmpp/stanza.h"

/* " name='value'", escaped; nothing where value is NULL. */
void frame_attr(struct buf *, const char *name, const char *value);
/* "<name from='..' to='..' type='..' id='..' xml:lang='..'"; NULLs are left out. */
struct frame_head {
	const char *name, *xmlns, *from, *to, *type, *id, *lang;
};
void frame_head(struct buf *, const struct frame_head *);
/* XEP-0203; from may be NULL. */
void frame_delay(struct buf *, const char *from, uint64_t wall_ms);
/* All children of the stanza, as bytes in jabber:client; never NULL. */
struct blob *frame_body(const struct elem *stanza);
/* Such bytes as the children of a <message/>; NULL: they are not well-formed. */
struct elem *frame_parse(struct arena *, const struct blob *body);
/* The same of such bytes, with own addresses in them as the map has them. */
struct blob *frame_body_mapped(struct arena *, struct blob *body,
    const struct address_map *);
const char *frame_type(enum stanza_type); /* NULL for the default types */

#endif
