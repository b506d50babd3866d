#include "support_talk.h"

#include "core/node_roster.h"
#include "core/roster.h"
#include "parsed.h"

#define WORK \
	"accounts <account jid='work@w.example' passwd='secret' " \
	"resource='up' host='127.0.0.1' tls='none'/>"

/* --- two items --- */

static void
expect_joined(const char *one, const char *other, const char *want)
{
	struct arena *arena = arena_new();
	struct elem *query, *into;

	query = parsed(arena, "<query xmlns='jabber:iq:roster'/>");
	into = elem_append(query,
	    elem_copy(arena, elem_first(parsed(arena, one))));
	node_roster_join(into, elem_first(parsed(arena, other)));
	if (!elem_equals(into, elem_first(parsed(arena, want))))
		fail_msg("%s and %s are not %s", one, other, want);
	arena_free(&arena);
}

#define ITEM(attrs, groups) \
	"<query xmlns='jabber:iq:roster'><item " attrs ">" groups \
	"</item></query>"
#define GROUP(name) "<group>" name "</group>"

static void
the_first_name_counts(void **state)
{
	(void)state;
	expect_joined(ITEM("name='A'", ""), ITEM("name='B'", ""),
	    ITEM("name='A' subscription='none'", ""));
	expect_joined(ITEM("name=''", ""), ITEM("name='B'", ""),
	    ITEM("name='B' subscription='none'", ""));
	expect_joined(ITEM("", ""), ITEM("name='B'", ""),
	    ITEM("name='B' subscription='none'", ""));
}

static void
groups_are_a_union(void **state)
{
	(void)state;
	expect_joined(ITEM("", GROUP("x") GROUP("y")),
	    ITEM("", GROUP("y") GROUP("z")),
	    ITEM("subscription='none'", GROUP("x") GROUP("y") GROUP("z")));
}

static void
expect_subscription(const char *one, const char *other, const char *want)
{
	char a[256], b[256], c[256];

	snprintf(a, sizeof(a), ITEM("subscription='%s'", ""), one);
	snprintf(b, sizeof(b), ITEM("subscription='%s'", ""), other);
	snprintf(c, sizeof(c), ITEM("subscription='%s'", ""), want);
	expect_joined(a, b, c);
	expect_joined(b, a, c);
}

static void
the_strongest_subscription_counts(void **state)
{
	(void)state;
	expect_subscription("none", "none", "none");
	expect_subscription("none", "to", "to");
	expect_subscription("none", "from", "from");
	expect_subscription("to", "from", "both");
	expect_subscription("to", "both", "both");
	expect_subscription("from", "both", "both");
	expect_subscription("what", "to", "to");
}

static void
ask_stands_as_long_as_nobody_has_it(void **state)
{
	(void)state;
	expect_joined(ITEM("ask='subscribe'", ""), ITEM("", ""),
	    ITEM("ask='subscribe' subscription='none'", ""));
	expect_joined(ITEM("", ""),
	    ITEM("ask='subscribe' subscription='from'", ""),
	    ITEM("ask='subscribe' subscription='from'", ""));
	expect_joined(ITEM("ask='subscribe'", ""),
	    ITEM("subscription='to'", ""), ITEM("subscription='to'", ""));
	expect_joined(ITEM("subscription='both'", ""),
	    ITEM("ask='subscribe' approved='1'", ""),
	    ITEM("subscription='both' approved='true'", ""));
}

/* --- names --- */

static void
own_names_are_the_view_s(void **state)
{
	struct account *a;
	struct arena *arena = arena_new();

	TALK(state, WORK, "connect C1");
	a = talk_account(state);
	assert_string_equal(node_jid_down(a, arena, "alice@a.example"),
	    "alice@proxy.example");
	assert_string_equal(node_jid_down(a, arena, "alice@a.example/x"),
	    "alice@proxy.example/x");
	assert_string_equal(node_jid_down(a, arena, "work@w.example/x"),
	    "work@w.example/x");
	assert_string_equal(node_jid_up(a, arena, "alice@proxy.example/x"),
	    "alice@a.example/x");
	assert_string_equal(node_jid_up(a, arena, "bob@b.example"),
	    "bob@b.example");
	assert_null(node_jid_up(a, arena, "alice@a.example"));
	arena_free(&arena);
}

