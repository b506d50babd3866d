/*
 * proxy.xml as a tree in which everything knows its line. config_xml.c alone
 * knows libxml2; nothing outside the file's bytes is ever loaded.
 */
#ifndef CORE_CONFIG_XML_H
#define CORE_CONFIG_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CONFIG_BYTES_MAX (16 * 1024 * 1024)

struct config_attr {
	const char *name; /* as written, with its prefix */
	char *value;
	struct config_attr *next;
};

struct config_elem {
	const char *name;          /* as written, with its prefix */
	unsigned number;           /* in document order; the root is 0 */
	bool has_text;             /* other than white space, directly inside */
	struct config_attr *attrs; /* xmlns is one of them */
	struct config_elem *parent, *first, *last, *next;
};

struct config_xml;

/*
 * UTF-8 only, no DTD. NULL and err ("path:3: ...; expected ...") where it is not
 * well-formed. `path` is for errors alone.
 */
struct config_xml *config_xml_parse(const char *bytes, size_t len,
    const char *path, struct err *);
void config_xml_free(struct config_xml **); /* wipes the text */
const struct config_elem *config_xml_root(const struct config_xml *);

/* Against conf/proxy.rng, which is part of the program. 0 or -1. */
int config_xml_check(struct config_xml *, struct err *);
const char *config_xml_schema(void); /* the text of conf/proxy.rng */

/* NULL where it has no such attribute. */
const char *config_elem_attr(const struct config_elem *, const char *name);

/* The line of an element's start tag, or of an attribute (NULL: the tag). */
unsigned config_xml_line(const struct config_xml *, const struct config_elem *,
    const char *attr);
/* Fills err with "path:line: ...". Returns -1. */
int config_xml_fault(const struct config_xml *, const struct config_elem *,
    const char *attr, struct err *, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
