/*
 * Work that takes milliseconds, done by threads beside the loop. The job's
 * memory belongs to the worker from worker_start() until done() was called on
 * the loop's thread; whoever asked may be gone by then, so done() finds it by
 * id.
 */
#ifndef IO_WORKER_H
#define IO_WORKER_H

#include <stddef.h>

#include "base/err.h"
#include "io/loop.h"

struct worker;

struct worker *worker_new(struct loop *, unsigned threads, size_t max_jobs,
    struct err *);
/*
 * Waits for the jobs that were begun. Those that wait are not begun any more, but
 * done() of each is called too: so whoever asks presets the job's result to a
 * failure. Before loop_free().
 */
void worker_free(struct worker **);
/*
 * work() runs on a thread and touches nothing but the job; done() runs in the
 * loop and frees the job. -1 where max_jobs wait already: done() is not called.
 */
int worker_start(struct worker *, void (*work)(void *job),
    void (*done)(void *job), void *job);

#endif
