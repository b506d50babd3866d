#include "store_impl.h"

int
store_meta_number(struct store *s, const char *key, uint64_t *out,
    struct err *err)
{
	struct stmt *find = db_query(s->db, QUERY_META_FIND);

	stmt_text(find, 1, key);
	return stmt_number(find, out, err);
}

int
store_meta_bytes(struct store *s, const char *key, struct buf *out,
    struct err *err)
{
	struct stmt *find = db_query(s->db, QUERY_META_FIND);
	const void *bytes;
	size_t len;
	int rc;

	stmt_text(find, 1, key);
	if ((rc = stmt_step(find, err)) > 0) {
		bytes = row_blob(find, 0, &len);
		buf_add(out, bytes, len);
	}
	stmt_end(find);
	return rc;
}

int
store_meta_put_number(struct store *s, const char *key, uint64_t n,
    struct err *err)
{
	struct stmt *put = db_query(s->db, QUERY_META_PUT);

	stmt_text(put, 1, key);
	stmt_uint(put, 2, n);
	return stmt_run(put, err);
}

int
store_meta_put_bytes(struct store *s, const char *key, const void *bytes,
    size_t len, struct err *err)
{
	struct stmt *put = db_query(s->db, QUERY_META_PUT);

	stmt_text(put, 1, key);
	stmt_blob(put, 2, bytes, len);
	return stmt_run(put, err);
}
