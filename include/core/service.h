/* What systemd and a shell expect of a service: readiness, watchdog, background. */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* One message to $NOTIFY_SOCKET (sd_notify(3)); nothing where there is none. */
void service_notify(const char *state);
/* Half of $WATCHDOG_USEC in ms; 0 without a watchdog. */
uint64_t service_watchdog_ms(void);
/*
 * Into the background. The parent waits until service_is_up() or the child's end, and
 * its exit status says which. Before any thread is there.
 */
int service_daemonize(struct err *);
/* Ready: tells systemd and the waiting parent. */
void service_is_up(void);

#endif
