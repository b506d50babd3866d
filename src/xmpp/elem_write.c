#include "xmpp/elem.h"

#include <string.h>

#include "base/text.h"
#include "xmpp/ns.h"

/* How a byte is written: 0 as it is, else an index into `written`. */
enum { AMP = 1, LT, GT, APOS, TAB, LF, CR, NONE };

static const char *const written[] = {
	[AMP] = "&amp;",
	[LT] = "&lt;",
	[GT] = "&gt;",
	[APOS] = "&apos;",
	/* Literally they would be normalised to spaces or to LF (XML 3.3.3, 2.11). */
	[TAB] = "&#9;",
	[LF] = "&#10;",
	[CR] = "&#13;",
	[NONE] = "\xef\xbf\xbd",
};

#define ALIKE \
	[0 ... 8] = NONE, [11] = NONE, [12] = NONE, [14 ... 31] = NONE, \
	       ['\r'] = CR, ['&'] = AMP, ['<'] = LT, ['>'] = GT

static const unsigned char in_text[256] = { ALIKE };
static const unsigned char in_attr[256] = {
	ALIKE, ['\''] = APOS, ['\t'] = TAB, ['\n'] = LF
};

static void
escape(struct buf *b, const char *text, const unsigned char table[256])
{
	const unsigned char *p = (const unsigned char *)text, *from = p;

	for (;; p++) {
		if (table[*p] == 0)
			continue;
		buf_add(b, from, (size_t)(p - from));
		if (*p == '\0')
			return;
		buf_puts(b, written[table[*p]]);
		from = p + 1;
	}
}

void
elem_escape(struct buf *b, const char *text)
{
	escape(b, text, in_attr);
}

static bool
is_xml(const char *ns)
{
	return ns != NULL && strcmp(ns, NS_XML) == 0;
}

/* The first attribute of this namespace declares the prefix for all; its place. */
static unsigned
prefix_of(const struct elem *e, const struct attr *a, bool *declares)
{
	const struct attr *first = e->attrs;
	unsigned place = 0;

	for (; !text_equals(first->ns, a->ns); first = first->next)
		place++;
	*declares = first == a;
	return place;
}

static void
write_attr(struct buf *b, const struct elem *e, const struct attr *a)
{
	bool declares;
	unsigned n;

	if (a->ns == NULL) {
		buf_putc(b, ' ');
	} else if (is_xml(a->ns)) {
		buf_puts(b, " xml:");
	} else {
		n = prefix_of(e, a, &declares);
		if (declares) {
			buf_printf(b, " xmlns:n%u='", n);
			escape(b, a->ns, in_attr);
			buf_putc(b, '\'');
		}
		buf_printf(b, " n%u:", n);
	}
	buf_puts(b, a->name);
	buf_add(b, "='", 2);
	escape(b, a->value, in_attr);
	buf_putc(b, '\'');
}

/* xml: is the one prefix for elements: its namespace cannot be the default. */
static void
write_name(struct buf *b, const struct elem *e)
{
	if (is_xml(e->ns))
		buf_puts(b, "xml:");
	buf_puts(b, e->name);
}

void
elem_write_head(struct buf *b, const struct elem *e, const char *ns)
{
	const char *own = e->ns != NULL ? e->ns : "";

	buf_putc(b, '<');
	write_name(b, e);
	if (strcmp(own, ns != NULL ? ns : "") != 0 && !is_xml(e->ns)) {
		buf_puts(b, " xmlns='");
		escape(b, own, in_attr);
		buf_putc(b, '\'');
	}
	for (const struct attr *a = e->attrs; a != NULL; a = a->next)
		write_attr(b, e, a);
}

void
elem_write_body(struct buf *b, const struct elem *e)
{
	if (e->first == NULL) {
		buf_add(b, "/>", 2);
		return;
	}
	buf_putc(b, '>');
	for (const struct elem *c = e->first; c != NULL; c = c->next) {
		if (c->name == NULL)
			escape(b, c->text, in_text);
		else
			elem_write(b, c, e->ns);
	}
	buf_add(b, "</", 2);
	write_name(b, e);
	buf_putc(b, '>');
}

void
elem_write(struct buf *b, const struct elem *e, const char *ns)
{
	elem_write_head(b, e, ns);
	elem_write_body(b, e);
}
