/* The running program: the real environment of a proxy, and the signals. */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "base/err.h"
#include "core/config.h"
#include "core/hooks.h"

/*
 * Serves until SIGTERM or SIGINT, which close streams properly; a second one ends at
 * once. SIGHUP loads the configuration anew. Takes the configuration. 0, or -1 where it
 * could not start, or RUN_STORE_FAILED: nothing can be kept, and streams are
 * left so that they can be resumed (custody.md). err says why.
 */
#define RUN_STORE_FAILED 75 /* EX_TEMPFAIL of sysexits.h */
int run(struct config *, const struct module *const *modules, struct err *);

/* First of all: one that comes early waits for run(), and no thread gets one. */
void run_hold_signals(void);

#endif
