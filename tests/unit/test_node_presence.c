#include "support_talk.h"

#include "core/node_presence.h"
#include "core/presences.h"

#define WORK \
	"accounts <account jid='work@w.example' passwd='secret' " \
	"resource='up' host='127.0.0.1' tls='none'/>"

static void
set(struct account *a, const char *from, const char *body)
{
	struct blob *b = blob_new(body, strlen(body));

	assert_true(presences_set(a->presences,
	    &(struct presence){ .from = (char *)from, .body = b }));
	blob_unref(&b);
}

static struct account *
shown(void **state, const char *view)
{
	struct arena *arena = arena_new();
	struct account *a;

	a = node_shown(talk_user(state), arena, view).account;
	arena_free(&arena);
	return a;
}

static void
the_first_account_s_is_shown(void **state)
{
	struct account *a, *b;

	TALK(state, WORK, "connect C1");
	a = talk_account(state);
	b = LIST_NEXT(a, next);
	assert_null(shown(state, "bob@b.example/x"));
	set(b, "bob@b.example/x", "");
	assert_ptr_equal(shown(state, "bob@b.example/x"), b);
	set(a, "bob@b.example/x", "");
	assert_ptr_equal(shown(state, "bob@b.example/x"), a);
	presences_remove(a->presences, "bob@b.example/x");
	assert_ptr_equal(shown(state, "bob@b.example/x"), b);
	/* Under the view's names. */
	set(b, "work@w.example/phone", "");
	assert_ptr_equal(shown(state, "alice@proxy.example/phone"), b);
	assert_null(shown(state, "work@w.example/phone"));
	set(a, "work@w.example/phone", "");
	assert_ptr_equal(shown(state, "work@w.example/phone"), a);
}

/* Whether it is news what that account says of bob; NULL: that he is gone. */
static bool
is_news(void **state, struct account *a, const char *body)
{
	struct arena *arena = arena_new();
	struct node_before before;
	struct node_shown now;
	bool is;

	node_before_init(&before, a, "bob@b.example/x");
	if (body != NULL)
		set(a, "bob@b.example/x", body);
	else
		presences_remove(a->presences, "bob@b.example/x");
	now = node_shown(talk_user(state), arena, "bob@b.example/x");
	is = node_is_news(&before, a, &now);
	node_before_fini(&before);
	arena_free(&arena);
	return is;
}

static void
what_differs_from_what_was_shown_is_news(void **state)
{
	struct account *a, *b;

	TALK(state, WORK, "connect C1");
	a = talk_account(state);
	b = LIST_NEXT(a, next);
	assert_true(is_news(state, b, "<show>dnd</show>"));
	assert_true(is_news(state, b, "<show>dnd</show>"));
	assert_false(is_news(state, a, "<show>dnd</show>"));
	assert_true(is_news(state, a, "<show>dnd</show>"));
	assert_false(is_news(state, b, "<show>away</show>"));
	assert_true(is_news(state, a, NULL));
	assert_true(is_news(state, a, "<show>xa</show>"));
	assert_false(is_news(state, b, "<show>xa</show>"));
	assert_false(is_news(state, a, NULL));
	assert_true(is_news(state, b, NULL));
	/* Nobody saw it. */
	assert_true(is_news(state, b, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(the_first_account_s_is_shown),
		talk_test(what_differs_from_what_was_shown_is_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
