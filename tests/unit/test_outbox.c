#include "support_client.h"

#include "core/history.h"
#include "core/outbox.h"

/* The outbox of an account whose server is away, and a stream of the test's own. */
struct bench {
	struct core *core;
	struct outbox *box;
	struct stream *stream;
	struct transport *far;
	struct sm sm;
	char out[65536];
};

static void
connect_stream(struct bench *b)
{
	static const struct xml_limits limits = { 4096, 8, 16, 64 };
	struct transport *near;

	transport_memory(&near, &b->far);
	b->stream = stream_new(STREAM_CLIENT,
	    conn_new(b->core->peers, near, "u", NULL, NULL), &limits, NULL,
	    NULL);
	b->sm = (struct sm){ 0 };
	stream_set_sm(b->stream, &b->sm);
}

static void
lose_stream(struct bench *b)
{
	stream_abort(&b->stream);
	io_turns(b->core->peers, 1);
	b->far->ops->free(b->far);
}

static struct account *
account(struct bench *b)
{
	return core_account(b->core, "alice");
}

static int
setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->core = core_new("<limits outbox-entries='3'/>" CORE_ALICE(""));
	b->box = account(b)->outbox;
	connect_stream(b);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	lose_stream(b);
	core_free(b->core);
	free(b);
	return 0;
}

static struct entry *
message(struct bench *b, const char *id, const char *body)
{
	struct entry *e = entry_new();

	e->account = account(b)->id;
	e->direction = DIR_OUT;
	e->type = TYPE_CHAT;
	e->peer = mem_strdup("bob@b");
	e->id = mem_strdup(id);
	e->time = e->stamp;
	e->body = blob_new(body, strlen(body));
	return e;
}

/* keep: it is in the log as well, as what is kept mostly is. */
static void
add(struct bench *b, const char *id, bool keep)
{
	struct entry *e = message(b, id, "<b/>");

	outbox_add(b->box, e, keep);
	entry_unref(&e);
}

static void
add_logged(struct bench *b, const char *id)
{
	struct entry *e = message(b, id, "<b/>");

	history_append(account(b)->user->history, entry_ref(e));
	user_touch(account(b)->user);
	outbox_add(b->box, e, true);
	entry_unref(&e);
}

static void
pump(struct bench *b, size_t max_bytes)
{
	outbox_pump(b->box, b->stream, &b->sm.out, max_bytes);
}

static const char *
written(struct bench *b)
{
	io_turns(b->core->peers, 2);
	io_take(b->far, b->out, sizeof(b->out));
	return b->out;
}

#define STAMP(stamp) \
	"<delay xmlns='urn:xmpp:delay' from='alice@a.example' " \
	"stamp='2025-01-01T00:00:" stamp "Z'/>"
#define HEAD(id) "<message to='bob@b' type='chat' id='" id "'>"
#define SENT(id) HEAD(id) "<b/></message>"
#define LATE(id) HEAD(id) STAMP("00") "<b/></message>"

/* --- order, and since when --- */

static void
what_waits_goes_in_order_and_says_since_when(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", false);
	clock_advance(5000);
	pump(b, 1000);
	add(b, "3", true);
	pump(b, 1000);
	assert_string_equal(written(b), LATE("1") LATE("2") SENT("3"));
	assert_int_equal(outbox_count(b->box), 3);
	assert_int_equal(outbox_unacknowledged(b->box), 3);
}

/* One that came with a delay keeps that one. */
static void
one_delay_is_enough(void **state)
{
	struct bench *b = *state;
	struct entry *e = message(b, "1", "<b/>");

	e->has_delay = true;
	outbox_add(b->box, e, true);
	entry_unref(&e);
	pump(b, 1000);
	assert_string_equal(written(b), SENT("1"));
}

/* What is for one stream alone: sent again on that, dropped with it, first on a new one. */
static void
what_is_for_one_stream_goes_with_it(void **state)
{
	struct bench *b = *state;
	struct arena *arena = arena_new();
	struct elem *e = elem_new(arena, NS_CLIENT, "presence");

	elem_set(e, "to", "room@b");
	add(b, "1", true);
	outbox_add_stanza(b->box, e, true);
	pump(b, 1000);
	outbox_rewind(b->box, false);
	assert_int_equal(outbox_count(b->box), 2);
	outbox_rewind(b->box, true);
	assert_int_equal(outbox_count(b->box), 1);
	(void)written(b);
	outbox_add_first(b->box, e);
	pump(b, 1000);
	assert_string_equal(written(b), "<presence to='room@b'/>" LATE("1"));
	outbox_rewind(b->box, true);
	assert_int_equal(outbox_count(b->box), 1);
	arena_free(&arena);
}

