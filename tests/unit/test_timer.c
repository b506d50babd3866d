#include "support_io.h"

#include "io/timer.h"

struct note {
	struct timer timer;
	struct loop *loop;
	char name;
	uint64_t again_ms;
	bool again;
	struct note *stops;
};

static char fired[64];

static void
on_due(void *arg)
{
	struct note *note = arg;

	strncat(fired, &note->name, 1);
	if (note->stops != NULL)
		timer_stop(&note->stops->timer);
	if (note->again)
		timer_set(&note->timer, note->again_ms);
}

static void
init(struct note *note, struct loop *loop, char name)
{
	memset(note, 0, sizeof(*note));
	note->loop = loop;
	note->name = name;
	timer_init(&note->timer, loop, on_due, note);
	fired[0] = '\0';
}

static void
test_order(void **state)
{
	struct loop *loop = io_loop();
	struct note notes[6];
	const uint64_t at[6] = { 30, 10, 20, 10, 50, 40 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		init(&notes[i], loop, (char)('a' + i));
		timer_set(&notes[i].timer, at[i]);
	}
	loop_turn(loop, 0);
	assert_string_equal(fired, "");
	clock_advance(9);
	loop_turn(loop, 0);
	assert_string_equal(fired, "");
	clock_advance(1);
	loop_turn(loop, 0);
	assert_string_equal(fired, "bd");
	assert_int_equal(notes[1].timer.at, 0);
	timer_stop(&notes[5].timer);
	clock_advance(100);
	loop_turn(loop, 0);
	assert_string_equal(fired, "bdcae");
	loop_free(&loop);
}

static void
test_later_is_lazy_and_earlier_is_not(void **state)
{
	struct loop *loop = io_loop();
	struct note note;
	uint64_t order;

	(void)state;
	init(&note, loop, 'a');
	timer_set(&note.timer, 100);
	order = note.timer.order;
	for (int i = 0; i < 1000; i++) {
		clock_advance(1);
		timer_set(&note.timer, 100);
		if (i < 99)
			assert_int_equal(note.timer.order, order);
		loop_turn(loop, 0);
	}
	assert_string_equal(fired, "");
	timer_set(&note.timer, 5);
	clock_advance(5);
	loop_turn(loop, 0);
	assert_string_equal(fired, "a");
	clock_advance(1000);
	loop_turn(loop, 0);
	assert_string_equal(fired, "a");
	loop_free(&loop);
}

static void
test_set_at_once_waits_a_turn(void **state)
{
	struct loop *loop = io_loop();
	struct note note, other;

	(void)state;
	init(&note, loop, 'a');
	init(&other, loop, 'b');
	note.again = true;
	timer_set(&note.timer, 0);
	timer_set(&other.timer, 0);
	loop_turn(loop, 0);
	assert_string_equal(fired, "ab");
	/* Due already: no turn waits, whatever it may. */
	loop_turn(loop, 60000);
	assert_string_equal(fired, "aba");
	timer_stop(&note.timer);
	loop_turn(loop, 0);
	assert_string_equal(fired, "aba");
	loop_free(&loop);
}

static void
test_stopped_by_another(void **state)
{
	struct loop *loop = io_loop();
	struct note note, other;

	(void)state;
	init(&note, loop, 'a');
	init(&other, loop, 'b');
	note.stops = &other;
	timer_set(&note.timer, 1);
	timer_set(&other.timer, 1);
	clock_advance(1);
	loop_turn(loop, 0);
	assert_string_equal(fired, "a");
	loop_free(&loop);
}

static void
test_wait(void **state)
{
	struct loop *loop = io_loop();
	struct timers *timers = loop_timers(loop);
	struct note note;

	(void)state;
	init(&note, loop, 'a');
	assert_int_equal(timers_wait(timers), -1);
	timer_set(&note.timer, 70);
	assert_int_equal(timers_wait(timers), 70);
	timer_set(&note.timer, 90);
	assert_int_equal(timers_wait(timers), 70);
	clock_advance(71);
	assert_int_equal(timers_wait(timers), 0);
	loop_turn(loop, 0);
	assert_string_equal(fired, "");
	assert_int_equal(timers_wait(timers), 19);
	timer_stop(&note.timer);
	assert_int_equal(timers_wait(timers), -1);
	timer_set(&note.timer, UINT64_C(1) << 40);
	assert_int_equal(timers_wait(timers), INT32_MAX);
	loop_free(&loop);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

#define MANY 500
static uint64_t when[MANY];
static unsigned when_count;

static void
note_time(void *arg)
{
	(void)arg;
	when[when_count++] = clock_now();
}

/* Sets, moves and stops many; each fires at its last time, in order. */
static void
test_many(void **state)
{
	struct loop *loop = io_loop();
	static struct timer timers[MANY];
	uint64_t wanted[MANY], start = clock_now();
	unsigned count = 0, seed = 1;

	(void)state;
	when_count = 0;
	for (int i = 0; i < MANY; i++)
		timer_init(&timers[i], loop, note_time, NULL);
	for (int i = 0; i < 5 * MANY; i++) {
		seed = seed * 1103515245 + 12345;
		timer_set(&timers[seed / 65536 % MANY], seed / 256 % 997 + 1);
		if (seed % 7 == 0)
			timer_stop(&timers[seed / 4096 % MANY]);
	}
	for (int i = 0; i < MANY; i++)
		if (timers[i].at != 0)
			wanted[count++] = timers[i].at;
	qsort(wanted, count, sizeof(*wanted), compare);
	while (clock_now() < start + 1000) {
		clock_advance(1);
		loop_turn(loop, 0);
	}
	assert_int_equal(when_count, count);
	assert_memory_equal(when, wanted, count * sizeof(*when));
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_later_is_lazy_and_earlier_is_not),
		cmocka_unit_test(test_set_at_once_waits_a_turn),
		cmocka_unit_test(test_stopped_by_another),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
