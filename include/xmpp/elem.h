/*
 * An element and what it holds, in an arena. Names are compared by (namespace,
 * local name); prefixes are not kept, so that a tree is the same wherever it is
 * written.
 */
#ifndef XMPP_ELEM_H
#define XMPP_ELEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

struct attr {
	const char *ns; /* NULL: none */
	const char *name;
	const char *value;
	struct attr *next;
};

/* A node: an element, or text where name is NULL. */
struct elem {
	const char *ns, *name;
	const char *text;   /* of a text node, NUL-terminated */
	struct attr *attrs; /* in document order */
	struct elem *parent, *first, *last, *next;
	struct arena *arena;
};

/* Names are copied; ns NULL or "" is none. */
struct elem *elem_new(struct arena *, const char *ns, const char *name);
/* The child is appended and returned. */
struct elem *elem_child(struct elem *parent, const char *ns, const char *name);
/* Returns its argument. */
struct elem *elem_add_text(struct elem *, const char *);
/* The child's arena is the same or lives longer; returns the child. */
struct elem *elem_append(struct elem *parent, struct elem *child);
void elem_remove(struct elem *child); /* from its parent */
/* Deep, without parent. */
struct elem *elem_copy(struct arena *, const struct elem *);

/*
 * The same for a parser, which has lengths instead of terminators. A parent is
 * appended to; an attribute is added behind the others, not looked up.
 */
struct elem *elem_new_len(struct arena *, struct elem *parent, const char *ns,
    size_t ns_len, const char *name, size_t len);
void elem_add_attr_len(struct elem *, const char *ns, size_t ns_len,
    const char *name, size_t len, const char *value);
void elem_add_text_len(struct elem *, const char *, size_t len);

/* Attributes without a namespace. Setting NULL removes. Values are copied. */
const char *elem_attr(const struct elem *, const char *name);
void elem_set(struct elem *, const char *name, const char *value);
void elem_setf(struct elem *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *elem_lang(const struct elem *); /* its own xml:lang or NULL */
void elem_set_lang(struct elem *, const char *);

bool elem_is(const struct elem *, const char *ns, const char *name);
/* Child elements; NULL for ns or name is any. */
struct elem *elem_find(const struct elem *, const char *ns, const char *name);
struct elem *elem_first(const struct elem *); /* first child element */
struct elem *elem_next(const struct elem *);  /* next sibling element */
#define ELEM_EACH(c, e) \
	for (struct elem *c = elem_first(e); c != NULL; c = elem_next(c))
/* All text directly inside, joined; "" where there is none. Lives in the arena. */
const char *elem_text(const struct elem *);
/* NULL without that child. */
const char *elem_child_text(const struct elem *, const char *ns,
    const char *name);
/* Same names, attributes in any order, same children; neighbouring text joined. */
bool elem_equals(const struct elem *, const struct elem *);

/*
 * Writing. `ns` is the default namespace in force where the bytes will stand:
 * xmlns is written only where it differs. Attributes with a namespace get a
 * prefix declared beside them, so that the bytes need nothing around them.
 */
void elem_write(struct buf *, const struct elem *, const char *ns);
/* The start tag without its '>': "<message to='x'"; attributes as they are. */
void elem_write_head(struct buf *, const struct elem *, const char *ns);
/* All behind the head: ">...</message>", or "/>" where it is empty. */
void elem_write_body(struct buf *, const struct elem *);
/*
 * Escaped for text and for attributes in '...' alike. Control characters, which
 * XML has no way to say, become U+FFFD.
 */
void elem_escape(struct buf *, const char *text);

#endif
