#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/blocklist.h"

#define MAX 300

static int
set_up(void **state)
{
	*state = blocklist_new(MAX);
	return 0;
}

static int
tear_down(void **state)
{
	struct blocklist *l = *state;

	blocklist_free(&l);
	return l == NULL ? 0 : -1;
}

static void
append(void *arg, const struct blocked *b)
{
	buf_printf(arg, "%s%s%s ", b->is_blocked ? "+" : "-", b->jid,
	    b->wish == WISH_BLOCK       ? "!block" :
		b->wish == WISH_UNBLOCK ? "!unblock" :
					  "");
}

static void
expect(const struct blocklist *l, const char *want)
{
	struct buf b = { 0 };

	blocklist_each(l, append, &b);
	assert_string_equal(b.data != NULL ? b.data : "", want);
	buf_free(&b);
}

static void
what_is_added_is_there_until_it_is_removed(void **state)
{
	struct blocklist *l = *state;
	uint64_t before;

	assert_int_equal(blocklist_count(l), 0);
	assert_true(blocklist_add(l, "a@x"));
	assert_false(blocklist_add(l, "a@x"));
	assert_true(blocklist_add(l, "b@x"));
	assert_int_equal(blocklist_count(l), 2);
	assert_true(blocklist_has(l, "a@x"));
	before = blocklist_changes(l);
	assert_true(blocklist_remove(l, "a@x"));
	assert_false(blocklist_remove(l, "a@x"));
	assert_false(blocklist_remove(l, "c@x"));
	assert_int_equal(blocklist_changes(l), before + 1);
	assert_false(blocklist_has(l, "a@x"));
	assert_int_equal(blocklist_count(l), 1);
	/* It is remembered, for those who have not heard of it. */
	expect(l, "+b@x -a@x ");
	assert_true(blocklist_add(l, "a@x"));
	expect(l, "+b@x +a@x ");
}

/* XEP-0191 section 6. */
static void
jids_match_in_the_order_of_the_xep(void **state)
{
	static const struct {
		const char *jid, *by;
	} rows[] = {
		{ "u@full/r", "u@full/r" },
		{ "u@full/s", NULL },
		{ "u@full", NULL },
		{ "u@bare/r", "u@bare" },
		{ "u@bare", "u@bare" },
		{ "v@bare/r", NULL },
		{ "bare", NULL },
		{ "res/r", "res/r" },
		{ "res/s", NULL },
		{ "res", NULL },
		{ "u@res/r", NULL },
		{ "dom", "dom" },
		{ "dom/r", "dom" },
		{ "u@dom", "dom" },
		{ "u@dom/r", "dom" },
		{ "u@sub.dom/r", NULL },
		{ "u@xdom", NULL },
		{ "all@dom2/r", "all@dom2/r" },
		{ "all@dom2/s", "all@dom2" },
		{ "one@dom2/s", "dom2" },
		{ "dom2/r", "dom2/r" },
		{ "dom2/s", "dom2" },
	};
	static const char *const list[] = { "u@full/r", "u@bare", "res/r",
		"dom", "dom2", "dom2/r", "all@dom2", "all@dom2/r" };
	struct blocklist *l = *state;
	const struct blocked *b;

	assert_null(blocklist_match(l, "u@dom/r", false));
	assert_int_equal(blocklist_replace(l, list,
			     sizeof(list) / sizeof(*list)),
	    0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		b = blocklist_match(l, rows[i].jid, false);
		if (rows[i].by == NULL)
			assert_null(b);
		else
			assert_string_equal(b->jid, rows[i].by);
		assert_null(blocklist_match(l, rows[i].jid, true));
	}
	assert_true(blocklist_remove(l, "u@bare"));
	assert_null(blocklist_match(l, "u@bare/r", false));
}

static void
a_whole_list_changes_what_differs(void **state)
{
	static const char *const list[] = { "b@x", "c@x" };
	static const char *const other[] = { "c@x", "d@x" };
	struct blocklist *l = *state;
	uint64_t before;

	assert_int_equal(blocklist_replace(l, list, 2), 0);
	before = blocklist_changes(l);
	assert_int_equal(blocklist_replace(l, list, 2), 0);
	assert_int_equal(blocklist_changes(l), before);
	assert_int_equal(blocklist_replace(l, other, 2), 0);
	assert_int_equal(blocklist_changes(l), before + 2);
	expect(l, "+c@x -b@x +d@x ");
	assert_int_equal(blocklist_replace(l, NULL, 0), 0);
	assert_int_equal(blocklist_count(l), 0);
	assert_true(blocklist_knows_since(l, 0));
}

