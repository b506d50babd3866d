#include "support_client.h"

#include "core/availability.h"

#define AWAY(show) "<presence><show>" show "</show></presence>"
#define PRIO(n)    "<presence><priority>" n "</priority></presence>"

struct there {
	struct core *c;
	struct account *a;
	struct core_client cl[3];
};

static void
begin_with(struct there *t, const char *more)
{
	static const char *const names[] = { "0", "1", "2" };
	char *body = mem_printf(CORE_ALICE("%s"), more);

	memset(t, 0, sizeof(*t));
	t->c = core_new(body);
	free(body);
	t->a = core_account(t->c, "alice");
	for (int i = 0; i < 3; i++)
		client_login(&t->cl[i], t->c, "alice", names[i]);
	core_connect(t->c);
	buf_clear(&t->c->server->got);
}

static void
begin(struct there *t)
{
	begin_with(t, "");
}

static void
end(struct there *t)
{
	for (int i = 0; i < 3; i++)
		client_end(&t->cl[i]);
	core_free(t->c);
}

/* A moment later the client says so. */
static void
say(struct there *t, int i, const char *xml)
{
	buf_clear(&t->c->server->got);
	clock_advance(1);
	client_say(&t->cl[i], xml);
}

static const char *
best(struct there *t)
{
	struct session *s = availability_best(t->a);

	return s != NULL ? s->resource : "";
}

static const struct buf *
sent(struct there *t)
{
	return &t->c->server->got;
}

static void
test_best(void **state)
{
	static const struct {
		int who;
		const char *says, *best;
	} rows[] = {
		{ 0, "<presence/>", "0" },
		{ 1, AWAY("away"), "0" },
		{ 2, "<presence/>", "2" }, /* the latest */
		{ 0, "<presence/>", "0" },
		{ 1, AWAY("chat"), "1" },
		{ 1, AWAY("dnd"), "0" },
		{ 0, AWAY("away"), "2" },
		{ 2, AWAY("xa"), "1" },
		{ 1, "<presence type='unavailable'/>", "0" },
		{ 2, PRIO("1"), "2" },
		{ 0, PRIO("2"), "0" },
		{ 0, PRIO("-1"), "2" },
		{ 2, PRIO("-2"), "0" },
		{ 0, "<presence type='unavailable'/>", "2" },
		{ 2, "<presence type='unavailable'/>", "" },
	};
	struct there t;

	(void)state;
	begin(&t);
	assert_string_equal(best(&t), "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		say(&t, rows[i].who, rows[i].says);
		if (strcmp(best(&t), rows[i].best) != 0)
			fail_msg("%zu: %s", i, best(&t));
	}
	end(&t);
}

static void
test_priority(void **state)
{
	struct there t;

	(void)state;
	begin(&t);
	say(&t, 0, PRIO("5"));
	expect(sent(&t), "<priority>5</priority>");
	say(&t, 1, PRIO("7"));
	expect(sent(&t), "<priority>7</priority>");
	say(&t, 1, PRIO("-3"));
	expect(sent(&t), "<priority>5</priority>");
	/* Never a negative one, though nobody is better. */
	say(&t, 0, PRIO("-5"));
	expect(sent(&t), "<presence");
	assert_false(has(sent(&t), "<priority>"));
	end(&t);
}

static void
test_nobody_there(void **state)
{
	struct there t;

	(void)state;
	begin(&t);
	say(&t, 0,
	    "<presence><status>here</status><priority>9</priority>"
	    "</presence>");
	expect(sent(&t), "<status>here</status>");
	say(&t, 0, "<presence type='unavailable'/>");
	expect(sent(&t), "<show>xa</show>");
	assert_false(has(sent(&t), "unavailable"));
	assert_false(has(sent(&t), "<priority>"));
	assert_false(has(sent(&t), "here"));
	end(&t);
}

static void
test_only_on_change(void **state)
{
	struct there t;

	(void)state;
	begin(&t);
	say(&t, 0, "<presence><status>here</status></presence>");
	expect(sent(&t), "here");
	say(&t, 0, "<presence><status>here</status></presence>");
	assert_false(has(sent(&t), "<presence"));
	say(&t, 1, "<presence><show>away</show></presence>");
	assert_false(has(sent(&t), "<presence"));
	availability_update(t.a);
	core_run(t.c);
	assert_false(has(sent(&t), "<presence"));
	/* On a new stream it is new. */
	stream_abort(&t.c->server->stream);
	core_until_dial(t.c, 5000);
	core_connect(t.c);
	expect(sent(&t), "here");
	/* Away from the server there is nobody to tell. */
	stream_abort(&t.c->server->stream);
	core_until_dial(t.c, 5000);
	client_say(&t.cl[0], "<presence><status>x</status></presence>");
	core_connect(t.c);
	expect(sent(&t), "<status>x</status>");
	end(&t);
}

/* What a client says of its own capabilities and picture is not the account's. */
static void
test_made_anew(void **state)
{
	struct there t;

	(void)state;
	begin(&t);
	t.a->photo = mem_strdup("0123");
	say(&t, 0,
	    "<presence xml:lang='de'><show>dnd</show><status>da</status>"
	    "<c xmlns='http://jabber.org/protocol/caps' node='client' "
	    "hash='sha-1' ver='x'/>"
	    "<x xmlns='vcard-temp:x:update'/>"
	    "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:41:07Z'/>"
	    "<own xmlns='urn:x'/></presence>");
	expect(sent(&t), "<show>dnd</show><status>da</status>");
	expect(sent(&t), "<own xmlns='urn:x'/>");
	expect(sent(&t), "xml:lang='de'");
	expect(sent(&t), "<photo>0123</photo>");
	assert_false(has(sent(&t), "node='client'"));
	assert_false(has(sent(&t), "urn:xmpp:delay"));
	assert_true(strstr(strstr(sent(&t)->data, "vcard-temp:x:update") + 1,
			"vcard-temp:x:update") == NULL);
	end(&t);
}

/* A session of another account's view is not there for this one. */
static void
test_view(void **state)
{
	struct core *c = core_new(
	    "<user name='alice' passwd='secret'>"
	    "<account jid='a@a.example' passwd='up' host='127.0.0.1' "
	    "tls='none'/>"
	    "<account jid='b@a.example' passwd='up' host='127.0.0.1' "
	    "tls='none'/></user>");
	struct account *a = core_account(c, "alice");
	struct core_client cl;
	struct session *s;

	(void)state;
	client_begin(&cl, c, CORE_PEER, "a.example", "b", "secret", "r");
	client_say(&cl, "<presence/>");
	s = user_find_resource(core_user(c, "alice"), "r");
	assert_null(availability_best(a));
	assert_ptr_equal(availability_best(LIST_NEXT(a, next)), s);
	client_end(&cl);
	core_free(c);
}

/* The last one goes, and the account with it: no other word before. */
static void
test_disconnect(void **state)
{
	struct there t;

	(void)state;
	begin_with(&t, "detached='disconnect'");
	say(&t, 0, "<presence><status>here</status></presence>");
	for (int i = 2; i >= 0; i--) {
		buf_clear(&t.c->server->got);
		client_end(&t.cl[i]);
		core_run(t.c);
	}
	assert_true(t.c->server->closed);
	assert_false(has(sent(&t), "<presence"));
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_only_on_change),
		cmocka_unit_test(test_made_anew),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_disconnect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
