#include "io/worker.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

struct work {
	void (*work)(void *job);
	void (*done)(void *job);
	void *job;
	STAILQ_ENTRY(work) link;
};

STAILQ_HEAD(work_list, work);

struct worker {
	struct loop_source *source;
	int event; /* threads tell the loop by it */
	size_t max_jobs;
	pthread_t *threads;
	unsigned thread_count;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t wanted;
	struct work_list waiting, finished;
	size_t waiting_count;
	bool stopping;
};

static void
finish(struct worker *w, struct work *work)
{
	uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->finished, work, link);
	pthread_mutex_unlock(&w->lock);
	/* It fails only where the counter is full: then the loop knows. */
	if (write(w->event, &one, sizeof(one)) < 0)
		return;
}

/* The next job, or NULL when the worker stops. */
static struct work *
wait_for_work(struct worker *w)
{
	struct work *work = NULL;

	pthread_mutex_lock(&w->lock);
	while (STAILQ_EMPTY(&w->waiting) && !w->stopping)
		pthread_cond_wait(&w->wanted, &w->lock);
	if (!w->stopping) {
		work = STAILQ_FIRST(&w->waiting);
		STAILQ_REMOVE_HEAD(&w->waiting, link);
		w->waiting_count--;
	}
	pthread_mutex_unlock(&w->lock);
	return work;
}

static void *
run_thread(void *arg)
{
	struct worker *w = arg;
	struct work *work;

	while ((work = wait_for_work(w)) != NULL) {
		work->work(work->job);
		finish(w, work);
	}
	return NULL;
}

/* done() may start another job, so the lock is not held over it. */
static void
answer(struct worker *w)
{
	struct work_list finished = STAILQ_HEAD_INITIALIZER(finished);
	struct work *work;

	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(&finished, &w->finished);
	pthread_mutex_unlock(&w->lock);
	while ((work = STAILQ_FIRST(&finished)) != NULL) {
		STAILQ_REMOVE_HEAD(&finished, link);
		work->done(work->job);
		free(work);
	}
}

static void
on_event(void *arg, uint32_t events)
{
	struct worker *w = arg;
	uint64_t count;

	(void)events;
	if (read(w->event, &count, sizeof(count)) < 0)
		return;
	answer(w);
}

/* Signals are the loop's thread's. */
static int
start_threads(struct worker *w, unsigned count, struct err *err)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (w->thread_count < count && error == 0) {
		error = pthread_create(&w->threads[w->thread_count], NULL,
		    run_thread, w);
		if (error == 0)
			w->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return 0;
	errno = error;
	return err_errno(err, "pthread_create");
}

struct worker *
worker_new(struct loop *loop, unsigned threads, size_t max_jobs,
    struct err *err)
{
	struct worker *w = mem_alloc(sizeof(*w));

	w->max_jobs = max_jobs;
	w->threads = mem_array(threads, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wanted, NULL);
	STAILQ_INIT(&w->waiting);
	STAILQ_INIT(&w->finished);
	w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->event < 0) {
		err_errno(err, "eventfd");
		goto fail;
	}
	w->source = loop_watch(loop, w->event, EPOLLIN, on_event, w);
	if (w->source == NULL) {
		err_errno(err, "epoll_ctl");
		goto fail;
	}
	if (start_threads(w, threads, err) < 0)
		goto fail;
	return w;
fail:
	worker_free(&w);
	return NULL;
}

void
worker_free(struct worker **holder)
{
	struct worker *w = *holder;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->wanted);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		pthread_join(w->threads[i], NULL);
	STAILQ_CONCAT(&w->finished, &w->waiting);
	answer(w);
	loop_unwatch(&w->source);
	if (w->event >= 0)
		close(w->event);
	pthread_cond_destroy(&w->wanted);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
	*holder = NULL;
}

int
worker_start(struct worker *w, void (*work)(void *job), void (*done)(void *job),
    void *job)
{
	struct work *entry;
	int rc = -1;

	pthread_mutex_lock(&w->lock);
	if (w->waiting_count < w->max_jobs && !w->stopping) {
		entry = mem_alloc(sizeof(*entry));
		entry->work = work;
		entry->done = done;
		entry->job = job;
		STAILQ_INSERT_TAIL(&w->waiting, entry, link);
		w->waiting_count++;
		pthread_cond_signal(&w->wanted);
		rc = 0;
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}
