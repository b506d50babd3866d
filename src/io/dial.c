#include "io/dial.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/host.h"

#define PORT_STARTTLS 5222
#define PORT_DIRECT   5223
#define KINDS         2 /* of SRV records */

struct dial {
	struct resolver *resolver;
	struct loop *loop;
	struct dial_events events;
	void *arg;
	char *domain;
	enum dial_tls tls;
	unsigned try_ms;
	unsigned left_ms;  /* of total_ms, while `total` is not running */
	uint64_t deadline; /* clock_now() ms, while it is */

	struct lookup *srv[KINDS];
	size_t srv_pending;
	bool srv_found;   /* a record, be it "." */
	char *srv_reason; /* why DNS did not answer, or NULL */

	struct srv *targets; /* in the order to try them */
	size_t target_count, next_target;
	struct lookup *lookup;       /* of targets[next_target - 1] */
	const struct answer *answer; /* the lookup's */
	size_t next_address;

	int fd; /* the attempt; -1: none */
	struct loop_source *source;
	char *where;     /* what the attempt is to */
	struct err last; /* why the last one failed */
	bool handed;     /* the caller has the word */

	struct timer step;     /* the next candidate, from the loop */
	struct timer patience; /* of one address */
	struct timer total;
};

static void advance(struct dial *);

static void
forget_attempt(struct dial *d)
{
	timer_stop(&d->patience);
	loop_unwatch(&d->source);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void
forget_lookups(struct dial *d)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		lookup_free(&d->srv[i]);
	lookup_free(&d->lookup);
	d->answer = NULL;
}

static void
clock_start(struct dial *d)
{
	d->deadline = clock_now() + d->left_ms;
	timer_set(&d->total, d->left_ms);
}

static void
clock_stop(struct dial *d)
{
	uint64_t now = clock_now();

	d->left_ms = d->deadline > now ? (unsigned)(d->deadline - now) : 0;
	timer_stop(&d->total);
}

/* The caller may free the dial in it: nothing comes after this. */
static void
give_up(struct dial *d)
{
	struct err reason;

	forget_attempt(d);
	forget_lookups(d);
	timer_stop(&d->step);
	timer_stop(&d->total);
	if (d->srv_reason != NULL)
		err_set(&reason, "%s (%s)", d->last.text, d->srv_reason);
	else
		reason = d->last;
	d->events.failed(d->arg, reason.text);
}

/* The same holds here. */
static void
hand_over(struct dial *d)
{
	struct transport *transport = transport_socket(d->fd);

	d->fd = -1;
	forget_attempt(d);
	clock_stop(d);
	d->handed = true;
	log_event(LEVEL_DEBUG, d->domain, "dial-connected", "to=%s",
	    LOG_Q(d->where));
	d->events.connected(d->arg, transport,
	    d->targets[d->next_target - 1].direct, d->where);
}

/* Notes why the attempt is over. */
static void
missed(struct dial *d, const char *why)
{
	forget_attempt(d);
	err_set(&d->last, "%s: %s", d->where, why);
	log_event(LEVEL_DEBUG, d->domain, "dial-missed", "to=%s reason=%s",
	    LOG_Q(d->where), LOG_Q(why));
}

static void
on_connect(void *arg, uint32_t events)
{
	struct dial *d = arg;
	int fault = 0;
	socklen_t len = sizeof(fault);

	(void)events;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &fault, &len) != 0)
		fault = errno;
	if (fault == 0) {
		hand_over(d);
		return;
	}
	missed(d, strerror(fault));
	advance(d);
}

static void
on_patience(void *arg)
{
	struct dial *d = arg;
	char why[64];

	snprintf(why, sizeof(why), "no connection within %u ms", d->try_ms);
	missed(d, why);
	advance(d);
}

static void
on_total(void *arg)
{
	struct dial *d = arg;

	if (d->fd >= 0)
		missed(d, "no connection yet");
	err_prefix(&d->last, "out of time");
	give_up(d);
}

static void
set_where(struct dial *d, const struct sockaddr_storage *address,
    const struct srv *target)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const void *bytes;

	if (address->ss_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
	else
		bytes = &((const struct sockaddr_in *)address)->sin_addr;
	inet_ntop(address->ss_family, bytes, text, sizeof(text));
	mem_free_string(&d->where);
	d->where = mem_printf("%s [%s]:%u", target->target, text,
	    (unsigned)target->port);
}

static socklen_t
set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
		return sizeof(struct sockaddr_in6);
	}
	((struct sockaddr_in *)address)->sin_port = htons(port);
	return sizeof(struct sockaddr_in);
}

/* 0 where the attempt is under way or done, -1 where it failed at once. */
static int
try_address(struct dial *d, struct sockaddr_storage address)
{
	const struct srv *target = &d->targets[d->next_target - 1];
	socklen_t len = set_port(&address, target->port);

	set_where(d, &address, target);
	d->fd = socket(address.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0 ||
	    (connect(d->fd, (void *)&address, len) != 0 &&
		errno != EINPROGRESS)) {
		missed(d, strerror(errno));
		return -1;
	}
	d->source = loop_watch(d->loop, d->fd, EPOLLOUT, on_connect, d);
	timer_set(&d->patience, d->try_ms);
	return 0;
}

static void
on_addresses(void *arg, const struct answer *answer)
{
	struct dial *d = arg;

	if (answer->status == ANSWER_FOUND) {
		d->answer = answer;
	} else {
		err_set(&d->last, "%s", answer->reason);
		log_event(LEVEL_DEBUG, d->domain, "dial-missed", "reason=%s",
		    LOG_Q(answer->reason));
	}
	advance(d);
}

