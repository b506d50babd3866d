#include "support_talk.h"

#include "core/answered.h"
#include "core/store.h"
#include "core/turn.h"

static size_t
count(void **state)
{
	return answered_count(talk_user(state)->answered);
}

static bool
has(void **state, enum answered_kind kind, const char *peer, const char *id)
{
	return answered_get(talk_account(state), kind, peer, id, NULL);
}

static void
set(void **state, enum answered_kind kind, const char *peer, unsigned id)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", id);
	answered_set(talk_account(state), kind, peer, text, id);
}

static void
kinds_peers_and_ids_are_told_apart(void **state)
{
	uint64_t value = 0;

	TALK(state, "wait 1s");
	answered_set(talk_account(state), ANSWERED_MARKER, "b@x", NULL, 7);
	set(state, ANSWERED_RECEIPT, "b@x/a", 1);
	assert_true(answered_get(talk_account(state), ANSWERED_MARKER, "b@x",
	    NULL, &value));
	assert_int_equal(value, 7);
	assert_true(has(state, ANSWERED_RECEIPT, "b@x/a", "1"));
	assert_false(has(state, ANSWERED_RECEIPT, "b@x", "a 1"));
	assert_false(has(state, ANSWERED_RECEIPT, "b@x/a 1", NULL));
	assert_false(has(state, ANSWERED_ERROR, "b@x/a", "1"));
	assert_false(has(state, ANSWERED_READ, "b@x", NULL));
	answered_forget(talk_account(state), ANSWERED_MARKER, "b@x", NULL);
	assert_false(has(state, ANSWERED_MARKER, "b@x", NULL));
	assert_int_equal(count(state), 1);
}

/* In the order in which they were set, and not of their keys. */
static void
the_oldest_goes_after_a_restart_too(void **state)
{
	TALK(state, "limits receipts=16", "wait 1s");
	set(state, ANSWERED_RECEIPT, "z@x", 0);
	for (unsigned i = 1; i < 16; i++)
		set(state, ANSWERED_RECEIPT, "b@x", i);
	set(state, ANSWERED_RECEIPT, "a@x", 99);
	assert_false(has(state, ANSWERED_RECEIPT, "z@x", "0"));
	set(state, ANSWERED_RECEIPT, "b@x", 1);
	TALK(state, "wait 1s", "kill");
	assert_int_equal(count(state), 16);
	assert_false(has(state, ANSWERED_RECEIPT, "z@x", "0"));
	set(state, ANSWERED_RECEIPT, "c@x", 100);
	assert_true(has(state, ANSWERED_RECEIPT, "b@x", "1"));
	assert_false(has(state, ANSWERED_RECEIPT, "b@x", "2"));
	assert_true(has(state, ANSWERED_RECEIPT, "b@x", "3"));
	assert_true(has(state, ANSWERED_RECEIPT, "a@x", "99"));
}

static void
count_one(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	(void)key;
	(void)key_len;
	(void)value;
	(void)len;
	++*(unsigned *)arg;
}

/* Many receipts cost no place that says how far a conversation was displayed. */
static void
receipts_do_not_displace_markers(void **state)
{
	unsigned kept = 0;

	TALK(state, "limits receipts=16", "wait 1s");
	answered_set(talk_account(state), ANSWERED_MARKER, "b@x", NULL, 7);
	for (unsigned i = 0; i < 100; i++)
		set(state, ANSWERED_RECEIPT, "b@x", i);
	assert_int_equal(count(state), 17);
	TALK(state, "wait 1s");
	user_load_state(talk_user(state), STATE_READ, talk_user(state)->id,
	    count_one, &kept);
	assert_int_equal(kept, 17);
	TALK(state, "kill");
	assert_int_equal(count(state), 17);
	assert_true(has(state, ANSWERED_MARKER, "b@x", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(kinds_peers_and_ids_are_told_apart),
		talk_test(the_oldest_goes_after_a_restart_too),
		talk_test(receipts_do_not_displace_markers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
