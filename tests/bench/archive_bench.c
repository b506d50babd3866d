/*
 * What a log of millions costs that one of a thousand does not: by turns the same is
 * done with both, the medians are compared. archive_bench [--users N] [--entries N]
 * [--folder F]: so many entries of all users together in the large store, a thousand of
 * each in the small one. The last line is the verdict, and the exit status says the same.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "core/history.h"
#include "core/log_query.h"
#include "core/proxy.h"
#include "core/user.h"

enum {
	SMALL = 1000,
	PEERS = 10,
	BODY = 300,
	BATCH = 500,
	PAGE = 50,
	TIMES = 2000,
	OPENS = 5,
	GAP_MS = 1000,
	PASSED = 2 /* goal: not more than so many times as long */
};
#define BEGUN_MS   UINT64_C(1000000000000)
#define OPEN_GOAL  1e9 /* ns */
#define PEER_WORTH "friend7@example.org"

struct side {
	char *path;
	struct proxy proxy; /* its store is all that is looked at */
	struct batch batch;
	struct user *users;
	uint64_t entries; /* of each user, as it was filled */
};

static unsigned long user_count = 1;
static bool is_bad;

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* --- stores --- */

static void
unlink_all(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".run" };
	char *whole;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		whole = mem_printf("%s%s", path, ends[i]);
		unlink(whole);
		free(whole);
	}
}

static void
commit(struct side *s)
{
	struct store *store = s->proxy.store;
	struct err err;
	unsigned left;

	if (store_commit(store, &s->batch, &err) < 0 ||
	    (store_unfolded(store) >= 64 &&
		store_fold(store, 64, &left, &err) < 0))
		errx(1, "%s", err.text);
	if (store_wants_checkpoint(store))
		store_checkpoint(store);
}

static void
append(struct user *u)
{
	uint64_t n = history_next(u->history);
	struct entry *e = entry_new();
	char body[BODY];

	memset(body, 'x', sizeof(body));
	e->account = 1;
	e->type = TYPE_CHAT;
	e->time = e->stamp = BEGUN_MS + n * GAP_MS;
	e->peer = mem_printf("friend%u@example.org/phone",
	    (unsigned)random_below(PEERS));
	e->id = mem_printf("0123456789abcdef%llu", (unsigned long long)n);
	e->stanza_id = mem_strdup(e->id);
	e->has_body = e->is_eligible = true;
	e->body = blob_new(body, sizeof(body));
	history_append(u->history, e);
}

static void
save(struct side *s, const struct user *u)
{
	struct buf b = { 0 };

	history_pack(u->history, &b);
	batch_put(&s->batch, STATE_USER, u->id, NULL, 0, b.data, b.len);
	buf_free(&b);
}

static void
load_counts(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct unpack u;

	(void)key;
	(void)key_len;
	unpack_init(&u, value, len);
	history_unpack(arg, &u);
}

/* As user_new() begins. */
static void
find_history(struct side *s, struct user *u)
{
	struct err err;

	history_free(&u->history);
	u->history = history_new(s->proxy.store, &s->batch, u->id);
	if (store_each(s->proxy.store, STATE_USER, u->id, load_counts,
		u->history, &err) < 0)
		errx(1, "%s", err.text);
}

static void
open_side(struct side *s)
{
	struct err err;

	s->proxy.store = store_open(s->path, STORE_SYNC_NORMAL, &err);
	if (s->proxy.store == NULL)
		errx(1, "%s", err.text);
}

static void
find_users(struct side *s)
{
	struct user *u;
	struct err err;
	char *name;

	for (unsigned long i = 0; i < user_count; i++) {
		u = &s->users[i];
		name = mem_printf("user%lu", i);
		u->proxy = &s->proxy;
		u->id = store_user(s->proxy.store, name, &err);
		find_history(s, u);
		free(name);
	}
}

/* Some of each user by turns, as logs grow. */
static void
fill(struct side *s)
{
	uint64_t left = s->entries, some;

	for (; left > 0; left -= some) {
		some = left < BATCH ? left : BATCH;
		for (unsigned long i = 0; i < user_count; i++) {
			for (uint64_t n = 0; n < some; n++)
				append(&s->users[i]);
			save(s, &s->users[i]);
			commit(s);
		}
	}
}

static struct side *
side_new(const char *folder, const char *name, uint64_t entries)
{
	struct side *s = mem_alloc(sizeof(*s));
	uint64_t began = now();

	s->path = mem_printf("%s/archive_bench-%s.db", folder, name);
	s->entries = entries;
	s->users = mem_array(user_count, sizeof(*s->users));
	batch_init(&s->batch);
	unlink_all(s->path);
	open_side(s);
	find_users(s);
	fill(s);
	printf("%s: %lu users, %llu entries of each, filled in %.1f s\n", name,
	    user_count, (unsigned long long)entries,
	    (double)(now() - began) / 1e9);
	return s;
}

static void
close_side(struct side *s)
{
	for (unsigned long i = 0; i < user_count; i++)
		history_free(&s->users[i].history);
	store_close(&s->proxy.store);
}

