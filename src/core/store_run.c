#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

#include "store_impl.h"

/*
 * The file beside the store's says which run wrote last, and the number of its last
 * commit. Neither is synchronised with the store: what is found there may be older than
 * the store, never newer. So a store of another run, or with fewer commits, was put
 * back from a copy, and streams that went on since are not resumed.
 *
 * It is written first when a run begins. Where the process ends before the store knows
 * of the new run, or the disk is full, `before` is the run that the store names.
 */
struct mark {
	char id[RANDOM_ID_SIZE], before[RANDOM_ID_SIZE];
	uint64_t turn;
};

#define MARK_FORMAT "%-22s %-22s %020" PRIu64 "\n"
enum {
	MARK_BEFORE = RANDOM_ID_SIZE,
	MARK_TURN = 2 * RANDOM_ID_SIZE,
	MARK_END = MARK_TURN + 20,
	MARK_SIZE = MARK_END + 1
};

#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64

int
store_run_lock(const char *path, struct err *err)
{
	char *beside = mem_printf("%s.run", path);
	int fd;

	fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_errno(err, beside);
	} else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			err_set(err, "%s: another process uses it", path);
		else
			err_errno(err, beside);
		close(fd);
		fd = -1;
	}
	free(beside);
	return fd;
}

/* False where it was never written, or not whole. */
static bool
read_mark(int fd, struct mark *out)
{
	char text[MARK_SIZE + 1] = "";

	if (pread(fd, text, sizeof(text), 0) != MARK_SIZE ||
	    text[MARK_END] != '\n')
		return false;
	text[MARK_BEFORE - 1] = text[MARK_TURN - 1] = text[MARK_END] = '\0';
	memcpy(out->id, text, sizeof(out->id));
	memcpy(out->before, text + MARK_BEFORE, sizeof(out->before));
	return text_to_uint(text + MARK_TURN, 0, UINT64_MAX, &out->turn);
}

static int
write_mark(struct store *s, const struct mark *mark, struct err *err)
{
	char text[MARK_SIZE + 1];

	snprintf(text, sizeof(text), MARK_FORMAT, mark->id, mark->before,
	    mark->turn);
	if (pwrite(s->run_file, text, MARK_SIZE, 0) == MARK_SIZE &&
	    ftruncate(s->run_file, MARK_SIZE) == 0 && fsync(s->run_file) == 0)
		return 0;
	return err_set(err, "%s.run: %m", db_path(s->db));
}

/* "" where it is not known. */
static void
read_boot_id(char out[BOOT_ID_MAX])
{
	FILE *file = fopen(BOOT_ID, "re");

	if (file == NULL || fgets(out, BOOT_ID_MAX, file) == NULL)
		*out = '\0';
	if (file != NULL)
		fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

static int
is_meta(struct store *s, const char *key, const char *value, bool *is,
    struct err *err)
{
	struct buf found = { 0 };
	int rc = store_meta_bytes(s, key, &found, err);

	*is = rc > 0 && *value != '\0' && strcmp(found.data, value) == 0;
	buf_free(&found);
	return rc < 0 ? -1 : 0;
}

/* What the run before had committed is all there, and nobody else's. */
static int
judge(struct store *s, const char *boot, struct err *err)
{
	bool is_same_boot, is_same_run, is_run_before;
	struct mark mark = { "", "", 0 };
	uint64_t sync = STORE_SYNC_OFF;
	bool has_mark = read_mark(s->run_file, &mark);

	if (is_meta(s, "boot", boot, &is_same_boot, err) < 0 ||
	    is_meta(s, "run_id", mark.id, &is_same_run, err) < 0 ||
	    is_meta(s, "run_id", mark.before, &is_run_before, err) < 0 ||
	    store_meta_number(s, "sync", &sync, err) < 0)
		return -1;
	s->may_resume = has_mark && (is_same_run || is_run_before) &&
	    mark.turn <= s->turn && (is_same_boot || sync == STORE_SYNC_FULL);
	return 0;
}

static int
put_run(struct store *s, const char *id, const char *boot, struct err *err)
{
	if (db_begin(s->db, err) < 0)
		return -1;
	if (store_meta_put_number(s, "run", s->run, err) == 0 &&
	    store_meta_put_number(s, "sync", s->sync, err) == 0 &&
	    store_meta_put_bytes(s, "run_id", id, strlen(id), err) == 0 &&
	    store_meta_put_bytes(s, "boot", boot, strlen(boot), err) == 0)
		return db_commit(s->db, err);
	db_rollback(s->db);
	return -1;
}

static int
read_run_id(struct store *s, char out[RANDOM_ID_SIZE], struct err *err)
{
	struct buf id = { 0 };
	int rc = store_meta_bytes(s, "run_id", &id, err);

	if (rc > 0)
		snprintf(out, RANDOM_ID_SIZE, "%s", id.data);
	buf_free(&id);
	return rc < 0 ? -1 : 0;
}

static int
find_turn(struct store *s, struct err *err)
{
	struct stmt *last = db_query(s->db, QUERY_TURN_LAST);
	uint64_t folded = 0, waiting = 0;

	if (store_meta_number(s, "turn", &folded, err) < 0 ||
	    stmt_number(last, &waiting, err) < 0)
		return -1;
	s->turn = waiting > folded ? waiting : folded;
	return 0;
}

/* Where nothing may be resumed, no run is named as the one before. */
int
store_run_begin(struct store *s, struct err *err)
{
	struct mark mark = { "", "", 0 };
	char boot[BOOT_ID_MAX];

	if (find_turn(s, err) < 0 ||
	    store_meta_number(s, "run", &s->run, err) < 0)
		return -1;
	s->run++;
	s->may_resume = true;
	if (s->run_file < 0)
		return 0;
	read_boot_id(boot);
	if (judge(s, boot, err) < 0 ||
	    (s->may_resume && read_run_id(s, mark.before, err) < 0))
		return -1;
	random_id(mark.id);
	mark.turn = s->turn;
	if (write_mark(s, &mark, err) < 0)
		return -1;
	return put_run(s, mark.id, boot, err);
}

/* Where it fails less is known, and nothing wrong. */
void
store_run_note(struct store *s)
{
	char text[MARK_END - MARK_TURN + 1];

	if (s->run_file < 0)
		return;
	snprintf(text, sizeof(text), "%020" PRIu64, s->turn);
	if (pwrite(s->run_file, text, sizeof(text) - 1, MARK_TURN) < 0)
		return;
}
