#include "xmpp/elem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "xmpp/ns.h"

/* Copies bytes and a NUL to *at and moves it behind them. */
static const char *
put(char **at, const char *s, size_t len)
{
	char *copy = *at;

	memcpy(copy, s, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

static bool
ns_equals(const char *a, const char *b)
{
	return a == b || text_equals(a, b);
}

struct elem *
elem_new_len(struct arena *arena, struct elem *parent, const char *ns,
    size_t ns_len, const char *name, size_t len)
{
	struct elem *e;
	bool shared;
	char *at;

	if (ns_len == 0)
		ns = NULL;
	/* Children mostly are in their parent's namespace. */
	shared = ns != NULL && parent != NULL && parent->arena == arena &&
	    parent->ns != NULL && strncmp(parent->ns, ns, ns_len) == 0 &&
	    parent->ns[ns_len] == '\0';
	e = arena_alloc(arena,
	    sizeof(*e) + len + 1 + (ns == NULL || shared ? 0 : ns_len + 1));
	at = (char *)(e + 1);
	e->arena = arena;
	e->name = put(&at, name, len);
	if (ns != NULL)
		e->ns = shared ? parent->ns : put(&at, ns, ns_len);
	return parent != NULL ? elem_append(parent, e) : e;
}

static struct elem *
make(struct arena *arena, struct elem *parent, const char *ns, const char *name)
{
	return elem_new_len(arena, parent, ns, ns != NULL ? strlen(ns) : 0,
	    name, strlen(name));
}

struct elem *
elem_new(struct arena *arena, const char *ns, const char *name)
{
	return make(arena, NULL, ns, name);
}

struct elem *
elem_child(struct elem *parent, const char *ns, const char *name)
{
	return make(parent->arena, parent, ns, name);
}

void
elem_add_text_len(struct elem *e, const char *text, size_t len)
{
	struct elem *node = arena_alloc(e->arena, sizeof(*node) + len + 1);
	char *at = (char *)(node + 1);

	node->arena = e->arena;
	node->text = put(&at, text, len);
	elem_append(e, node);
}

struct elem *
elem_add_text(struct elem *e, const char *text)
{
	elem_add_text_len(e, text, strlen(text));
	return e;
}

struct elem *
elem_append(struct elem *parent, struct elem *child)
{
	child->parent = parent;
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	return child;
}

void
elem_remove(struct elem *child)
{
	struct elem *parent = child->parent, *before = NULL;

	if (parent == NULL)
		return;
	if (parent->first == child) {
		parent->first = child->next;
	} else {
		for (before = parent->first; before->next != child;)
			before = before->next;
		before->next = child->next;
	}
	if (parent->last == child)
		parent->last = before;
	child->parent = child->next = NULL;
}

/* The copy of one node and what it holds, appended to `parent` if there is one. */
static struct elem *
copy_into(struct arena *arena, struct elem *parent, const struct elem *from)
{
	struct elem *to = make(arena, parent, from->ns, from->name);

	for (const struct attr *a = from->attrs; a != NULL; a = a->next)
		elem_add_attr_len(to, a->ns, a->ns != NULL ? strlen(a->ns) : 0,
		    a->name, strlen(a->name), a->value);
	for (const struct elem *c = from->first; c != NULL; c = c->next) {
		if (c->name != NULL)
			copy_into(arena, to, c);
		else
			elem_add_text(to, c->text);
	}
	return to;
}

struct elem *
elem_copy(struct arena *arena, const struct elem *from)
{
	return copy_into(arena, NULL, from);
}

/* --- attributes --- */

void
elem_add_attr_len(struct elem *e, const char *ns, size_t ns_len,
    const char *name, size_t len, const char *value)
{
	size_t value_len = strlen(value);
	struct attr **end, *a;
	char *at;

	a = arena_alloc(e->arena,
	    sizeof(*a) + len + value_len + 2 + (ns_len > 0 ? ns_len + 1 : 0));
	at = (char *)(a + 1);
	a->name = put(&at, name, len);
	a->value = put(&at, value, value_len);
	if (ns != NULL && ns_len > 0)
		a->ns = put(&at, ns, ns_len);
	for (end = &e->attrs; *end != NULL;)
		end = &(*end)->next;
	*end = a;
}

/* The link that points to it; to NULL at the end where there is none. */
static struct attr **
attr_link(struct elem *e, const char *ns, const char *name)
{
	struct attr **link = &e->attrs;

	while (*link != NULL &&
	    (strcmp((*link)->name, name) != 0 || !ns_equals((*link)->ns, ns)))
		link = &(*link)->next;
	return link;
}

static const char *
get(const struct elem *e, const char *ns, const char *name)
{
	for (const struct attr *a = e->attrs; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0 && ns_equals(a->ns, ns))
			return a->value;
	return NULL;
}

static void
set(struct elem *e, const char *ns, const char *name, const char *value)
{
	struct attr **link = attr_link(e, ns, name);

	if (value == NULL) {
		if (*link != NULL)
			*link = (*link)->next;
	} else if (*link != NULL) {
		(*link)->value = arena_strdup(e->arena, value);
	} else {
		elem_add_attr_len(e, ns, ns != NULL ? strlen(ns) : 0, name,
		    strlen(name), value);
	}
}

const char *
elem_attr(const struct elem *e, const char *name)
{
	return get(e, NULL, name);
}

void
elem_set(struct elem *e, const char *name, const char *value)
{
	set(e, NULL, name, value);
}

void
elem_setf(struct elem *e, const char *name, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	elem_set(e, name, b.data);
	buf_free(&b);
}

const char *
elem_lang(const struct elem *e)
{
	return get(e, NS_XML, "lang");
}

void
elem_set_lang(struct elem *e, const char *lang)
{
	set(e, NS_XML, "lang", lang);
}

/* --- reading --- */

bool
elem_is(const struct elem *e, const char *ns, const char *name)
{
	return e->name != NULL && strcmp(e->name, name) == 0 &&
	    ns_equals(e->ns, ns);
}

/* The first element from `e` on, along its siblings. */
static struct elem *
skip_text(struct elem *e)
{
	while (e != NULL && e->name == NULL)
		e = e->next;
	return e;
}

struct elem *
elem_first(const struct elem *e)
{
	return skip_text(e->first);
}

struct elem *
elem_next(const struct elem *e)
{
	return skip_text(e->next);
}

struct elem *
elem_find(const struct elem *e, const char *ns, const char *name)
{
	ELEM_EACH(c, e) {
		if (name != NULL && strcmp(c->name, name) != 0)
			continue;
		if (ns == NULL || ns_equals(c->ns, ns))
			return c;
	}
	return NULL;
}

const char *
elem_text(const struct elem *e)
{
	const struct elem *only = NULL;
	size_t texts = 0, len = 0;
	char *all, *at;

	for (const struct elem *c = e->first; c != NULL; c = c->next) {
		if (c->name != NULL)
			continue;
		only = c;
		texts++;
		len += strlen(c->text);
	}
	if (texts <= 1)
		return only != NULL ? only->text : "";
	at = all = arena_alloc(e->arena, len + 1);
	for (const struct elem *c = e->first; c != NULL; c = c->next)
		if (c->name == NULL)
			at = stpcpy(at, c->text);
	return all;
}

const char *
elem_child_text(const struct elem *e, const char *ns, const char *name)
{
	const struct elem *child = elem_find(e, ns, name);

	return child != NULL ? elem_text(child) : NULL;
}

/* --- comparing --- */

static size_t
attr_count(const struct elem *e)
{
	size_t count = 0;

	for (const struct attr *a = e->attrs; a != NULL; a = a->next)
		count++;
	return count;
}

static bool
attrs_equal(const struct elem *a, const struct elem *b)
{
	if (attr_count(a) != attr_count(b))
		return false;
	for (const struct attr *at = a->attrs; at != NULL; at = at->next)
		if (!text_equals(at->value, get(b, at->ns, at->name)))
			return false;
	return true;
}

/* The next byte of a run of text nodes from *e on; NUL at its end. */
static char
run_next(const struct elem **e, const char **at)
{
	if (*at == NULL && *e != NULL && (*e)->name == NULL)
		*at = (*e)->text;
	while (*at != NULL && **at == '\0') {
		*e = (*e)->next;
		*at = *e != NULL && (*e)->name == NULL ? (*e)->text : NULL;
	}
	return *at != NULL ? *(*at)++ : '\0';
}

/* Whether the texts at *a and *b are the same; both are moved behind them. */
static bool
texts_equal(const struct elem **a, const struct elem **b)
{
	const char *at_a = NULL, *at_b = NULL;
	char c;

	do {
		if ((c = run_next(a, &at_a)) != run_next(b, &at_b))
			return false;
	} while (c != '\0');
	return true;
}

bool
elem_equals(const struct elem *a, const struct elem *b)
{
	const struct elem *in_a = a->first, *in_b = b->first;

	if (strcmp(a->name, b->name) != 0 || !ns_equals(a->ns, b->ns) ||
	    !attrs_equal(a, b))
		return false;
	for (;;) {
		if (!texts_equal(&in_a, &in_b))
			return false;
		if (in_a == NULL || in_b == NULL)
			return in_a == in_b;
		if (!elem_equals(in_a, in_b))
			return false;
		in_a = in_a->next;
		in_b = in_b->next;
	}
}
