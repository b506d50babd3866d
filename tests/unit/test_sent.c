#include "support_talk.h"

#include "core/sent.h"
#include "parsed.h"

static struct entry *
message(void **state, const struct session *s, const char *peer, const char *id,
    const char *body)
{
	struct account *a = talk_account(state);
	struct entry *e = entry_new();

	e->account = a->id;
	e->direction = DIR_OUT;
	e->peer = mem_strdup(peer);
	e->local = mem_printf("%s/%s", a->jid, s->resource);
	e->id = mem_strdup(id);
	e->body = blob_new(body, strlen(body));
	return e;
}

/* What is no repetition goes into the log. */
static bool
is_repeated(void **state, const char *client, const char *peer, const char *id,
    const char *body)
{
	struct session *s = talk_session(state, client);
	struct entry *e = message(state, s, peer, id, body);
	bool is = sent_is_repeated(s, e);

	if (!is)
		history_append(talk_user(state)->history, entry_ref(e));
	entry_unref(&e);
	return is;
}

/* Same device, peer, id and content, within minutes; all four count. */
static void
the_same_again_is_known_for_a_while(void **state)
{
	TALK(state, "connect C1", "connect C2");
	assert_false(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	assert_true(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	assert_false(is_repeated(state, "C1", "c@x", "1", "<body/>"));
	assert_false(is_repeated(state, "C1", "b@x", "2", "<body/>"));
	clock_advance(299999);
	assert_true(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	clock_advance(1);
	assert_false(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	assert_false(is_repeated(state, "C1", "b@x", "1", "<other/>"));
	assert_true(is_repeated(state, "C1", "b@x", "1", "<other/>"));
	assert_false(is_repeated(state, "C2", "b@x", "1", "<other/>"));
}

/* It came back with an error: the person tries again. */
static void
what_failed_may_be_sent_again(void **state)
{
	struct entry *e;

	TALK(state, "connect C1");
	assert_false(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	e = history_find(talk_user(state)->history, talk_account(state)->id,
	    DIR_OUT, "b@x", "1");
	e->failed = true;
	assert_false(is_repeated(state, "C1", "b@x", "1", "<body/>"));
	assert_true(is_repeated(state, "C1", "b@x", "1", "<body/>"));
}

static void
what_went_to_oneself_belongs_to_its_session(void **state)
{
	struct user *u;

	TALK(state, "wait 1s");
	u = talk_user(state);
	sent_remember_self(u, "1", 42);
	assert_int_equal(sent_find_self(u, "1"), 42);
	assert_int_equal(sent_find_self(u, "2"), 0);
	assert_int_equal(sent_find_self(u, NULL), 0);
}

static void
notes_are_known_by_their_id(void **state)
{
	struct user *u;

	TALK(state, "wait 1s");
	u = talk_user(state);
	assert_false(sent_is_note(u, "1"));
	sent_remember_note(u, "1");
	assert_true(sent_is_note(u, "1"));
	assert_false(sent_is_note(u, NULL));
	assert_int_equal(sent_find_self(u, "1"), 0);
}

static void
remember(void **state, const char *peer, const char *xml)
{
	struct arena *arena = arena_new();

	sent_remember_answers(talk_account(state), peer, parsed(arena, xml));
	arena_free(&arena);
}

/* Asking is not sending. */
static void
a_receipt_is_the_first_until_one_went_up(void **state)
{
	struct account *a;

	TALK(state, "wait 1s");
	a = talk_account(state);
	assert_true(sent_receipt_is_first(a, "b@x/r", "1"));
	assert_true(sent_receipt_is_first(a, "b@x/r", "1"));
	remember(state, "b@x/r",
	    "<message><received xmlns='urn:xmpp:receipts' id='1'/></message>");
	assert_false(sent_receipt_is_first(a, "b@x/r", "1"));
	assert_false(sent_receipt_is_first(a, "b@x/other", "1"));
	assert_false(sent_receipt_is_first(a, "b@x", "1"));
	assert_true(sent_receipt_is_first(a, "c@x/r", "1"));
	assert_true(sent_receipt_is_first(a, "b@x/r", "2"));
}

/* receipts: the oldest is forgotten, and goes up again. */
static void
over_the_limit_the_oldest_receipt_is_forgotten(void **state)
{
	struct account *a;
	char xml[128];
	int i;

	TALK(state, "limits receipts=16", "wait 1s");
	a = talk_account(state);
	for (i = 0; i <= 16; i++) {
		snprintf(xml, sizeof(xml),
		    "<message><received xmlns='urn:xmpp:receipts' id='%d'/>"
		    "</message>",
		    i);
		remember(state, "b@x", xml);
	}
	assert_true(sent_receipt_is_first(a, "b@x", "0"));
	assert_false(sent_receipt_is_first(a, "b@x", "1"));
	assert_false(sent_receipt_is_first(a, "b@x", "16"));
	assert_int_equal(answered_count(a->user->answered), 16);
}

#define MARKER(id) \
	"<message><displayed xmlns='urn:xmpp:chat-markers:0' id='" id \
	"'/></message>"

static void
markers_move_forward_in_the_log(void **state)
{
	struct account *a;

	TALK(state, "login C1",
	    "repeat 3 S> <message from='b@x/r' to='alice@a.example' "
	    "type='chat' id='m{n}'><body>{n}</body></message>",
	    "drain");
	a = talk_account(state);
	assert_true(sent_marker_is_forward(a, "b@x", "m1"));
	remember(state, "b@x/r", MARKER("m2"));
	assert_false(sent_marker_is_forward(a, "b@x", "m1"));
	assert_false(sent_marker_is_forward(a, "b@x", "m2"));
	assert_true(sent_marker_is_forward(a, "b@x", "m3"));
	/* One that went back all the same takes nothing back. */
	remember(state, "b@x", MARKER("m1"));
	assert_false(sent_marker_is_forward(a, "b@x", "m2"));
	/* Not in the log: each once. */
	assert_true(sent_marker_is_forward(a, "b@x", "old"));
	remember(state, "b@x", MARKER("old"));
	assert_false(sent_marker_is_forward(a, "b@x", "old"));
	assert_true(sent_marker_is_forward(a, "b@x", "m3"));
}

static void
live_messages_are_known_to_the_error_that_answers(void **state)
{
	struct account *a;
	struct entry *e;
	uint64_t session = 0;
	bool is_eligible = false;

	TALK(state, "connect C1");
	a = talk_account(state);
	e = message(state, talk_session(state, "C1"), "b@x/r", "1", "");
	e->origin = 77;
	e->is_eligible = true;
	sent_remember_live(a, e);
	assert_true(sent_find_live(a, "b@x", "1", &session, &is_eligible));
	assert_int_equal(session, 77);
	assert_true(is_eligible);
	assert_false(sent_find_live(a, "c@x", "1", &session, &is_eligible));
	assert_false(sent_find_live(a, "b@x", "2", &session, &is_eligible));
	e->is_eligible = false;
	sent_remember_live(a, e);
	assert_true(sent_find_live(a, "b@x", "1", &session, &is_eligible));
	assert_false(is_eligible);
	entry_unref(&e);
}

/* What is longer than any key is not remembered beside the log, and harms nobody. */
static void
a_very_long_id_is_in_the_log_alone(void **state)
{
	char *id;

	TALK(state, "connect C1");
	id = mem_alloc(8192);
	memset(id, 'x', 8191);
	assert_false(is_repeated(state, "C1", "b@x", id, "<body/>"));
	assert_true(is_repeated(state, "C1", "b@x", id, "<body/>"));
	assert_true(sent_receipt_is_first(talk_account(state), "b@x", id));
	sent_remember_note(talk_user(state), id);
	assert_false(sent_is_note(talk_user(state), id));
	free(id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(the_same_again_is_known_for_a_while),
		talk_test(what_failed_may_be_sent_again),
		talk_test(what_went_to_oneself_belongs_to_its_session),
		talk_test(notes_are_known_by_their_id),
		talk_test(a_receipt_is_the_first_until_one_went_up),
		talk_test(over_the_limit_the_oldest_receipt_is_forgotten),
		talk_test(markers_move_forward_in_the_log),
		talk_test(live_messages_are_known_to_the_error_that_answers),
		talk_test(a_very_long_id_is_in_the_log_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
