#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "xmpp/jid.h"

#include "store_impl.h"

enum log_column {
	COLUMN_ID,
	COLUMN_ACCOUNT,
	COLUMN_PEER,
	COLUMN_FLAGS,
	COLUMN_TIME,
	COLUMN_STAMP,
	COLUMN_DEVICE,
	COLUMN_ORIGIN,
	COLUMN_ONLY,
	COLUMN_RESOURCE,
	COLUMN_LOCAL,
	COLUMN_SID,
	COLUMN_STANZA_ID,
	COLUMN_LANG,
	COLUMN_BODY,
	COLUMN_BARE, /* of a joined table */
};

enum log_filter {
	FILTER_FROM = 1,
	FILTER_TO,
	FILTER_ACCOUNT,
	FILTER_RESOURCE,
	FILTER_START,
	FILTER_END,
	FILTER_FLAGS,
	FILTER_VALUE,
	FILTER_LIMIT,
	FILTER_PEER,
};

/* How an entry's small things are packed. */
#define FLAGS_CLASS        0x3u
#define FLAGS_DIRECTION    (0x3u << 2)
#define FLAGS_TYPE         (0xfu << 4)
#define FLAG_BODY          (1u << 8)
#define FLAG_ENCRYPTED     (1u << 9)
#define FLAG_ELIGIBLE      (1u << 10)
#define FLAG_DELAY         (1u << 11)
#define FLAG_ROOM_PRIVATE  (1u << 12)
#define FLAG_EVENT         (1u << 13)
#define FLAGS_ADDRESSES(n) ((n) << 16)
#define FLAGS_UNSERVED(n)  ((n) << 18)

/* They are on disk: who changes them changes the schema's version. */
_Static_assert(CLASS_ARCHIVE == 0 && CLASS_PLAYBACK == 1 && CLASS_LIVE == 2 &&
	DIR_IN == 0 && DIR_OUT == 1 && DIR_BESIDE == 2 && TYPE_NORMAL == 0 &&
	TYPE_CHAT == 1 && TYPE_GROUPCHAT == 2 && TYPE_HEADLINE == 3 &&
	TYPE_ERROR == 4,
    "numbers of an entry on disk");

/* SQLite's numbers have a sign. */
static uint64_t
no_more_than_signed(uint64_t n)
{
	return n < INT64_MAX ? n : INT64_MAX;
}

/* --- an entry as a row --- */

static unsigned
pack_flags(const struct entry *e)
{
	return (unsigned)e->class | (unsigned)e->direction << 2 |
	    (unsigned)e->type << 4 | (e->has_body ? FLAG_BODY : 0) |
	    (e->is_encrypted ? FLAG_ENCRYPTED : 0) |
	    (e->is_eligible ? FLAG_ELIGIBLE : 0) |
	    (e->has_delay ? FLAG_DELAY : 0) |
	    (e->is_room_private ? FLAG_ROOM_PRIVATE : 0) |
	    (e->is_event ? FLAG_EVENT : 0) |
	    (entry_is_of_room(e) ? STORE_OF_ROOM : 0) |
	    FLAGS_ADDRESSES(e->addresses) | FLAGS_UNSERVED(e->unserved);
}

static bool
unpack_flags(struct entry *e, uint64_t flags)
{
	uint64_t class = flags & FLAGS_CLASS;
	uint64_t direction = (flags & FLAGS_DIRECTION) >> 2;
	uint64_t type = (flags & FLAGS_TYPE) >> 4;

	if (class > CLASS_LIVE || direction > DIR_BESIDE || type > TYPE_ERROR)
		return false;
	e->class = (enum message_class) class;
	e->direction = (enum direction)direction;
	e->type = (enum stanza_type)type;
	e->has_body = (flags & FLAG_BODY) != 0;
	e->is_encrypted = (flags & FLAG_ENCRYPTED) != 0;
	e->is_eligible = (flags & FLAG_ELIGIBLE) != 0;
	e->has_delay = (flags & FLAG_DELAY) != 0;
	e->is_room_private = (flags & FLAG_ROOM_PRIVATE) != 0;
	e->is_event = (flags & FLAG_EVENT) != 0;
	e->addresses = (unsigned)(flags >> 16) & 3;
	e->unserved = (unsigned)(flags >> 18) & 3;
	return true;
}

