#include "support_talk.h"

#include "core/account_save.h"
#include "core/proxy.h"
#include "core/roster.h"
#include "core/store.h"
#include "core/upstream.h"

#include "../src/core/upstream_impl.h"

/* All of it is saved, and the next proxy has begun. */
#define RESTART "wait 1s", "kill down", "start"

static struct account *
account(void **state)
{
	return talk_account(state);
}

static void
what_an_account_was_it_is_after_a_kill(void **state)
{
	struct account *a;
	uint64_t id, number, in, acked;

	TALK(state, "sm",
	    "features <ver xmlns='urn:xmpp:features:rosterver'/>"
	    "<limits xmlns='urn:xmpp:stream-limits:0'>"
	    "<max-bytes>77777</max-bytes></limits>",
	    "login C1",
	    "C1> <presence><x xmlns='vcard-temp:x:update'>"
	    "<photo>abc</photo></x></presence>",
	    "wait 6s", "drain");
	a = account(state);
	a->archive = ARCHIVE_OURS;
	a->last_stanza_id = mem_strdup("last");
	account_touch(a, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	id = a->id;
	number = a->presence_number;
	in = a->upstream->sm.in;
	acked = a->upstream->sm.acked;
	TALK(state, "wait 1s", "off S", "kill down", "start");
	a = account(state);
	assert_true(a->id == id);
	assert_string_equal(a->full, "alice@a.example/up");
	assert_true(a->was_up && a->is_ready && a->has_rosterver);
	assert_int_equal(a->max_bytes, 77777);
	assert_non_null(strstr(a->presence_sent, "abc"));
	assert_true(a->presence_number == number);
	assert_string_equal(a->photo, "abc");
	assert_int_equal(a->archive, ARCHIVE_OURS);
	assert_string_equal(a->last_stanza_id, "last");
	assert_true(a->last_time >= RIG_WALL);
	assert_true(a->upstream->is_suspended && a->upstream->is_restored);
	assert_non_null(a->upstream->sm_id);
	assert_int_equal(a->upstream->sm_max, 300);
	assert_true(a->upstream->sm.in == in);
	assert_true(a->upstream->sm.acked == acked);
	assert_true(a->upstream->sm.out == acked);
}

/* What of it was the stream's went with the stream. */
static void
without_a_stream_that_goes_on_it_begins_anew(void **state)
{
	struct account *a;

	TALK(state, "login C1",
	    "C1> <message to='bob@b.example' type='chat' id='1'>"
	    "<body>x</body></message>",
	    "drain", "wait 1s", "off S", "kill down", "start");
	a = account(state);
	assert_string_equal(a->full, "alice@a.example/up");
	assert_true(a->was_up);
	assert_false(a->is_ready);
	assert_null(a->presence_sent);
	assert_false(a->upstream->is_suspended);
	assert_null(a->upstream->sm_id);
	assert_int_equal(outbox_count(a->outbox), 1);
	assert_int_equal(outbox_unacknowledged(a->outbox), 0);
}

static void
one_that_was_never_up_has_nothing(void **state)
{
	struct account *a;

	TALK(state, "off S", "connect C1", RESTART);
	a = account(state);
	assert_null(a->full);
	assert_false(a->was_up || a->is_ready);
	assert_int_equal(a->archive, ARCHIVE_UNKNOWN);
	TALK(state, "on S", "upstream up", "drain");
	assert_true(account_is_up(account(state)));
}

/* The roster is known at once, and only what changed is asked for. */
static void
its_roster_is_there(void **state)
{
	struct account *a;
	char *own;

	TALK(state, "sm",
	    "roster <item jid='bob@b.example' subscription='both' name='B'/>"
	    "<item jid='carol@c.example'/>",
	    "login C1",
	    "S> <presence from='dave@d.example' to='alice@a.example' "
	    "type='subscribe'/>",
	    "S> <iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
	    "<item jid='carol@c.example' subscription='remove'/></query></iq>",
	    "drain");
	own = mem_strdup(roster_own_ver(account(state)->roster));
	TALK(state, "off S", RESTART);
	a = account(state);
	assert_true(roster_is_known(a->roster));
	assert_int_equal(roster_count(a->roster), 1);
	assert_string_equal(roster_find(a->roster, "bob@b.example")->xml,
	    "<item jid='bob@b.example' subscription='both' name='B'/>");
	assert_true(roster_sees_us(a->roster, "bob@b.example"));
	assert_string_equal(roster_own_ver(a->roster), own);
	TALK(state, "connect C2",
	    "C2> <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
	    "C2< <iq type='result' id='r' ...>...</iq>", "C2> <presence/>",
	    "C2<~ <presence from='dave@d.example' type='subscribe' ...>"
	    "...</presence>",
	    "drain");
	free(own);
}

/* What changes is saved once, however often it does. */
static void
what_changed_is_saved_once(void **state)
{
	struct account *a;
	unsigned before;

	TALK(state, "login C1", "wait 10s", "drain");
	a = account(state);
	before = store_unfolded(talk_rig(state)->store);
	for (unsigned i = 0; i < 10; i++)
		account_touch(a, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	assert_int_equal(a->changed, ACCOUNT_SELF | ACCOUNT_COUNTERS);
	TALK(state, "wait 1s");
	assert_int_equal(a->changed, 0);
	assert_int_equal(store_unfolded(talk_rig(state)->store), before + 1);
}

/* One that is touched and goes before it is saved is not saved. */
static void
one_that_goes_is_in_no_list(void **state)
{
	TALK(state, "login C1");
	account_touch(account(state), ACCOUNT_SELF);
	TALK(state, "kill", "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(what_an_account_was_it_is_after_a_kill),
		talk_test(without_a_stream_that_goes_on_it_begins_anew),
		talk_test(one_that_was_never_up_has_nothing),
		talk_test(its_roster_is_there),
		talk_test(what_changed_is_saved_once),
		talk_test(one_that_goes_is_in_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
