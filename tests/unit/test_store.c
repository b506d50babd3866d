#include "support_store.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "core/db.h"

static void
put(struct batch *b, uint64_t owner, const char *key, const char *value)
{
	batch_put(b, STATE_ROSTER, owner, key, strlen(key), value,
	    strlen(value));
}

static void
note_state(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	buf_printf(arg, "%.*s=%.*s ", (int)key_len, (const char *)key, (int)len,
	    (const char *)value);
}

static void
has_state(struct store *s, uint64_t owner, const char *expected)
{
	struct err err = { "" };
	struct buf got = { 0 };

	buf_puts(&got, "");
	if (store_each(s, STATE_ROSTER, owner, note_state, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(got.data, expected);
	buf_free(&got);
}

/* One entry and one piece of state. */
static void
commit_one(struct store *s, uint64_t seq, const char *value)
{
	struct batch b;

	batch_init(&b);
	store_append(&b, 1, store_entry(seq, 1, "c@d"));
	put(&b, 1, "key", value);
	store_must_commit(s, &b);
	batch_fini(&b);
}

static mode_t
mode_of(const char *path, const char *end)
{
	char *whole = mem_printf("%s%s", path, end);
	struct stat st;

	assert_int_equal(stat(whole, &st), 0);
	free(whole);
	return st.st_mode & 07777;
}

static void
what_is_committed_is_there_again(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	unsigned char key[STORE_KEY_SIZE];

	(void)state;
	assert_int_equal(store_run(s), 1);
	assert_false(store_may_resume(s));
	memcpy(key, store_key(s), sizeof(key));
	commit_one(s, 1, "one");
	commit_one(s, 2, "two");
	assert_int_equal(mode_of(path, ""), 0600);
	assert_int_equal(mode_of(path, "-wal"), 0600);
	assert_int_equal(mode_of(path, ".run"), 0600);
	store_close(&s);
	assert_null(s);
	store_close(&s);
	s = store_must_open(path);
	assert_int_equal(store_run(s), 2);
	assert_true(store_may_resume(s));
	assert_memory_equal(key, store_key(s), sizeof(key));
	assert_int_equal(store_unfolded(s), 0);
	assert_int_equal(store_last(s, 1), 2);
	has_state(s, 1, "key=two ");
	store_close(&s);
	free(path);
}

/* Opens it and closes it; what may be resumed. */
static bool
may_resume(const char *path, enum store_sync sync)
{
	struct err err = { "" };
	struct store *s = store_open(path, sync, &err);
	bool may;

	if (s == NULL)
		fail_msg("%s", err.text);
	may = store_may_resume(s);
	store_close(&s);
	return may;
}

static void
refuses(const char *path, const char *why)
{
	struct err err = { "" };
	struct store *s = store_open(path, STORE_SYNC_NORMAL, &err);

	assert_null(s);
	if (strstr(err.text, path) == NULL || strstr(err.text, why) == NULL)
		fail_msg("no \"%s\" of %s in: %s", why, path, err.text);
}

static void
run_command(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

static void
memory_begins_anew(void **state)
{
	struct store *s = store_must_open(":memory:");

	(void)state;
	assert_int_equal(store_run(s), 1);
	assert_true(store_may_resume(s));
	assert_true(store_free_bytes(s) == UINT64_MAX);
	commit_one(s, 1, "one");
	store_reopened(s);
	assert_int_equal(store_run(s), 2);
	has_state(s, 1, "key=one ");
	assert_false(store_wants_checkpoint(s));
	store_checkpoint(s);
	store_close(&s);
	s = store_must_open(":memory:");
	assert_int_equal(store_last(s, 1), 0);
	store_close(&s);
}

static void
a_second_process_is_refused(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path), *again;
	int status;
	pid_t pid;

	(void)state;
	refuses(path, "another process uses it");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		again = store_open(path, STORE_SYNC_NORMAL, NULL);
		_exit(again == NULL ? 7 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	commit_one(s, 1, "one");
	store_close(&s);
	assert_true(may_resume(path, STORE_SYNC_NORMAL));
	free(path);
}

/* Commits, says so, and waits for its death. */
static void
be_killed(const char *path, enum store_sync sync, int out)
{
	struct store *s = store_open(path, sync, NULL);
	unsigned i;

	for (i = 1; i <= 20; i++)
		commit_one(s, i, "killed");
	if (write(out, "", 1) == 1)
		pause();
	_exit(1);
}

static void
killing_loses_nothing(void **state)
{
	char *path = store_fresh_path();
	enum store_sync sync;
	struct store *s;
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	for (sync = STORE_SYNC_OFF; sync <= STORE_SYNC_FULL; sync++) {
		free(path);
		path = store_fresh_path();
		assert_int_equal(pipe(fds), 0);
		if ((pid = fork()) == 0)
			be_killed(path, sync, fds[1]);
		assert_int_equal(read(fds[0], &byte, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(fds[0]);
		close(fds[1]);
		s = store_must_open(path);
		assert_true(store_may_resume(s));
		assert_int_equal(store_run(s), 2);
		assert_int_equal(store_last(s, 1), 20);
		has_state(s, 1, "key=killed ");
		store_close(&s);
	}
	free(path);
}

static void
what_was_open_is_whole(void **state)
{
	char *path = store_fresh_path(), *copy;
	struct store *s = store_must_open(path), *c;
	unsigned left, i;
	struct err err;
	char text[8];

	(void)state;
	for (i = 1; i <= 30; i++) {
		snprintf(text, sizeof(text), "%u", i);
		commit_one(s, i, text);
		if (i % 7 == 0)
			assert_int_equal(store_fold(s, 3, &left, &err), 0);
		if (i % 10 == 0)
			store_checkpoint(s);
		copy = store_copy(path);
		c = store_must_open(copy);
		assert_true(store_may_resume(c));
		assert_int_equal(store_last(c, 1), i);
		snprintf(text, sizeof(text), "key=%u ", i);
		has_state(c, 1, text);
		store_close(&c);
		free(copy);
	}
	store_close(&s);
	free(path);
}

/* A power failure took the write-ahead log, or its end. */
static void
lost_commits_are_noticed(void **state)
{
	char *path = store_fresh_path(), *copy, *cut;
	struct store *s = store_must_open(path);

	(void)state;
	commit_one(s, 1, "one");
	cut = store_copy(path);
	store_checkpoint(s);
	commit_one(s, 2, "two");
	copy = store_copy(path);
	run_command("rm %s-wal", copy, "");
	assert_false(may_resume(copy, STORE_SYNC_FULL));
	assert_true(may_resume(copy, STORE_SYNC_FULL));
	run_command("truncate -s -10 %s-wal", cut, "");
	assert_false(may_resume(cut, STORE_SYNC_FULL));
	store_close(&s);
	free(path);
	free(copy);
	free(cut);
}

static void
a_copy_put_back_is_noticed(void **state)
{
	char *path = store_fresh_path(), *copy;
	struct store *s = store_must_open(path);

	(void)state;
	commit_one(s, 1, "one");
	copy = store_copy(path);
	commit_one(s, 2, "two");
	store_close(&s);
	/* Of the same run, but before its end. */
	run_command("cp %s %s", copy, path);
	run_command("cp %s-wal %s-wal", copy, path);
	assert_false(may_resume(path, STORE_SYNC_FULL));
	/* Of a run before. */
	run_command("cp %s %s", copy, path);
	run_command("cp %s-wal %s-wal", copy, path);
	assert_false(may_resume(path, STORE_SYNC_FULL));
	assert_true(may_resume(path, STORE_SYNC_FULL));
	free(path);
	free(copy);
}

static void
a_run_that_did_not_begin_is_not_resumed(void **state)
{
	char *path = store_fresh_path();

	(void)state;
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	assert_true(may_resume(path, STORE_SYNC_NORMAL));
	/* What no id begins with. */
	run_command("printf '!' | dd of=%s.run conv=notrunc status=none", path,
	    "");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	run_command("truncate -s 30 %s.run", path, "");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	run_command("truncate -s 0 %s.run", path, "");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	run_command("rm %s.run", path, "");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	run_command("echo more >> %s.run", path, "");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	assert_true(may_resume(path, STORE_SYNC_NORMAL));
	free(path);
}

static void
another_boot_counts_unless_it_waits_for_the_disk(void **state)
{
	static const char other[] =
	    "UPDATE meta SET value = 'other' WHERE key = 'boot'";
	char *path = store_fresh_path();

	(void)state;
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	store_change(path, other);
	assert_false(may_resume(path, STORE_SYNC_FULL));
	store_change(path, other);
	/* The run before is what counts. */
	assert_true(may_resume(path, STORE_SYNC_OFF));
	store_change(path, other);
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	store_change(path, "UPDATE meta SET value = '' WHERE key = 'boot'");
	assert_false(may_resume(path, STORE_SYNC_NORMAL));
	free(path);
}

static void
what_is_no_store_is_refused(void **state)
{
	char *path = store_fresh_path();

	(void)state;
	run_command("echo This is no database, but a text. > %s", path, "");
	refuses(path, "not a database");
	run_command(": > %s", path, "");
	store_change(path, "CREATE TABLE other (id)");
	refuses(path, "another program");
	run_command("rm %s && mkdir %s", path, path);
	refuses(path, "unable to open");
	run_command("rmdir %s && rm %s.run", path, path);
	run_command("ln -s /nowhere/at/all %s", path, "");
	refuses(path, "unable to open");
	free(path);
	path = mem_printf("%s/none/at.db", store_folder());
	refuses(path, "No such file");
	free(path);
}

static void
a_newer_version_is_refused(void **state)
{
	char *path = store_fresh_path();

	(void)state;
	may_resume(path, STORE_SYNC_NORMAL);
	store_change(path, "UPDATE meta SET value = 99 WHERE key = 'version'");
	refuses(path, "newer xmpproxy (version 99");
	store_change(path, "DELETE FROM meta WHERE key = 'version'");
	refuses(path, "another program");
	free(path);
}

static void
damage_is_told(void **state)
{
	char *path = store_fresh_path(), *copy;
	struct store *s = store_must_open(path);

	(void)state;
	commit_one(s, 1, "one");
	copy = store_copy(path);
	store_change(copy, "UPDATE turn SET record = x'01' WHERE id = 1");
	refuses(copy, "damaged (the record of turn 1)");
	free(copy);
	store_close(&s);
	copy = store_copy(path);
	store_change(copy, "UPDATE meta SET value = x'01' WHERE key = 'key'");
	refuses(copy, "its key is damaged");
	/* The first page is there, the others are not. */
	run_command("truncate -s 4096 %s", path, "");
	refuses(path, "malformed");
	free(copy);
	free(path);
}

static bool
is_damaged(struct store *s)
{
	struct store_query q = { .user = 1, .to = UINT64_MAX, .limit = 9 };
	struct err err = { "" };
	int rc = store_read(s, &q, NULL, NULL, &err);

	return rc < 0 && strstr(err.text, "damaged (entry") != NULL;
}

static void
a_damaged_entry_is_told(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);

	(void)state;
	commit_one(s, 1, "one");
	store_close(&s);
	store_change(path, "UPDATE log SET flags = flags | 0xc");
	s = store_must_open(path);
	assert_true(is_damaged(s));
	store_close(&s);
	free(path);
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Until the disk is full; the batch that did not fit. */
static unsigned
fill(struct store *s, struct batch *b)
{
	struct err err = { "" };
	unsigned seq;

	for (seq = 1;; seq++) {
		assert_true(seq < 10000);
		store_append(b, 1, store_entry(seq, 1, "c@d"));
		store_append(b, 2, store_entry(seq, seq % 50, "c@d"));
		put(b, 1, "key", seq % 2 == 0 ? "even" : "odd");
		if (store_commit(s, b, &err) < 0)
			break;
	}
	if (strstr(err.text, "disk I/O error") == NULL)
		fail_msg("%s", err.text);
	return seq;
}

static void
nothing_else_fits(struct store *s)
{
	struct store_trim what = { 1, ROOMS_NOT, 1, 5, UINT64_MAX, 0 };
	unsigned waiting = store_unfolded(s), left;
	struct store_trimmed done;
	struct err err;

	assert_int_equal(store_commit(s, &(struct batch){ 0 }, &err), 0);
	assert_int_equal(store_fold(s, waiting, &left, &err), -1);
	assert_int_equal(left, waiting);
	assert_int_equal(store_trim(s, &what, &done, &err), -1);
	assert_int_equal(done.count, 0);
	assert_int_equal(done.from, 1);
	assert_int_equal(store_user(s, "alice", &err), 0);
	assert_int_equal(store_account(s, 1, "a@b", &err), 0);
	assert_non_null(strstr(err.text, "disk I/O error"));
}

static void
a_full_disk_changes_nothing(void **state)
{
	char *path = store_fresh_path(), *copy;
	struct store *s = store_must_open(path);
	struct batch b;
	unsigned last;

	(void)state;
	batch_init(&b);
	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(300000);
	last = fill(s, &b);
	assert_true(last > 2);
	assert_int_equal(b.count, 2);
	assert_true(b.urgent && b.record.len > 0);
	assert_int_equal(store_last(s, 1), last - 1);
	assert_int_equal(store_commit(s, &b, NULL), -1);
	assert_int_equal(store_unfolded(s), last - 1);
	nothing_else_fits(s);
	set_file_limit(RLIM_INFINITY);
	copy = store_copy(path);
	store_must_commit(s, &b);
	assert_int_equal(store_last(s, 1), last);
	has_state(s, 1, last % 2 == 0 ? "key=even " : "key=odd ");
	store_close(&s);
	s = store_must_open(copy);
	assert_int_equal(store_last(s, 1), last - 1);
	store_close(&s);
	batch_fini(&b);
	free(copy);
	free(path);
}

static bool
note_seq(void *arg, struct entry *e)
{
	*(uint64_t *)arg = *(uint64_t *)arg * 10 + e->seq;
	return true;
}

/* Its peer was new, and its number was forgotten with the rest. */
static void
a_number_that_is_taken_is_refused(void **state)
{
	struct store *s = store_must_open(":memory:");
	struct store_query q = { .user = 1,
		.to = UINT64_MAX,
		.limit = 9,
		.bare = "new@d" };
	struct err err = { "" };
	uint64_t seq = 0;
	struct batch b;

	(void)state;
	commit_one(s, 1, "one");
	batch_init(&b);
	assert_int_equal(store_commit(s, &b, &err), 0);
	store_append(&b, 1, store_entry(2, 1, "new@d"));
	store_append(&b, 1, store_entry(1, 1, "c@d"));
	assert_int_equal(store_commit(s, &b, &err), -1);
	assert_non_null(strstr(err.text, "UNIQUE"));
	assert_int_equal(b.count, 2);
	batch_clear(&b);
	store_append(&b, 1, store_entry(2, 1, "other@d"));
	store_append(&b, 1, store_entry(3, 1, "new@d"));
	store_must_commit(s, &b);
	assert_int_equal(store_read(s, &q, note_seq, &seq, &err), 0);
	assert_int_equal(seq, 3);
	batch_fini(&b);
	store_close(&s);
}

static void
room_is_told(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);

	(void)state;
	assert_true(store_free_bytes(s) > 0);
	assert_true(store_free_bytes(s) < UINT64_MAX);
	store_close(&s);
	free(path);
}

/* --- checkpoints --- */

static void
commit_big(struct store *s, uint64_t seq, size_t size)
{
	struct entry *e = store_entry(seq, 1, "c@d");
	char *bytes = mem_alloc(size);
	struct batch b;

	blob_unref(&e->body);
	e->body = blob_new(bytes, size);
	free(bytes);
	batch_init(&b);
	store_append(&b, 1, e);
	store_must_commit(s, &b);
	batch_fini(&b);
}

static off_t
size_of(const char *path, const char *end)
{
	char *whole = mem_printf("%s%s", path, end);
	struct stat st;

	assert_int_equal(stat(whole, &st), 0);
	free(whole);
	return st.st_size;
}

static void
a_checkpoint_is_wanted_when_much_waits(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	uint64_t seq = 0;
	off_t before;

	(void)state;
	while (!store_wants_checkpoint(s))
		commit_big(s, ++seq, 1000000);
	assert_in_range(seq, 5, 16);
	before = size_of(path, "");
	store_checkpoint(s);
	assert_true(size_of(path, "") > before + 5000000);
	assert_false(store_wants_checkpoint(s));
	/* The log begins anew: it does not grow. */
	before = size_of(path, "-wal");
	commit_big(s, ++seq, 1000000);
	assert_false(store_wants_checkpoint(s));
	assert_true(size_of(path, "-wal") <= before);
	store_close(&s);
	free(path);
}

static void
begin_reading(struct db *db)
{
	struct err err = { "" };

	if (db_exec(db, "BEGIN; SELECT count(*) FROM log", &err) < 0)
		fail_msg("%s", err.text);
}

/* A reader keeps the log from its end, as commits without a pause would. */
static void
what_a_checkpoint_leaves_is_worked_off_by_a_commit(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct db *reader = db_open(path, NULL);
	uint64_t seq;
	off_t before;

	(void)state;
	for (seq = 1; seq <= 80; seq++)
		commit_big(s, seq, 1000000);
	before = size_of(path, "-wal");
	begin_reading(reader);
	commit_big(s, ++seq, 1000);
	store_checkpoint(s);
	assert_false(store_wants_checkpoint(s));
	assert_int_equal(db_exec(reader, "COMMIT", NULL), 0);
	commit_big(s, ++seq, 1000);
	assert_true(size_of(path, "-wal") > before);
	commit_big(s, ++seq, 1000);
	assert_true(size_of(path, "-wal") < before);
	db_close(&reader);
	store_close(&s);
	free(path);
}

static atomic_bool checkpoints_end;

static void *
checkpoints(void *arg)
{
	while (!atomic_load(&checkpoints_end))
		store_checkpoint(arg);
	return NULL;
}

static void
a_checkpoint_may_run_beside(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct err err = { "" };
	pthread_t thread;
	unsigned i, left;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, checkpoints, s), 0);
	for (i = 1; i <= 500; i++) {
		commit_one(s, i, i % 2 == 0 ? "even" : "odd");
		if (i % 10 == 0)
			assert_int_equal(store_fold(s, 20, &left, &err), 0);
	}
	atomic_store(&checkpoints_end, true);
	pthread_join(thread, NULL);
	has_state(s, 1, "key=even ");
	store_close(&s);
	s = store_must_open(path);
	assert_true(store_may_resume(s));
	assert_int_equal(store_last(s, 1), 500);
	store_close(&s);
	free(path);
}

static void *
let_go(void *db)
{
	db_rollback(db);
	return NULL;
}

/* A checkpoint that begins while a commit is written takes the lock for a moment. */
static void
a_commit_waits_for_the_lock(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct db *other = db_open(path, NULL);
	pthread_t thread;
	unsigned i;

	(void)state;
	for (i = 1; i <= 100; i++) {
		assert_int_equal(db_begin(other, NULL), 0);
		assert_int_equal(pthread_create(&thread, NULL, let_go, other),
		    0);
		commit_one(s, i, "value");
		pthread_join(thread, NULL);
	}
	db_close(&other);
	store_close(&s);
	free(path);
}

/* One that somebody keeps fails it, and that is said; the next may succeed. */
static void
a_commit_does_not_wait_for_ever(void **state)
{
	char *path = store_fresh_path();
	struct store *s = store_must_open(path);
	struct db *other = db_open(path, NULL);
	struct err err = { "" };
	struct batch b;

	(void)state;
	batch_init(&b);
	put(&b, 1, "key", "value");
	assert_int_equal(db_begin(other, NULL), 0);
	assert_int_equal(store_commit(s, &b, &err), -1);
	assert_non_null(strstr(err.text, "locked"));
	db_rollback(other);
	store_must_commit(s, &b);
	batch_fini(&b);
	db_close(&other);
	store_close(&s);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_is_there_again),
		cmocka_unit_test(memory_begins_anew),
		cmocka_unit_test(a_second_process_is_refused),
		cmocka_unit_test(killing_loses_nothing),
		cmocka_unit_test(what_was_open_is_whole),
		cmocka_unit_test(lost_commits_are_noticed),
		cmocka_unit_test(a_copy_put_back_is_noticed),
		cmocka_unit_test(a_run_that_did_not_begin_is_not_resumed),
		cmocka_unit_test(
		    another_boot_counts_unless_it_waits_for_the_disk),
		cmocka_unit_test(what_is_no_store_is_refused),
		cmocka_unit_test(a_newer_version_is_refused),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(a_damaged_entry_is_told),
		cmocka_unit_test(a_full_disk_changes_nothing),
		cmocka_unit_test(a_number_that_is_taken_is_refused),
		cmocka_unit_test(room_is_told),
		cmocka_unit_test(a_checkpoint_is_wanted_when_much_waits),
		cmocka_unit_test(
		    what_a_checkpoint_leaves_is_worked_off_by_a_commit),
		cmocka_unit_test(a_checkpoint_may_run_beside),
		cmocka_unit_test(a_commit_waits_for_the_lock),
		cmocka_unit_test(a_commit_does_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