static void
bind_entry(struct stmt *add, uint64_t id, uint64_t peer, const struct entry *e)
{
	const char *resource = e->peer == NULL ? NULL : jid_resource(e->peer);

	stmt_uint(add, 1 + COLUMN_ID, id);
	stmt_uint(add, 1 + COLUMN_ACCOUNT, e->account);
	stmt_uint(add, 1 + COLUMN_PEER, peer);
	stmt_uint(add, 1 + COLUMN_FLAGS, pack_flags(e));
	stmt_uint(add, 1 + COLUMN_TIME, e->time);
	stmt_uint(add, 1 + COLUMN_STAMP, e->stamp);
	stmt_uint(add, 1 + COLUMN_DEVICE, e->device);
	stmt_uint(add, 1 + COLUMN_ORIGIN, e->origin);
	stmt_uint(add, 1 + COLUMN_ONLY, e->only);
	stmt_text(add, 1 + COLUMN_RESOURCE, resource);
	stmt_text(add, 1 + COLUMN_LOCAL, e->local);
	stmt_text(add, 1 + COLUMN_SID, e->id);
	stmt_text(add, 1 + COLUMN_STANZA_ID, e->stanza_id);
	stmt_text(add, 1 + COLUMN_LANG, e->lang);
	if (e->body != NULL)
		stmt_blob(add, 1 + COLUMN_BODY, blob_data(e->body),
		    blob_len(e->body));
}

int
store_log_add(struct store *s, uint64_t user, const struct entry *e,
    struct err *err)
{
	struct stmt *add = db_query(s->db, QUERY_LOG_ADD);
	uint64_t peer;

	assert(e->seq > 0 && e->seq < STORE_SEQ_MAX && user <= STORE_USER_MAX);
	if (store_peer(s, user, e->account, e->peer, &peer, err) < 0)
		return -1;
	bind_entry(add, store_id_of(user, e->seq), peer, e);
	return stmt_run(add, err);
}

static char *
row_peer(struct stmt *row)
{
	const char *bare = row_text(row, COLUMN_BARE);
	const char *resource = row_text(row, COLUMN_RESOURCE);

	if (bare == NULL || resource == NULL)
		return mem_strdup(bare);
	return mem_printf("%s/%s", bare, resource);
}

static struct blob *
row_body(struct stmt *row)
{
	size_t len;
	const void *body = row_blob(row, COLUMN_BODY, &len);

	return body == NULL ? NULL : blob_new(body, len);
}

static struct entry *
row_entry(const struct store *s, struct stmt *row, struct err *err)
{
	struct entry *e = entry_new();

	e->seq = store_seq_of(row_uint(row, COLUMN_ID));
	if (!unpack_flags(e, row_uint(row, COLUMN_FLAGS))) {
		err_set(err, "%s: it is damaged (entry %" PRIu64 ")",
		    db_path(s->db), row_uint(row, COLUMN_ID));
		entry_unref(&e);
		return NULL;
	}
	e->account = row_uint(row, COLUMN_ACCOUNT);
	e->time = row_uint(row, COLUMN_TIME);
	e->stamp = row_uint(row, COLUMN_STAMP);
	e->device = row_uint(row, COLUMN_DEVICE);
	e->origin = row_uint(row, COLUMN_ORIGIN);
	e->only = row_uint(row, COLUMN_ONLY);
	e->peer = row_peer(row);
	e->local = mem_strdup(row_text(row, COLUMN_LOCAL));
	e->id = mem_strdup(row_text(row, COLUMN_SID));
	e->stanza_id = mem_strdup(row_text(row, COLUMN_STANZA_ID));
	e->lang = mem_strdup(row_text(row, COLUMN_LANG));
	e->body = row_body(row);
	return e;
}

/* --- reading --- */

/* Rows of one peer, or all, in order; each cursor stands on its next one. */
struct cursor {
	struct stmt *row;
	uint64_t id; /* 0: no more */
};

struct reading {
	struct store *store;
	const struct store_query *query;
	struct cursor *cursors;
	size_t count;
};

