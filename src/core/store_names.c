#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/jid.h"

#include "store_impl.h"

/* A cache: those that were asked for last. */
#define PEERS_MAX 8192

struct peer_id {
	UT_hash_handle hh;
	uint64_t id;
	size_t len;
	char key[]; /* user, account, bare JID */
};

static void
forget(struct store *s, struct peer_id *peer)
{
	HASH_DEL(s->peers, peer);
	free(peer);
}

void
store_peers_forget(struct store *s)
{
	struct peer_id *peer, *next;

	HASH_ITER(hh, s->peers, peer, next)
		forget(s, peer);
}

static void
remember(struct store *s, const struct buf *key, uint64_t id)
{
	struct peer_id *peer = mem_alloc(sizeof(*peer) + key->len);

	if (HASH_COUNT(s->peers) >= PEERS_MAX)
		forget(s, s->peers);
	peer->id = id;
	peer->len = key->len;
	memcpy(peer->key, key->data, key->len);
	HASH_ADD(hh, s->peers, key, peer->len, peer);
}

/* The first `params` of them are asked for. */
struct name {
	enum query find, add;
	int params;
	const char *text;
	uint64_t user, account;
};

static int
find_or_add(struct store *s, const struct name *name, uint64_t *id,
    struct err *err)
{
	const enum query queries[] = { name->find, name->add };
	struct stmt *stmt;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < 2; i++) {
		stmt = db_query(s->db, queries[i]);
		stmt_text(stmt, 1, name->text);
		if (name->params > 1)
			stmt_uint(stmt, 2, name->user);
		if (name->params > 2)
			stmt_uint(stmt, 3, name->account);
		rc = stmt_number(stmt, id, err);
	}
	return rc > 0 ? 0 : -1;
}

uint64_t
store_user(struct store *s, const char *text, struct err *err)
{
	const struct name name = { QUERY_USER_FIND, QUERY_USER_ADD, 1, text, 0,
		0 };
	uint64_t id;

	if (find_or_add(s, &name, &id, err) < 0)
		return 0;
	if (id <= STORE_USER_MAX)
		return id;
	err_set(err, "%s: no more users fit in", db_path(s->db));
	return 0;
}

uint64_t
store_account(struct store *s, uint64_t user, const char *jid, struct err *err)
{
	const struct name name = { QUERY_ACCOUNT_FIND, QUERY_ACCOUNT_ADD, 2,
		jid, user, 0 };
	uint64_t id;

	return find_or_add(s, &name, &id, err) < 0 ? 0 : id;
}

static int
find_peer(struct store *s, const struct name *name, uint64_t *id,
    struct err *err)
{
	uint64_t owner[2] = { name->user, name->account };
	struct buf key = { 0 };
	struct peer_id *peer;
	int rc = 0;

	buf_add(&key, owner, sizeof(owner));
	buf_puts(&key, name->text);
	HASH_FIND(hh, s->peers, key.data, key.len, peer);
	if (peer != NULL)
		*id = peer->id;
	else if ((rc = find_or_add(s, name, id, err)) == 0)
		remember(s, &key, *id);
	buf_free(&key);
	return rc;
}

int
store_peer(struct store *s, uint64_t user, uint64_t account, const char *jid,
    uint64_t *id, struct err *err)
{
	struct name name = { QUERY_PEER_FIND, QUERY_PEER_ADD, 3, NULL, user,
		account };
	char *bare;
	int rc;

	*id = 0;
	if (jid == NULL)
		return 0;
	name.text = bare = mem_strndup(jid, jid_bare_len(jid));
	rc = find_peer(s, &name, id, err);
	free(bare);
	return rc;
}
