/* For tests of the store: files that go with the program, entries, batches. */
#ifndef UNIT_SUPPORT_STORE_H
#define UNIT_SUPPORT_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/db.h"
#include "core/store.h"

static char store_folder_path[] = "/tmp/xmpproxy-store-XXXXXX";

static inline void
store_folder_remove(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", store_folder_path);
	if (system(command) != 0)
		perror(command);
}

static inline const char *
store_folder(void)
{
	static pid_t owner;

	if (owner == 0) {
		assert_non_null(mkdtemp(store_folder_path));
		atexit(store_folder_remove);
		owner = getpid();
	}
	return store_folder_path;
}

/* A path where no file is; the caller frees it. */
static inline char *
store_fresh_path(void)
{
	static unsigned made;

	return mem_printf("%s/%u.db", store_folder(), ++made);
}

/* The store as it is on disk now: what a power failure or kill would leave. */
static inline char *
store_copy(const char *path)
{
	char *to = store_fresh_path();
	char *command = mem_printf("for end in '' -wal .run; do "
				   "[ ! -e %s$end ] || cp %s$end %s$end; done",
	    path, path, to);

	assert_int_equal(system(command), 0);
	free(command);
	return to;
}

static inline struct store *
store_must_open(const char *path)
{
	struct err err = { "" };
	struct store *s = store_open(path, STORE_SYNC_NORMAL, &err);

	if (s == NULL)
		fail_msg("%s", err.text);
	return s;
}

/* As somebody would who is not us. */
static inline void
store_change(const char *path, const char *sql)
{
	struct err err = { "" };
	struct db *db = db_open(path, &err);

	if (db == NULL || db_exec(db, sql, &err) < 0)
		fail_msg("%s", err.text);
	db_close(&db);
}

static inline void
store_must_commit(struct store *s, struct batch *b)
{
	struct err err = { "" };

	if (store_commit(s, b, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(batch_is_empty(b));
}

static inline struct entry *
store_entry(uint64_t seq, uint64_t account, const char *peer)
{
	struct entry *e = entry_new();

	e->seq = seq;
	e->account = account;
	e->peer = mem_strdup(peer);
	e->time = e->stamp = 1000 + seq;
	e->type = TYPE_CHAT;
	e->body = blob_new("<body>hi</body>", 15);
	return e;
}

/* Takes the reference. */
static inline void
store_append(struct batch *b, uint64_t user, struct entry *e)
{
	batch_append(b, user, e);
	entry_unref(&e);
}

#endif
