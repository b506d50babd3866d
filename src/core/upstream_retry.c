/* What becomes of an upstream that failed: when to try again, and when not to. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "core/account.h"
#include "core/hooks.h"
#include "core/notice.h"
#include "core/upstream.h"
#include "upstream_impl.h"

#define BACKOFF_MIN_MS   1000
#define BACKOFF_MAX_MS   300000
#define HOUR_MS          3600000
#define REFUSED_RETRY_MS 1200000 /* three tries over an hour */
#define REFUSALS_MAX     3
#define CONFLICTS_MAX    2
#define HOPS_MAX         3

/* Exponential, from the upper half of the interval, so that many do not come at once. */
static uint64_t
backoff(unsigned attempts)
{
	uint64_t ms = BACKOFF_MAX_MS;

	if (attempts < 8)
		ms = 2 * BACKOFF_MIN_MS << attempts;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	return ms / 2 + random_below(ms / 2 + 1);
}

/* The link is lost already. */
static void
retry(struct upstream *u, uint64_t in_ms, const char *why)
{
	upstream_set_trouble(u, why);
	upstream_set_state(u, UPSTREAM_WAITING);
	timer_set(&u->retry, in_ms);
	log_event(LEVEL_WARN, u->log_id, "upstream-retry",
	    "account=%s in_ms=%llu reason=%s", u->account->jid,
	    (unsigned long long)in_ms, LOG_Q(why));
	hooks_upstream_failed(u->account);
}

/* One that was steady loses its count of attempts with the link. */
void
upstream_retry_later(struct upstream *u, const char *why)
{
	if (u->finish != NULL) {
		upstream_stop(u, u->finish);
		return;
	}
	upstream_lose(u);
	u->hops = 0;
	retry(u, backoff(u->attempts++), why);
}

static void
give_up(struct upstream *u, const char *why)
{
	upstream_lose(u);
	upstream_set_trouble(u, why);
	upstream_set_state(u, UPSTREAM_REFUSED);
	log_event(LEVEL_ERROR, u->log_id, "upstream-stopped",
	    "account=%s reason=%s", u->account->jid, LOG_Q(why));
	notice_user(u->account->user,
	    "%s: %s. No further try until the configuration changes.",
	    u->account->jid, why);
	hooks_upstream_failed(u->account);
}

void
upstream_refused(struct upstream *u, const char *why)
{
	uint64_t now = clock_now();

	u->hops = 0;
	if (u->refusals == 0 || now - u->first_refusal >= 2 * HOUR_MS) {
		u->refusals = 0;
		u->first_refusal = now;
	}
	if (++u->refusals >= REFUSALS_MAX) {
		give_up(u, why);
		return;
	}
	if (u->refusals == 1)
		notice_user(u->account->user, "%s: %s.", u->account->jid, why);
	upstream_lose(u);
	retry(u, REFUSED_RETRY_MS, why);
}

void
upstream_conflicted(struct upstream *u, const char *why)
{
	uint64_t now = clock_now();

	if (u->conflicts == 0 || now - u->first_conflict >= HOUR_MS) {
		u->conflicts = 0;
		u->first_conflict = now;
	}
	if (++u->conflicts >= CONFLICTS_MAX) {
		give_up(u, why);
		return;
	}
	u->server_resource = true;
	upstream_retry_later(u, why);
}

/* "host", "host:port", "[v6]:port"; an IPv6 address alone has no port. */
static void
set_other_host(struct upstream *u, const char *where)
{
	const char *port = strrchr(where, ':');
	uint64_t number = 0;

	free(u->other_host);
	u->other_port = 0;
	u->other_host = mem_strdup(where);
	if (port == NULL || port == where ||
	    (strchr(where, ':') != port && port[-1] != ']') ||
	    !text_to_uint(port + 1, 1, 65535, &number))
		return;
	u->other_host[port - where] = '\0';
	u->other_port = (uint16_t)number;
}

void
upstream_sent_on(struct upstream *u, const char *where)
{
	if (++u->hops > HOPS_MAX) {
		upstream_retry_later(u, "sent from host to host too often");
		return;
	}
	set_other_host(u, where);
	upstream_lose(u);
	retry(u, 0, "the server named another host");
}
