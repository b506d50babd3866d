#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "core/roster.h"
#include "parsed.h"

#define ITEM(attrs) "<item " attrs "/>"
#define QUERY(attrs, items) \
	"<query xmlns='jabber:iq:roster' " attrs ">" items "</query>"

struct fixture {
	struct arena *arena;
	struct roster *roster;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f.arena = arena_new();
	f.roster = roster_new(3, 2);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	roster_free(&f->roster);
	return f->roster == NULL ? 0 : -1;
}

static int
load(struct fixture *f, const char *query)
{
	return roster_load(f->roster, parsed(f->arena, query));
}

static int
push(struct fixture *f, const char *query)
{
	return roster_push(f->roster, parsed(f->arena, query));
}

static void
expect_items(const struct roster *r, const char *want)
{
	struct buf out = { 0 };

	roster_write(r, &out);
	assert_string_equal(out.data == NULL ? "" : out.data, want);
	buf_free(&out);
}

static void
test_load(void **state)
{
	struct fixture *f = *state;
	struct roster *r = f->roster;

	assert_false(roster_is_known(r));
	assert_null(roster_ver(r));
	assert_int_equal(
	    load(f,
		QUERY("ver='v1'",
		    "<item jid='B@Example.org' name='B' subscription='both'>"
		    "<group>x &amp; y</group><p:q xmlns:p='z' "
		    "p:a='1'/></item>" ITEM("jid='a@b' ask='subscribe'"))),
	    0);
	assert_true(roster_is_known(r));
	assert_string_equal(roster_ver(r), "v1");
	assert_int_equal(roster_count(r), 2);
	assert_non_null(roster_find(r, "b@example.org"));
	assert_null(roster_find(r, "c@d"));
	assert_int_equal(roster_find(r, "a@b")->subscription, SUB_NONE);
	assert_string_equal(roster_find(r, "a@b")->xml,
	    "<item jid='a@b' ask='subscribe'/>");
	/* What comes without `ver` is of a server that has none. */
	assert_int_equal(load(f, QUERY("", ITEM("jid='c@d'"))), 0);
	assert_null(roster_ver(r));
	expect_items(r, "<item jid='c@d'/>");
	assert_int_equal(load(f, QUERY("", "")), 0);
	expect_items(r, "");
	assert_true(roster_is_known(r));
}

/* All that an item holds is there again where the bytes are read. */
static void
test_item_is_self_contained(void **state)
{
	struct fixture *f = *state;
	const struct elem *query;
	struct buf out = { 0 };

	query = parsed(f->arena,
	    "<p:query xmlns:p='jabber:iq:roster' "
	    "xmlns:o='other'><p:item jid='a@b' name='&lt;&apos;'>"
	    "<p:group>x</p:group><o:more o:a='1'/></p:item></p:query>");
	assert_int_equal(roster_load(f->roster, query), 0);
	buf_puts(&out, "<query xmlns='jabber:iq:roster'>");
	roster_write(f->roster, &out);
	buf_puts(&out, "</query>");
	assert_true(elem_equals(query, parsed(f->arena, out.data)));
	buf_free(&out);
}

static void
test_subscriptions(void **state)
{
	static const struct {
		const char *value;
		bool sees_us;
	} rows[] = {
		{ "none", false },
		{ "to", false },
		{ "from", true },
		{ "both", true },
		{ "nonsense", false },
	};
	struct fixture *f = *state;
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
		    QUERY("", ITEM("jid='a@b' subscription='%s'")),
		    rows[i].value);
		assert_int_equal(load(f, text), 0);
		assert_int_equal(roster_sees_us(f->roster, "a@b"),
		    rows[i].sees_us);
	}
	assert_false(roster_sees_us(f->roster, "c@d"));
}

static void
test_push(void **state)
{
	struct fixture *f = *state;
	struct roster *r = f->roster;

	load(f, QUERY("ver='v1'", ITEM("jid='a@b'") ITEM("jid='c@d'")));
	assert_int_equal(push(f,
			     QUERY("ver='v2'",
				 ITEM("jid='A@b' subscription='to'"))),
	    0);
	assert_string_equal(roster_ver(r), "v2");
	assert_int_equal(push(f, QUERY("", ITEM("jid='e@f'"))), 0);
	assert_string_equal(roster_ver(r), "v2");
	expect_items(r,
	    "<item jid='A@b' subscription='to'/>"
	    "<item jid='c@d'/><item jid='e@f'/>");
	assert_int_equal(push(f,
			     QUERY("ver='v3'",
				 ITEM("jid='c@d' subscription='remove'"))),
	    0);
	assert_null(roster_find(r, "c@d"));
	assert_int_equal(push(f,
			     QUERY("ver='v4'",
				 ITEM("jid='c@d' subscription='remove'"))),
	    0);
	assert_string_equal(roster_ver(r), "v4");
	assert_int_equal(roster_count(r), 2);
}

