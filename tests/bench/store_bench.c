/*
 * What the store costs, on this disk. Without options: commits such as 1,000 messages
 * a second make, with each `synchronous`, with and without checkpoints beside them.
 * --log N: a log of so many entries against one of 1,000.
 */
#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "core/store.h"

enum {
	BODY = 300,
	RECORD = 200,
	FOLD_AT = 64,
	PEERS = 10,
	PAGE = 50,
	USERS = 1000,
	FILLED = 100,
	RUN = 100
};

static const char *const sync_names[] = { "off", "normal", "full" };

/* --- times --- */

struct times {
	uint64_t *ns;
	size_t count, cap;
};

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
times_add(struct times *t, uint64_t since)
{
	if (t->count == t->cap) {
		t->cap = t->cap == 0 ? 1024 : t->cap * 2;
		t->ns = mem_grow(t->ns, t->cap * sizeof(*t->ns));
	}
	t->ns[t->count++] = now() - since;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Microseconds; the times are forgotten. */
static void
times_print(struct times *t, const char *what)
{
	if (t->count == 0)
		return;
	qsort(t->ns, t->count, sizeof(*t->ns), compare);
	printf("  %-26s %8zu times  p50 %8.1f  p99 %8.1f  max %9.1f us\n", what,
	    t->count, (double)t->ns[t->count / 2] / 1e3,
	    (double)t->ns[t->count * 99 / 100] / 1e3,
	    (double)t->ns[t->count - 1] / 1e3);
	free(t->ns);
	*t = (struct times){ 0 };
}

/* --- stores --- */

static void
remove_store(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".run" };
	size_t i;
	char *whole;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		whole = mem_printf("%s%s", path, ends[i]);
		unlink(whole);
		free(whole);
	}
}

static struct store *
open_store(const char *path, enum store_sync sync)
{
	struct err err;
	struct store *s = store_open(path, sync, &err);

	if (s == NULL)
		errx(1, "%s", err.text);
	return s;
}

static void
commit(struct store *s, struct batch *b)
{
	struct err err;

	if (store_commit(s, b, &err) < 0)
		errx(1, "%s", err.text);
}

static double
megabytes(const char *path, const char *end)
{
	char *whole = mem_printf("%s%s", path, end);
	struct stat st = { 0 };

	stat(whole, &st);
	free(whole);
	return (double)st.st_size / 1e6;
}

static void
add_entry(struct batch *b, uint64_t user, uint64_t seq)
{
	static char body[BODY];
	struct entry *e = entry_new();

	e->seq = seq;
	e->account = user;
	e->type = TYPE_CHAT;
	e->time = e->stamp = 1000000 + seq * 1000;
	e->peer = mem_printf("friend%u@example.org/phone",
	    (unsigned)random_below(PEERS));
	e->id = mem_printf("0123456789abcdef%llu", (unsigned long long)seq);
	e->stanza_id = mem_strdup(e->id);
	e->has_body = e->is_eligible = true;
	if (body[0] == '\0')
		memset(body, 'x', sizeof(body));
	e->body = blob_new(body, sizeof(body));
	batch_append(b, user, e);
	entry_unref(&e);
}

/* In runs, so that it does not take as long as the messages did. */
static void
fill(struct store *s, unsigned long entries, unsigned users)
{
	unsigned long i, round;
	struct batch b;

	batch_init(&b);
	for (i = 0; i < entries; i++) {
		round = i / RUN;
		add_entry(&b, 1 + round % users,
		    1 + i % RUN + round / users * RUN);
		if (i % 1000 != 999 && i + 1 < entries)
			continue;
		commit(s, &b);
		if (store_wants_checkpoint(s))
			store_checkpoint(s);
	}
	batch_fini(&b);
}

/* --- commits --- */

struct load {
	struct store *store;
	const char *path;
	struct batch batch;
	uint64_t seqs[USERS + 1]; /* of each user */
	struct times commits, folds, checkpoints;
	double log_max;
	atomic_bool wants, ends;
};

