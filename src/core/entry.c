#include "core/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/frame.h"
#include "xmpp/ns.h"

struct entry *
entry_new(void)
{
	struct entry *e;

	e = mem_alloc(sizeof(*e));
	e->refs = 1;
	e->stamp = clock_wall();
	return e;
}

struct entry *
entry_ref(struct entry *e)
{
	e->refs++;
	return e;
}

void
entry_unref(struct entry **holder)
{
	struct entry *e = *holder;

	*holder = NULL;
	if (e == NULL || --e->refs > 0)
		return;
	free(e->peer);
	free(e->local);
	free(e->id);
	free(e->lang);
	free(e->stanza_id);
	blob_unref(&e->body);
	free(e);
}

static size_t
string_size(const char *s)
{
	return s == NULL ? 0 : strlen(s) + 1;
}

size_t
entry_size(const struct entry *e)
{
	return sizeof(*e) + string_size(e->peer) + string_size(e->local) +
	    string_size(e->id) + string_size(e->lang) +
	    string_size(e->stanza_id) + blob_len(e->body);
}

const char *
entry_text(const struct entry *e, struct arena *arena)
{
	struct elem *message;

	if (!e->has_body)
		return NULL;
	message = frame_parse(arena, e->body);
	return message == NULL ? NULL :
				 elem_child_text(message, NS_CLIENT, "body");
}

bool
entry_has_same_body(const struct entry *a, const struct entry *b)
{
	return blob_len(a->body) == blob_len(b->body) &&
	    memcmp(blob_data(a->body), blob_data(b->body), blob_len(a->body)) ==
	    0;
}

bool
entry_is_of_room(const struct entry *e)
{
	return e->type == TYPE_GROUPCHAT;
}

uint64_t
entry_when(const struct entry *e)
{
	if (e->stamp > ENTRY_LATE_MS && e->time < e->stamp - ENTRY_LATE_MS)
		return e->stamp - ENTRY_LATE_MS;
	return e->time;
}
