#include "support_broken.h"
#include "support_client.h"

#include "core/history.h"
#include "core/upkeep.h"

#define DAY_MS UINT64_C(86400000)
#define CHAT \
	"<message from='bob@b.example/x' to='alice@a.example' type='chat'>" \
	"<body>hi</body></message>"
#define SAID \
	"<message from='room@m.example/bob' to='alice@a.example/proxy' " \
	"type='groupchat'><body>hi</body></message>"

static struct core *
begin(const char *path, const char *limits)
{
	char *body = mem_printf("<limits %s/>" CORE_ALICE(""), limits);
	struct core *c = core_new_in(path, body);

	core_connect(c);
	free(body);
	return c;
}

static struct history *
history(struct core *c)
{
	return core_user(c, "alice")->history;
}

/* Each in a turn of its own. */
static void
say(struct core *c, const char *xml, unsigned times)
{
	while (times-- > 0) {
		core_server_say(c, xml);
		core_run(c);
	}
}

/* --- retention --- */

/* log-entries, room-entries: in slices, behind the turn that brought the last one. */
static void
what_is_too_much_goes(void **state)
{
	struct core *c = begin(NULL, "log-entries='20' room-entries='30'");

	(void)state;
	say(c, CHAT, 50);
	assert_int_equal(history_kept(history(c)), 20);
	assert_int_equal(history_floor(history(c)), 31);
	say(c, SAID, 50);
	core_wait(c, 1000);
	/* The chats are there; the oldest of the room's are not. */
	assert_int_equal(history_kept(history(c)), 50);
	assert_int_equal(history_floor(history(c)), 31);
	assert_int_equal(history_from(history(c), 51)->seq, 71);
	core_free(c);
}

/* log-bytes: of the bodies. */
static void
what_is_too_large_goes(void **state)
{
	struct core *c = begin(NULL, "log-bytes='65536'");
	char *pad = mem_alloc(8001), *xml;

	(void)state;
	memset(pad, 'x', 8000);
	xml = mem_printf("<message from='bob@b.example/x' "
			 "to='alice@a.example' type='chat'>"
			 "<body>%s</body></message>",
	    pad);
	say(c, xml, 20);
	core_wait(c, 1000);
	assert_int_equal(history_kept(history(c)), 8);
	free(pad);
	free(xml);
	core_free(c);
}

/* log-days, room-days: each has its own. */
static void
what_is_too_old_goes(void **state)
{
	struct core *c = begin(NULL, "log-days='10' room-days='3'");

	(void)state;
	say(c, CHAT, 2);
	say(c, SAID, 2);
	clock_advance(3 * DAY_MS - 10000);
	core_wait(c, 8000);
	assert_int_equal(history_kept(history(c)), 4);
	core_wait(c, 8000);
	assert_int_equal(history_kept(history(c)), 2);
	assert_int_equal(history_floor(history(c)), 1);
	clock_advance(7 * DAY_MS);
	core_wait(c, 8000);
	assert_int_equal(history_kept(history(c)), 0);
	assert_int_equal(history_floor(history(c)), history_next(history(c)));
	core_free(c);
}

#define USER(name) \
	"<user name='" name "' passwd='secret'><account jid='" name \
	"@a.example' passwd='up' host='127.0.0.1' tls='none'/></user>"

/* In whatever order they stand in the configuration. */
static void
everybody_has_a_turn(void **state)
{
	static const char *const names[] = { "carol", "alice", "bob" };
	char *path = store_fresh_path();
	struct core *c = core_new_in(path, USER("alice"));
	struct entry *e;

	(void)state;
	core_kill(c);
	core_start(c,
	    "<limits log-days='1'/>" USER("carol") USER("bob") USER("alice"));
	for (size_t i = 0; i < 3; i++) {
		e = entry_new();
		e->account = LIST_FIRST(&core_user(c, names[i])->accounts)->id;
		e->peer = mem_strdup("x@y");
		e->time = e->stamp;
		e->body = blob_new("<body/>", 7);
		history_append(core_user(c, names[i])->history, e);
	}
	core_run(c);
	clock_advance(DAY_MS + 1);
	core_wait(c, 10000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(history_kept(core_user(c, names[i])->history),
		    0);
	core_free(c);
	free(path);
}

/* What is counted is what is there, over a kill as well. */
static void
the_counts_are_saved(void **state)
{
	char *path = store_fresh_path();
	struct core *c = begin(path, "room-days='1' log-days='10'");

	(void)state;
	say(c, CHAT, 1);
	say(c, SAID, 5);
	clock_advance(DAY_MS + 1);
	core_wait(c, 5000);
	/* The floor is that of the chats: it did not move. */
	assert_int_equal(history_kept(history(c)), 1);
	core_kill(c);
	core_start(c, CORE_ALICE(""));
	assert_int_equal(history_kept(history(c)), 1);
	core_free(c);
	free(path);
}

/* --- folding --- */

/* Redo records do not pile up. */
static void
records_are_folded(void **state)
{
	struct core *c = begin(NULL, "");

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		say(c, CHAT, 1);
		assert_in_range(store_unfolded(c->store), 0, 65);
	}
	core_free(c);
}

