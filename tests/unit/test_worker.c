#include "support_io.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>

#include "io/worker.h"

struct job {
	int in, out;
	sem_t *started, *go; /* NULL: does not wait */
	pthread_t thread;
	bool blocks_signals;
};

static int answers[16];
static unsigned answer_count;

static void
work(void *arg)
{
	struct job *job = arg;
	sigset_t set;

	if (job->started != NULL) {
		sem_post(job->started);
		sem_wait(job->go);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	job->blocks_signals = sigismember(&set, SIGTERM);
	job->thread = pthread_self();
	job->out = job->in * job->in;
}

static void
done(void *arg)
{
	struct job *job = arg;

	assert_true(job->blocks_signals);
	assert_false(pthread_equal(job->thread, pthread_self()));
	answers[answer_count++] = job->out;
	free(job);
}

static struct job *
job_new(int in)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->in = in;
	return job;
}

static int
setup(void **state)
{
	*state = io_loop();
	answer_count = 0;
	return 0;
}

static int
teardown(void **state)
{
	loop_free((struct loop **)state);
	return 0;
}

static void
test_answers_come_by_the_loop(void **state)
{
	struct worker *w = worker_new(*state, 2, 10, NULL);
	int sum = 0;

	for (int i = 1; i <= 3; i++)
		assert_int_equal(worker_start(w, work, done, job_new(i)), 0);
	assert_int_equal(answer_count, 0);
	while (answer_count < 3)
		loop_turn(*state, -1);
	for (int i = 0; i < 3; i++)
		sum += answers[i];
	assert_int_equal(sum, 1 + 4 + 9);
	worker_free(&w);
	assert_null(w);
}

static void
test_max_jobs(void **state)
{
	struct worker *w = worker_new(*state, 1, 2, NULL);
	struct job *first = job_new(1), *extra = job_new(9);
	sem_t started, go;

	sem_init(&started, 0, 0);
	sem_init(&go, 0, 0);
	first->started = &started;
	first->go = &go;
	assert_int_equal(worker_start(w, work, done, first), 0);
	sem_wait(&started); /* it runs, so it does not wait any more */
	assert_int_equal(worker_start(w, work, done, job_new(2)), 0);
	assert_int_equal(worker_start(w, work, done, job_new(3)), 0);
	assert_int_equal(worker_start(w, work, done, extra), -1);
	sem_post(&go);
	while (answer_count < 3)
		loop_turn(*state, -1);
	assert_int_equal(answers[0], 1);
	assert_int_equal(answers[1], 4);
	assert_int_equal(answers[2], 9);
	assert_int_equal(worker_start(w, work, done, extra), 0);
	while (answer_count < 4)
		loop_turn(*state, -1);
	worker_free(&w);
	sem_destroy(&started);
	sem_destroy(&go);
}

/* The loop is not blocked by a job that takes its time. */
static void
test_loop_goes_on(void **state)
{
	struct worker *w = worker_new(*state, 1, 2, NULL);
	struct job *job = job_new(5);
	sem_t started, go;

	sem_init(&started, 0, 0);
	sem_init(&go, 0, 0);
	job->started = &started;
	job->go = &go;
	assert_int_equal(worker_start(w, work, done, job), 0);
	sem_wait(&started);
	io_turns(*state, 10);
	assert_int_equal(answer_count, 0);
	sem_post(&go);
	while (answer_count < 1)
		loop_turn(*state, -1);
	worker_free(&w);
	sem_destroy(&started);
	sem_destroy(&go);
}

static struct worker *chained;

static void
start_again(void *arg)
{
	struct job *job = arg;

	answers[answer_count++] = job->out;
	if (job->in > 0) {
		job->in--;
		assert_int_equal(worker_start(chained, work, start_again, job),
		    0);
	} else
		free(job);
}

static void
test_started_in_done(void **state)
{
	chained = worker_new(*state, 1, 1, NULL);
	assert_int_equal(worker_start(chained, work, start_again, job_new(3)),
	    0);
	while (answer_count < 4)
		loop_turn(*state, -1);
	worker_free(&chained);
}

/* At the end: what was begun is finished, what waits is handed back undone. */
struct ending {
	struct worker *worker; /* NULL: does nothing */
	sem_t *started;
	bool was_done;
};

static unsigned done_count, undone_count;

static void
count(void *arg)
{
	struct ending *job = arg;

	if (job->was_done)
		done_count++;
	else
		undone_count++;
	free(job);
}

/* Takes no more: it is at its end. Until then one more waits behind this one. */
static void
work_until_end(void *arg)
{
	struct ending *job = arg, *next;
	int rc = 0;

	job->was_done = true;
	if (job->worker == NULL)
		return;
	sem_post(job->started);
	while (rc == 0) {
		next = mem_alloc(sizeof(*next));
		rc = worker_start(job->worker, work_until_end, count, next);
		sched_yield();
	}
	free(next);
}

static void
test_free_leaves_undone(void **state)
{
	struct worker *w = worker_new(*state, 1, SIZE_MAX, NULL);
	struct ending *job = mem_alloc(sizeof(*job));
	sem_t started;

	sem_init(&started, 0, 0);
	job->worker = w;
	job->started = &started;
	done_count = undone_count = 0;
	assert_int_equal(worker_start(w, work_until_end, count, job), 0);
	sem_wait(&started);
	job = mem_alloc(sizeof(*job));
	assert_int_equal(worker_start(w, work_until_end, count, job), 0);
	worker_free(&w);
	worker_free(&w);
	assert_int_equal(done_count, 1);
	assert_true(undone_count > 0);
	loop_turn(*state, 0);
	sem_destroy(&started);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_answers_come_by_the_loop),
		TEST(test_max_jobs),
		TEST(test_loop_goes_on),
		TEST(test_started_in_done),
		TEST(test_free_leaves_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
