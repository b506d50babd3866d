#include "core/answered.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/recent.h"
#include "core/turn.h"
#include "core/user.h"

#define KEY_SIZE 4096

/*
 * Receipts are many, and would soon take the places of what says how far a conversation
 * was displayed: each has its own.
 */
enum { MEMORY_FIRST, MEMORY_FORWARD, MEMORIES };

struct answered {
	struct user *user;
	struct recent *memory[MEMORIES];
	uint64_t last; /* what is kept is in the order of these numbers */
};

static int
memory_of(char kind)
{
	return kind == ANSWERED_MARKER || kind == ANSWERED_READ ?
	    MEMORY_FORWARD :
	    MEMORY_FIRST;
}

/* Parts are apart by what no address and no id can have in it. */
static bool
make_key(char key[KEY_SIZE], const struct account *a, enum answered_kind kind,
    const char *peer, const char *id)
{
	int len = snprintf(key, KEY_SIZE, "%c%" PRIu64 "\1%s%s%s", (char)kind,
	    a->id, peer, id != NULL ? "\1" : "", id != NULL ? id : "");

	return len > 0 && len < KEY_SIZE;
}

/* --- on disk --- */

static void delete (void *arg, const char *key)
{
	struct user *u = arg;

	batch_delete(&u->proxy->batch, STATE_READ, u->id, key, strlen(key));
	turn_touch(u->proxy);
}

static void
save(struct answered *all, const char *key, uint64_t value)
{
	struct user *u = all->user;
	struct buf b = { 0 };

	pack_uint(&b, ++all->last);
	pack_uint(&b, value);
	batch_put(&u->proxy->batch, STATE_READ, u->id, key, strlen(key), b.data,
	    b.len);
	buf_free(&b);
	turn_touch(u->proxy);
}

struct kept {
	uint64_t order, value;
	char *key;
};

struct loading {
	struct kept *all;
	size_t count, cap;
};

static void
load_one(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct loading *l = arg;
	struct kept *k;
	struct unpack u;

	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->all = mem_grow(l->all, l->cap * sizeof(*l->all));
	}
	unpack_init(&u, value, len);
	k = &l->all[l->count++];
	k->order = unpack_uint(&u);
	k->value = unpack_uint(&u);
	k->key = mem_strndup(key, key_len);
}

static int
by_order(const void *a, const void *b)
{
	const struct kept *left = a, *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

/* The limit may be less than it was: the oldest go here, too. */
static void
load(struct answered *all)
{
	struct loading l = { 0 };
	struct kept *k;

	user_load_state(all->user, STATE_READ, all->user->id, load_one, &l);
	if (l.count > 0)
		qsort(l.all, l.count, sizeof(*l.all), by_order);
	for (size_t i = 0; i < l.count; i++) {
		k = &l.all[i];
		recent_set(all->memory[memory_of(k->key[0])], k->key, k->value);
		all->last = k->order;
		free(k->key);
	}
	free(l.all);
}

/* --- life --- */

struct answered *
answered_new(struct user *u)
{
	struct answered *all = mem_alloc(sizeof(*all));

	all->user = u;
	for (int i = 0; i < MEMORIES; i++) {
		all->memory[i] = recent_new(u->proxy->config->limits.receipts);
		recent_on_forget(all->memory[i], delete, u);
	}
	load(all);
	return all;
}

void
answered_free(struct answered **holder)
{
	struct answered *all = *holder;

	*holder = NULL;
	if (all == NULL)
		return;
	for (int i = 0; i < MEMORIES; i++)
		recent_free(&all->memory[i]);
	free(all);
}

/* --- use --- */

void
answered_set(struct account *a, enum answered_kind kind, const char *peer,
    const char *id, uint64_t value)
{
	struct answered *all = a->user->answered;
	char key[KEY_SIZE];

	if (!make_key(key, a, kind, peer, id))
		return;
	recent_set(all->memory[memory_of((char)kind)], key, value);
	save(all, key, value);
}

bool
answered_get(const struct account *a, enum answered_kind kind, const char *peer,
    const char *id, uint64_t *value)
{
	const struct answered *all = a->user->answered;
	char key[KEY_SIZE];

	return make_key(key, a, kind, peer, id) &&
	    recent_get(all->memory[memory_of((char)kind)], key, value);
}

void
answered_forget(struct account *a, enum answered_kind kind, const char *peer,
    const char *id)
{
	const struct answered *all = a->user->answered;
	struct recent *memory = all->memory[memory_of((char)kind)];
	char key[KEY_SIZE];

	if (!make_key(key, a, kind, peer, id) || !recent_get(memory, key, NULL))
		return;
	recent_remove(memory, key);
	delete (a->user, key);
}

struct forgetting {
	char prefix[32];
	char **keys;
	size_t count;
};

static void
collect(void *arg, const char *key, uint64_t value)
{
	struct forgetting *f = arg;

	(void)value;
	if (strncmp(key, f->prefix, strlen(f->prefix)) != 0)
		return;
	f->keys = mem_grow(f->keys, (f->count + 1) * sizeof(*f->keys));
	f->keys[f->count++] = mem_strdup(key);
}

void
answered_forget_all(struct account *a, enum answered_kind kind)
{
	struct recent *memory =
	    a->user->answered->memory[memory_of((char)kind)];
	struct forgetting f = { 0 };

	snprintf(f.prefix, sizeof(f.prefix), "%c%" PRIu64 "\1", (char)kind,
	    a->id);
	recent_each(memory, collect, &f);
	while (f.count > 0) {
		f.count--;
		recent_remove(memory, f.keys[f.count]);
		delete (a->user, f.keys[f.count]);
		free(f.keys[f.count]);
	}
	free(f.keys);
}

size_t
answered_count(const struct answered *all)
{
	size_t count = 0;

	for (int i = 0; i < MEMORIES; i++)
		count += recent_count(all->memory[i]);
	return count;
}