/* Other stanzas: as they are, without a delay. */
static void
stanzas_keep_their_place(void **state)
{
	struct bench *b = *state;
	struct arena *arena = arena_new();
	struct elem *e = elem_new(arena, NS_CLIENT, "presence");

	elem_set(e, "type", "subscribe");
	elem_set(e, "to", "bob@b");
	add(b, "1", true);
	outbox_add_stanza(b->box, e, false);
	add(b, "2", true);
	pump(b, 1000);
	assert_string_equal(written(b),
	    LATE("1") "<presence type='subscribe' to='bob@b'/>" LATE("2"));
	arena_free(&arena);
}

static void
attributes_are_escaped(void **state)
{
	struct bench *b = *state;
	struct entry *e = message(b, "<'", "<b/>");

	free(e->peer);
	e->peer = mem_strdup("o'n@b/&");
	e->lang = mem_strdup("de");
	e->type = TYPE_NORMAL;
	pump(b, 1000);
	outbox_add(b->box, e, true);
	entry_unref(&e);
	pump(b, 1000);
	assert_string_equal(written(b),
	    "<message to='o&apos;n@b/&amp;' id='&lt;&apos;' xml:lang='de'>"
	    "<b/></message>");
}

/* --- how much --- */

/* outbox-entries */
static void
it_is_full_until_something_is_acknowledged(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", true);
	assert_false(outbox_is_full(b->box));
	add(b, "3", true);
	assert_true(outbox_is_full(b->box));
	pump(b, 1000);
	(void)written(b);
	/* Written is not arrived. */
	assert_true(outbox_is_full(b->box));
	outbox_acknowledge(b->box, 0);
	assert_true(outbox_is_full(b->box));
	outbox_acknowledge(b->box, 1);
	assert_false(outbox_is_full(b->box));
	assert_int_equal(outbox_count(b->box), 2);
	outbox_acknowledge(b->box, 100);
	assert_int_equal(outbox_count(b->box), 0);
}

/* outbox-entries limits the bytes, too: 16 KiB each. */
static void
it_is_full_of_large_messages_before(void **state)
{
	struct bench *b = *state;
	char *text = mem_alloc(49153);
	struct entry *e;

	memset(text, 'x', 49152);
	e = message(b, "1", text);
	outbox_add(b->box, e, false);
	entry_unref(&e);
	assert_true(outbox_is_full(b->box));
	assert_int_equal(outbox_count(b->box), 1);
	/* What does not survive the stream makes room again. */
	outbox_rewind(b->box, true);
	assert_int_equal(outbox_count(b->box), 0);
	assert_false(outbox_is_full(b->box));
	free(text);
}

/* upstream-queue-bytes */
static void
no_more_is_handed_over_than_the_queue_takes(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", true);
	pump(b, 1);
	assert_int_equal(conn_queued_frames(stream_conn(b->stream)), 1);
	pump(b, 1);
	assert_int_equal(conn_queued_frames(stream_conn(b->stream)), 1);
	assert_int_equal(outbox_unacknowledged(b->box), 1);
	assert_string_equal(written(b), LATE("1"));
	pump(b, 1);
	assert_string_equal(written(b), LATE("2"));
}

/* --- what is lost --- */

/* On another stream: again, with the same ids and a delay; what cannot wait goes. */
static void
what_is_not_acknowledged_goes_up_again(void **state)
{
	struct bench *b = *state;

	pump(b, 1000);
	add(b, "1", true);
	add(b, "2", true);
	add(b, "3", false);
	pump(b, 1000);
	assert_string_equal(written(b), SENT("1") SENT("2") SENT("3"));
	outbox_acknowledge(b->box, 1);
	outbox_rewind(b->box, true);
	assert_int_equal(outbox_count(b->box), 1);
	assert_int_equal(outbox_unacknowledged(b->box), 0);
	lose_stream(b);
	connect_stream(b);
	add(b, "4", true);
	pump(b, 1000);
	assert_string_equal(written(b), LATE("2") LATE("4"));
}

