/* A stanza from its text, for tests. What is not well-formed fails the test. */
#ifndef UNIT_PARSED_H
#define UNIT_PARSED_H

#include <string.h>

#include "xmpp/ns.h"
#include "xmpp/xml.h"

static inline struct elem *
parsed_in(struct arena *arena, const char *text, const char *ns)
{
	struct err err = { "" };
	struct elem *e;

	e = xml_parse(arena, text, strlen(text), ns, NULL, &err);
	if (e == NULL)
		fail_msg("%s: %s", text, err.text);
	return e;
}

static inline struct elem *
parsed(struct arena *arena, const char *text)
{
	return parsed_in(arena, text, NS_CLIENT);
}

#endif
