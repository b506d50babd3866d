#include "mod/caps_hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha1.h"
#include "base/text.h"
#include "xmpp/ns.h"

/*
 * XML has neither of these two, and they sort before all that it has: so factors
 * are put together first and sorted as strings, which is the order by factors.
 */
#define END   "\1" /* becomes '<' */
#define SLASH "\2" /* becomes '/' */

struct words {
	const char **at;
	size_t count;
};

static void
words_add(struct words *w, const char *word)
{
	w->at = mem_grow(w->at, (w->count + 1) * sizeof(*w->at));
	w->at[w->count++] = word;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends them in order and empties the list. */
static void
words_join(struct words *w, struct buf *out)
{
	if (w->count > 0)
		qsort(w->at, w->count, sizeof(*w->at), compare);
	for (size_t i = 0; i < w->count; i++)
		buf_puts(out, w->at[i]);
	free(w->at);
	*w = (struct words){ 0 };
}

/* The same as one word. */
static const char *
words_to_word(struct words *w, struct arena *arena)
{
	struct buf b = { 0 };
	const char *word;

	words_join(w, &b);
	word = arena_strndup(arena, b.data != NULL ? b.data : "", b.len);
	buf_free(&b);
	return word;
}

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static const char *
identity_word(const struct elem *e)
{
	return arena_printf(e->arena, "%s" SLASH "%s" SLASH "%s" SLASH "%s" END,
	    or_empty(elem_attr(e, "category")), or_empty(elem_attr(e, "type")),
	    or_empty(elem_lang(e)), or_empty(elem_attr(e, "name")));
}

static void
add_identities(struct buf *s, const struct elem *query)
{
	struct words w = { 0 };

	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DISCO_INFO, "identity"))
			words_add(&w, identity_word(e));
	}
	words_join(&w, s);
}

static void
add_features(struct buf *s, const struct elem *query)
{
	struct words w = { 0 };

	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DISCO_INFO, "feature"))
			words_add(&w,
			    arena_printf(query->arena, "%s" END,
				or_empty(elem_attr(e, "var"))));
	}
	words_join(&w, s);
}

static const char *
values_of(const struct elem *field)
{
	struct words w = { 0 };

	ELEM_EACH(e, field) {
		if (elem_is(e, NS_DATA, "value"))
			words_add(&w,
			    arena_printf(field->arena, "%s" END, elem_text(e)));
	}
	return words_to_word(&w, field->arena);
}

static bool
is_form_type(const struct elem *field)
{
	return text_equals(elem_attr(field, "var"), "FORM_TYPE");
}

/* NULL where it has no hidden one: such a form does not count (5.4). */
static const char *
form_type(const struct elem *form)
{
	ELEM_EACH(e, form) {
		if (elem_is(e, NS_DATA, "field") && is_form_type(e) &&
		    text_equals(elem_attr(e, "type"), "hidden"))
			return elem_child_text(e, NS_DATA, "value");
	}
	return NULL;
}

static const char *
fields_of(const struct elem *form)
{
	struct words w = { 0 };

	ELEM_EACH(e, form) {
		if (elem_is(e, NS_DATA, "field") && !is_form_type(e))
			words_add(&w,
			    arena_printf(form->arena, "%s" END "%s",
				or_empty(elem_attr(e, "var")), values_of(e)));
	}
	return words_to_word(&w, form->arena);
}

static void
add_forms(struct buf *s, const struct elem *query)
{
	struct words w = { 0 };
	const char *type;

	ELEM_EACH(e, query) {
		if (!elem_is(e, NS_DATA, "x") || (type = form_type(e)) == NULL)
			continue;
		words_add(&w,
		    arena_printf(query->arena, "%s" END "%s", type,
			fields_of(e)));
	}
	words_join(&w, s);
}

/* A '<' inside a factor is no end of one: poisoning would be easy (5.1). */
static void
finish(struct buf *out, const struct buf *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (s->data[i] == '<')
			buf_puts(out, "&lt;");
		else if (s->data[i] == END[0])
			buf_putc(out, '<');
		else if (s->data[i] == SLASH[0])
			buf_putc(out, '/');
		else
			buf_putc(out, s->data[i]);
	}
}

void
caps_ver(struct buf *out, const struct elem *query)
{
	struct buf marked = { 0 }, s = { 0 };
	unsigned char hash[SHA1_SIZE];

	add_identities(&marked, query);
	add_features(&marked, query);
	add_forms(&marked, query);
	finish(&s, &marked);
	sha1(s.data, s.len, hash);
	text_base64(out, hash, sizeof(hash));
	buf_free(&marked);
	buf_free(&s);
}

/* --- well-formed (5.4) --- */

/* Whether a string is there twice; empties the list. */
static bool
words_repeat(struct words *w)
{
	bool repeats = false;

	if (w->count > 0)
		qsort(w->at, w->count, sizeof(*w->at), compare);
	for (size_t i = 1; i < w->count; i++)
		repeats = repeats || strcmp(w->at[i - 1], w->at[i]) == 0;
	free(w->at);
	*w = (struct words){ 0 };
	return repeats;
}

static bool
repeats_identity(const struct elem *query)
{
	struct words w = { 0 };

	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DISCO_INFO, "identity"))
			words_add(&w, identity_word(e));
	}
	return words_repeat(&w);
}

static bool
repeats_feature(const struct elem *query)
{
	struct words w = { 0 };

	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DISCO_INFO, "feature"))
			words_add(&w, or_empty(elem_attr(e, "var")));
	}
	return words_repeat(&w);
}

static bool
repeats_form(const struct elem *query)
{
	struct words w = { 0 };
	const char *type;

	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DATA, "x") && (type = form_type(e)) != NULL)
			words_add(&w, type);
	}
	return words_repeat(&w);
}

/* The FORM_TYPE field has values that differ. */
static bool
is_ambiguous(const struct elem *form)
{
	const char *type = form_type(form);

	ELEM_EACH(field, form) {
		if (!elem_is(field, NS_DATA, "field") || !is_form_type(field))
			continue;
		ELEM_EACH(value, field) {
			if (elem_is(value, NS_DATA, "value") && type != NULL &&
			    strcmp(elem_text(value), type) != 0)
				return true;
		}
	}
	return false;
}

static bool
has_ambiguous_form(const struct elem *query)
{
	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DATA, "x") && is_ambiguous(e))
			return true;
	}
	return false;
}

bool
caps_is_well_formed(const struct elem *query)
{
	return !repeats_identity(query) && !repeats_feature(query) &&
	    !repeats_form(query) && !has_ambiguous_form(query);
}