/* The same stream: under new numbers, in the old order, all of it, without a delay. */
static void
on_the_same_stream_it_is_renumbered(void **state)
{
	struct bench *b = *state;

	pump(b, 1000);
	add(b, "1", true);
	add(b, "2", false);
	add(b, "3", true);
	pump(b, 1000);
	(void)written(b);
	outbox_acknowledge(b->box, 1);
	b->sm.out = 1;
	outbox_rewind(b->box, false);
	pump(b, 1000);
	assert_string_equal(written(b), SENT("2") SENT("3"));
	outbox_acknowledge(b->box, 2);
	assert_int_equal(outbox_count(b->box), 1);
	outbox_acknowledge(b->box, 3);
	assert_int_equal(outbox_count(b->box), 0);
}

/* What was not on the stream when it was lost keeps its delay. */
static void
late_once_is_late(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	pump(b, 1000);
	(void)written(b);
	b->sm.out = 0;
	outbox_rewind(b->box, false);
	pump(b, 1000);
	assert_string_equal(written(b), LATE("1"));
}

/* The server's archive has it: what waits does so no more. */
static void
one_that_is_there_is_closed(void **state)
{
	struct bench *b = *state;

	add(b, "1", true);
	add(b, "2", true);
	add(b, "3", true);
	outbox_close(b->box, "bob@b/x", "2");
	assert_int_equal(outbox_count(b->box), 2);
	outbox_close(b->box, "bob@b", "2");
	outbox_close(b->box, "carol@b", "1");
	assert_int_equal(outbox_count(b->box), 2);
	/* The first, which is the next to go. */
	outbox_close(b->box, "bob@b", "1");
	pump(b, 1000);
	assert_string_equal(written(b), LATE("3"));
	outbox_close(b->box, "bob@b", "3");
	outbox_acknowledge(b->box, 1);
	assert_int_equal(outbox_count(b->box), 0);
}

/* --- what waits too long --- */

static void
only_what_is_on_no_stream_expires(void **state)
{
	struct bench *b = *state;
	uint64_t now = clock_wall();
	struct entry *e;

	assert_null(outbox_take_expired(b->box, UINT64_MAX));
	add(b, "1", true);
	pump(b, 1000);
	clock_advance(1000);
	add(b, "2", true);
	assert_null(outbox_take_expired(b->box, now + 1));
	outbox_rewind(b->box, true);
	assert_null(outbox_take_expired(b->box, now));
	e = outbox_take_expired(b->box, now + 1);
	assert_string_equal(e->id, "1");
	entry_unref(&e);
	assert_null(outbox_take_expired(b->box, now + 1000));
	e = outbox_take_expired(b->box, now + 1001);
	assert_string_equal(e->id, "2");
	entry_unref(&e);
	assert_int_equal(outbox_count(b->box), 0);
}

/* --- on disk --- */

static void
start(struct bench *b)
{
	b->core->loop = loop_new(NULL);
	store_reopened(b->core->store);
	b->core->proxy = proxy_new(b->core->loop, core_config(CORE_ALICE("")),
	    b->core->store,
	    &(struct proxy_env){ core_dial_new, core_dial_next, core_dial_free,
		core_work, b->core },
	    modules);
	b->box = account(b)->outbox;
}

/* Another proxy on the same store. */
static void
restart(struct bench *b)
{
	core_wait(b->core, 1000);
	proxy_abandon(&b->core->proxy);
	loop_free(&b->core->loop);
	start(b);
}

/* Those of the log, those that are in no log, other stanzas; what is not kept is not. */
static void
it_is_there_after_a_restart_in_order(void **state)
{
	struct bench *b = *state;
	struct arena *arena = arena_new();
	struct elem *e = elem_new(arena, NS_CLIENT, "presence");
	struct entry *full;

	elem_set(e, "to", "bob@b");
	add_logged(b, "1");
	outbox_add_stanza(b->box, e, false);
	add(b, "gone", false);
	full = message(b, "3", "<b/>");
	full->lang = mem_strdup("fr");
	full->local = mem_strdup("alice@a.example/proxy");
	full->origin = 77;
	full->device = 5;
	outbox_add(b->box, full, true);
	entry_unref(&full);
	add_logged(b, "4");
	restart(b);
	assert_int_equal(outbox_count(b->box), 4);
	add(b, "5", true);
	pump(b, 10000);
	assert_string_equal(written(b),
	    LATE("1") "<presence to='bob@b'/>"
		      "<message to='bob@b' type='chat' id='3' "
		      "xml:lang='fr'>" STAMP("00") "<b/></message>" LATE("4")
			  HEAD("5") STAMP("01") "<b/></message>");
	arena_free(&arena);
}