/* Logs that have begun, with their peers. */
static struct load *
load_new(const char *path, enum store_sync sync)
{
	struct load *l = mem_alloc(sizeof(*l));
	unsigned user;

	remove_store(path);
	l->path = path;
	l->store = open_store(path, STORE_SYNC_OFF);
	fill(l->store, USERS * FILLED, USERS);
	store_close(&l->store);
	l->store = open_store(path, sync);
	for (user = 1; user <= USERS; user++)
		l->seqs[user] = FILLED;
	batch_init(&l->batch);
	return l;
}

/* Counters of sessions and accounts, most of them changed again and again. */
static void
make_batch(struct load *l)
{
	unsigned n = 1 + (unsigned)random_below(4), i;
	char value[RECORD / 4 - 10];
	uint64_t user, key;

	memset(value, 'v', sizeof(value));
	for (i = 0; i < n; i++) {
		user = 1 + random_below(USERS);
		add_entry(&l->batch, user, ++l->seqs[user]);
	}
	for (i = 0; i < 4; i++) {
		key = random_below(3);
		batch_put(&l->batch, STATE_COUNTERS, random_below(USERS), &key,
		    sizeof(key), value, sizeof(value));
	}
}

static void
step(struct load *l)
{
	unsigned left;
	struct err err;
	uint64_t since;
	double size;

	make_batch(l);
	since = now();
	commit(l->store, &l->batch);
	times_add(&l->commits, since);
	if (store_unfolded(l->store) >= FOLD_AT) {
		since = now();
		if (store_fold(l->store, FOLD_AT, &left, &err) < 0)
			errx(1, "%s", err.text);
		times_add(&l->folds, since);
		size = megabytes(l->path, "-wal");
		l->log_max = size > l->log_max ? size : l->log_max;
	}
	if (store_wants_checkpoint(l->store))
		atomic_store(&l->wants, true);
}

