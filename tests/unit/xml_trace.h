/*
 * What a struct xml tells, as lines of text that can be compared. A stanza
 * named "stop" or "restart" has the handler do that.
 */
#ifndef UNIT_XML_TRACE_H
#define UNIT_XML_TRACE_H

#include <assert.h>
#include <string.h>

#include "xmpp/elem.h"
#include "xmpp/xml.h"

struct trace {
	struct xml *xml;
	struct buf log;
	unsigned budget; /* of each xml_feed() */
	unsigned stanzas;
	enum xml_result result;
	struct err err;
};

static inline const char *
trace_result_name(enum xml_result r)
{
	static const char *const names[] = {
		[XML_OK] = "ok",
		[XML_MORE] = "more",
		[XML_STOPPED] = "stopped",
		[XML_NOT_WELL_FORMED] = "not-well-formed",
		[XML_RESTRICTED] = "restricted-xml",
		[XML_BAD_FORMAT] = "bad-format",
		[XML_BAD_ENCODING] = "unsupported-encoding",
		[XML_TOO_LARGE] = "policy-violation",
	};

	return names[r];
}

static inline void
trace_open(void *arg, const struct elem *root)
{
	struct trace *t = arg;

	buf_printf(&t->log, "open %s{%s}", root->name,
	    root->ns != NULL ? root->ns : "");
	for (const struct attr *a = root->attrs; a != NULL; a = a->next) {
		buf_printf(&t->log, " %s", a->name);
		if (a->ns != NULL)
			buf_printf(&t->log, "{%s}", a->ns);
		buf_printf(&t->log, "='%s'", a->value);
	}
	assert(root->first == NULL && root->parent == NULL);
	buf_puts(&t->log, "\n");
}

static inline void
trace_stanza(void *arg, struct elem *e)
{
	struct trace *t = arg;

	t->stanzas++;
	assert(e->parent == NULL && e->next == NULL);
	elem_write(&t->log, e, "jabber:client");
	buf_puts(&t->log, "\n");
	if (strcmp(e->name, "stop") == 0)
		xml_stop(t->xml);
	else if (strcmp(e->name, "restart") == 0)
		xml_restart(t->xml);
}

static inline void
trace_close(void *arg)
{
	struct trace *t = arg;

	buf_puts(&t->log, "close\n");
}

static inline void
trace_init(struct trace *t, const struct xml_limits *limits, unsigned budget)
{
	static const struct xml_events events = { trace_open, trace_stanza,
		trace_close };

	*t = (struct trace){ .budget = budget };
	t->xml = xml_new(limits, &events, t);
}

static inline void
trace_fini(struct trace *t)
{
	xml_free(&t->xml);
	buf_free(&t->log);
}

/*
 * The result of the last xml_feed() that it takes until all is handled; nothing
 * is fed any more after one that is not XML_OK.
 */
static inline enum xml_result
trace_feed(struct trace *t, const char *bytes, size_t len)
{
	unsigned before;

	while (t->result == XML_OK && (len > 0 || bytes == NULL)) {
		before = t->stanzas;
		t->result = xml_feed(t->xml, bytes, len, t->budget, &t->err);
		assert(t->stanzas - before == xml_handled(t->xml));
		assert(t->budget == 0 || xml_handled(t->xml) <= t->budget);
		if (t->result != XML_MORE)
			break;
		assert(xml_handled(t->xml) == t->budget);
		t->result = XML_OK;
		bytes = NULL;
		len = 0;
	}
	return t->result;
}

#endif