/* The next address of the target, the next target, or the end. */
static void
advance(struct dial *d)
{
	while (d->answer != NULL && d->next_address < d->answer->address_count)
		if (try_address(d, d->answer->addresses[d->next_address++]) ==
		    0)
			return;
	lookup_free(&d->lookup);
	d->answer = NULL;
	if (d->next_target == d->target_count) {
		give_up(d);
		return;
	}
	d->next_address = 0;
	d->lookup = lookup_addresses(d->resolver,
	    d->targets[d->next_target++].target, on_addresses, d);
}

static void
on_step(void *arg)
{
	advance(arg);
}

/* Takes the name. */
static void
add_target(struct dial *d, char *name, const struct srv *record)
{
	struct srv *target;

	d->targets = mem_grow(d->targets,
	    (d->target_count + 1) * sizeof(*d->targets));
	target = &d->targets[d->target_count++];
	*target = *record;
	target->target = name;
}

static void
add_host(struct dial *d, const char *host, uint16_t port)
{
	bool direct = d->tls == DIAL_DIRECT;
	struct srv record = { .direct = direct };

	record.port = port != 0 ? port : direct ? PORT_DIRECT : PORT_STARTTLS;
	add_target(d, mem_strdup(host), &record);
}

/*
 * "If the initiating entity does not receive a response to its SRV query, it
 * SHOULD attempt the fallback process" (RFC 6120 3.2.1 step 9): resolvers that
 * drop questions about SRV exist, and the certificate is verified against the
 * domain wherever we end up. Once records were seen, there is none (step 8).
 */
static void
srv_known(struct dial *d)
{
	if (!d->srv_found) {
		if (d->srv_reason != NULL)
			log_event(LEVEL_WARN, d->domain, "srv-failed",
			    "reason=%s", LOG_Q(d->srv_reason));
		add_host(d, d->domain, 0);
	}
	if (d->target_count == 0)
		err_set(&d->last,
		    "%s offers no such service: its SRV record is \".\"",
		    d->domain);
	srv_order(d->targets, d->target_count);
	advance(d);
}

static void
on_srv(struct dial *d, const struct answer *answer, bool direct)
{
	struct srv record;
	size_t i;

	if (answer->status == ANSWER_FOUND)
		d->srv_found = true;
	if (answer->status == ANSWER_FAILED && d->srv_reason == NULL)
		d->srv_reason = mem_strdup(answer->reason);
	for (i = 0; i < answer->record_count; i++) {
		record = answer->records[i];
		record.direct = direct;
		if (record.target[0] != '\0')
			add_target(d, mem_strdup(record.target), &record);
	}
	if (--d->srv_pending == 0)
		srv_known(d);
}

static void
on_srv_starttls(void *arg, const struct answer *answer)
{
	on_srv(arg, answer, false);
}

static void
on_srv_direct(void *arg, const struct answer *answer)
{
	on_srv(arg, answer, true);
}

static void
ask_srv(struct dial *d, const char *service,
    void (*done)(void *, const struct answer *))
{
	char *name = mem_printf("%s._tcp.%s", service, d->domain);

	d->srv[d->srv_pending++] = lookup_srv(d->resolver, name, done, d);
	mem_free_string(&name);
}

static void
start(struct dial *d, const struct dial_target *target)
{
	struct sockaddr_storage plain[HOST_ADDRESSES];

	if (target->host != NULL) {
		add_host(d, target->host, target->port);
	} else if (host_plain(d->domain, plain) > 0) {
		add_host(d, d->domain, 0);
	} else {
		if (d->tls != DIAL_DIRECT)
			ask_srv(d, "_xmpp-client", on_srv_starttls);
		if (d->tls == DIAL_ANY || d->tls == DIAL_DIRECT)
			ask_srv(d, "_xmpps-client", on_srv_direct);
		return;
	}
	timer_set(&d->step, 0);
}

struct dial *
dial_new(struct resolver *resolver, const struct dial_target *target,
    const struct dial_events *events, void *arg)
{
	struct dial *d = mem_alloc(sizeof(*d));

	d->resolver = resolver;
	d->loop = resolver_loop(resolver);
	d->events = *events;
	d->arg = arg;
	d->domain = mem_strdup(target->domain);
	d->tls = target->tls;
	d->try_ms = target->try_ms;
	d->left_ms = target->total_ms;
	d->fd = -1;
	err_set(&d->last, "looking for %s", d->domain);
	timer_init(&d->step, d->loop, on_step, d);
	timer_init(&d->patience, d->loop, on_patience, d);
	timer_init(&d->total, d->loop, on_total, d);
	clock_start(d);
	start(d, target);
	return d;
}

void
dial_next(struct dial *d, const char *reason)
{
	assert(d->handed);
	d->handed = false;
	missed(d, reason);
	clock_start(d);
	timer_set(&d->step, 0);
}

void
dial_free(struct dial **holder)
{
	struct dial *d = *holder;
	size_t i;

	if (d == NULL)
		return;
	*holder = NULL;
	forget_attempt(d);
	forget_lookups(d);
	timer_stop(&d->step);
	timer_stop(&d->total);
	for (i = 0; i < d->target_count; i++)
		free(d->targets[i].target);
	free(d->targets);
	free(d->srv_reason);
	free(d->where);
	free(d->domain);
	free(d);
}
