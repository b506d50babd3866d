#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mod/info.h"
#include "parsed.h"
#include "support_arena.h"

#define DISCO "http://jabber.org/protocol/disco#info"
#define US    "<identity category='client' type='pc' name='xmpproxy'/>"

static const struct iq_handler some_iqs[] = {
	{ TYPE_GET, "urn:at-node", "query", NULL, IQ_TO_ANY },
	{ TYPE_SET, "urn:at-node", "query", NULL, IQ_TO_ANY },
	{ TYPE_GET, "urn:at-self", "query", NULL, IQ_TO_SELF | IQ_TO_DOMAIN },
	{ TYPE_GET, "urn:gone", "query", NULL, IQ_TO_NODE },
	{ 0 },
};

static const struct module first = {
	.name = "first",
	.features = (const char *const[]){ "urn:ours", "urn:both", NULL },
	.peer_features = (const char *const[]){ "urn:z", "urn:a", NULL },
	.iqs = some_iqs,
};

static const struct module second = {
	.name = "second",
	.hidden = (const char *const[]){ "urn:gone", "urn:all:*", NULL },
	.peer_features = (const char *const[]){ "urn:m", "urn:a", NULL },
};

static const struct module third = { .name = "third" };

static const struct module *const some[] = { &first, &second, &third, NULL };
static const struct module *const none[] = { NULL };

static struct elem *
query(struct arena *arena, const char *inside)
{
	return parsed_in(arena,
	    arena_printf(arena, "<query xmlns='" DISCO "'>%s</query>", inside),
	    NULL);
}

/* Byte by byte: the order counts. */
static void
assert_is(struct arena *arena, const struct elem *e, const char *inside)
{
	struct buf is = { 0 }, ought = { 0 };

	elem_write(&is, e, NULL);
	elem_write(&ought, query(arena, inside), NULL);
	assert_string_equal(is.data, ought.data);
	buf_free(&is);
	buf_free(&ought);
}

static void
peers_see_one_identity_and_sorted_features(void **state)
{
	const char *const vars[] = { "urn:y", "urn:b", "urn:m" };
	struct features *clients = features_new(vars, 3);

	assert_is(*state, info_for_peers(*state, some, NULL),
	    US "<feature var='urn:a'/><feature var='urn:m'/>"
	       "<feature var='urn:z'/>");
	assert_is(*state, info_for_peers(*state, none, NULL), US);
	assert_is(*state, info_for_peers(*state, some, clients),
	    US "<feature var='urn:a'/><feature var='urn:b'/>"
	       "<feature var='urn:m'/><feature var='urn:y'/>"
	       "<feature var='urn:z'/>");
	features_unref(&clients);
}

static void
overlay_adds_what_is_not_there(void **state)
{
	struct elem *e = query(*state,
	    "<feature var='urn:both'/><feature var='urn:x'/>");

	info_overlay(e, some);
	assert_is(*state, e,
	    "<feature var='urn:both'/><feature var='urn:x'/>"
	    "<feature var='urn:ours'/>");
}

static void
features_are_added_and_removed_one_by_one(void **state)
{
	struct elem *e = query(*state,
	    US "<feature var='urn:x:1'/><feature var='urn:y'/>"
	       "<feature var='urn:x:2'/><feature/>");

	info_remove(e, "urn:x:*");
	info_remove(e, "urn:z");
	info_add(e, "urn:y");
	info_add(e, "urn:x:3");
	assert_is(*state, e,
	    US "<feature var='urn:y'/><feature/><feature var='urn:x:3'/>");
}

static void
overlay_takes_out_by_name_and_prefix(void **state)
{
	struct elem *e = query(*state,
	    "<feature var='urn:gone'/><feature var='urn:all:1'/>"
	    "<feature var='urn:all:2'/><feature var='urn:gone:not'/>"
	    "<feature var='urn:al'/>");

	info_overlay(e, some);
	assert_is(*state, e,
	    "<feature var='urn:gone:not'/><feature var='urn:al'/>"
	    "<feature var='urn:ours'/><feature var='urn:both'/>");
}

static void
overlay_leaves_the_rest(void **state)
{
	const char *rest = "<identity category='account' type='registered'/>"
			   "<feature/><feature xmlns='urn:x' var='urn:gone'/>"
			   "<x xmlns='jabber:x:data' type='result'/>";
	struct elem *e = query(*state, rest);

	info_overlay(e, none);
	assert_is(*state, e, rest);
	info_overlay(e, some);
	assert_non_null(elem_find(e, "jabber:x:data", "x"));
	assert_non_null(elem_find(e, "urn:x", "feature"));
	assert_non_null(elem_find(e, DISCO, "identity"));
}

static void
node_has_what_modules_answer_there(void **state)
{
	struct elem *e = info_new(*state, "server", "im", "xmpproxy");

	info_add_node(e, some);
	assert_is(*state, e,
	    "<identity category='server' type='im' name='xmpproxy'/>"
	    "<feature var='urn:at-node'/>");
}

static void
new_has_one_identity(void **state)
{
	assert_is(*state, info_new(*state, "account", "registered", NULL),
	    "<identity category='account' type='registered'/>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_see_one_identity_and_sorted_features),
		TEST(overlay_adds_what_is_not_there),
		TEST(features_are_added_and_removed_one_by_one),
		TEST(overlay_takes_out_by_name_and_prefix),
		TEST(overlay_leaves_the_rest),
		TEST(node_has_what_modules_answer_there),
		TEST(new_has_one_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
