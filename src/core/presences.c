#include "core/presences.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "xmpp/jid.h"

/* `presence` comes first, so that it leads back here. */
struct seat {
	struct presence presence;
	struct contact *contact;
	TAILQ_ENTRY(seat) next;
};

/* All that share a bare JID; gone with its last. */
struct contact {
	TAILQ_HEAD(, seat) seats;
	UT_hash_handle hh;
	char bare[]; /* not terminated */
};

/* Who is told of one may end the stream that told of all. */
struct walk {
	struct presence *next;
	bool is_of_contact;
	struct walk *outer;
};

/* The table keeps the order in which its members were added. */
struct presences {
	struct presence *all;
	struct contact *contacts;
	size_t max, bytes;  /* of all bodies */
	struct walk *walks; /* that are under way */
};

#define BYTES_EACH 1024 /* on average, when all places are taken */

struct presences *
presences_new(size_t max)
{
	struct presences *p;

	p = mem_alloc(sizeof(*p));
	p->max = max;
	return p;
}

void
presences_free(struct presences **holder)
{
	struct presences *p = *holder;

	*holder = NULL;
	if (p == NULL)
		return;
	presences_clear(p);
	free(p);
}

size_t
presences_count(const struct presences *p)
{
	return HASH_COUNT(p->all);
}

static struct presence *
find(const struct presences *p, const char *full)
{
	struct presence *found;

	HASH_FIND(hh, p->all, full, strlen(full), found);
	return found;
}

static struct contact *
contact_find(const struct presences *p, const char *jid)
{
	struct contact *c;

	HASH_FIND(hh, p->contacts, jid, jid_bare_len(jid), c);
	return c;
}

static struct contact *
contact_make(struct presences *p, const char *jid)
{
	struct contact *c;
	size_t len = jid_bare_len(jid);

	if ((c = contact_find(p, jid)) != NULL)
		return c;
	c = mem_alloc(sizeof(*c) + len);
	memcpy(c->bare, jid, len);
	TAILQ_INIT(&c->seats);
	HASH_ADD(hh, p->contacts, bare, len, c);
	return c;
}

static struct presence *
add(struct presences *p, const char *from)
{
	struct seat *s;

	s = mem_alloc(sizeof(*s));
	s->presence.from = mem_strdup(from);
	s->contact = contact_make(p, from);
	TAILQ_INSERT_TAIL(&s->contact->seats, s, next);
	HASH_ADD_KEYPTR(hh, p->all, s->presence.from, strlen(s->presence.from),
	    &s->presence);
	return &s->presence;
}

static struct presence *
behind(const struct walk *w, const struct presence *one)
{
	if (w->is_of_contact)
		return (struct presence *)TAILQ_NEXT((const struct seat *)one,
		    next);
	return one->hh.next;
}

static void
forget(struct presences *p, struct presence *gone)
{
	struct seat *s = (struct seat *)gone;
	struct contact *c = s->contact;

	for (struct walk *w = p->walks; w != NULL; w = w->outer) {
		if (w->next == gone)
			w->next = behind(w, gone);
	}
	p->bytes -= blob_len(gone->body);
	HASH_DEL(p->all, gone);
	TAILQ_REMOVE(&c->seats, s, next);
	if (TAILQ_EMPTY(&c->seats)) {
		HASH_DEL(p->contacts, c);
		free(c);
	}
	free(gone->from);
	free(gone->id);
	free(gone->lang);
	blob_unref(&gone->body);
	free(s);
}

static bool
fits(const struct presences *p, const struct presence *old,
    const struct blob *body)
{
	size_t bytes = p->bytes + blob_len(body);

	if (old == NULL && HASH_COUNT(p->all) >= p->max)
		return false;
	return bytes - (old != NULL ? blob_len(old->body) : 0) <=
	    p->max * BYTES_EACH;
}

bool
presences_set(struct presences *p, const struct presence *given)
{
	struct presence *one;
	struct presence old;

	one = find(p, given->from);
	if (!fits(p, one, given->body)) {
		presences_remove(p, given->from);
		return false;
	}
	if (one == NULL)
		one = add(p, given->from);
	else
		p->bytes -= blob_len(one->body);
	p->bytes += blob_len(given->body);
	/* The old ones go last: what is given may be a part of them. */
	old = *one;
	one->id = mem_strdup(given->id);
	one->lang = mem_strdup(given->lang);
	one->body = blob_ref(given->body);
	one->addresses = given->addresses;
	one->is_hidden = given->is_hidden;
	free(old.id);
	free(old.lang);
	blob_unref(&old.body);
	return true;
}

const struct presence *
presences_find(const struct presences *p, const char *full)
{
	return find(p, full);
}

bool
presences_remove(struct presences *p, const char *full)
{
	struct presence *one;

	if ((one = find(p, full)) == NULL)
		return false;
	forget(p, one);
	return true;
}

bool
presences_hide(struct presences *p, const char *full, bool is_hidden)
{
	struct presence *one = find(p, full);

	if (one == NULL || one->is_hidden == is_hidden)
		return false;
	one->is_hidden = is_hidden;
	return true;
}

bool
presences_has_bare(const struct presences *p, const char *bare)
{
	return contact_find(p, bare) != NULL;
}

static struct presence *
first_of(const struct presences *p, const char *bare)
{
	struct contact *c;

	if (bare == NULL)
		return p->all;
	c = contact_find(p, bare);
	return c != NULL ? (struct presence *)TAILQ_FIRST(&c->seats) : NULL;
}

void
presences_each(struct presences *p, const char *bare,
    void (*fn)(void *arg, const struct presence *), void *arg)
{
	struct walk w = { .next = first_of(p, bare),
		.is_of_contact = bare != NULL,
		.outer = p->walks };
	struct presence *one;

	p->walks = &w;
	while ((one = w.next) != NULL) {
		w.next = behind(&w, one);
		fn(arg, one);
	}
	p->walks = w.outer;
}

void
presences_clear(struct presences *p)
{
	while (p->all != NULL)
		forget(p, p->all);
}