static void
that_all_went_at_once_is_known_until_something_else_happens(void **state)
{
	struct blocklist *l = *state;

	assert_true(blocklist_was_cleared(l));
	blocklist_add(l, "a@x");
	assert_false(blocklist_was_cleared(l));
	blocklist_remove(l, "a@x");
	assert_false(blocklist_was_cleared(l));
	blocklist_note_cleared(l);
	assert_true(blocklist_was_cleared(l));
	blocklist_add(l, "a@x");
	blocklist_note_cleared(l);
	assert_false(blocklist_was_cleared(l));
}

static void
the_limit_holds_for_items_and_wishes(void **state)
{
	struct blocklist *l = *state;
	const char *jids[MAX + 1];
	char text[MAX + 1][16];

	for (int i = 0; i <= MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "%d@x", i);
		jids[i] = text[i];
	}
	assert_true(blocklist_has_room(l, MAX));
	assert_false(blocklist_has_room(l, MAX + 1));
	assert_int_equal(blocklist_replace(l, jids, MAX + 1), -1);
	assert_int_equal(blocklist_count(l), 0);
	assert_int_equal(blocklist_replace(l, jids, MAX - 1), 0);
	assert_true(blocklist_has_room(l, 1));
	assert_true(blocklist_wish(l, "w@x", WISH_UNBLOCK));
	assert_false(blocklist_has_room(l, 1));
	assert_false(blocklist_wish(l, "v@x", WISH_BLOCK));
	/* One that is there already takes no more. */
	assert_true(blocklist_wish(l, "1@x", WISH_UNBLOCK));
	assert_true(blocklist_wish(l, "1@x", WISH_BLOCK));
	blocklist_forget_wish(l, "w@x");
	assert_true(blocklist_add(l, "w@x"));
	assert_false(blocklist_add(l, "v@x"));
}

/* Then somebody who has not heard of it can only be told all. */
static void
what_went_long_ago_is_forgotten(void **state)
{
	struct blocklist *l = *state;
	char jid[16];

	for (int i = 0; i < MAX; i++) {
		snprintf(jid, sizeof(jid), "%d@x", i);
		blocklist_add(l, jid);
	}
	for (int i = 0; i < 256; i++) {
		snprintf(jid, sizeof(jid), "%d@x", i);
		blocklist_remove(l, jid);
	}
	assert_true(blocklist_knows_since(l, 0));
	blocklist_remove(l, "256@x");
	assert_false(blocklist_knows_since(l, 0));
	assert_false(blocklist_knows_since(l, MAX));
	assert_true(blocklist_knows_since(l, MAX + 1));
	assert_int_equal(blocklist_count(l), MAX - 257);
}

static void
the_last_wish_counts(void **state)
{
	struct blocklist *l = *state;

	blocklist_add(l, "a@x");
	assert_true(blocklist_wish(l, "b@x", WISH_BLOCK));
	assert_true(blocklist_wish(l, "a@x", WISH_UNBLOCK));
	expect(l, "+b@x!block -a@x!unblock ");
	assert_non_null(blocklist_match(l, "b@x/r", true));
	assert_null(blocklist_match(l, "a@x/r", false));
	assert_true(blocklist_wish(l, "b@x", WISH_UNBLOCK));
	assert_true(blocklist_wish(l, "a@x", WISH_BLOCK));
	expect(l, "-b@x!unblock +a@x!block ");
	blocklist_forget_wish(l, "a@x");
	blocklist_forget_wish(l, "b@x");
	blocklist_forget_wish(l, "c@x");
	expect(l, "-b@x +a@x ");
	assert_null(blocklist_match(l, "a@x", true));
}

/* --- on disk --- */

#define SAVED_MAX 600

struct disk {
	char *jids[SAVED_MAX];
	struct buf values[SAVED_MAX], self;
	const struct blocklist *list;
};

static size_t
slot(struct disk *d, const char *jid)
{
	size_t i = 0;

	while (d->jids[i] != NULL && strcmp(d->jids[i], jid) != 0)
		i++;
	if (d->jids[i] == NULL)
		d->jids[i] = mem_strdup(jid);
	return i;
}

static void
save_item(void *arg, const struct blocked *b)
{
	struct disk *d = arg;
	struct buf *value = &d->values[slot(d, b->jid)];

	buf_clear(value);
	blocklist_pack_item(b, value);
}

