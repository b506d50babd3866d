/* struct store, for store*.c alone. */
#ifndef CORE_STORE_IMPL_H
#define CORE_STORE_IMPL_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/table.h"
#include "core/db.h"
#include "core/store.h"

struct peer_id;

struct store {
	struct db *db;
	struct db *checkpointer; /* store_checkpoint()'s; NULL in memory */
	int run_file;            /* store_run.c; -1 in memory */
	enum store_sync sync;
	bool may_resume;
	uint64_t run;
	uint64_t turn;        /* the number of the last commit */
	unsigned unfolded;    /* turns that wait */
	unsigned pages;       /* in the log, after the commit before */
	atomic_uint checked;  /* so many of them were there at a checkpoint */
	atomic_bool has_tail; /* one is over that left some, just now */
	struct peer_id *peers;
	unsigned char key[STORE_KEY_SIZE];
};

/* --- store_schema.c --- */

extern const char *const store_schema[];
extern const size_t store_schema_count;

enum query {
	QUERY_META_FIND,
	QUERY_META_PUT,
	QUERY_USER_FIND,
	QUERY_USER_ADD,
	QUERY_ACCOUNT_FIND,
	QUERY_ACCOUNT_ADD,
	QUERY_PEER_FIND,
	QUERY_PEER_ADD,
	QUERY_PEERS_OF,
	QUERY_PEER_DROP,
	QUERY_TURN_ADD,
	QUERY_TURNS,
	QUERY_TURNS_DROP,
	QUERY_TURNS_COUNT,
	QUERY_TURN_LAST,
	QUERY_STATE_PUT,
	QUERY_STATE_DROP,
	QUERY_STATE_EACH,
	QUERY_LOG_ADD,
	QUERY_LOG_UP,
	QUERY_LOG_DOWN,
	QUERY_LOG_PEER_UP,
	QUERY_LOG_PEER_DOWN,
	QUERY_LOG_SKIP_UP,
	QUERY_LOG_SKIP_DOWN,
	QUERY_LOG_LAST,
	QUERY_LOG_STAMP,
	QUERY_LOG_OLDEST,
	QUERY_LOG_DROP,
	QUERY_COUNT
};
extern const char *const store_queries[QUERY_COUNT];

/* --- store_meta.c: the table of what concerns the whole file --- */

/* 1; 0: there is none; -1 and err. */
int store_meta_number(struct store *, const char *key, uint64_t *out,
    struct err *);
int store_meta_bytes(struct store *, const char *key, struct buf *out,
    struct err *);
int store_meta_put_number(struct store *, const char *key, uint64_t,
    struct err *);
int store_meta_put_bytes(struct store *, const char *key, const void *,
    size_t len, struct err *);

/* --- store_run.c: which run of the program it is --- */

/* The file beside the store's, locked; -1 and err. */
int store_run_lock(const char *path, struct err *);
/* Sets run, turn, may_resume. */
int store_run_begin(struct store *, struct err *);
void store_run_note(struct store *); /* a commit is over */

/* --- store_names.c: store_user(), store_account(), and those of peers --- */

#define STORE_USER_MAX ((UINT64_C(1) << 23) - 1)

/* Finds or makes, within a transaction, that of the bare JID; 0 is that of NULL. */
int store_peer(struct store *, uint64_t user, uint64_t account, const char *jid,
    uint64_t *id, struct err *);
/* The numbers that were given in it count no more. */
void store_peers_forget(struct store *);

/* --- store_state.c --- */

int store_fold_all(struct store *, struct err *);

/* --- store_log.c --- */

#define STORE_OF_ROOM (1u << 14) /* in a row's flags: entry_is_of_room() */

/* Ids of rows, which are positive. */
static inline uint64_t
store_id_of(uint64_t user, uint64_t seq)
{
	return user << 40 | (seq < STORE_SEQ_MAX ? seq : STORE_SEQ_MAX);
}

static inline uint64_t
store_seq_of(uint64_t id)
{
	return id & STORE_SEQ_MAX;
}

int store_log_add(struct store *, uint64_t user, const struct entry *,
    struct err *);

#endif