/* Keys go on, so that the order holds over many of them. */
static void
the_order_holds(void **state)
{
	struct bench *b = *state;
	char id[8];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "%u", i);
		add_logged(b, id);
		if (i == 200)
			restart(b);
	}
	restart(b);
	assert_int_equal(outbox_count(b->box), 300);
	for (unsigned i = 0; i < 300; i++) {
		struct entry *e = outbox_take_expired(b->box, UINT64_MAX);

		snprintf(id, sizeof(id), "%u", i);
		assert_string_equal(e->id, id);
		entry_unref(&e);
	}
}

static void
what_is_gone_is_gone_after_a_restart(void **state)
{
	struct bench *b = *state;
	struct entry *e;

	pump(b, 1000);
	add_logged(b, "1");
	add_logged(b, "2");
	pump(b, 1000);
	add_logged(b, "3");
	add(b, "4", true);
	outbox_acknowledge(b->box, 1);
	outbox_close(b->box, "bob@b", "3");
	restart(b);
	assert_int_equal(outbox_count(b->box), 2);
	/* The stream cannot be resumed: its numbers mean nothing. */
	assert_int_equal(outbox_unacknowledged(b->box), 0);
	e = outbox_take_expired(b->box, UINT64_MAX);
	assert_string_equal(e->id, "2");
	entry_unref(&e);
	restart(b);
	assert_int_equal(outbox_count(b->box), 1);
}

/* The time is that when it was taken. */
static void
the_time_is_kept(void **state)
{
	struct bench *b = *state;
	uint64_t then = clock_wall();
	struct entry *e;

	add(b, "1", true);
	restart(b);
	clock_advance(100000);
	assert_null(outbox_take_expired(b->box, then));
	e = outbox_take_expired(b->box, then + 1);
	assert_string_equal(e->id, "1");
	assert_int_equal(e->direction, DIR_OUT);
	assert_true(e->account == account(b)->id);
	entry_unref(&e);
}

/* Custody: it is committed in the turn that takes it, and one that gives a number. */
static void
it_is_committed_at_once(void **state)
{
	struct bench *b = *state;
	unsigned before;

	core_wait(b->core, 1000);
	before = store_unfolded(b->core->store);
	add(b, "1", false);
	loop_turn(b->core->loop, 0);
	assert_int_equal(store_unfolded(b->core->store), before);
	add(b, "2", true);
	loop_turn(b->core->loop, 0);
	assert_int_equal(store_unfolded(b->core->store), before + 1);
	pump(b, 1000);
	loop_turn(b->core->loop, 0);
	assert_int_equal(store_unfolded(b->core->store), before + 2);
	/* An acknowledgement may wait. */
	outbox_acknowledge(b->box, 2);
	loop_turn(b->core->loop, 0);
	assert_int_equal(store_unfolded(b->core->store), before + 2);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(what_waits_goes_in_order_and_says_since_when),
		bench_test(one_delay_is_enough),
		bench_test(stanzas_keep_their_place),
		bench_test(what_is_for_one_stream_goes_with_it),
		bench_test(attributes_are_escaped),
		bench_test(it_is_full_until_something_is_acknowledged),
		bench_test(it_is_full_of_large_messages_before),
		bench_test(no_more_is_handed_over_than_the_queue_takes),
		bench_test(what_is_not_acknowledged_goes_up_again),
		bench_test(on_the_same_stream_it_is_renumbered),
		bench_test(late_once_is_late),
		bench_test(one_that_is_there_is_closed),
		bench_test(only_what_is_on_no_stream_expires),
		bench_test(it_is_there_after_a_restart_in_order),
		bench_test(the_order_holds),
		bench_test(what_is_gone_is_gone_after_a_restart),
		bench_test(the_time_is_kept),
		bench_test(it_is_committed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
