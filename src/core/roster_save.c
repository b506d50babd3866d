#include "core/roster_save.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "core/user.h"

/* --- to the batch --- */

static void
put(struct proxy *p, enum state_kind kind, uint64_t owner, const char *key,
    const struct buf *value)
{
	if (value != NULL)
		batch_put(&p->batch, kind, owner, key, strlen(key), value->data,
		    value->len);
	else
		batch_delete(&p->batch, kind, owner, key, strlen(key));
	turn_touch(p);
}

static void
put_item(struct proxy *p, enum state_kind kind, uint64_t owner, const char *jid,
    const char *xml, uint64_t change)
{
	struct buf b = { 0 };

	pack_uint(&b, change);
	pack_string(&b, xml);
	put(p, kind, owner, jid, &b);
	buf_free(&b);
}

static void
put_self(struct proxy *p, enum state_kind kind, uint64_t owner,
    const struct roster *r)
{
	struct buf b = { 0 };

	roster_pack(r, &b);
	put(p, kind, owner, "", &b);
	buf_free(&b);
}

static void
keep_item(void *arg, const char *jid, const char *xml, uint64_t change)
{
	struct account *a = arg;

	put_item(a->user->proxy, STATE_ROSTER, a->id, jid, xml, change);
}

static void
keep_no_more(void *arg, const char *jid)
{
	struct account *a = arg;

	put(a->user->proxy, STATE_ROSTER, a->id, jid, NULL);
}

static void
keep_self(void *arg)
{
	struct account *a = arg;

	put_self(a->user->proxy, STATE_ROSTER, a->id, a->roster);
}

static void
keep_request(void *arg, const char *bare, const char *xml)
{
	struct account *a = arg;
	struct buf b = { 0 };

	pack_string(&b, xml);
	put(a->user->proxy, STATE_REQUEST, a->id, bare,
	    xml != NULL ? &b : NULL);
	buf_free(&b);
}

static const struct roster_keeper account_keeper = {
	.item = keep_item,
	.forgotten = keep_no_more,
	.self = keep_self,
};

static void
keep_node_item(void *arg, const char *jid, const char *xml, uint64_t change)
{
	struct user *u = arg;

	put_item(u->proxy, STATE_NODE_ROSTER, u->id, jid, xml, change);
}

static void
keep_node_no_more(void *arg, const char *jid)
{
	struct user *u = arg;

	put(u->proxy, STATE_NODE_ROSTER, u->id, jid, NULL);
}

static void
keep_node_self(void *arg)
{
	struct user *u = arg;

	put_self(u->proxy, STATE_NODE_ROSTER, u->id, u->roster);
}

static const struct roster_keeper node_keeper = {
	.item = keep_node_item,
	.forgotten = keep_node_no_more,
	.self = keep_node_self,
};

/* --- from the store --- */

static void
load_item(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct roster *r = arg;
	char *jid = mem_strndup(key, key_len), *xml = NULL;
	struct unpack u;
	uint64_t change;

	unpack_init(&u, value, len);
	if (key_len == 0) {
		roster_unpack(r, &u);
	} else {
		change = unpack_uint(&u);
		xml = unpack_string(&u);
		if (unpack_is_good(&u))
			roster_restore_item(r, jid, xml, change);
	}
	free(jid);
	free(xml);
}

static void
load_request(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	char *bare = mem_strndup(key, key_len), *xml;
	struct unpack u;

	unpack_init(&u, value, len);
	if ((xml = unpack_string(&u)) != NULL)
		requests_restore(a->requests, bare, xml);
	free(bare);
	free(xml);
}

void
roster_save_account(struct account *a)
{
	user_load_state(a->user, STATE_ROSTER, a->id, load_item, a->roster);
	user_load_state(a->user, STATE_REQUEST, a->id, load_request, a);
	roster_set_keeper(a->roster, &account_keeper, a);
	requests_set_keeper(a->requests, keep_request, a);
}

void
roster_save_node(struct user *u)
{
	user_load_state(u, STATE_NODE_ROSTER, u->id, load_item, u->roster);
	roster_set_keeper(u->roster, &node_keeper, u);
}