/* Where commits fail there is no use in it. */
static void
nothing_is_done_while_commits_fail(void **state)
{
	char *path = store_fresh_path();
	struct core *c = begin(path, "log-entries='16'");

	(void)state;
	say(c, CHAT, 16);
	store_break(path);
	say(c, CHAT, 1);
	core_wait(c, 50);
	assert_false(has(&c->log, "not-trimmed"));
	store_mend(path);
	core_wait(c, 1000);
	assert_int_equal(history_kept(history(c)), 16);
	core_free(c);
	free(path);
}

/* --- checkpoints --- */

/* By a worker, and one at a time. */
static void
the_log_of_the_file_is_worked_off(void **state)
{
	char *path = store_fresh_path();
	struct core *c = begin(path, "");
	char *pad = mem_alloc(50001), *xml;

	(void)state;
	memset(pad, 'x', 50000);
	xml = mem_printf("<message from='bob@b.example/x' "
			 "to='alice@a.example' type='chat'>"
			 "<body>%s</body></message>",
	    pad);
	c->holds_jobs = true;
	while (!store_wants_checkpoint(c->store))
		say(c, xml, 1);
	core_wait(c, 1000);
	say(c, xml, 3);
	assert_non_null(STAILQ_FIRST(&c->jobs));
	assert_null(STAILQ_NEXT(STAILQ_FIRST(&c->jobs), next));
	assert_true(c->proxy->upkeep.is_checkpointing);
	c->holds_jobs = false;
	core_run(c);
	assert_false(c->proxy->upkeep.is_checkpointing);
	assert_false(store_wants_checkpoint(c->store));
	free(pad);
	free(xml);
	core_free(c);
	free(path);
}

/* --- a disk that is full --- */

#define MESSAGE \
	"<message to='bob@b.example' type='chat' id='o1'><body>hi</body>" \
	"</message>"

/* store-reserve-bytes: clients are told, servers wait, and it goes on by itself. */
static void
nothing_new_is_taken_while_the_disk_is_full(void **state)
{
	char *path = store_fresh_path();
	struct core *c = begin(path, "store-reserve-bytes='0'");
	struct core_client cl;

	(void)state;
	client_login(&cl, c, "alice", "r");
	client_say(&cl, "<presence/>");
	core_wait(c, 2000);
	assert_false(c->proxy->is_full);
	c->proxy->config->limits.store_reserve = UINT64_MAX;
	core_wait(c, 1000);
	assert_true(c->proxy->is_full);
	expect(&c->log, "event=disk-full");
	client_say(&cl, MESSAGE);
	expect(&cl.got, "type='error'");
	expect(&cl.got, "<resource-constraint ");
	assert_false(has(&c->server->got, "id='o1'"));
	core_server_say(c, CHAT);
	core_wait(c, 5000);
	assert_int_equal(history_next(history(c)), 1);
	/* It is silent because nobody listens, and no worse for that. */
	core_wait(c, 600000);
	assert_true(account_is_up(core_account(c, "alice")));
	assert_int_equal(c->dialled, 1);
	c->proxy->config->limits.store_reserve = 0;
	core_wait(c, 1000);
	assert_false(c->proxy->is_full);
	expect(&c->log, "event=disk-free");
	assert_int_equal(history_next(history(c)), 2);
	expect(&cl.got, "<body>hi</body>");
	client_end(&cl);
	core_free(c);
	free(path);
}

/* One that comes up meanwhile waits as well. */
static void
a_new_stream_is_not_read_either(void **state)
{
	char *path = store_fresh_path();
	struct core *c = core_new_in(path, CORE_ALICE(""));

	(void)state;
	c->proxy->config->limits.store_reserve = UINT64_MAX;
	core_wait(c, 1000);
	core_connect(c);
	core_server_say(c, CHAT);
	core_wait(c, 1000);
	assert_int_equal(history_next(history(c)), 1);
	c->proxy->config->limits.store_reserve = 0;
	core_wait(c, 1000);
	assert_int_equal(history_next(history(c)), 2);
	core_free(c);
	free(path);
}

/* Changed state goes on in the room that is kept. */
static void
state_is_saved_while_the_disk_is_full(void **state)
{
	char *path = store_fresh_path();
	struct core *c = begin(path, "");
	struct core_client cl;
	unsigned before;

	(void)state;
	c->proxy->config->limits.store_reserve = UINT64_MAX;
	core_wait(c, 1000);
	before = store_unfolded(c->store);
	client_login(&cl, c, "alice", "r");
	client_say(&cl, "<presence/>");
	core_wait(c, 1000);
	assert_true(store_unfolded(c->store) > before);
	client_end(&cl);
	core_free(c);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_too_much_goes),
		cmocka_unit_test(what_is_too_large_goes),
		cmocka_unit_test(what_is_too_old_goes),
		cmocka_unit_test(everybody_has_a_turn),
		cmocka_unit_test(the_counts_are_saved),
		cmocka_unit_test(records_are_folded),
		cmocka_unit_test(nothing_is_done_while_commits_fail),
		cmocka_unit_test(the_log_of_the_file_is_worked_off),
		cmocka_unit_test(nothing_new_is_taken_while_the_disk_is_full),
		cmocka_unit_test(a_new_stream_is_not_read_either),
		cmocka_unit_test(state_is_saved_while_the_disk_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