static void
bind_query(struct stmt *row, const struct store_query *q)
{
	unsigned flags = FLAGS_UNSERVED(q->archive), value = 0;

	if (q->rooms != ROOMS_TOO)
		flags |= STORE_OF_ROOM;
	if (q->rooms == ROOMS_ONLY)
		value |= STORE_OF_ROOM;
	stmt_uint(row, FILTER_FROM, store_id_of(q->user, q->from));
	stmt_uint(row, FILTER_TO, store_id_of(q->user, q->to));
	stmt_uint(row, FILTER_ACCOUNT, q->account);
	stmt_text(row, FILTER_RESOURCE, q->resource);
	stmt_uint(row, FILTER_START, no_more_than_signed(q->start));
	stmt_uint(row, FILTER_END,
	    q->end == 0 ? INT64_MAX : no_more_than_signed(q->end));
	stmt_uint(row, FILTER_FLAGS, flags);
	stmt_uint(row, FILTER_VALUE, value);
	stmt_uint(row, FILTER_LIMIT, q->limit);
}

static int
advance(struct cursor *c, struct err *err)
{
	int rc = stmt_step(c->row, err);

	c->id = rc > 0 ? row_uint(c->row, COLUMN_ID) : 0;
	return rc < 0 ? -1 : 0;
}

/* The first uses the statement that is kept, those beside it one of their own. */
static int
add_cursor(struct reading *r, uint64_t peer, struct err *err)
{
	enum query query = r->query->backwards ? QUERY_LOG_DOWN : QUERY_LOG_UP;
	struct cursor c = { 0 };

	if (r->query->bare != NULL)
		query = r->query->backwards ? QUERY_LOG_PEER_DOWN :
					      QUERY_LOG_PEER_UP;
	c.row = r->count == 0 ? db_query(r->store->db, query) :
				db_query_again(r->store->db, query, err);
	if (c.row == NULL)
		return -1;
	r->cursors = mem_grow(r->cursors, (r->count + 1) * sizeof(c));
	r->cursors[r->count++] = c;
	bind_query(c.row, r->query);
	if (r->query->bare != NULL)
		stmt_uint(c.row, FILTER_PEER, peer);
	return advance(&r->cursors[r->count - 1], err);
}

/* The same JID is another peer to each account. */
static int
add_cursors(struct reading *r, struct err *err)
{
	struct stmt *peers = db_query(r->store->db, QUERY_PEERS_OF);
	int rc;

	if (r->query->bare == NULL)
		return add_cursor(r, 0, err);
	stmt_text(peers, 1, r->query->bare);
	stmt_uint(peers, 2, r->query->user);
	stmt_uint(peers, 3, r->query->account);
	while ((rc = stmt_step(peers, err)) > 0)
		if ((rc = add_cursor(r, row_uint(peers, 0), err)) < 0)
			break;
	stmt_end(peers);
	return rc;
}

static void
end_cursors(struct reading *r)
{
	size_t i;

	for (i = 0; i < r->count; i++) {
		stmt_end(r->cursors[i].row);
		if (i > 0)
			stmt_free(&r->cursors[i].row);
	}
	free(r->cursors);
}

/* The one whose turn it is; NULL: none has more. */
static struct cursor *
next_cursor(const struct reading *r)
{
	struct cursor *best = NULL, *c;
	size_t i;

	for (i = 0; i < r->count; i++) {
		c = &r->cursors[i];
		if (c->id != 0 &&
		    (best == NULL || (c->id < best->id) != r->query->backwards))
			best = c;
	}
	return best;
}

static int
read_rows(struct reading *r, bool (*fn)(void *arg, struct entry *), void *arg,
    struct err *err)
{
	unsigned left = r->query->limit;
	struct cursor *c;
	struct entry *e;
	bool goes_on;

	while (left > 0 && (c = next_cursor(r)) != NULL) {
		if ((e = row_entry(r->store, c->row, err)) == NULL)
			return -1;
		goes_on = fn(arg, e);
		entry_unref(&e);
		if (!goes_on)
			break;
		if (--left > 0 && advance(c, err) < 0)
			return -1;
	}
	return 0;
}

