#include "xmpp/xml.h"
#include <limits.h>
#include <stdint.h>

#include "base/buf.h"

struct single {
	struct arena *arena;
	struct elem *elem;
	unsigned count;
	bool closed;
};

static void
on_open(void *arg, const struct elem *root)
{
	(void)arg;
	(void)root;
}

static void
on_stanza(void *arg, struct elem *e)
{
	struct single *s = arg;

	if (s->count++ == 0)
		s->elem = elem_copy(s->arena, e);
}

static void
on_close(void *arg)
{
	struct single *s = arg;

	s->closed = true;
}

/* A root around it says which namespace is in force. */
static enum xml_result
feed(struct xml *x, const char *bytes, size_t len, const char *ns,
    struct err *err)
{
	struct buf root = { 0 };
	enum xml_result result;

	buf_puts(&root, "<x xmlns='");
	elem_escape(&root, ns != NULL ? ns : "");
	buf_puts(&root, "'>");
	result = xml_feed(x, root.data, root.len, 0, err);
	buf_free(&root);
	if (result == XML_OK)
		result = xml_feed(x, bytes, len, 0, err);
	if (result == XML_OK)
		result = xml_feed(x, "</x>", 4, 0, err);
	return result;
}

struct elem *
xml_parse(struct arena *arena, const char *bytes, size_t len, const char *ns,
    const struct xml_limits *limits, struct err *err)
{
	static const struct xml_limits wide = { 16777216, 1024, 1024, 262144 };
	static const struct xml_events events = { on_open, on_stanza,
		on_close };
	struct single s = { .arena = arena };
	struct xml *x = xml_new(limits != NULL ? limits : &wide, &events, &s);
	enum xml_result result;

	result = feed(x, bytes, len, ns, err);
	xml_free(&x);
	if (result != XML_OK)
		return NULL;
	if (!s.closed || s.count != 1) {
		err_set(err, "not one whole element");
		return NULL;
	}
	return s.elem;
}

struct elem *
xml_parse_own(struct arena *arena, const char *bytes, size_t len,
    const char *ns)
{
	static const struct xml_limits none = { SIZE_MAX, UINT_MAX, UINT_MAX,
		UINT_MAX };

	return xml_parse(arena, bytes, len, ns, &none, NULL);
}