static void
test_push_that_is_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(push(f, QUERY("ver='v'", "")), -1);
	assert_int_equal(push(f,
			     QUERY("ver='v'",
				 ITEM("jid='a@b'") ITEM("jid='c@d'"))),
	    -1);
	assert_int_equal(push(f, QUERY("ver='v'", "<other/>")), -1);
	assert_int_equal(push(f, QUERY("ver='v'", ITEM("jid='@'"))), -1);
	assert_int_equal(push(f, QUERY("ver='v'", ITEM("name='x'"))), -1);
	assert_int_equal(roster_count(f->roster), 0);
	assert_null(roster_ver(f->roster));
}

static void
test_limit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f,
			     QUERY("ver='v1'",
				 ITEM("jid='1@b'") ITEM("jid='2@b'")
				     ITEM("jid='3@b'"))),
	    0);
	assert_int_equal(load(f,
			     QUERY("ver='v2'",
				 ITEM("jid='4@b'") ITEM("jid='5@b'")
				     ITEM("jid='6@b'") ITEM("jid='7@b'"))),
	    -1);
	assert_int_equal(roster_count(f->roster), 3);
	assert_non_null(roster_find(f->roster, "1@b"));
	assert_string_equal(roster_ver(f->roster), "v1");
	assert_int_equal(push(f, QUERY("ver='v2'", ITEM("jid='4@b'"))), -1);
	assert_string_equal(roster_ver(f->roster), "v1");
	assert_int_equal(push(f, QUERY("", ITEM("jid='3@b' name='still'"))), 0);
}

static void
count_line(enum log_level level, const char *line, void *arg)
{
	assert_int_equal(level, LEVEL_WARN);
	assert_non_null(strstr(line, "event=item-skipped"));
	++*(int *)arg;
}

static void
test_no_jid_is_skipped(void **state)
{
	struct fixture *f = *state;
	int lines = 0;

	log_capture(count_line, &lines);
	assert_int_equal(load(f,
			     QUERY("",
				 ITEM("jid='@'") ITEM("jid='a@b'")
				     ITEM("name='none'") ITEM(
					 "jid='c@d' subscription='remove'"))),
	    0);
	log_capture(NULL, NULL);
	assert_int_equal(lines, 2);
	expect_items(f->roster, "<item jid='a@b'/>");
}

/* Whether roster_own_ver() is another one than before; remembers it. */
static bool
has_changed(struct roster *r, char before[64])
{
	bool changed = strcmp(before, roster_own_ver(r)) != 0;

	snprintf(before, 64, "%s", roster_own_ver(r));
	return changed;
}

static void
test_own_ver(void **state)
{
	struct fixture *f = *state;
	struct roster *other = roster_new(1, 2);
	char ver[64] = "";

	assert_true(has_changed(f->roster, ver));
	assert_false(has_changed(other, ver));
	roster_put(other, "a@b", ITEM("jid='a@b'"), SUB_NONE);
	assert_true(has_changed(other, ver));
	load(f, QUERY("ver='1'", ITEM("jid='a@b'") ITEM("jid='c@d'")));
	assert_true(has_changed(f->roster, ver));
	load(f, QUERY("ver='2'", ITEM("jid='a@b'") ITEM("jid='c@d'")));
	assert_false(has_changed(f->roster, ver));
	load(f, QUERY("ver='3'", ITEM("jid='a@b'") ITEM("jid='e@f'")));
	assert_true(has_changed(f->roster, ver));
	load(f, QUERY("ver='3'", ITEM("jid='a@b'")));
	assert_true(has_changed(f->roster, ver));
	/* The same as what has the same, by whatever way it became that. */
	assert_false(has_changed(other, ver));
	roster_free(&other);
	push(f, QUERY("ver='4'", ITEM("jid='a@b'")));
	assert_false(has_changed(f->roster, ver));
	push(f, QUERY("ver='5'", ITEM("jid='a@b' name='x'")));
	assert_true(has_changed(f->roster, ver));
	push(f, QUERY("ver='6'", ITEM("jid='a@b' subscription='remove'")));
	assert_true(has_changed(f->roster, ver));
	push(f, QUERY("ver='7'", ITEM("jid='a@b' subscription='remove'")));
	assert_false(has_changed(f->roster, ver));
	roster_set_ver(f->roster, "8");
	assert_string_equal(roster_ver(f->roster), "8");
	roster_set_ver(f->roster, roster_ver(f->roster));
	assert_string_equal(roster_ver(f->roster), "8");
}

