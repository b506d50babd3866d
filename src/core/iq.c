#include "core/iq.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "base/table.h"

/*
 * What the table keeps; `iq` comes first, so that a struct iq leads back here.
 */
struct open_iq {
	struct iq iq;
	struct asker *asker;
	UT_hash_handle hh;
	TAILQ_ENTRY(open_iq) due, beside;
};

TAILQ_HEAD(open_iqs, open_iq);

/* All that one session asked; gone with its last. */
struct asker {
	uint64_t session;
	size_t count;
	struct open_iqs iqs;
	UT_hash_handle hh;
};

struct iq_table {
	struct open_iq *by_id;
	struct open_iqs by_deadline;
	struct asker *askers;
	size_t max;
};

struct iq_table *
iq_table_new(size_t max)
{
	struct iq_table *t;

	t = mem_alloc(sizeof(*t));
	t->max = max;
	TAILQ_INIT(&t->by_deadline);
	return t;
}

void
iq_table_free(struct iq_table **holder)
{
	struct iq_table *t = *holder;
	struct iq *iq;

	*holder = NULL;
	if (t == NULL)
		return;
	while ((iq = iq_table_any(t)) != NULL)
		iq_free(&iq);
	free(t);
}

size_t
iq_table_count(const struct iq_table *t)
{
	return HASH_COUNT(t->by_id);
}

static struct asker *
asker_find(const struct iq_table *t, uint64_t session)
{
	struct asker *a;

	HASH_FIND(hh, t->askers, &session, sizeof(session), a);
	return a;
}

size_t
iq_table_count_of(const struct iq_table *t, uint64_t session)
{
	const struct asker *a = asker_find(t, session);

	return a == NULL ? 0 : a->count;
}

static void
add_to_asker(struct iq_table *t, struct open_iq *o)
{
	struct asker *a;

	if ((a = asker_find(t, o->iq.session)) == NULL) {
		a = mem_alloc(sizeof(*a));
		a->session = o->iq.session;
		TAILQ_INIT(&a->iqs);
		HASH_ADD(hh, t->askers, session, sizeof(a->session), a);
	}
	o->asker = a;
	a->count++;
	TAILQ_INSERT_TAIL(&a->iqs, o, beside);
}

static void
remove_from_asker(struct iq_table *t, struct open_iq *o)
{
	struct asker *a = o->asker;

	TAILQ_REMOVE(&a->iqs, o, beside);
	if (--a->count > 0)
		return;
	HASH_DEL(t->askers, a);
	free(a);
}

/* From the end: a later one nearly always has the later deadline. */
static void
add_by_deadline(struct iq_table *t, struct open_iq *o)
{
	struct open_iq *before;

	TAILQ_FOREACH_REVERSE(before, &t->by_deadline, open_iqs, due) {
		if (before->iq.deadline <= o->iq.deadline) {
			TAILQ_INSERT_AFTER(&t->by_deadline, before, o, due);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&t->by_deadline, o, due);
}

struct iq *
iq_table_add(struct iq_table *t, const struct iq *given)
{
	struct open_iq *o;

	if (HASH_COUNT(t->by_id) >= t->max)
		return NULL;
	o = mem_alloc(sizeof(*o));
	o->iq = *given;
	random_id(o->iq.id);
	o->iq.asked_id = mem_strdup(given->asked_id);
	o->iq.asker = mem_strdup(given->asker);
	o->iq.answerer = mem_strdup(given->answerer);
	o->iq.asked_to = mem_strdup(given->asked_to);
	HASH_ADD(hh, t->by_id, iq.id, strlen(o->iq.id), o);
	add_to_asker(t, o);
	add_by_deadline(t, o);
	return &o->iq;
}

struct iq *
iq_table_find(struct iq_table *t, const char *id)
{
	struct open_iq *o;

	HASH_FIND(hh, t->by_id, id, strlen(id), o);
	return o == NULL ? NULL : &o->iq;
}

void
iq_table_take(struct iq_table *t, struct iq *iq)
{
	struct open_iq *o = (struct open_iq *)iq;

	HASH_DEL(t->by_id, o);
	TAILQ_REMOVE(&t->by_deadline, o, due);
	remove_from_asker(t, o);
}

static struct iq *
take(struct iq_table *t, struct open_iq *o)
{
	if (o == NULL)
		return NULL;
	iq_table_take(t, &o->iq);
	return &o->iq;
}

struct iq *
iq_table_expired(struct iq_table *t, uint64_t now)
{
	struct open_iq *o = TAILQ_FIRST(&t->by_deadline);

	if (o == NULL || o->iq.deadline > now)
		return NULL;
	return take(t, o);
}

uint64_t
iq_table_deadline(const struct iq_table *t)
{
	const struct open_iq *o = TAILQ_FIRST(&t->by_deadline);

	return o != NULL ? o->iq.deadline : 0;
}

struct iq *
iq_table_any(struct iq_table *t)
{
	return take(t, TAILQ_FIRST(&t->by_deadline));
}

struct iq *
iq_table_above(struct iq_table *t, uint64_t number)
{
	struct open_iq *o;

	TAILQ_FOREACH(o, &t->by_deadline, due) {
		if (o->iq.number > number)
			return take(t, o);
	}
	return NULL;
}

struct iq *
iq_table_any_of(struct iq_table *t, uint64_t session)
{
	struct asker *a = asker_find(t, session);

	return a == NULL ? NULL : take(t, TAILQ_FIRST(&a->iqs));
}

void
iq_free(struct iq **holder)
{
	struct iq *iq = *holder;

	*holder = NULL;
	if (iq == NULL)
		return;
	free(iq->asked_id);
	free(iq->asker);
	free(iq->answerer);
	free(iq->asked_to);
	free(iq);
}
