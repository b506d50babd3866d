/*
 * A stream's XML: restricted XML as RFC 6120 11.1 has it (no DTD, processing
 * instruction, comment, entity beyond the five; UTF-8 only), cut into stanzas.
 * xml.c alone knows expat.
 */
#ifndef XMPP_XML_H
#define XMPP_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "xmpp/elem.h"

struct xml;

struct xml_limits {
	/*
	 * Of the wire, start to end of a top-level element; of all up to the end
	 * of the root's start tag; of anything that does not end.
	 */
	size_t stanza_bytes;
	unsigned depth; /* of elements below the root */
	unsigned attrs; /* of one element, namespace declarations included */
	unsigned elems; /* of one stanza */
};

/* What became of the input; the conditions of RFC 6120 4.9.3 that it stands for. */
enum xml_result {
	XML_OK,      /* all of it was handled */
	XML_MORE,    /* the budget is used up: call again with (NULL, 0) */
	XML_STOPPED, /* xml_stop() or xml_restart() was called inside a handler */
	XML_NOT_WELL_FORMED, /* namespaces too (11.3): an unbound prefix */
	XML_RESTRICTED,      /* restricted-xml */
	XML_BAD_FORMAT,      /* bad-format: text between stanzas */
	XML_BAD_ENCODING,    /* unsupported-encoding */
	XML_TOO_LARGE,       /* policy-violation: one of the limits */
};

struct xml_events {
	/*
	 * The root's start tag: its attributes, no children. Lives in this call
	 * only. The default namespace that it declares is the attribute "xmlns".
	 */
	void (*open)(void *arg, const struct elem *root);
	/*
	 * A whole child of the root. Its arena is reset after the call. What is
	 * between stanzas (white space) is dropped; other text there is an error.
	 */
	void (*stanza)(void *arg, struct elem *);
	void (*close)(void *arg); /* the root's end tag */
};

struct xml *xml_new(const struct xml_limits *, const struct xml_events *,
    void *arg);
void xml_free(struct xml **); /* not inside a handler */
void xml_set_limits(struct xml *, const struct xml_limits *);
/*
 * Feeds bytes; handles at most `budget` stanzas (0: no limit) and then says
 * XML_MORE, holding a copy of the rest: no bytes are given until it said
 * something else. After an error, and after XML_STOPPED by xml_stop(), it takes
 * nothing more and says the same again, until xml_restart(). Not inside a
 * handler.
 */
enum xml_result xml_feed(struct xml *, const char *bytes, size_t len,
    unsigned budget, struct err *);
/* No further event; what was fed and not handled is dropped. */
void xml_stop(struct xml *);
/*
 * The same, and what is fed next begins a new document (after <starttls/>,
 * <proceed/>, <success/>). Outside a handler: at once.
 */
void xml_restart(struct xml *);
/*
 * Nothing is expected soon: between two stanzas it gives back most of its memory, and
 * takes it again with the next bytes. Nothing else changes. True: it did.
 */
bool xml_rest(struct xml *);
/* Stanzas since the last xml_feed() began. */
unsigned xml_handled(const struct xml *);

/*
 * A document of one element without an XML declaration, for tests, the log's
 * bodies and files. The namespace in force is `ns` (NULL: none); limits may be
 * NULL for wide ones. NULL and err where it is not that.
 */
struct elem *xml_parse(struct arena *, const char *bytes, size_t len,
    const char *ns, const struct xml_limits *, struct err *);

/* The same of bytes that elem_write() made: without limits. */
struct elem *xml_parse_own(struct arena *, const char *bytes, size_t len,
    const char *ns);

#endif
