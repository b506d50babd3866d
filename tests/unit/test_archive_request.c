#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mod/archive_request.h"
#include "parsed.h"

#define FORM(fields) \
	"<x xmlns='jabber:x:data' type='submit'>" \
	"<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>" fields \
	"</x>"
#define FIELD(var, value) \
	"<field var='" var "'><value>" value "</value></field>"
#define SET(more) "<set xmlns='http://jabber.org/protocol/rsm'>" more "</set>"

static int
parse(struct arena *arena, const char *inside, struct archive_request *q,
    enum error_cond *cond)
{
	char xml[4096];
	const char *text;

	snprintf(xml, sizeof(xml),
	    "<query xmlns='urn:xmpp:mam:2' queryid='f27'>%s</query>", inside);
	return archive_request_parse(q, parsed(arena, xml), cond, &text);
}

static void
takes(struct arena *arena, const char *inside, struct archive_request *q)
{
	enum error_cond cond;

	if (parse(arena, inside, q, &cond) < 0)
		fail_msg("%s for %s", error_cond_name(cond), inside);
	assert_string_equal(q->query_id, "f27");
}

static void
what_is_asked_for(void **state)
{
	struct arena *arena = arena_new();
	struct archive_request q;

	(void)state;
	takes(arena, "", &q);
	assert_true(archive_request_synchronises(&q));
	assert_false(archive_request_is_filtered(&q));
	assert_false(q.has_max);
	assert_false(q.with_rooms);
	takes(arena,
	    FORM(FIELD("with", "Bob@B.example/X")
		    FIELD("start", "1970-01-01T00:00:01Z") FIELD("end",
			"1970-01-01T01:00:02+01:00") FIELD("after-id", "a")
			FIELD("before-id", "b")
			    FIELD("include-groupchat", "true")) "<flip-page/>",
	    &q);
	assert_string_equal(q.with, "bob@b.example/X");
	assert_true(q.has_start && q.has_end);
	assert_int_equal(q.start, 1000);
	assert_int_equal(q.end, 2000);
	assert_string_equal(q.after_id, "a");
	assert_string_equal(q.before_id, "b");
	assert_true(q.with_rooms);
	assert_true(q.flip);
	assert_false(archive_request_synchronises(&q));
	assert_true(archive_request_is_filtered(&q));
	takes(arena, FORM(FIELD("start", "1970-01-01T00:00:01Z")), &q);
	assert_true(archive_request_synchronises(&q));
	assert_true(archive_request_is_filtered(&q));
	takes(arena,
	    FORM("<field var='ids'><value>1</value><value>2</value></field>"),
	    &q);
	assert_non_null(q.ids);
	assert_false(archive_request_synchronises(&q));
	takes(arena, SET("<max>0</max>"), &q);
	assert_false(archive_request_synchronises(&q));
	takes(arena, SET("<max>1</max>"), &q);
	assert_true(archive_request_synchronises(&q));
	arena_free(&arena);
}

static void
pages(void **state)
{
	struct arena *arena = arena_new();
	struct archive_request q;

	(void)state;
	takes(arena, SET("<max>10</max><after>x</after>"), &q);
	assert_true(q.has_max);
	assert_int_equal(q.max, 10);
	assert_string_equal(q.after, "x");
	assert_null(q.before);
	takes(arena, SET("<max>0</max><before/>"), &q);
	assert_true(q.has_max);
	assert_int_equal(q.max, 0);
	assert_string_equal(q.before, "");
	takes(arena, SET("<after/>"), &q);
	assert_null(q.after);
	assert_false(archive_request_is_filtered(&q));
	arena_free(&arena);
}

/* XEP-0004 3.2, 3.6 */
static void
what_says_nothing_is_nothing(void **state)
{
	struct arena *arena = arena_new();
	struct archive_request q;

	(void)state;
	takes(arena,
	    FORM("<field var='with'/><field var='start'><value/></field>"
		 "<field type='fixed'><value>Look here</value></field>"
		 "<field var='ids'/><title>x</title>"),
	    &q);
	assert_false(archive_request_is_filtered(&q));
	arena_free(&arena);
}

static const struct {
	const char *inside;
	enum error_cond cond;
} wrong[] = {
	{ FORM(FIELD("text", "x")), ERR_FEATURE_NOT_IMPLEMENTED },
	{ FORM("<field/>"), ERR_FEATURE_NOT_IMPLEMENTED },
	{ SET("<index>0</index>"), ERR_FEATURE_NOT_IMPLEMENTED },
	{ FORM(FIELD("with", "@")), ERR_BAD_REQUEST },
	{ FORM(FIELD("with", "a@b") FIELD("with", "a@b")), ERR_BAD_REQUEST },
	{ FORM(
	      "<field var='with'><value>a@b</value><value>a@c</value></field>"),
	    ERR_BAD_REQUEST },
	{ FORM(FIELD("start", "now")), ERR_BAD_REQUEST },
	{ FORM(FIELD("end", "2025-13-01T00:00:00Z")), ERR_BAD_REQUEST },
	{ FORM(FIELD("include-groupchat", "yes")), ERR_BAD_REQUEST },
	{ "<x xmlns='jabber:x:data' type='submit'/>", ERR_BAD_REQUEST },
	{ "<x xmlns='jabber:x:data' type='submit'>" FIELD("FORM_TYPE",
	      "x") "</x>",
	    ERR_BAD_REQUEST },
	{ "<x xmlns='jabber:x:data' type='form'/>", ERR_BAD_REQUEST },
	{ "<x xmlns='jabber:x:data'/>", ERR_BAD_REQUEST },
	{ SET("<max/>"), ERR_BAD_REQUEST },
	{ SET("<max>x</max>"), ERR_BAD_REQUEST },
	{ SET("<max>99999999999999999999</max>"), ERR_BAD_REQUEST },
};

static void
what_is_wrong_is_an_error(void **state)
{
	struct arena *arena = arena_new();
	struct archive_request q;
	enum error_cond cond;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (parse(arena, wrong[i].inside, &q, &cond) == 0)
			fail_msg("taken: %s", wrong[i].inside);
		assert_string_equal(error_cond_name(cond),
		    error_cond_name(wrong[i].cond));
	}
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for),
		cmocka_unit_test(pages),
		cmocka_unit_test(what_says_nothing_is_nothing),
		cmocka_unit_test(what_is_wrong_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
