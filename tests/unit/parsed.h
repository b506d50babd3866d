/* A stanza from its text, for tests. What is not well-formed fails the test. */
#ifndef UNIT_PARSED_H
#define UNIT_PARSED_H

#include <string.h>

#include "xmpp/ns.h"
#include "xmpp/xml.h"

static inline struct elem *
parsed(struct arena *arena, const char *text)
{
	const struct xml_limits limits = { .stanza_bytes = 1 << 20,
		.depth = 64,
		.attrs = 64,
		.elems = 8192 };
	struct err err = { "" };
	struct elem *e;

	e = xml_parse(arena, text, strlen(text), NS_CLIENT, &limits, &err);
	if (e == NULL)
		fail_msg("%s: %s", text, err.text);
	return e;
}

#endif
