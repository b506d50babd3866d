#include "mod/held.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

struct held_stanza {
	STAILQ_ENTRY(held_stanza) next;
	struct buf xml;
};

struct held {
	STAILQ_HEAD(, held_stanza) list;
	size_t bytes;
};

struct held *
held_new(void)
{
	struct held *h = mem_alloc(sizeof(*h));

	STAILQ_INIT(&h->list);
	return h;
}

bool
held_add(struct held *h, const struct elem *stanza, size_t max)
{
	struct held_stanza *s = mem_alloc(sizeof(*s));

	elem_write(&s->xml, stanza, NS_CLIENT);
	if (h->bytes + s->xml.len > max) {
		buf_free(&s->xml);
		free(s);
		return false;
	}
	h->bytes += s->xml.len;
	STAILQ_INSERT_TAIL(&h->list, s, next);
	return true;
}

struct elem *
held_take(struct held *h, struct arena *arena)
{
	struct held_stanza *s = STAILQ_FIRST(&h->list);
	struct elem *stanza;

	if (s == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&h->list, next);
	h->bytes -= s->xml.len;
	stanza = xml_parse_own(arena, s->xml.data, s->xml.len, NS_CLIENT);
	buf_free(&s->xml);
	free(s);
	return stanza;
}

void
held_free(struct held **holder)
{
	struct held *h = *holder;
	struct held_stanza *s;

	*holder = NULL;
	if (h == NULL)
		return;
	while ((s = STAILQ_FIRST(&h->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&h->list, next);
		buf_free(&s->xml);
		free(s);
	}
	free(h);
}