/* --- all of it --- */

static void
expect_roster(void **state, const char *want)
{
	struct buf b = { 0 };

	buf_puts(&b, "");
	roster_write(node_roster(talk_user(state)), &b);
	assert_string_equal(b.data, want);
	buf_free(&b);
}

/* It is made when it is asked for, and follows from then on. */
static void
it_is_made_when_asked_for(void **state)
{
	TALK(state, WORK, "roster <item jid='bob@b.example'/>", "login C1");
	assert_null(talk_user(state)->roster);
	TALK(state,
	    "S2> <iq type='set' to='$S2' id='1'><query "
	    "xmlns='jabber:iq:roster'><item jid='eve@e.example'/></query></iq>",
	    "drain");
	assert_null(talk_user(state)->roster);
	expect_roster(state,
	    "<item jid='bob@b.example'/><item jid='eve@e.example'/>");
	TALK(state,
	    "S2> <iq type='set' to='$S2' id='2'><query "
	    "xmlns='jabber:iq:roster'><item jid='bob@b.example' name='B'/>"
	    "</query></iq>",
	    "drain");
	expect_roster(state,
	    "<item jid='bob@b.example' name='B' subscription='none'/>"
	    "<item jid='eve@e.example'/>");
}

/*
 * An account that is taken out of the configuration takes its contacts with it, but for
 * those that others have; one that comes brings them.
 */
static void
accounts_come_and_go(void **state)
{
	struct user *u;
	const struct user_config *before;
	struct user_config one, turned;
	struct account_config a, b;

	TALK(state, WORK, "roster <item jid='bob@b.example' name='Bob'/>",
	    "roster S2 <item jid='bob@b.example' name='Rob'/>"
	    "<item jid='eve@e.example'/>",
	    "login C1 view=node");
	u = talk_user(state);
	before = u->config;
	a = *STAILQ_FIRST(&before->accounts);
	b = *STAILQ_NEXT(STAILQ_FIRST(&before->accounts), next);
	/* The other order: the other name. */
	turned = *before;
	STAILQ_INIT(&turned.accounts);
	STAILQ_INSERT_TAIL(&turned.accounts, &b, next);
	STAILQ_INSERT_TAIL(&turned.accounts, &a, next);
	user_reload(u, &turned);
	TALK(state, "wait 0s",
	    "C1< <iq type='set' ...><query xmlns='jabber:iq:roster' ver='...'>"
	    "<item jid='bob@b.example' name='Rob' subscription='none'/>"
	    "</query></iq>",
	    "nothing");
	one = *before;
	STAILQ_INIT(&one.accounts);
	STAILQ_INSERT_TAIL(&one.accounts, &a, next);
	user_reload(u, &one);
	TALK(state, "wait 0s",
	    "C1<~ <iq type='set' ...><query xmlns='jabber:iq:roster' "
	    "ver='...'><item jid='bob@b.example' name='Bob'/></query></iq>",
	    "C1<~ <iq type='set' ...><query xmlns='jabber:iq:roster' "
	    "ver='...'><item jid='eve@e.example' subscription='remove'/>"
	    "</query></iq>",
	    "nothing C1");
	/* What was kept of it is pushed at once, whether its server is there or not. */
	user_reload(u, before);
	TALK(state, "wait 0s",
	    "C1<~ <iq type='set' ...><query xmlns='jabber:iq:roster' "
	    "ver='...'><item jid='bob@b.example' name='Bob' "
	    "subscription='none'/></query></iq>",
	    "C1<~ <iq type='set' ...><query xmlns='jabber:iq:roster' "
	    "ver='...'><item jid='eve@e.example'/></query></iq>",
	    "nothing C1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_name_counts),
		cmocka_unit_test(groups_are_a_union),
		cmocka_unit_test(the_strongest_subscription_counts),
		cmocka_unit_test(ask_stands_as_long_as_nobody_has_it),
		talk_test(own_names_are_the_view_s),
		talk_test(it_is_made_when_asked_for),
		talk_test(accounts_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