/* --- on disk --- */

static void
kept_item(void *arg, const char *jid, const char *xml, uint64_t change)
{
	buf_printf(arg, "%s#%u=%s ", jid, (unsigned)change,
	    xml != NULL ? xml : "-");
}

static void
kept_no_more(void *arg, const char *jid)
{
	buf_printf(arg, "%s forgotten ", jid);
}

static void
kept_self(void *arg)
{
	buf_puts(arg, "self ");
}

static const struct roster_keeper keeper = {
	.item = kept_item,
	.forgotten = kept_no_more,
	.self = kept_self,
};

static void
expect_kept(struct buf *b, const char *what)
{
	assert_string_equal(b->data != NULL ? b->data : "", what);
	buf_clear(b);
}

#define A "<item jid='a@b'/>"
#define B "<item jid='b@b'/>"
#define C "<item jid='b@b' name='C'/>"

/* Each change has a number; what is told again is none. */
static void
test_keeper(void **state)
{
	struct fixture *f = *state;
	struct buf b = { 0 };

	roster_set_keeper(f->roster, &keeper, &b);
	load(f, QUERY("ver='1'", A B));
	expect_kept(&b, "self a@b#2=" A " self b@b#3=" B " self self ");
	load(f, QUERY("ver='1'", A B));
	expect_kept(&b, "self ");
	push(f, QUERY("ver='2'", C));
	expect_kept(&b, "self b@b#4=" C " self ");
	push(f, QUERY("ver='2'", C));
	expect_kept(&b, "");
	push(f, QUERY("", "<item jid='a@b' subscription='remove'/>"));
	expect_kept(&b, "self a@b#5=- ");
	load(f, QUERY("", A));
	expect_kept(&b, "self b@b#6=- self a@b#7=" A " self self ");
	assert_int_equal(roster_changes(f->roster), 7);
	roster_set_keeper(f->roster, NULL, NULL);
	buf_free(&b);
}

static void
since(void *arg, const char *jid, const char *xml)
{
	buf_printf(arg, "%s ", xml != NULL ? xml : jid);
}

static void
expect_since(struct fixture *f, uint64_t change, const char *what)
{
	struct buf b = { 0 };

	buf_puts(&b, "");
	roster_each_since(f->roster, change, since, &b);
	assert_string_equal(b.data, what);
	buf_free(&b);
}

static void
test_changes_since(void **state)
{
	struct fixture *f = *state;

	expect_since(f, 0, "");
	load(f, QUERY("", A B));
	expect_since(f, 0, A " " B " ");
	expect_since(f, 2, B " ");
	expect_since(f, 3, "");
	/* The same anew: what changed last is still that. */
	load(f, QUERY("", A B));
	expect_since(f, 2, B " ");
	push(f, QUERY("", "<item jid='a@b' subscription='remove'/>"));
	expect_since(f, 3, "a@b ");
	/* It came back: it is not gone. */
	push(f, QUERY("", A));
	expect_since(f, 3, A " ");
	expect_since(f, roster_changes(f->roster), "");
}

