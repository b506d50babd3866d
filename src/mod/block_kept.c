/* Block lists on disk. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "mod/blocking.h"

static void
put(struct user *u, uint64_t account, const char *jid, const struct buf *value)
{
	struct buf key = { 0 };

	pack_uint(&key, account);
	buf_puts(&key, jid);
	if (value != NULL)
		batch_put(&u->proxy->batch, STATE_BLOCK, u->id, key.data,
		    key.len, value->data, value->len);
	else
		batch_delete(&u->proxy->batch, STATE_BLOCK, u->id, key.data,
		    key.len);
	turn_touch(u->proxy);
	buf_free(&key);
}

static void
put_item(struct user *u, uint64_t account, const struct blocked *b)
{
	struct buf value = { 0 };

	blocklist_pack_item(b, &value);
	put(u, account, b->jid, &value);
	buf_free(&value);
}

static void
put_self(struct user *u, uint64_t account, const struct blocklist *l)
{
	struct buf value = { 0 };

	blocklist_pack(l, &value);
	put(u, account, "", &value);
	buf_free(&value);
}

/* --- an account's --- */

static void
keep_item(void *arg, const struct blocked *b)
{
	struct account *a = arg;

	put_item(a->user, a->id, b);
}

static void
keep_no_more(void *arg, const char *jid)
{
	struct account *a = arg;

	put(a->user, a->id, jid, NULL);
}

static void
keep_self(void *arg)
{
	struct account *a = arg;

	put_self(a->user, a->id, a->blocks);
}

static const struct blocklist_keeper account_keeper = {
	.item = keep_item,
	.forgotten = keep_no_more,
	.self = keep_self,
};

/* --- the union --- */

static void
keep_item_of_all(void *arg, const struct blocked *b)
{
	put_item(arg, 0, b);
}

static void
keep_no_more_of_all(void *arg, const char *jid)
{
	put(arg, 0, jid, NULL);
}

static void
keep_all(void *arg)
{
	struct user *u = arg;

	put_self(u, 0, u->blocks);
}

static const struct blocklist_keeper union_keeper = {
	.item = keep_item_of_all,
	.forgotten = keep_no_more_of_all,
	.self = keep_all,
};

/* --- from the store --- */

struct loading {
	struct blocklist *list;
	uint64_t account;
};

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	const struct loading *l = arg;
	struct unpack k, v;
	char *jid;

	unpack_init(&k, key, key_len);
	unpack_init(&v, value, len);
	if (unpack_uint(&k) != l->account || !unpack_is_good(&k))
		return;
	jid = mem_strndup((const char *)k.at, (size_t)(k.end - k.at));
	if (*jid == '\0')
		blocklist_unpack(l->list, &v);
	else
		blocklist_restore(l->list, jid, &v);
	free(jid);
}

static void
load_list(struct user *u, struct blocklist *list, uint64_t account,
    const struct blocklist_keeper *keeper, void *arg)
{
	struct loading l = { list, account };

	user_load_state(u, STATE_BLOCK, u->id, load, &l);
	blocklist_set_keeper(list, keeper, arg);
}

void
block_kept_load(struct account *a)
{
	struct user *u = a->user;

	load_list(u, a->blocks, a->id, &account_keeper, a);
	if (!blocklist_is_kept(u->blocks))
		load_list(u, u->blocks, 0, &union_keeper, u);
}
