#include <stdlib.h>

#include "base/mem.h"
#include "conn_impl.h"

struct loop_conns *
conns_new(struct loop *loop)
{
	struct loop_conns *s = mem_alloc(sizeof(*s));

	s->loop = loop;
	TAILQ_INIT(&s->all);
	TAILQ_INIT(&s->dead);
	TAILQ_INIT(&s->robin);
	TAILQ_INIT(&s->handshakes);
	TAILQ_INIT(&s->dirty);
	TAILQ_INIT(&s->flushing);
	TAILQ_INIT(&s->gated);
	return s;
}

void
conns_free(struct loop_conns **holder)
{
	struct loop_conns *s = *holder;

	if (s == NULL)
		return;
	while (!TAILQ_EMPTY(&s->all))
		conn_bury(TAILQ_FIRST(&s->all));
	conns_reap(s);
	free(s);
	*holder = NULL;
}

bool
conns_are_none(const struct loop_conns *s)
{
	return TAILQ_EMPTY(&s->all);
}

void
conns_join(struct conn *c, uint64_t id)
{
	struct loop_conns *s = c->conns;
	struct conn_group *group = NULL;

	if (id != 0)
		HASH_FIND(hh, s->groups, &id, sizeof(id), group);
	if (group == NULL) {
		group = mem_alloc(sizeof(*group));
		group->id = id;
		TAILQ_INIT(&group->ready);
		if (id != 0)
			HASH_ADD(hh, s->groups, id, sizeof(id), group);
	}
	group->members++;
	c->group = group;
}

void
conns_leave(struct conn *c)
{
	struct loop_conns *s = c->conns;
	struct conn_group *group = c->group;

	c->group = NULL;
	if (--group->members > 0)
		return;
	if (group->id != 0)
		HASH_DELETE(hh, s->groups, group);
	free(group);
}

/* Whether a slice would find something to do. */
static bool
wants_slice(const struct conn *c)
{
	if (c->dead || c->announced)
		return c->finishing && !c->dead && c->readable;
	if (c->finishing)
		return c->readable && c->phase != CONN_HANDSHAKE;
	if (c->paused)
		return c->broken;
	if (c->reason != NULL)
		return true;
	if (c->phase == CONN_TLS_PENDING || c->phase == CONN_HANDSHAKE)
		return false;
	return c->held || (c->readable && !c->throttled);
}

static bool
wants_handshake(const struct conn *c)
{
	return c->phase == CONN_HANDSHAKE && c->stirred && !c->dead &&
	    c->reason == NULL;
}

void
conns_mark_ready(struct conn *c)
{
	struct loop_conns *s = c->conns;
	struct conn_group *group = c->group;

	if (c->place != PLACE_NONE)
		return;
	if (wants_handshake(c)) {
		c->place = PLACE_HANDSHAKE;
		TAILQ_INSERT_TAIL(&s->handshakes, c, ready);
	} else if (wants_slice(c)) {
		c->place = PLACE_READY;
		TAILQ_INSERT_TAIL(&group->ready, c, ready);
		if (!group->is_queued)
			TAILQ_INSERT_TAIL(&s->robin, group, link);
		group->is_queued = true;
	}
}

void
conns_unmark_ready(struct conn *c)
{
	struct loop_conns *s = c->conns;
	struct conn_group *group = c->group;

	if (c->place == PLACE_HANDSHAKE)
		TAILQ_REMOVE(&s->handshakes, c, ready);
	if (c->place == PLACE_READY) {
		TAILQ_REMOVE(&group->ready, c, ready);
		if (TAILQ_EMPTY(&group->ready)) {
			TAILQ_REMOVE(&s->robin, group, link);
			group->is_queued = false;
		}
	}
	c->place = PLACE_NONE;
}

static struct conn_list *
out_list(struct conn *c)
{
	struct loop_conns *s = c->conns;

	switch (c->out_place) {
	case OUT_DIRTY:
		return &s->dirty;
	case OUT_FLUSHING:
		return &s->flushing;
	case OUT_GATED:
		return &s->gated;
	case OUT_NONE:
		break;
	}
	return NULL;
}

static void
move_out(struct conn *c, enum conn_out_place place)
{
	struct conn_list *list = out_list(c);

	if (list != NULL)
		TAILQ_REMOVE(list, c, dirty);
	c->out_place = place;
	if ((list = out_list(c)) != NULL)
		TAILQ_INSERT_TAIL(list, c, dirty);
}

void
conns_mark_dirty(struct conn *c)
{
	if (c->dead || c->broken || !c->writable ||
	    c->phase == CONN_HANDSHAKE || c->out_place == OUT_DIRTY)
		return;
	move_out(c, OUT_DIRTY);
}

void
conns_unmark(struct conn *c)
{
	conns_unmark_ready(c);
	move_out(c, OUT_NONE);
}

unsigned
conns_lingering(const struct loop_conns *s)
{
	return s->lingering;
}

bool
conns_are_ready(const struct loop_conns *s)
{
	return !TAILQ_EMPTY(&s->robin) || !TAILQ_EMPTY(&s->handshakes) ||
	    conns_are_dirty(s);
}

bool
conns_are_dirty(const struct loop_conns *s)
{
	return !TAILQ_EMPTY(&s->dirty) || !TAILQ_EMPTY(&s->dead);
}

/* The next connection of the next group; the group goes to the end. */
static struct conn *
take_ready(struct loop_conns *s)
{
	struct conn_group *group = TAILQ_FIRST(&s->robin);
	struct conn *c;

	if (group == NULL)
		return NULL;
	c = TAILQ_FIRST(&group->ready);
	conns_unmark_ready(c);
	if (group->is_queued) {
		TAILQ_REMOVE(&s->robin, group, link);
		TAILQ_INSERT_TAIL(&s->robin, group, link);
	}
	return c;
}

/* One slice at least, however small the budget: a turn gets somewhere. */
void
conns_read(struct loop_conns *s)
{
	unsigned handshakes = loop_budget(s->loop)->handshakes;
	struct conn *c;

	while ((c = take_ready(s)) != NULL) {
		conn_slice(c);
		if (!loop_has_budget(s->loop))
			break;
	}
	while (handshakes-- > 0 && (c = TAILQ_FIRST(&s->handshakes)) != NULL) {
		conns_unmark_ready(c);
		conn_handshake(c);
	}
}

/*
 * What gets dirty while the flush runs belongs to the next turn. A connection
 * is gated when what it holds is not committed; a socket that is full comes
 * back by its event.
 */
void
conns_flush(struct loop_conns *s, uint64_t committed)
{
	struct conn *c;

	if (committed > s->committed) {
		s->committed = committed;
		while ((c = TAILQ_FIRST(&s->gated)) != NULL)
			move_out(c, OUT_DIRTY);
	}
	while ((c = TAILQ_FIRST(&s->dirty)) != NULL)
		move_out(c, OUT_FLUSHING);
	while ((c = TAILQ_FIRST(&s->flushing)) != NULL) {
		move_out(c, OUT_NONE);
		conn_write(c, s->committed);
		if (c->out.count > 0 && c->writable && !c->dead &&
		    c->out_place == OUT_NONE && c->phase != CONN_HANDSHAKE)
			move_out(c, OUT_GATED);
	}
}

void
conns_reap(struct loop_conns *s)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&s->dead)) != NULL) {
		TAILQ_REMOVE(&s->dead, c, all);
		c->io->ops->free(c->io);
		free(c->id);
		free(c->reason);
		free(c);
	}
}