static void
test_restored(void **state)
{
	struct fixture *f = *state;
	struct roster *r = roster_new(3, 2);
	struct buf b = { 0 };
	struct unpack u;

	load(f, QUERY("ver='1'", A B));
	push(f, QUERY("ver='2'", "<item jid='a@b' subscription='remove'/>"));
	roster_pack(f->roster, &b);
	unpack_init(&u, b.data, b.len);
	roster_restore_item(r, "b@b", B, 3);
	roster_unpack(r, &u);
	assert_true(unpack_is_good(&u) && unpack_is_over(&u));
	roster_restore_item(r, "a@b", NULL, 4);
	roster_restore_item(r, "broken@b", "<item", 5);
	assert_true(roster_is_known(r));
	assert_string_equal(roster_ver(r), "2");
	assert_string_equal(roster_own_ver(r), roster_own_ver(f->roster));
	assert_int_equal(roster_changes(r), roster_changes(f->roster));
	assert_int_equal(roster_count(r), 1);
	roster_free(&f->roster);
	f->roster = r;
	expect_since(f, 3, "a@b ");
	expect_since(f, 0, B " a@b ");
	/* Cut short it is as if it had never been told. */
	for (size_t len = 0; len + 1 < b.len; len++) {
		r = roster_new(3, 2);
		unpack_init(&u, b.data, len);
		roster_unpack(r, &u);
		roster_free(&r);
	}
	buf_free(&b);
}

static void
come_and_go(struct fixture *f, unsigned n)
{
	struct buf query = { 0 };

	buf_printf(&query, QUERY("", "<item jid='%u@b'/>"), n);
	push(f, query.data);
	buf_clear(&query);
	buf_printf(&query,
	    QUERY("", "<item jid='%u@b' subscription='remove'/>"), n);
	push(f, query.data);
	buf_free(&query);
}

/*
 * roster-removals: so many that were removed are remembered; the oldest are forgotten,
 * on disk too, and who has not heard of them cannot be told.
 */
static void
test_removed_are_bounded(void **state)
{
	struct fixture *f = *state;
	uint64_t start = roster_changes(f->roster);
	struct buf b = { 0 };

	roster_set_keeper(f->roster, &keeper, &b);
	for (unsigned i = 0; i < 2; i++)
		come_and_go(f, i);
	assert_null(strstr(b.data, "forgotten"));
	assert_true(roster_can_tell(f->roster, start));
	come_and_go(f, 2);
	assert_non_null(strstr(b.data, "0@b forgotten"));
	assert_null(strstr(b.data, "1@b forgotten"));
	expect_since(f, start, "1@b 2@b ");
	/* The first came with the number after start, and went with the next. */
	assert_false(roster_can_tell(f->roster, start + 1));
	assert_true(roster_can_tell(f->roster, start + 2));
	assert_true(roster_can_tell(f->roster, start + 6));
	assert_false(roster_can_tell(f->roster, start + 7));
	roster_set_keeper(f->roster, NULL, NULL);
	buf_free(&b);
}

/* In whatever order the store has them, the oldest go first; so after a restart. */
static void
test_forgotten_after_restart(void **state)
{
	struct fixture *f = *state;
	struct roster *r = roster_new(3, 2);
	struct buf b = { 0 };
	struct unpack u;

	for (unsigned i = 0; i < 3; i++)
		come_and_go(f, i);
	roster_pack(f->roster, &b);
	unpack_init(&u, b.data, b.len);
	roster_unpack(r, &u);
	buf_free(&b);
	assert_false(roster_can_tell(r, 2));
	assert_true(roster_can_tell(r, 3));
	roster_restore_item(r, "c@b", NULL, 7);
	roster_restore_item(r, "a@b", NULL, 5);
	roster_restore_item(r, "b@b", NULL, 6);
	assert_false(roster_can_tell(r, 4));
	assert_true(roster_can_tell(r, 5));
	roster_free(&f->roster);
	f->roster = r;
	expect_since(f, 0, "b@b c@b ");
}

/* One that is made here: put and dropped, with a number each. */
static void
test_put(void **state)
{
	struct fixture *f = *state;
	struct roster *r = f->roster;

	assert_true(roster_put(r, "a@b", A, SUB_TO));
	assert_false(roster_put(r, "a@b", A, SUB_TO));
	assert_int_equal(roster_changes(r), 2);
	assert_int_equal(roster_find(r, "a@b")->subscription, SUB_TO);
	assert_false(roster_drop(r, "b@b"));
	assert_true(roster_drop(r, roster_find(r, "a@b")->jid));
	expect_since(f, 2, "a@b ");
	expect_items(r, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_load),
		TEST(test_item_is_self_contained),
		TEST(test_subscriptions),
		TEST(test_push),
		TEST(test_push_that_is_none),
		TEST(test_limit),
		TEST(test_no_jid_is_skipped),
		TEST(test_own_ver),
		TEST(test_keeper),
		TEST(test_changes_since),
		TEST(test_restored),
		TEST(test_removed_are_bounded),
		TEST(test_forgotten_after_restart),
		TEST(test_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
