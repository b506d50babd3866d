#include "support_talk.h"

#include "core/device.h"
#include "core/ended.h"
#include "core/session_sm.h"

#define CHAT(id) \
	"S> <message from='bob@b.example/x' to='alice@a.example' type='chat' " \
	"id='" id "'><body>" id "</body></message>"
#define GOT(c, id) c "< <message id='" id "' ...>...</message>"

static uint64_t
cursor_of(void **state, const char *resource)
{
	const struct device *d;

	TAILQ_FOREACH(d, &talk_user(state)->devices, next) {
		if (strcmp(d->resource, resource) == 0)
			return d->cursor;
	}
	return 0;
}

/* C1 was sent two, of which it acknowledged none, and its time is over. */
#define TWO_IN_FLIGHT \
	"limits resume-seconds=60", "login C1 sm=mute", CHAT("m1"), \
	    CHAT("m2"), GOT("C1", "m1"), GOT("C1", "m2"), "lose C1", \
	    "wait 61s", "drain"

static struct ended *
the_one(void **state)
{
	struct user *u = talk_user(state);

	assert_int_equal(u->ended_count, 1);
	return TAILQ_FIRST(&u->ended);
}

static bool
take(void **state, uint32_t h, uint64_t *in)
{
	struct ended *e = the_one(state);
	char *id = mem_strdup(e->sm_id);
	bool is_known = ended_take(talk_user(state), e->view, id, h, in);

	free(id);
	return is_known;
}

static void
what_can_be_told_is_kept(void **state)
{
	struct ended *e;

	TALK(state, TWO_IN_FLIGHT);
	e = the_one(state);
	assert_int_equal(e->view, talk_account(state)->id);
	assert_int_equal(e->in, 3);
	assert_int_equal(e->flights.count, 2);
	assert_int_equal(cursor_of(state, "c1"), 1);
}

/* What its h says is taken: the messages reached somebody, the device is further. */
static void
what_it_had_got_counts(void **state)
{
	uint64_t in = 0;

	TALK(state, TWO_IN_FLIGHT);
	assert_true(take(state, 5, &in));
	assert_int_equal(in, 3);
	assert_int_equal(talk_user(state)->reached.low, 2);
	assert_int_equal(cursor_of(state, "c1"), 3);
	assert_int_equal(talk_user(state)->ended_count, 0);
}

static void
or_some_of_it(void **state)
{
	uint64_t in;

	TALK(state, TWO_IN_FLIGHT);
	assert_true(take(state, 4, &in));
	assert_int_equal(talk_user(state)->reached.low, 1);
	assert_int_equal(cursor_of(state, "c1"), 2);
}

/* It says more than was sent: that is not believed, but it is over. */
static void
too_much_of_it_is_not_believed(void **state)
{
	uint64_t in;

	TALK(state, TWO_IN_FLIGHT);
	assert_true(take(state, 6, &in));
	assert_int_equal(talk_user(state)->reached.low, 0);
	assert_int_equal(cursor_of(state, "c1"), 1);
	assert_int_equal(talk_user(state)->ended_count, 0);
}

static void
nobody_else_has_it(void **state)
{
	struct user *u;
	struct ended *e;
	uint64_t in;

	TALK(state, TWO_IN_FLIGHT);
	u = talk_user(state);
	e = the_one(state);
	assert_false(ended_take(u, 0, e->sm_id, 5, &in));
	assert_false(ended_take(u, e->view + 1, e->sm_id, 5, &in));
	assert_false(ended_take(u, e->view, "other", 5, &in));
	assert_int_equal(u->ended_count, 1);
}

/* The device is there already, and has gone on from where it was. */
static void
a_device_that_came_back_is_not_moved(void **state)
{
	uint64_t in;

	TALK(state, TWO_IN_FLIGHT, "connect C1", "C1> <presence/>", "drain");
	assert_int_equal(cursor_of(state, "c1"), 1);
	assert_true(take(state, 5, &in));
	assert_int_equal(cursor_of(state, "c1"), 1);
	assert_int_equal(talk_user(state)->reached.low, 2);
}

/* As a client does it: it gets nothing that it had. */
static void
who_tries_to_resume_gets_the_rest_alone(void **state)
{
	TALK(state, "limits resume-seconds=60", "login C1 sm=mute", CHAT("m1"),
	    GOT("C1", "m1"), "stall C1", CHAT("m2"), "lose C1", "wait 61s",
	    "drain", "unresumed C1 h=3", "C1> <presence/>", "wait 5s",
	    "C1< <presence ...>...</presence>", GOT("C1", "m2"), "nothing C1",
	    "drain");
}

static void
it_is_there_after_a_restart(void **state)
{
	struct ended *e;
	uint64_t in = 0;

	TALK(state, TWO_IN_FLIGHT, "wait 1s", "kill", "drain");
	e = the_one(state);
	assert_int_equal(e->in, 3);
	assert_int_equal(e->flights.count, 2);
	assert_int_equal(flights_first(&e->flights)->number, 4);
	assert_int_equal(flights_first(&e->flights)->seq, 1);
	/* Numbers that a restart has forgotten are believed. */
	assert_true(take(state, 100, &in));
	assert_int_equal(in, 3);
	assert_int_equal(talk_user(state)->reached.low, 2);
	TALK(state, "wait 1s", "kill", "drain");
	assert_int_equal(talk_user(state)->ended_count, 0);
}

/* sessions-per-user: as many are remembered, and the oldest go, after a restart too. */
static void
the_oldest_are_forgotten(void **state)
{
	char *first;

	TALK(state, "limits sessions-per-user=3", "connect C1 sm", "close C1",
	    "connect C2 sm", "close C2", "connect C3 sm", "close C3");
	assert_int_equal(talk_user(state)->ended_count, 3);
	first = mem_strdup(
	    TAILQ_NEXT(TAILQ_FIRST(&talk_user(state)->ended), next)->sm_id);
	TALK(state, "wait 1s", "kill", "drain", "connect C4 sm", "close C4",
	    "drain");
	assert_int_equal(talk_user(state)->ended_count, 3);
	assert_string_equal(TAILQ_FIRST(&talk_user(state)->ended)->sm_id,
	    first);
	free(first);
}

/* Ids of sessions are packed with the low bits first: their order is another. */
static void
the_order_is_that_of_their_ends(void **state)
{
	struct ended *e;
	uint64_t last = 0;

	TALK(state, "limits sessions-per-user=200");
	for (unsigned i = 0; i < 80; i++)
		TALK(state, "connect C1 sm", "close C1");
	TALK(state, "wait 1s", "kill", "drain");
	assert_int_equal(talk_user(state)->ended_count, 80);
	TAILQ_FOREACH(e, &talk_user(state)->ended, next) {
		assert_true(e->id > last);
		last = e->id;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(what_can_be_told_is_kept),
		talk_test(what_it_had_got_counts),
		talk_test(or_some_of_it),
		talk_test(too_much_of_it_is_not_believed),
		talk_test(nobody_else_has_it),
		talk_test(a_device_that_came_back_is_not_moved),
		talk_test(who_tries_to_resume_gets_the_rest_alone),
		talk_test(it_is_there_after_a_restart),
		talk_test(the_oldest_are_forgotten),
		talk_test(the_order_is_that_of_their_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
