#include "core/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

/* Listeners, the log, resolving, files that are read. */
#define SPARE 128

static rlim_t
wanted(const struct config *config)
{
	const struct account_config *a;
	const struct user_config *u;
	rlim_t count = config->limits.connections + SPARE;

	STAILQ_FOREACH(u, &config->users, next)
		STAILQ_FOREACH(a, &u->accounts, next)
			count++;
	return count;
}

void
descriptors_raise(const struct config *config)
{
	rlim_t need = wanted(config), had;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	had = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		limit.rlim_cur = had;
	if (limit.rlim_cur < need)
		log_event(LEVEL_WARN, "proxy", "few-descriptors",
		    "allowed=%llu needed=%llu "
		    "reason=\"limits connections and accounts\"",
		    (unsigned long long)limit.rlim_cur,
		    (unsigned long long)need);
}
