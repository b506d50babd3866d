#include "support_talk.h"

#include "core/hooks.h"
#include "parsed.h"

#define NS_Q "urn:q"

static struct buf calls;
static const char *stops; /* the module that does */

static const char *
called(const char *name, const char *what)
{
	buf_printf(&calls, "%s.%s ", name, what);
	return stops != NULL && strcmp(stops, name) == 0 ? "stopped" : NULL;
}

#define MODULE_FUNCTIONS(m) \
	static const char *m##_from_client(struct session *s, struct route *r) \
	{ \
		(void)s; \
		(void)r; \
		return called(#m, "client"); \
	} \
	static const char *m##_from_upstream(struct account *a, \
	    struct route *r) \
	{ \
		(void)a; \
		(void)r; \
		return called(#m, "upstream"); \
	} \
	static const char *m##_iq(struct session *s, struct route *r) \
	{ \
		(void)s; \
		(void)r; \
		return called(#m, "iq"); \
	} \
	static const char *m##_peer_iq(struct account *a, struct route *r) \
	{ \
		(void)a; \
		(void)r; \
		return called(#m, "peer"); \
	} \
	static void m##_session(struct session *s) \
	{ \
		(void)s; \
		called(#m, "session"); \
	} \
	static void m##_account(struct account *a) \
	{ \
		(void)a; \
		called(#m, "account"); \
	} \
	static void m##_user(struct user *u) \
	{ \
		(void)u; \
		called(#m, "user"); \
	} \
	static void m##_decorate(struct account *a, struct elem *p) \
	{ \
		(void)a; \
		elem_child(p, NS_Q, #m); \
	} \
	static void m##_info(struct session *s, struct account *a, \
	    struct elem *query) \
	{ \
		(void)s; \
		(void)a; \
		elem_child(query, NS_Q, #m); \
	}

MODULE_FUNCTIONS(one)
MODULE_FUNCTIONS(two)

static const struct module mod_one = {
	.name = "one",
	.from_client = one_from_client,
	.from_upstream = one_from_upstream,
	.session_bound = one_session,
	.session_gone = one_session,
	.session_free = one_session,
	.upstream_up = one_account,
	.upstream_down = one_account,
	.upstream_failed = one_account,
	.user_reloaded = one_user,
	.account_free = one_account,
	.decorate_presence = one_decorate,
	.info = one_info,
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_Q, "query", one_iq,
						IQ_TO_SELF },
	    { 0 } },
	.peer_iqs = (const struct peer_iq_handler[]){ { TYPE_SET, NS_Q, "push",
							  one_peer_iq, true },
	    { 0 } },
};
static const struct module mod_silent = { .name = "silent" };
static const struct module mod_two = {
	.name = "two",
	.from_client = two_from_client,
	.from_upstream = two_from_upstream,
	.session_bound = two_session,
	.session_gone = two_session,
	.session_free = two_session,
	.upstream_up = two_account,
	.upstream_down = two_account,
	.upstream_failed = two_account,
	.user_reloaded = two_user,
	.account_free = two_account,
	.decorate_presence = two_decorate,
	.info = two_info,
	.iqs = (const struct iq_handler[]){ { TYPE_GET, NS_Q, "*", two_iq,
						IQ_TO_ANY },
	    { 0 } },
	.peer_iqs = (const struct peer_iq_handler[]){ { TYPE_SET, NS_Q, "*",
							  two_peer_iq, false },
	    { 0 } },
};
static const struct module *const table[] = { &mod_one, &mod_silent, &mod_two,
	NULL };

static void
assert_calls(const char *expected)
{
	assert_string_equal(calls.data != NULL ? calls.data : "", expected);
	buf_free(&calls);
}

/* What the real modules did at the start was theirs; these two are asked here. */
static const struct module *const *
begin(void **state)
{
	const struct module *const *real;

	TALK(state, "connect C1");
	real = talk_rig(state)->proxy->modules;
	talk_rig(state)->proxy->modules = table;
	stops = NULL;
	buf_free(&calls);
	return real;
}

static void
end(void **state, const struct module *const *real)
{
	talk_rig(state)->proxy->modules = real;
	buf_free(&calls);
}

static void
a_stanza_passes_them_in_order_until_one_stops(void **state)
{
	const struct module *const *real = begin(state);
	struct arena *arena = arena_new();
	struct route r = { .stanza = parsed(arena, "<message/>") };

	assert_null(hooks_from_client(talk_session(state, "C1"), &r));
	assert_calls("one.client two.client ");
	assert_null(hooks_from_upstream(talk_account(state), &r));
	assert_calls("one.upstream two.upstream ");
	stops = "one";
	assert_string_equal(hooks_from_client(talk_session(state, "C1"), &r),
	    "stopped");
	assert_calls("one.client ");
	assert_string_equal(hooks_from_upstream(talk_account(state), &r),
	    "stopped");
	assert_calls("one.upstream ");
	arena_free(&arena);
	end(state, real);
}

static void
all_are_told_of_lives(void **state)
{
	const struct module *const *real = begin(state);
	struct session *s = talk_session(state, "C1");
	struct account *a = talk_account(state);
	struct arena *arena = arena_new();
	struct elem *p = elem_new(arena, NS_CLIENT, "presence");

	hooks_session_bound(s);
	hooks_session_gone(s);
	hooks_session_free(s);
	assert_calls("one.session two.session one.session two.session "
		     "one.session two.session ");
	hooks_upstream_up(a);
	hooks_upstream_down(a);
	hooks_account_free(a);
	assert_calls("one.account two.account one.account two.account "
		     "one.account two.account ");
	hooks_upstream_failed(a);
	hooks_user_reloaded(a->user);
	assert_calls("one.account two.account one.user two.user ");
	hooks_decorate_presence(a, p);
	assert_non_null(elem_find(p, NS_Q, "one"));
	assert_non_null(elem_find(p, NS_Q, "two"));
	p = elem_new(arena, NS_DISCO_INFO, "query");
	hooks_info(s, a, p);
	assert_non_null(elem_find(p, NS_Q, "one"));
	assert_non_null(elem_find(p, NS_Q, "two"));
	arena_free(&arena);
	end(state, real);
}

static const char *
client_iq(void **state, const char *xml, unsigned scope)
{
	struct arena *arena = arena_new();
	struct route r = { .stanza = parsed(arena, xml) };
	const char *reason;

	r.type = stanza_type(r.stanza);
	reason = hooks_client_iq(talk_session(state, "C1"), &r, scope);
	arena_free(&arena);
	return reason;
}

static void
a_request_is_for_its_type_namespace_name_and_scope(void **state)
{
	const struct module *const *real = begin(state);

	client_iq(state, "<iq type='get'><query xmlns='urn:q'/></iq>",
	    IQ_TO_SELF);
	assert_calls("one.iq two.iq ");
	client_iq(state, "<iq type='get'><query xmlns='urn:q'/></iq>",
	    IQ_TO_DOMAIN);
	assert_calls("two.iq ");
	client_iq(state, "<iq type='get'><other xmlns='urn:q'/></iq>",
	    IQ_TO_SELF);
	assert_calls("two.iq ");
	client_iq(state, "<iq type='get'><query xmlns='urn:p'/></iq>",
	    IQ_TO_SELF);
	assert_calls("");
	client_iq(state, "<iq type='set'><query xmlns='urn:q'/></iq>",
	    IQ_TO_SELF);
	assert_calls("");
	stops = "one";
	assert_string_equal(client_iq(state,
				"<iq type='get'><query xmlns='urn:q'/></iq>",
				IQ_TO_SELF),
	    "stopped");
	assert_calls("one.iq ");
	end(state, real);
}

static const char *
peer_iq(void **state, const char *name, bool own)
{
	struct arena *arena = arena_new();
	struct route r = { .stanza = parsed(arena,
			       arena_printf(arena,
				   "<iq type='set' id='1' from='m@x/y'><%s "
				   "xmlns='urn:q'/></iq>",
				   name)) };
	const char *reason;

	r.type = TYPE_SET;
	reason = hooks_peer_iq(talk_account(state), &r, own);
	arena_free(&arena);
	return reason;
}

/* RFC 6121 2.1.6: nobody else may say it, and no session hears of it. */
static void
what_is_for_the_own_server_is_refused_from_others(void **state)
{
	const struct module *const *real = begin(state);

	assert_null(peer_iq(state, "push", true));
	assert_calls("one.peer two.peer ");
	assert_null(peer_iq(state, "other", false));
	assert_calls("two.peer ");
	assert_non_null(peer_iq(state, "push", false));
	assert_calls("");
	TALK(state, "wait 0s",
	    "S< <iq type='error' to='m@x/y' id='1'>{error service-unavailable}"
	    "</iq>",
	    "nothing");
	end(state, real);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(a_stanza_passes_them_in_order_until_one_stops),
		talk_test(all_are_told_of_lives),
		talk_test(a_request_is_for_its_type_namespace_name_and_scope),
		talk_test(what_is_for_the_own_server_is_refused_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