static void
save_no_more(void *arg, const char *jid)
{
	struct disk *d = arg;

	buf_clear(&d->values[slot(d, jid)]);
}

static void
save_self(void *arg)
{
	struct disk *d = arg;

	buf_clear(&d->self);
	blocklist_pack(d->list, &d->self);
}

static const struct blocklist_keeper keeper = {
	.item = save_item,
	.forgotten = save_no_more,
	.self = save_self,
};

static struct blocklist *
read_back(struct disk *d)
{
	struct blocklist *l = blocklist_new(MAX);
	struct unpack u;

	unpack_init(&u, d->self.data, d->self.len);
	blocklist_unpack(l, &u);
	for (size_t i = 0; d->jids[i] != NULL; i++) {
		unpack_init(&u, d->values[i].data, d->values[i].len);
		if (d->values[i].len > 0)
			blocklist_restore(l, d->jids[i], &u);
	}
	blocklist_set_keeper(l, &keeper, d);
	return l;
}

static void
disk_fini(struct disk *d)
{
	for (size_t i = 0; d->jids[i] != NULL; i++) {
		free(d->jids[i]);
		buf_free(&d->values[i]);
	}
	buf_free(&d->self);
}

/* What there is but a wish for has no place in the order. */
static void
append_changed(void *arg, const struct blocked *b)
{
	if (b->change > 0)
		append(arg, b);
}

static void
expect_same(const struct blocklist *l, const struct blocklist *other)
{
	struct buf a = { 0 }, b = { 0 };

	blocklist_each(l, append_changed, &a);
	blocklist_each(other, append_changed, &b);
	assert_string_equal(a.data, b.data);
	buf_free(&a);
	buf_free(&b);
	assert_int_equal(blocklist_count(l), blocklist_count(other));
	assert_int_equal(blocklist_changes(l), blocklist_changes(other));
	assert_int_equal(blocklist_place(l), blocklist_place(other));
}

/* After each change what is on disk is the list, in its order. */
static void
it_is_the_same_from_disk(void **state)
{
	struct blocklist *l = *state, *back;
	static struct disk d;
	char jid[16];

	d.list = l;
	assert_false(blocklist_is_kept(l));
	blocklist_set_keeper(l, &keeper, &d);
	assert_true(blocklist_is_kept(l));
	blocklist_set_place(l, BLOCKS_HERE);
	for (int i = 0; i < 2000; i++) {
		snprintf(jid, sizeof(jid), "%d@x", i * 7919 % 290);
		if (i % 5 == 0)
			blocklist_wish(l, jid,
			    i % 2 ? WISH_BLOCK : WISH_UNBLOCK);
		else if (i % 5 == 1)
			blocklist_forget_wish(l, jid);
		else if (i % 3 == 0)
			blocklist_remove(l, jid);
		else
			blocklist_add(l, jid);
		if (i % 100 != 99)
			continue;
		back = read_back(&d);
		expect_same(back, l);
		blocklist_free(&back);
	}
	blocklist_replace(l, NULL, 0);
	back = read_back(&d);
	expect_same(back, l);
	assert_int_equal(blocklist_knows_since(back, 1),
	    blocklist_knows_since(l, 1));
	blocklist_free(&back);
	disk_fini(&d);
}

static void
what_is_damaged_on_disk_is_not_there(void **state)
{
	struct blocklist *l = *state;
	struct unpack u;

	unpack_init(&u, "\x01\x07\x01\x01", 4); /* a wish that is none */
	blocklist_restore(l, "a@x", &u);
	unpack_init(&u, "\x01", 1);
	blocklist_restore(l, "b@x", &u);
	unpack_init(&u, "\x09\x01\x01", 3);
	blocklist_unpack(l, &u);
	unpack_init(&u, "", 0);
	blocklist_unpack(l, &u);
	assert_int_equal(blocklist_place(l), BLOCKS_UNKNOWN);
	expect(l, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_added_is_there_until_it_is_removed),
		TEST(jids_match_in_the_order_of_the_xep),
		TEST(a_whole_list_changes_what_differs),
		TEST(
		    that_all_went_at_once_is_known_until_something_else_happens),
		TEST(the_limit_holds_for_items_and_wishes),
		TEST(what_went_long_ago_is_forgotten),
		TEST(the_last_wish_counts),
		TEST(it_is_the_same_from_disk),
		TEST(what_is_damaged_on_disk_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