static void *
work_off(void *arg)
{
	const struct timespec pause = { 0, 1000000 };
	struct load *l = arg;
	uint64_t since;

	while (!atomic_load(&l->ends)) {
		if (atomic_load(&l->wants)) {
			since = now();
			store_checkpoint(l->store);
			times_add(&l->checkpoints, since);
			atomic_store(&l->wants, false);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Commits a second; 0: as many as there can be. */
static void
run_steps(struct load *l, unsigned steps, unsigned rate)
{
	struct timespec pause = { 0, 0 };
	uint64_t begin = now(), due;
	unsigned i;

	for (i = 0; i < steps; i++) {
		due = rate == 0 ? 0 : begin + (uint64_t)i * 1000000000 / rate;
		if (due > now()) {
			pause.tv_nsec = (long)(due - now()) % 1000000000;
			nanosleep(&pause, NULL);
		}
		step(l);
	}
	printf("  %.0f commits/s, write-ahead log up to %.1f MB\n",
	    steps / ((double)(now() - begin) / 1e9), l->log_max);
}

static void
measure_commits(const char *path, enum store_sync sync, bool beside,
    unsigned steps, unsigned rate)
{
	struct load *l = load_new(path, sync);
	pthread_t thread;

	printf("synchronous=%s, %s checkpoints, %s\n", sync_names[sync],
	    beside ? "with" : "without",
	    rate == 0 ? "as fast as it goes" : "at a steady rate");
	if (beside && pthread_create(&thread, NULL, work_off, l) != 0)
		errx(1, "no thread");
	run_steps(l, steps, rate);
	atomic_store(&l->ends, true);
	if (beside)
		pthread_join(thread, NULL);
	times_print(&l->commits, "commit");
	times_print(&l->folds, "fold of 64");
	times_print(&l->checkpoints, "checkpoint (beside)");
	batch_fini(&l->batch);
	store_close(&l->store);
	remove_store(path);
	free(l);
}

static void
measure_all_commits(const char *path, unsigned steps)
{
	enum store_sync sync;

	for (sync = STORE_SYNC_OFF; sync <= STORE_SYNC_FULL; sync++) {
		measure_commits(path, sync, false, steps, 0);
		measure_commits(path, sync, true, steps, 0);
		measure_commits(path, sync, true, 4000, 400);
	}
}

/* --- a long log --- */

static bool
count(void *arg, struct entry *e)
{
	(void)e;
	++*(unsigned *)arg;
	return true;
}

static void
page(struct store *s, uint64_t user, uint64_t from, const char *bare)
{
	struct store_query q = { .user = user,
		.from = from,
		.to = UINT64_MAX,
		.limit = PAGE,
		.bare = bare };
	unsigned got = 0;
	struct err err;

	if (store_read(s, &q, count, &got, &err) < 0)
		errx(1, "%s", err.text);
	if (bare == NULL && got == 0)
		errx(1, "an empty page");
}

/* From the middle, of another user each time. */
static void
measure_pages(struct store *s, uint64_t last, unsigned users)
{
	struct times seq = { 0 }, peer = { 0 }, stamp = { 0 };
	uint64_t since, from, user;
	unsigned i;

	for (i = 0; i < 500; i++) {
		user = 1 + random_below(users);
		from = last / 4 + random_below(last / 4);
		since = now();
		page(s, user, from, NULL);
		times_add(&seq, since);
		since = now();
		page(s, user, from, "friend7@example.org");
		times_add(&peer, since);
		since = now();
		store_seq_at(s, user, 1000000 + from * 1000);
		times_add(&stamp, since);
	}
	times_print(&seq, "page by number");
	times_print(&peer, "page by peer");
	times_print(&stamp, "number of a time");
}

static void
measure_appends(struct store *s, uint64_t last, unsigned users)
{
	struct times appends = { 0 };
	uint64_t since, user;
	struct batch b;
	unsigned i;

	batch_init(&b);
	for (i = 0; i < 20000; i++) {
		user = 1 + random_below(users);
		add_entry(&b, user, last + RUN + 1 + i);
		since = now();
		commit(s, &b);
		times_add(&appends, since);
		if (store_wants_checkpoint(s))
			store_checkpoint(s);
	}
	times_print(&appends, "append");
	batch_fini(&b);
}

static void
measure_trim(struct store *s, unsigned users)
{
	struct store_trim trim = { 1, ROOMS_NOT, 1, 100, UINT64_MAX, 0 };
	struct times trims = { 0 };
	struct store_trimmed done;
	struct err err;
	uint64_t since;
	unsigned i;

	for (i = 0; i < 200; i++) {
		trim.user = 1 + i % users;
		since = now();
		if (store_trim(s, &trim, &done, &err) < 0)
			errx(1, "%s", err.text);
		times_add(&trims, since);
		if (trim.user == users)
			trim.from = done.from;
	}
	times_print(&trims, "trim of 100 at most");
}

static void
measure_log(const char *path, unsigned long entries, unsigned users)
{
	struct times opens = { 0 };
	uint64_t since = now(), last = entries / users;
	struct store *s;

	remove_store(path);
	s = open_store(path, STORE_SYNC_NORMAL);
	fill(s, entries, users);
	printf("%lu entries of %u users, filled in %.1f s\n", entries, users,
	    (double)(now() - since) / 1e9);
	since = now();
	store_close(&s);
	times_add(&opens, since);
	times_print(&opens, "close");
	printf("  %.1f MB\n", megabytes(path, ""));
	sync();
	since = now();
	s = open_store(path, STORE_SYNC_NORMAL);
	times_add(&opens, since);
	times_print(&opens, "open");
	measure_pages(s, last, users);
	measure_appends(s, last, users);
	measure_trim(s, users);
	store_close(&s);
	remove_store(path);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "log", required_argument,
						     NULL, 'l' },
		{ "path", required_argument, NULL, 'p' },
		{ "commits", required_argument, NULL, 'c' }, { 0 } };
	const char *path = "/tmp/store_bench.db";
	unsigned long entries = 0, commits = 10000;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'l')
			entries = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			path = optarg;
		else if (option == 'c')
			commits = strtoul(optarg, NULL, 10);
		else
			errx(2,
			    "usage: store_bench [--path FILE] "
			    "[--commits N | --log N]");
	}
	setlinebuf(stdout);
	if (entries > 0 && entries < USERS * RUN)
		errx(2, "--log: %d at least", USERS * RUN);
	if (entries == 0) {
		measure_all_commits(path, (unsigned)commits);
		return 0;
	}
	measure_log(path, 1000, 1);
	measure_log(path, entries, 2);
	measure_log(path, entries, USERS);
	return 0;
}