static void
side_free(struct side *s)
{
	close_side(s);
	unlink_all(s->path);
	batch_fini(&s->batch);
	free(s->users);
	free(s->path);
	free(s);
}

/* --- what is measured --- */

static struct user *
any_user(struct side *s)
{
	return &s->users[random_below(user_count)];
}

/* So that a page is in front of it, and one behind it. */
static uint64_t
any_place(const struct side *s)
{
	return PAGE + random_below(s->entries - 2 * PAGE);
}

static bool
take(void *arg, struct entry *e)
{
	(void)e;
	return --*(unsigned *)arg > 0;
}

static void
read_page(struct user *u, struct store_query q)
{
	unsigned left = PAGE;
	struct err err;

	log_query_begin(u, &q);
	while (left > 0 && q.from < q.to)
		if (log_query_go_on(u, &q, take, &left, &err) < 0)
			errx(1, "%s", err.text);
}

static void
login(struct side *s)
{
	struct user *u = any_user(s);

	find_history(s, u);
	if (history_from(u->history, history_next(u->history)) != NULL)
		errx(1, "there is something to play");
}

/* What the first message after a start finds out, too. */
static void
login_talking(struct side *s)
{
	struct user *u = any_user(s);

	find_history(s, u);
	append(u);
	save(s, u);
	commit(s);
}

static void
append_one(struct side *s)
{
	struct user *u = any_user(s);

	append(u);
	save(s, u);
	commit(s);
}

static void
page_after(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .from = any_place(s), .to = UINT64_MAX });
}

static void
page_before(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .to = any_place(s), .backwards = true });
}

static void
page_last(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .to = UINT64_MAX, .backwards = true });
}

static void
page_from_time(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .to = UINT64_MAX,
		.start = BEGUN_MS + any_place(s) * GAP_MS });
}

static void
page_to_time(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .to = UINT64_MAX,
		.end = BEGUN_MS + any_place(s) * GAP_MS,
		.backwards = true });
}

static void
page_of_peer(struct side *s)
{
	read_page(any_user(s),
	    (struct store_query){ .to = any_place(s),
		.bare = PEER_WORTH,
		.backwards = true });
}

static const struct {
	const char *name;
	void (*work)(struct side *);
} rows[] = { { "login, nothing to play", login },
	{ "page behind a place", page_after },
	{ "page before a place", page_before }, { "the last page", page_last },
	{ "page from a time on", page_from_time },
	{ "page up to a time", page_to_time },
	{ "page of one peer before a place", page_of_peer },
	{ "append", append_one },
	{ "login and a first message", login_talking } };

/* --- the table --- */

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double
median(uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return (double)times[count / 2];
}

static void
print_row(const char *name, double small, double large, bool is_good)
{
	printf("  %-34s %10.1f %10.1f %8.2f%s\n", name, small / 1e3,
	    large / 1e3, large / small, is_good ? "" : "  too much");
	is_bad |= !is_good;
}

static void
measure(struct side *sides[2], size_t row)
{
	static uint64_t times[2][TIMES];
	double medians[2];
	uint64_t began;

	for (int i = 0; i < TIMES; i++) {
		for (int side = 0; side < 2; side++) {
			began = now();
			rows[row].work(sides[side]);
			times[side][i] = now() - began;
		}
	}
	for (int side = 0; side < 2; side++)
		medians[side] = median(times[side], TIMES);
	print_row(rows[row].name, medians[0], medians[1],
	    medians[1] <= medians[0] * PASSED);
}

static void
measure_opening(struct side *sides[2])
{
	uint64_t times[2][OPENS], began;
	double medians[2];

	for (int i = 0; i < OPENS; i++) {
		for (int side = 0; side < 2; side++) {
			close_side(sides[side]);
			began = now();
			open_side(sides[side]);
			find_users(sides[side]);
			times[side][i] = now() - began;
		}
	}
	for (int side = 0; side < 2; side++)
		medians[side] = median(times[side], OPENS);
	print_row("open, and find each user's log", medians[0], medians[1],
	    medians[1] < OPEN_GOAL);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "users", required_argument,
						     NULL, 'u' },
		{ "entries", required_argument, NULL, 'e' },
		{ "folder", required_argument, NULL, 'f' }, { 0 } };
	unsigned long entries = 5000000;
	const char *folder = "/tmp";
	struct side *sides[2];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'u')
			user_count = strtoul(optarg, NULL, 10);
		else if (option == 'e')
			entries = strtoul(optarg, NULL, 10);
		else if (option == 'f')
			folder = optarg;
		else
			errx(2,
			    "usage: archive_bench [--users N] "
			    "[--entries N] [--folder F]");
	}
	if (user_count == 0 || entries / user_count < SMALL)
		errx(2, "%d entries of each user at least", SMALL);
	setlinebuf(stdout);
	sides[0] = side_new(folder, "small", SMALL);
	sides[1] = side_new(folder, "large", entries / user_count);
	printf("  %-34s %10s %10s %8s\n", "medians in microseconds", "small",
	    "large", "ratio");
	measure_opening(sides);
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		measure(sides, row);
	side_free(sides[0]);
	side_free(sides[1]);
	puts(is_bad ? "too much" : "good");
	return is_bad;
}
