#include "support_io.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

static char steps[64];

static void
on_settle(void *arg)
{
	(void)arg;
	strcat(steps, "s");
}

static uint64_t
on_commit(void *arg, uint64_t turn)
{
	assert_int_equal(turn, loop_turn_number(arg));
	strcat(steps, "c");
	return turn;
}

static void
on_reap(void *arg)
{
	(void)arg;
	strcat(steps, "r");
}

static void
on_due(void *arg)
{
	(void)arg;
	strcat(steps, "t");
}

struct watched {
	struct loop_source *source;
	struct loop_source **victim;
	int fd;
	unsigned calls;
};

static void
on_ready(void *arg, uint32_t events)
{
	struct watched *w = arg;

	assert_true(events & EPOLLIN);
	w->calls++;
	strcat(steps, "e");
	if (w->victim != NULL)
		loop_unwatch(w->victim);
}

static void
watch(struct watched *w, struct loop *loop)
{
	memset(w, 0, sizeof(*w));
	w->fd = eventfd(1, EFD_NONBLOCK);
	w->source = loop_watch(loop, w->fd, EPOLLIN, on_ready, w);
	assert_non_null(w->source);
}

static void
unwatch(struct watched *w)
{
	loop_unwatch(&w->source);
	close(w->fd);
}

static void
test_steps_of_a_turn(void **state)
{
	struct loop *loop = io_loop();
	struct loop_hooks hooks = { on_settle, on_commit, on_reap, loop };
	struct timer timer;
	struct watched w;
	uint64_t turn = loop_turn_number(loop);

	(void)state;
	steps[0] = '\0';
	loop_set_hooks(loop, &hooks);
	watch(&w, loop);
	timer_init(&timer, loop, on_due, NULL);
	timer_set(&timer, 0);
	loop_turn(loop, 0);
	assert_string_equal(steps, "etscr");
	assert_int_equal(loop_turn_number(loop), turn + 1);
	unwatch(&w);
	loop_free(&loop);
}

static void
test_sources_are_level_triggered(void **state)
{
	struct loop *loop = io_loop();
	struct watched w;

	(void)state;
	watch(&w, loop);
	io_turns(loop, 3);
	assert_int_equal(w.calls, 3);
	loop_source_events(w.source, 0);
	io_turns(loop, 3);
	assert_int_equal(w.calls, 3);
	loop_source_events(w.source, EPOLLIN);
	loop_turn(loop, 0);
	assert_int_equal(w.calls, 4);
	unwatch(&w);
	loop_turn(loop, 0);
	assert_int_equal(w.calls, 4);
	loop_free(&loop);
}

/* Whichever of the two comes first removes both while events are pending. */
static void
test_removed_in_a_callback(void **state)
{
	struct loop *loop = io_loop();
	struct watched a, b;

	(void)state;
	watch(&a, loop);
	watch(&b, loop);
	a.victim = &b.source;
	b.victim = &a.source;
	loop_turn(loop, 0);
	assert_int_equal(a.calls + b.calls, 1);
	unwatch(&a);
	unwatch(&b);
	loop_free(&loop);
}

static void
test_bad_descriptor(void **state)
{
	struct loop *loop = io_loop();

	(void)state;
	assert_null(loop_watch(loop, -1, EPOLLIN, on_ready, NULL));
	loop_free(&loop);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
test_run_and_stop(void **state)
{
	struct loop *loop = io_loop();
	struct timer timer;

	(void)state;
	timer_init(&timer, loop, stop, loop);
	timer_set(&timer, 0);
	loop_run(loop);
	assert_int_equal(timer.at, 0);
	loop_free(&loop);
}

/* Would hang if a wake were lost. */
static void
test_wake(void **state)
{
	struct loop *loop = io_loop();

	(void)state;
	loop_wake(loop);
	loop_turn(loop, -1);
	assert_int_equal(loop_turn_number(loop), 2);
	loop_free(&loop);
}

static void
test_budget(void **state)
{
	struct loop *loop = io_loop();
	struct loop_budget budget = *loop_budget(loop);

	(void)state;
	assert_int_equal(budget.stanzas, 256);
	assert_int_equal(budget.slice_bytes, 16384);
	budget.stanzas = 3;
	loop_set_budget(loop, &budget);
	loop_turn(loop, 0);
	assert_true(loop_has_budget(loop));
	loop_spend(loop, 2);
	assert_true(loop_has_budget(loop));
	loop_spend(loop, 1);
	assert_false(loop_has_budget(loop));
	loop_turn(loop, 0);
	assert_true(loop_has_budget(loop));
	clock_advance(3);
	assert_true(loop_has_budget(loop));
	clock_advance(1);
	assert_false(loop_has_budget(loop));
	loop_free(&loop);
}

static void
test_sigpipe_is_ignored(void **state)
{
	struct loop *loop;
	struct sigaction now;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	loop = io_loop();
	sigaction(SIGPIPE, NULL, &now);
	assert_true(now.sa_handler == SIG_IGN);
	loop_free(&loop);
}

static uint64_t
real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Bytes wait; the loop sleeps, and does not go round and round. */
static void
test_held_reads(void **state)
{
	struct loop *loop = io_loop();
	struct transport *far;
	struct owner o;
	uint64_t before;
	int fds[2];

	(void)state;
	io_pair(fds);
	owner_init(&o, loop, transport_socket(fds[0]));
	far = transport_socket(fds[1]);
	loop_hold_reads(loop, true);
	io_put(far, "hello");
	io_turns(loop, 3);
	assert_int_equal(o.calls, 0);
	assert_true(conns_are_ready(loop_conns(loop)));
	assert_false(conns_are_dirty(loop_conns(loop)));
	before = real_ms();
	loop_turn(loop, 20);
	assert_true(real_ms() - before >= 15);
	/* What is to be written is. */
	conn_send(o.conn, "bye", 3, NULL, NULL);
	io_turns(loop, 1);
	assert_int_equal(conn_queued_bytes(o.conn), 0);
	loop_hold_reads(loop, false);
	io_turns(loop, 1);
	assert_string_equal(owner_text(&o), "hello");
	owner_fini(&o);
	far->ops->free(far);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps_of_a_turn),
		cmocka_unit_test(test_sources_are_level_triggered),
		cmocka_unit_test(test_removed_in_a_callback),
		cmocka_unit_test(test_bad_descriptor),
		cmocka_unit_test(test_run_and_stop),
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_sigpipe_is_ignored),
		cmocka_unit_test(test_held_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
