#include "rig/match.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

/* What " ..." in a start tag becomes: more attributes may be there. */
#define MORE_ATTRS "xt-more"
#define MORE       "..."

/* --- variables --- */

void
vars_init(struct vars *v)
{
	v->arena = arena_new();
	v->count = 0;
	v->archive = NULL;
}

void
vars_fini(struct vars *v)
{
	arena_free(&v->arena);
	v->count = 0;
}

static bool
is_name(const struct var *var, const char *name, size_t len)
{
	return strlen(var->name) == len && memcmp(var->name, name, len) == 0;
}

const char *
vars_get(const struct vars *v, const char *name, size_t len)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (is_name(&v->list[i], name, len))
			return v->list[i].value;
	}
	return NULL;
}

void
vars_set(struct vars *v, const char *name, size_t len, const char *value,
    size_t value_len)
{
	unsigned i = 0;

	while (i < v->count && !is_name(&v->list[i], name, len))
		i++;
	assert(i < VARS_MAX);
	if (i == v->count)
		v->count++;
	v->list[i].name = arena_strndup(v->arena, name, len);
	v->list[i].value = arena_strndup(v->arena, value, value_len);
}

/* --- text --- */

static size_t
name_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* The first time that it is named: takes as little as lets the rest match. */
static bool
match_unbound(struct vars *v, const char *name, size_t len, const char *rest,
    const char *text)
{
	unsigned before = v->count;

	for (size_t n = 1; n <= strlen(text); n++) {
		vars_set(v, name, len, text, n);
		if (match_text(v, rest, text + n))
			return true;
		v->count = before;
	}
	return false;
}

static bool
match_var(struct vars *v, const char *pattern, const char *text)
{
	size_t len = name_len(pattern + 1);
	const char *value = vars_get(v, pattern + 1, len);
	const char *rest = pattern + 1 + len;

	if (value == NULL)
		return match_unbound(v, pattern + 1, len, rest, text);
	return strncmp(text, value, strlen(value)) == 0 &&
	    match_text(v, rest, text + strlen(value));
}

static bool
match_more(struct vars *v, const char *rest, const char *text)
{
	if (*rest == '\0')
		return true;
	for (; *text != '\0'; text++) {
		if (match_text(v, rest, text))
			return true;
	}
	return match_text(v, rest, text);
}

bool
match_text(struct vars *v, const char *pattern, const char *text)
{
	for (; *pattern != '\0'; pattern++, text++) {
		if (strncmp(pattern, MORE, 3) == 0)
			return match_more(v, pattern + 3, text);
		if (*pattern == '$' && name_len(pattern + 1) > 0)
			return match_var(v, pattern, text);
		if (pattern[0] == '$' && pattern[1] == '$')
			pattern++;
		if (*pattern != *text)
			return false;
	}
	return *text == '\0';
}

/* --- trees --- */

static bool
is_lang(const struct attr *a)
{
	return text_equals(a->ns, NS_XML) && strcmp(a->name, "lang") == 0;
}

static bool
is_more_attrs(const struct attr *a)
{
	return a->ns == NULL && strcmp(a->name, MORE_ATTRS) == 0;
}

static const struct attr *
find_attr(const struct elem *e, const struct attr *like)
{
	for (const struct attr *a = e->attrs; a != NULL; a = a->next) {
		if (text_equals(a->ns, like->ns) &&
		    strcmp(a->name, like->name) == 0)
			return a;
	}
	return NULL;
}

static bool
match_wanted(struct vars *v, const struct elem *pattern, const struct elem *e,
    bool *more, struct err *why)
{
	const struct attr *p, *a;

	for (p = pattern->attrs; p != NULL; p = p->next) {
		if (is_more_attrs(p)) {
			*more = true;
			continue;
		}
		a = find_attr(e, p);
		if (a == NULL) {
			err_set(why, "<%s/> has no %s", e->name, p->name);
			return false;
		}
		if (!match_text(v, p->value, a->value)) {
			err_set(why, "<%s/> has %s='%s', not '%s'", e->name,
			    p->name, a->value, p->value);
			return false;
		}
	}
	return true;
}

/* xml:lang, which streams lend to stanzas, matters only where a pattern has it. */
static bool
match_attrs(struct vars *v, const struct elem *pattern, const struct elem *e,
    struct err *why)
{
	bool more = false;

	if (!match_wanted(v, pattern, e, &more, why))
		return false;
	for (const struct attr *a = e->attrs; a != NULL && !more; a = a->next) {
		if (is_lang(a) || find_attr(pattern, a) != NULL)
			continue;
		err_set(why, "<%s/> has %s='%s'", e->name, a->name, a->value);
		return false;
	}
	return true;
}

