#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"

#include "store_impl.h"

/* Records folded at once, where all are. */
#define FOLD_SLICE 512

/* The last change of a key; the bytes are the records'. */
struct final {
	UT_hash_handle hh;
	struct change change;
	size_t len;
	char key[]; /* kind, owner, key */
};

/* The oldest redo records, one behind the other. */
struct records {
	struct buf bytes;
	unsigned count;
	uint64_t last;
};

static int
check_record(const struct store *s, uint64_t turn, const void *record,
    size_t len, struct err *err)
{
	struct change change;
	size_t at = 0;

	while (batch_next_change(record, len, &at, &change))
		;
	if (at == len)
		return 0;
	return err_set(err,
	    "%s: it is damaged (the record of turn %" PRIu64 ")",
	    db_path(s->db), turn);
}

static int
read_records(struct store *s, unsigned max, struct records *out,
    struct err *err)
{
	struct stmt *turns = db_query(s->db, QUERY_TURNS);
	const void *record;
	size_t len;
	int rc;

	stmt_uint(turns, 1, max);
	while ((rc = stmt_step(turns, err)) > 0) {
		out->last = row_uint(turns, 0);
		record = row_blob(turns, 1, &len);
		rc = check_record(s, out->last, record, len, err);
		if (rc < 0)
			break;
		buf_add(&out->bytes, record, len);
		out->count++;
	}
	stmt_end(turns);
	return rc;
}

static void
set_final(struct final **finals, const struct change *change)
{
	struct buf key = { 0 };
	struct final *final;

	pack_uint(&key, change->kind);
	pack_uint(&key, change->owner);
	buf_add(&key, change->key, change->key_len);
	HASH_FIND(hh, *finals, key.data, key.len, final);
	if (final == NULL) {
		final = mem_alloc(sizeof(*final) + key.len);
		memcpy(final->key, key.data, key.len);
		final->len = key.len;
		HASH_ADD(hh, *finals, key, final->len, final);
	}
	final->change = *change;
	buf_free(&key);
}

static int
write_final(struct store *s, const struct change *change, struct err *err)
{
	struct stmt *stmt = db_query(s->db,
	    change->value == NULL ? QUERY_STATE_DROP : QUERY_STATE_PUT);

	stmt_uint(stmt, 1, change->kind);
	stmt_uint(stmt, 2, change->owner);
	stmt_blob(stmt, 3, change->key, change->key_len);
	if (change->value != NULL)
		stmt_blob(stmt, 4, change->value, change->len);
	return stmt_run(stmt, err);
}

/* Each key is written once, however often it was changed. */
static int
write_finals(struct store *s, const struct records *records, struct err *err)
{
	struct final *finals = NULL, *final, *next;
	struct change change;
	size_t at = 0;
	int rc = 0;

	while (batch_next_change(records->bytes.data, records->bytes.len, &at,
	    &change))
		set_final(&finals, &change);
	HASH_ITER(hh, finals, final, next) {
		if (rc == 0)
			rc = write_final(s, &final->change, err);
		HASH_DEL(finals, final);
		free(final);
	}
	return rc;
}

/* The number of the last turn stays known when none is left. */
static int
drop_turns(struct store *s, uint64_t last, struct err *err)
{
	struct stmt *drop = db_query(s->db, QUERY_TURNS_DROP);

	stmt_uint(drop, 1, last);
	if (stmt_run(drop, err) < 0)
		return -1;
	return store_meta_put_number(s, "turn", last, err);
}

static int
fold(struct store *s, unsigned max, struct records *records, struct err *err)
{
	if (read_records(s, max, records, err) < 0)
		return -1;
	if (records->count == 0)
		return 0;
	if (db_begin(s->db, err) < 0)
		return -1;
	if (write_finals(s, records, err) == 0 &&
	    drop_turns(s, records->last, err) == 0)
		return db_commit(s->db, err);
	db_rollback(s->db);
	return -1;
}

int
store_fold(struct store *s, unsigned max, unsigned *left, struct err *err)
{
	struct records records = { 0 };
	int rc = 0;

	if (s->unfolded > 0)
		rc = fold(s, max, &records, err);
	if (rc == 0)
		s->unfolded -= records.count;
	buf_free(&records.bytes);
	*left = s->unfolded;
	return rc;
}

int
store_fold_all(struct store *s, struct err *err)
{
	unsigned left = s->unfolded;
	int rc = 0;

	while (rc == 0 && left > 0)
		rc = store_fold(s, FOLD_SLICE, &left, err);
	return rc;
}

unsigned
store_unfolded(const struct store *s)
{
	return s->unfolded;
}

int
store_each(struct store *s, enum state_kind kind, uint64_t owner,
    void (*fn)(void *arg, const void *key, size_t key_len, const void *value,
	size_t len),
    void *arg, struct err *err)
{
	struct stmt *each = db_query(s->db, QUERY_STATE_EACH);
	const void *key, *value;
	size_t key_len, len;
	int rc;

	if (store_fold_all(s, err) < 0)
		return -1;
	stmt_uint(each, 1, kind);
	stmt_uint(each, 2, owner);
	while ((rc = stmt_step(each, err)) > 0) {
		key = row_blob(each, 0, &key_len);
		value = row_blob(each, 1, &len);
		fn(arg, key, key_len, value, len);
	}
	stmt_end(each);
	return rc;
}
