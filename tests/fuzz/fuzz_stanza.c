/*
 * An element: written and read again it is the same, and so are its copy and its
 * two halves; what stanza.c says of it holds together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xmpp/stanza.h"
#include "xmpp/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool good)
{
	if (!good)
		abort();
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* `ns` is in force where it stands. */
static void
check_writing(struct arena *arena, const struct elem *e, const char *ns)
{
	struct buf whole = { 0 }, again = { 0 };
	struct elem *copy;

	elem_write(&whole, e, ns);
	copy = xml_parse(arena, whole.data, whole.len, ns, NULL, NULL);
	require(copy != NULL && elem_equals(e, copy));
	elem_write(&again, copy, ns);
	require(strcmp(whole.data, again.data) == 0);
	buf_clear(&again);
	copy = elem_copy(arena, e);
	require(elem_equals(copy, e));
	elem_write_head(&again, copy, ns);
	elem_write_body(&again, copy);
	/* Below an element of the xml: namespace more has to be declared. */
	if (e->ns == NULL || strcmp(e->ns, NS_XML) != 0)
		require(strcmp(whole.data, again.data) == 0);
	buf_free(&whole);
	buf_free(&again);
}

static void
check_answers(const struct elem *e)
{
	struct elem *error = stanza_error(e, ERR_GONE, "<'&\n");

	require(stanza_type(error) == TYPE_ERROR && !stanza_may_fail(error));
	require(strcmp(stanza_error_cond(error), "gone") == 0);
	require(same_text(elem_attr(error, "to"), elem_attr(e, "from")));
	require(same_text(elem_attr(error, "from"), elem_attr(e, "to")));
	require(same_text(elem_attr(error, "id"), elem_attr(e, "id")));
	check_writing(e->arena, error, NS_CLIENT);
	if (stanza_kind(e) == STANZA_IQ)
		require(stanza_type(stanza_result(e)) == TYPE_RESULT);
}

static void
check_walk(const struct elem *e)
{
	ELEM_EACH(c, e) {
		require(c->parent == e);
		require(elem_find(e, c->ns, c->name) != NULL);
		require(elem_child_text(e, c->ns, c->name) != NULL);
		check_walk(c);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = size > 0 ? (const char *)data : "";
	struct arena *arena = arena_new();
	struct elem *e;

	e = xml_parse(arena, bytes, size, NS_CLIENT, NULL, NULL);
	if (e != NULL) {
		check_writing(arena, e, NS_CLIENT);
		check_writing(arena, e, NULL);
		check_walk(e);
		require((stanza_error_cond(e) != NULL) ==
		    (stanza_type(e) == TYPE_ERROR));
		if (stanza_may_fail(e))
			check_answers(e);
		(void)stanza_delay(e);
	}
	arena_free(&arena);
	return 0;
}
