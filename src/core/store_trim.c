#include <stdlib.h>

#include "base/mem.h"

#include "store_impl.h"

/* Rows of all kinds that one call of store_trim() looks at. */
#define TRIM_LOOK_MAX 4096

struct trimming {
	struct store *store;
	const struct store_trim *what;
	struct store_trimmed *done;
	uint64_t ids[TRIM_LOOK_MAX], peers[TRIM_LOOK_MAX];
};

/* False: it and what follows stay. */
static bool
take_row(struct trimming *t, struct stmt *row)
{
	bool is_of_room = (row_uint(row, 1) & STORE_OF_ROOM) != 0;
	uint64_t below = t->what->below;
	struct store_trimmed *done = t->done;

	if (is_of_room != (t->what->rooms == ROOMS_ONLY))
		return true;
	if (done->count == t->what->max || row_uint(row, 2) >= t->what->before)
		return false;
	if (below != 0 && store_seq_of(row_uint(row, 0)) >= below)
		return false;
	t->ids[done->count] = row_uint(row, 0);
	t->peers[done->count++] = row_uint(row, 4);
	done->bytes += row_uint(row, 3);
	return true;
}

static int
choose_rows(struct trimming *t, struct err *err)
{
	struct stmt *oldest = db_query(t->store->db, QUERY_LOG_OLDEST);
	int rc;

	stmt_uint(oldest, 1, store_id_of(t->what->user, t->what->from));
	stmt_uint(oldest, 2, store_id_of(t->what->user, STORE_SEQ_MAX));
	stmt_uint(oldest, 3, TRIM_LOOK_MAX);
	while ((rc = stmt_step(oldest, err)) > 0) {
		t->done->from = store_seq_of(row_uint(oldest, 0));
		if (!take_row(t, oldest))
			break;
		t->done->from++;
	}
	stmt_end(oldest);
	return rc < 0 ? -1 : 0;
}

static int
drop_row(struct store *s, enum query query, uint64_t id, struct err *err)
{
	struct stmt *drop = db_query(s->db, query);

	stmt_uint(drop, 1, id);
	return stmt_number(drop, &id, err);
}

/* Peers go with their last entry. */
static int
drop_rows(struct trimming *t, struct err *err)
{
	struct store *s = t->store;
	unsigned i;
	int rc;

	for (i = 0; i < t->done->count; i++)
		if (drop_row(s, QUERY_LOG_DROP, t->ids[i], err) < 0)
			return -1;
	for (i = 0; i < t->done->count; i++) {
		rc = drop_row(s, QUERY_PEER_DROP, t->peers[i], err);
		if (rc < 0)
			return -1;
		if (rc > 0)
			store_peers_forget(s);
	}
	return 0;
}

static int
trim(struct trimming *t, struct err *err)
{
	if (choose_rows(t, err) < 0)
		return -1;
	if (t->done->count == 0)
		return 0;
	if (db_begin(t->store->db, err) < 0)
		return -1;
	if (drop_rows(t, err) == 0)
		return db_commit(t->store->db, err);
	db_rollback(t->store->db);
	return -1;
}

int
store_trim(struct store *s, const struct store_trim *what,
    struct store_trimmed *out, struct err *err)
{
	struct trimming *t = mem_alloc(sizeof(*t));
	int rc;

	t->store = s;
	t->what = what;
	t->done = out;
	*out = (struct store_trimmed){ .from = what->from };
	if ((rc = trim(t, err)) < 0)
		*out = (struct store_trimmed){ .from = what->from };
	free(t);
	return rc;
}