static const char *
text_of(const struct elem *e)
{
	const char *text = elem_text(e);

	/* White space between elements is for the eye. */
	if (elem_first(e) != NULL && text[strspn(text, " \t\r\n")] == '\0')
		return "";
	return text;
}

static bool
is_more(const struct elem *pattern)
{
	const char *text = elem_text(pattern);
	size_t lead = strspn(text, " \t\r\n");

	return strncmp(text + lead, MORE, 3) == 0 &&
	    text[lead + 3 + strspn(text + lead + 3, " \t\r\n")] == '\0';
}

static size_t
child_count(const struct elem *e)
{
	size_t n = 0;

	ELEM_EACH(child, e)
		n++;
	return n;
}

/*
 * Each child of the pattern from `p` on finds one of its own, in any order; `used`
 * has a place for each of e's.
 */
static bool
match_children(struct vars *v, const struct elem *p, const struct elem *e,
    bool *used, struct err *why)
{
	unsigned before = v->count;
	struct err last = { "" };
	size_t i = 0;

	if (p == NULL)
		return true;
	ELEM_EACH(child, e) {
		if (!used[i] && elem_is(child, p->ns, p->name) &&
		    match_elem(v, p, child, &last)) {
			used[i] = true;
			if (match_children(v, elem_next(p), e, used, &last))
				return true;
			used[i] = false;
		}
		v->count = before;
		i++;
	}
	if (last.text[0] != '\0')
		err_set(why, "%s", last.text);
	else
		err_set(why, "<%s/> has no <%s xmlns='%s'/>", e->name, p->name,
		    p->ns != NULL ? p->ns : "");
	return false;
}

static bool
is_stanza_id(const struct elem *e, const char *by)
{
	return elem_is(e, NS_SID, "stanza-id") &&
	    text_equals(elem_attr(e, "by"), by);
}

static bool
names_stanza_id(const struct elem *pattern, const char *by)
{
	ELEM_EACH(e, pattern) {
		if (is_stanza_id(e, by))
			return true;
	}
	return false;
}

/* Every client whose archive is ours gets them; few scripts care. */
static bool
is_overlooked(const struct vars *v, const struct elem *pattern,
    const struct elem *e)
{
	return v->archive != NULL && is_stanza_id(e, v->archive) &&
	    !names_stanza_id(pattern, v->archive);
}

static bool
match_content(struct vars *v, const struct elem *pattern, const struct elem *e,
    struct err *why)
{
	size_t count = child_count(e), i = 0;
	bool *used = arena_alloc(v->arena, count + 1);
	bool more = is_more(pattern);

	if (!more && !match_text(v, text_of(pattern), text_of(e))) {
		err_set(why, "<%s/> says '%.100s', not '%.100s'", e->name,
		    text_of(e), text_of(pattern));
		return false;
	}
	if (!match_children(v, elem_first(pattern), e, used, why))
		return false;
	ELEM_EACH(child, e) {
		if (!more && !used[i++] && !is_overlooked(v, pattern, child)) {
			err_set(why, "<%s/> has a <%s xmlns='%s'/>", e->name,
			    child->name, child->ns != NULL ? child->ns : "");
			return false;
		}
	}
	return true;
}

static bool
match_all(struct vars *v, const struct elem *pattern, const struct elem *e,
    struct err *why)
{
	if (!elem_is(e, pattern->ns, pattern->name)) {
		err_set(why, "it is <%s xmlns='%s'/>", e->name,
		    e->ns != NULL ? e->ns : "");
		return false;
	}
	return match_attrs(v, pattern, e, why) &&
	    match_content(v, pattern, e, why);
}

bool
match_elem(struct vars *v, const struct elem *pattern, const struct elem *e,
    struct err *why)
{
	unsigned before = v->count;

	if (match_all(v, pattern, e, why))
		return true;
	v->count = before;
	return false;
}

/* " ..." before the end of a start tag is no XML: an attribute says it instead. */
struct elem *
match_parse(struct arena *arena, const char *pattern, struct err *err)
{
	struct buf b = { 0 };
	struct elem *e;

	for (const char *s = pattern; *s != '\0'; s++) {
		if (strncmp(s, " ...>", 5) == 0 ||
		    strncmp(s, " .../>", 6) == 0) {
			buf_puts(&b, " " MORE_ATTRS "=''");
			s += 3;
		} else {
			buf_putc(&b, *s);
		}
	}
	e = xml_parse(arena, b.data != NULL ? b.data : "", b.len, NS_CLIENT,
	    NULL, err);
	buf_free(&b);
	return e;
}
