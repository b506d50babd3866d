#include "core/open_iqs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
open_iqs_init(struct open_iqs *q)
{
	TAILQ_INIT(&q->all);
	q->count = 0;
}

static void
drop(struct open_iqs *q, struct open_iq *iq)
{
	TAILQ_REMOVE(&q->all, iq, next);
	q->count--;
	free(iq->id);
	free(iq->to);
	free(iq);
}

void
open_iqs_fini(struct open_iqs *q)
{
	struct open_iq *iq;

	while ((iq = TAILQ_FIRST(&q->all)) != NULL)
		drop(q, iq);
}

static struct open_iq *
add(struct open_iqs *q, char *id, char *to, uint64_t number)
{
	struct open_iq *iq = mem_alloc(sizeof(*iq));

	iq->id = id;
	iq->to = to;
	iq->number = number;
	TAILQ_INSERT_TAIL(&q->all, iq, next);
	q->count++;
	return iq;
}

void
open_iqs_add(struct open_iqs *q, const char *id, const char *to)
{
	add(q, mem_strdup(id), mem_strdup(to), 0);
}

bool
open_iqs_answered(struct open_iqs *q, const char *id, uint64_t number)
{
	struct open_iq *iq;

	TAILQ_FOREACH(iq, &q->all, next) {
		if (iq->number == 0 && strcmp(iq->id, id) == 0) {
			iq->number = number;
			return true;
		}
	}
	return false;
}

void
open_iqs_renumber(struct open_iqs *q, uint64_t old, uint64_t number)
{
	struct open_iq *iq;

	TAILQ_FOREACH(iq, &q->all, next) {
		if (iq->number == old) {
			iq->number = number;
			return;
		}
	}
}

unsigned
open_iqs_acknowledged(struct open_iqs *q, uint64_t number)
{
	struct open_iq *iq, *next;
	unsigned done = 0;

	for (iq = TAILQ_FIRST(&q->all); iq != NULL; iq = next) {
		next = TAILQ_NEXT(iq, next);
		if (iq->number == 0 || iq->number > number)
			continue;
		drop(q, iq);
		done++;
	}
	return done;
}

void
open_iqs_pack(const struct open_iqs *q, struct buf *b)
{
	const struct open_iq *iq;

	pack_uint(b, q->count);
	TAILQ_FOREACH(iq, &q->all, next) {
		pack_string(b, iq->id);
		pack_string(b, iq->to);
		pack_uint(b, iq->number);
	}
}

void
open_iqs_unpack(struct open_iqs *q, struct unpack *u)
{
	uint64_t count = unpack_uint(u);
	char *id, *to;

	for (; count > 0 && unpack_is_good(u); count--) {
		id = unpack_string(u);
		to = unpack_string(u);
		if (id == NULL) {
			free(to);
			return;
		}
		add(q, id, to, 0)->number = unpack_uint(u);
	}
}
