/* Where things stand in the text of proxy.xml. */
#ifndef CORE_CONFIG_LINE_H
#define CORE_CONFIG_LINE_H

#include <stddef.h>

/*
 * The line, from 1, of the start tag of the element that is `number` in document
 * order (the root is 0), or of an attribute in it. The text is well-formed XML
 * without a DTD; the line is 1 where there is no such element, the tag's where it
 * has no such attribute.
 *
 * libxml2 knows only where a start tag ends and nothing of its attributes.
 */
unsigned config_line(const char *xml, size_t len, unsigned number,
    const char *attr);

/* The line that an offset lies in. */
unsigned config_line_at(const char *xml, size_t offset);

#endif
