#include "core/features_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/batch.h"
#include "core/device.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/user.h"
#include "xmpp/ns.h"

void
features_kept_changed(struct user *u)
{
	u->features_version++;
}

/* --- on disk --- */

static void
key_of_hash(struct buf *key, const char *ver)
{
	buf_putc(key, KEY_HASH);
	buf_puts(key, ver);
}

static void
key_of_device(struct buf *key, const struct device *d)
{
	buf_putc(key, KEY_DEVICE);
	pack_uint(key, d->id);
}

/* NULL: it is to be forgotten. */
static void
save(struct user *u, const struct buf *key, const struct features *f)
{
	struct batch *batch = &u->proxy->batch;
	struct buf value = { 0 };

	if (f != NULL) {
		features_pack(f, &value);
		batch_put(batch, STATE_CAPS, u->id, key->data, key->len,
		    value.data, value.len);
	} else {
		batch_delete(batch, STATE_CAPS, u->id, key->data, key->len);
	}
	turn_touch(u->proxy);
	buf_free(&value);
}

static void
save_hash(struct user *u, const char *ver, const struct features *f)
{
	struct buf key = { 0 };

	key_of_hash(&key, ver);
	save(u, &key, f);
	buf_free(&key);
}

static void
save_device(struct user *u, const struct device *d)
{
	struct buf key = { 0 };

	key_of_device(&key, d);
	save(u, &key, d->notify);
	buf_free(&key);
}

/* --- by hash --- */

static struct known_features *
find(const struct user *u, const char *ver)
{
	struct known_features *k;

	HASH_FIND_STR(u->known_features, ver, k);
	return k;
}

static void
drop(struct user *u, struct known_features *k)
{
	HASH_DEL(u->known_features, k);
	features_unref(&k->features);
	free(k);
}

static void
add(struct user *u, const char *ver, struct features *f)
{
	size_t len = strlen(ver);
	struct known_features *k = mem_alloc(sizeof(*k) + len + 1);

	memcpy(k->ver, ver, len);
	k->features = features_ref(f);
	HASH_ADD_STR(u->known_features, ver, k);
}

struct features *
features_kept_find(struct user *u, const char *ver)
{
	struct known_features *k = find(u, ver);

	if (k == NULL)
		return NULL;
	HASH_DEL(u->known_features, k);
	HASH_ADD_STR(u->known_features, ver, k);
	return k->features;
}

void
features_kept_put(struct user *u, const char *ver, struct features *f)
{
	uint64_t max = u->proxy->config->limits.caps_hashes;

	if (find(u, ver) != NULL)
		return;
	while (HASH_COUNT(u->known_features) >= max) {
		save_hash(u, u->known_features->ver, NULL);
		drop(u, u->known_features);
	}
	add(u, ver, f);
	save_hash(u, ver, f);
}

/* --- of sessions --- */

static void
note_device(struct session *s)
{
	struct features *notify = features_of_notify(s->features);

	if (features_equal(notify, s->device->notify)) {
		features_unref(&notify);
		return;
	}
	features_unref(&s->device->notify);
	s->device->notify = notify;
	save_device(s->user, s->device);
}

void
features_kept_set(struct session *s, struct features *f)
{
	features_ref(f);
	features_unref(&s->features);
	s->features = f;
	if (s->device != NULL && f != NULL)
		note_device(s);
	features_kept_changed(s->user);
}

/* --- loading --- */

static void
load_device(struct user *u, struct unpack *key, struct features *f)
{
	struct device *d = device_find(u, unpack_uint(key));

	if (d != NULL && d->notify == NULL)
		d->notify = features_ref(f);
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct user *u = arg;
	struct unpack k, v;
	struct features *f;
	char *name;

	if (key_len < 2)
		return;
	unpack_init(&k, (const char *)key + 1, key_len - 1);
	unpack_init(&v, value, len);
	f = features_unpack(&v);
	name = mem_strndup((const char *)key + 1, key_len - 1);
	if (unpack_is_good(&v) && *(const char *)key == KEY_DEVICE)
		load_device(u, &k, f);
	else if (unpack_is_good(&v) && *(const char *)key == KEY_HASH)
		add(u, name, f);
	features_unref(&f);
	free(name);
}

void
features_kept_load(struct user *u)
{
	user_load_state(u, STATE_CAPS, u->id, load, u);
}

void
features_kept_restore(struct session *s)
{
	const struct elem *c = NULL;

	if (s->presence != NULL)
		c = elem_find(s->presence, NS_CAPS, "c");
	if (c == NULL || !text_equals(elem_attr(c, "hash"), "sha-1") ||
	    elem_attr(c, "ver") == NULL)
		return;
	s->features = features_ref(
	    features_kept_find(s->user, elem_attr(c, "ver")));
}

void
features_kept_drop(struct user *u, struct device *d)
{
	if (d->notify == NULL)
		return;
	features_unref(&d->notify);
	save_device(u, d);
	features_kept_changed(u);
}

void
features_kept_free(struct user *u)
{
	while (u->known_features != NULL)
		drop(u, u->known_features);
}
