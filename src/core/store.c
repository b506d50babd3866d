#include "core/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "core/schema.h"

#include "store_impl.h"

/*
 * A checkpoint is wanted when the write-ahead log has grown by so many pages. While
 * commits never pause it cannot reach the log's end, so that the log does not begin
 * anew; over HARD the loop itself copies the few pages that are left after one.
 */
enum { PAGES_WANTED = 2000, PAGES_HARD = 16000, PASSES_MAX = 4 };

static bool
is_memory(const char *path)
{
	return strcmp(path, ":memory:") == 0;
}

static int
sync_folder(const char *path)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

/* SQLite would make it readable for all. */
static int
make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : err_errno(err, path);
	close(fd);
	return sync_folder(path) < 0 ? err_errno(err, path) : 0;
}

static int
use_wal(const struct store *s, struct db *db, struct err *err)
{
	static const char *const synchronous[] = {
		[STORE_SYNC_OFF] = "OFF",
		[STORE_SYNC_NORMAL] = "NORMAL",
		[STORE_SYNC_FULL] = "FULL",
	};

	return db_use_wal(db, synchronous[s->sync], err);
}

static int
open_file(struct store *s, const char *path, struct err *err)
{
	if (!is_memory(path) &&
	    ((s->run_file = store_run_lock(path, err)) < 0 ||
		make_file(path, err) < 0))
		return -1;
	if ((s->db = db_open(path, err)) == NULL ||
	    schema_update(s->db, store_schema, store_schema_count, err) < 0 ||
	    use_wal(s, s->db, err) < 0)
		return -1;
	return db_prepare(s->db, store_queries, QUERY_COUNT, err);
}

static int
open_checkpointer(struct store *s, const char *path, struct err *err)
{
	if (is_memory(path))
		return 0;
	if ((s->checkpointer = db_open(path, err)) == NULL)
		return -1;
	return use_wal(s, s->checkpointer, err);
}

static int
load_key(struct store *s, struct err *err)
{
	struct buf found = { 0 };
	int rc = store_meta_bytes(s, "key", &found, err);

	if (rc > 0 && found.len == sizeof(s->key)) {
		memcpy(s->key, found.data, found.len);
	} else if (rc > 0) {
		rc = err_set(err, "%s: its key is damaged", db_path(s->db));
	} else if (rc == 0) {
		random_bytes(s->key, sizeof(s->key));
		rc = store_meta_put_bytes(s, "key", s->key, sizeof(s->key),
		    err);
	}
	buf_free(&found);
	return rc < 0 ? -1 : 0;
}

static int
fold_all(struct store *s, struct err *err)
{
	uint64_t waiting;

	if (stmt_number(db_query(s->db, QUERY_TURNS_COUNT), &waiting, err) < 0)
		return -1;
	s->unfolded = (unsigned)waiting;
	return store_fold_all(s, err);
}

struct store *
store_open(const char *path, enum store_sync sync, struct err *err)
{
	struct store *s = mem_alloc(sizeof(*s));

	s->sync = sync;
	s->run_file = -1;
	if (open_file(s, path, err) < 0 || load_key(s, err) < 0 ||
	    store_run_begin(s, err) < 0 || fold_all(s, err) < 0 ||
	    open_checkpointer(s, path, err) < 0)
		store_close(&s);
	return s;
}

/* SQLite works off and removes the write-ahead log with the last connection. */
void
store_close(struct store **holder)
{
	struct store *s = *holder;

	*holder = NULL;
	if (s == NULL)
		return;
	store_peers_forget(s);
	db_close(&s->checkpointer);
	db_close(&s->db);
	if (s->run_file >= 0)
		close(s->run_file);
	mem_wipe(s->key, sizeof(s->key));
	free(s);
}

uint64_t
store_run(const struct store *s)
{
	return s->run;
}

void
store_reopened(struct store *s)
{
	assert(s->run_file < 0);
	s->run++;
}

bool
store_may_resume(const struct store *s)
{
	return s->may_resume;
}

const unsigned char *
store_key(const struct store *s)
{
	return s->key;
}

static int
add_turn(struct store *s, const struct buf *record, struct err *err)
{
	struct stmt *add = db_query(s->db, QUERY_TURN_ADD);

	stmt_uint(add, 1, s->turn + 1);
	stmt_blob(add, 2, record->len > 0 ? record->data : "", record->len);
	return stmt_run(add, err);
}

static int
add_all(struct store *s, const struct batch *b, struct err *err)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (store_log_add(s, b->entries[i].user, b->entries[i].entry,
			err) < 0)
			return -1;
	return add_turn(s, &b->record, err);
}

/* The loop copies what a checkpoint beside it left, once that is much in all. */
static void
watch_pages(struct store *s)
{
	unsigned pages = db_wal_pages(s->db);

	if (pages < s->pages)
		atomic_store(&s->checked, 0);
	s->pages = pages;
	if (pages >= PAGES_HARD && atomic_exchange(&s->has_tail, false))
		db_checkpoint(s->db, &pages);
}

int
store_commit(struct store *s, struct batch *b, struct err *err)
{
	if (batch_is_empty(b))
		return 0;
	if (db_begin(s->db, err) < 0)
		return -1;
	if (add_all(s, b, err) < 0) {
		db_rollback(s->db);
		store_peers_forget(s);
		return -1;
	}
	if (db_commit(s->db, err) < 0) {
		store_peers_forget(s);
		return -1;
	}
	s->turn++;
	s->unfolded++;
	store_run_note(s);
	watch_pages(s);
	batch_clear(b);
	return 0;
}

bool
store_wants_checkpoint(const struct store *s)
{
	unsigned pages = db_wal_pages(s->db);
	unsigned checked = atomic_load(&s->checked);

	return pages >= PAGES_WANTED + (pages < checked ? 0 : checked);
}

/* Again for what was committed meanwhile, which is less each time. */
void
store_checkpoint(struct store *s)
{
	unsigned pass, pages = 0, before;
	bool is_over = s->checkpointer == NULL;

	for (pass = 0; !is_over && pass < PASSES_MAX; pass++) {
		before = pages;
		is_over = db_checkpoint(s->checkpointer, &pages) &&
		    pages == before;
		atomic_store(&s->checked, pages);
	}
	atomic_store(&s->has_tail, !is_over);
}

uint64_t
store_free_bytes(const struct store *s)
{
	struct statvfs room;

	if (s->run_file < 0 || fstatvfs(s->run_file, &room) < 0)
		return UINT64_MAX;
	return (uint64_t)room.f_bavail * room.f_frsize;
}