int
store_read(struct store *s, const struct store_query *q,
    bool (*fn)(void *arg, struct entry *), void *arg, struct err *err)
{
	struct reading r = { s, q, NULL, 0 };
	int rc;

	if (q->limit == 0)
		return 0;
	if ((rc = add_cursors(&r, err)) == 0)
		rc = read_rows(&r, fn, arg, err);
	end_cursors(&r);
	return rc;
}

/* --- how far to read at once --- */

static int
narrow_by_peer(struct store *s, struct store_query *q, uint64_t peer,
    unsigned rows, struct err *err)
{
	struct stmt *skip = db_query(s->db,
	    q->backwards ? QUERY_LOG_SKIP_DOWN : QUERY_LOG_SKIP_UP);
	uint64_t id;
	int rc;

	stmt_uint(skip, 1, peer);
	stmt_uint(skip, 2, store_id_of(q->user, q->from));
	stmt_uint(skip, 3, store_id_of(q->user, q->to));
	stmt_uint(skip, 4, rows);
	if ((rc = stmt_number(skip, &id, err)) <= 0)
		return rc;
	if (q->backwards)
		q->from = store_seq_of(id) + 1;
	else
		q->to = store_seq_of(id);
	return 0;
}

static int
narrow_by_peers(struct store *s, struct store_query *q, unsigned rows,
    struct err *err)
{
	struct stmt *peers = db_query(s->db, QUERY_PEERS_OF);
	int rc;

	stmt_text(peers, 1, q->bare);
	stmt_uint(peers, 2, q->user);
	stmt_uint(peers, 3, q->account);
	while ((rc = stmt_step(peers, err)) > 0)
		if ((rc = narrow_by_peer(s, q, row_uint(peers, 0), rows, err)) <
		    0)
			break;
	stmt_end(peers);
	return rc;
}

int
store_narrow(struct store *s, struct store_query *q, unsigned rows,
    struct err *err)
{
	if (q->bare != NULL)
		return narrow_by_peers(s, q, rows, err);
	if (q->from >= q->to || q->to - q->from <= rows)
		return 0;
	if (q->backwards)
		q->from = q->to - rows;
	else
		q->to = q->from + rows;
	return 0;
}

/* --- places in a log --- */

/*
 * There is no answer that says "the file cannot be read": it is as empty, and no entry
 * can be added under a number that is taken.
 */
static int
warn(int rc, const struct err *err)
{
	if (rc < 0)
		log_event(LEVEL_ERROR, "store", "read-failed", "reason=%s",
		    LOG_Q(err->text));
	return rc;
}

uint64_t
store_last(struct store *s, uint64_t user)
{
	struct stmt *last = db_query(s->db, QUERY_LOG_LAST);
	struct err err;
	uint64_t id;

	stmt_uint(last, 1, store_id_of(user, 0));
	stmt_uint(last, 2, store_id_of(user, STORE_SEQ_MAX));
	if (warn(stmt_number(last, &id, &err), &err) <= 0)
		return 0;
	return store_seq_of(id);
}

/* The first of from <= seq < to: 1, 0, or -1. */
static int
find_stamp(struct store *s, uint64_t user, uint64_t from, uint64_t to,
    uint64_t *seq, uint64_t *stamp)
{
	struct stmt *first = db_query(s->db, QUERY_LOG_STAMP);
	struct err err;
	int rc;

	stmt_uint(first, 1, store_id_of(user, from));
	stmt_uint(first, 2, store_id_of(user, to));
	if ((rc = warn(stmt_step(first, &err), &err)) > 0) {
		*seq = store_seq_of(row_uint(first, 0));
		*stamp = row_uint(first, 1);
	}
	stmt_end(first);
	return rc;
}

/* All below `low` are earlier, all from `high` on are not; numbers may lack. */
uint64_t
store_seq_at(struct store *s, uint64_t user, uint64_t stamp)
{
	uint64_t low = 1, high = store_last(s, user) + 1, end = high;
	uint64_t middle, seq = 0, found = 0;

	if (find_stamp(s, user, 1, end, &seq, &found) > 0)
		low = seq;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (find_stamp(s, user, middle, high, &seq, &found) <= 0 ||
		    found >= stamp)
			high = middle;
		else
			low = seq + 1;
	}
	return find_stamp(s, user, low, end, &seq, &found) > 0 ? seq : end;
}
