#include "core/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/features_kept.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/user.h"

enum { FLAG_STARTED = 1, FLAG_BACK = 2, FLAG_CARBONS = 4, FLAG_ARCHIVE = 8 };

static void
key_of(struct buf *key, uint64_t id)
{
	pack_uint(key, id);
}

void
device_save(struct user *u, const struct device *d)
{
	struct buf key = { 0 }, value = { 0 };

	key_of(&key, d->id);
	pack_uint(&value, d->view);
	pack_string(&value, d->resource);
	pack_uint(&value, d->cursor);
	pack_uint(&value,
	    (d->has_started ? FLAG_STARTED : 0) |
		(d->came_back ? FLAG_BACK : 0) |
		(d->uses_carbons ? FLAG_CARBONS : 0) |
		(d->uses_archive ? FLAG_ARCHIVE : 0));
	pack_uint(&value, d->seen);
	batch_put(&u->proxy->batch, STATE_DEVICE, u->id, key.data, key.len,
	    value.data, value.len);
	turn_touch(u->proxy);
	buf_free(&key);
	buf_free(&value);
}

static void
forget(struct user *u, struct device *d)
{
	TAILQ_REMOVE(&u->devices, d, next);
	u->device_count--;
	features_unref(&d->notify);
	free(d->resource);
	free(d);
}

static void
drop(struct user *u, struct device *d)
{
	struct buf key = { 0 };

	key_of(&key, d->id);
	batch_delete(&u->proxy->batch, STATE_DEVICE, u->id, key.data, key.len);
	buf_free(&key);
	log_event(LEVEL_INFO, u->name, "device-forgotten", "resource=%s",
	    LOG_Q(d->resource));
	features_kept_drop(u, d);
	forget(u, d);
}

static bool
is_in_use(const struct user *u, const struct device *d)
{
	const struct session *s;

	LIST_FOREACH(s, &u->sessions, next) {
		if (s->device == d)
			return true;
	}
	return false;
}

static struct device *
least_wanted(const struct user *u)
{
	struct device *d, *oldest = NULL;

	TAILQ_FOREACH(d, &u->devices, next) {
		if (is_in_use(u, d))
			continue;
		if (!d->came_back)
			return d;
		if (oldest == NULL)
			oldest = d;
	}
	return oldest;
}

static void
make_room(struct user *u)
{
	uint64_t max = u->proxy->config->limits.devices_per_user;
	struct device *d;

	while (u->device_count >= max && (d = least_wanted(u)) != NULL)
		drop(u, d);
}

static struct device *
find(const struct user *u, uint64_t view, const char *resource)
{
	struct device *d;

	TAILQ_FOREACH(d, &u->devices, next) {
		if (d->view == view && strcmp(d->resource, resource) == 0)
			return d;
	}
	return NULL;
}

static struct device *
add(struct user *u, uint64_t id, uint64_t view, char *resource)
{
	struct device *d = mem_alloc(sizeof(*d));

	d->id = id;
	d->view = view;
	d->resource = resource;
	TAILQ_INSERT_TAIL(&u->devices, d, next);
	u->device_count++;
	if (id > u->last_device)
		u->last_device = id;
	return d;
}

struct device *
device_of(struct user *u, uint64_t view, const char *resource)
{
	struct device *d = find(u, view, resource);

	if (d != NULL) {
		d->came_back = true;
		TAILQ_REMOVE(&u->devices, d, next);
		TAILQ_INSERT_TAIL(&u->devices, d, next);
	} else {
		make_room(u);
		d = add(u, u->last_device + 1, view, mem_strdup(resource));
		user_touch(u);
	}
	d->seen = clock_wall();
	device_save(u, d);
	return d;
}

struct device *
device_find(const struct user *u, uint64_t id)
{
	struct device *d;

	TAILQ_FOREACH(d, &u->devices, next) {
		if (d->id == id)
			return d;
	}
	return NULL;
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct user *u = arg;
	struct unpack k, v;
	struct device *d;
	uint64_t id, view, flags;
	char *resource;

	unpack_init(&k, key, key_len);
	unpack_init(&v, value, len);
	id = unpack_uint(&k);
	view = unpack_uint(&v);
	resource = unpack_string(&v);
	if (!unpack_is_good(&k) || !unpack_is_good(&v) || resource == NULL) {
		free(resource);
		return;
	}
	d = add(u, id, view, resource);
	d->cursor = unpack_uint(&v);
	flags = unpack_uint(&v);
	d->has_started = flags & FLAG_STARTED;
	d->came_back = flags & FLAG_BACK;
	d->uses_carbons = flags & FLAG_CARBONS;
	d->uses_archive = flags & FLAG_ARCHIVE;
	d->seen = unpack_uint(&v);
}

/* The store gives them in the order of their keys. */
static void
sort_by_seen(struct devices *all)
{
	struct devices sorted = TAILQ_HEAD_INITIALIZER(sorted);
	struct device *d, *before;

	while ((d = TAILQ_FIRST(all)) != NULL) {
		TAILQ_REMOVE(all, d, next);
		before = TAILQ_LAST(&sorted, devices);
		while (before != NULL && before->seen > d->seen)
			before = TAILQ_PREV(before, devices, next);
		if (before != NULL)
			TAILQ_INSERT_AFTER(&sorted, before, d, next);
		else
			TAILQ_INSERT_HEAD(&sorted, d, next);
	}
	TAILQ_CONCAT(all, &sorted, next);
}

void
device_load_all(struct user *u)
{
	user_load_state(u, STATE_DEVICE, u->id, load, u);
	sort_by_seen(&u->devices);
}

void
device_free_all(struct user *u)
{
	struct device *d;

	while ((d = TAILQ_FIRST(&u->devices)) != NULL)
		forget(u, d);
}
