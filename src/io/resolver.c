#include "io/resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/mem.h"
#include "io/host.h"

#define SYSTEM_CONF "/etc/resolv.conf"
#define TRY_MS      2000
#define TRIES       2

/* A socket of c-ares in the loop. */
struct wire {
	struct resolver *resolver;
	int fd;
	struct loop_source *source;
	LIST_ENTRY(wire) link;
};

struct resolver {
	struct loop *loop;
	ares_channel channel;
	char *servers, *conf;
	uint16_t port;
	unsigned try_ms, tries;
	struct timespec conf_time; /* of `conf` when it was read */
	struct timer retry;        /* c-ares's own time-outs */
	struct timer deliver;      /* there are answers in `done` */
	size_t owned;              /* lookups that were not freed */
	size_t asking;             /* questions that c-ares has */
	LIST_HEAD(wires, wire) wires;
	TAILQ_HEAD(lookups, lookup) done;
};

/*
 * c-ares cannot take back one question: a lookup that was freed meanwhile is
 * `dropped`, and goes when c-ares lets go of it.
 */
struct lookup {
	struct resolver *resolver;
	void (*done)(void *arg, const struct answer *);
	void *arg;
	char *what; /* for the reason */
	struct answer answer;
	bool asking, dropped, answered;
	TAILQ_ENTRY(lookup) link;
};

static void
rearm(struct resolver *r)
{
	struct timeval wait, *next;

	if ((next = ares_timeout(r->channel, NULL, &wait)) == NULL) {
		timer_stop(&r->retry);
		return;
	}
	/* Rounded up: a timer that is early would spin. */
	timer_set(&r->retry,
	    (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1);
}

static void
on_retry(void *arg)
{
	struct resolver *r = arg;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(r);
}

static void
on_wire(void *arg, uint32_t events)
{
	struct wire *wire = arg;
	struct resolver *r = wire->resolver;
	int fd = wire->fd;
	bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;

	/* An error shows in whichever operation c-ares tries next. */
	ares_process_fd(r->channel,
	    failed || (events & EPOLLIN) ? fd : ARES_SOCKET_BAD,
	    failed || (events & EPOLLOUT) ? fd : ARES_SOCKET_BAD);
	rearm(r);
}

static struct wire *
wire_find(struct resolver *r, int fd)
{
	struct wire *wire;

	LIST_FOREACH(wire, &r->wires, link)
		if (wire->fd == fd)
			return wire;
	return NULL;
}

static void
wire_free(struct wire *wire)
{
	LIST_REMOVE(wire, link);
	loop_unwatch(&wire->source);
	free(wire);
}

/* c-ares says what it waits for; nothing at all right before close(). */
static void
on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	struct wire *wire = wire_find(r, fd);
	uint32_t events = (readable ? EPOLLIN : 0u) |
	    (writable ? EPOLLOUT : 0u);

	if (events == 0) {
		if (wire != NULL)
			wire_free(wire);
		return;
	}
	if (wire != NULL) {
		loop_source_events(wire->source, events);
		return;
	}
	wire = mem_alloc(sizeof(*wire));
	wire->resolver = r;
	wire->fd = fd;
	wire->source = loop_watch(r->loop, fd, events, on_wire, wire);
	LIST_INSERT_HEAD(&r->wires, wire, link);
}

static struct timespec
conf_time(const struct resolver *r)
{
	struct stat info;

	if (r->servers != NULL || stat(r->conf, &info) != 0)
		return (struct timespec){ 0 };
	return info.st_mtim;
}

static int
channel_open(struct resolver *r, ares_channel *out, struct err *err)
{
	struct ares_options options = {
		.timeout = (int)r->try_ms,
		.tries = (int)r->tries,
		.udp_port = r->port,
		.tcp_port = r->port,
		.lookups = (char[]){ "fb" }, /* /etc/hosts, then DNS */
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = r,
		.resolvconf_path = r->conf,
	};
	/* OPT_DOMAINS with none: a domain of XMPP is absolute. */
	int rc,
	    mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
	    ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_DOMAINS |
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;

	if ((rc = ares_init_options(out, &options, mask)) != ARES_SUCCESS)
		return err_set(err, "DNS resolver: %s", ares_strerror(rc));
	if (r->servers == NULL)
		return 0;
	if ((rc = ares_set_servers_ports_csv(*out, r->servers)) == ARES_SUCCESS)
		return 0;
	ares_destroy(*out);
	return err_set(err, "DNS servers \"%s\": %s", r->servers,
	    ares_strerror(rc));
}

/*
 * A process that started before the network was up would else ask the wrong
 * servers for ever: c-ares reads resolv.conf once a channel.
 */
static void
channel_renew(struct resolver *r)
{
	struct timespec now = conf_time(r);
	ares_channel fresh;

	if (r->asking > 0 ||
	    (now.tv_sec == r->conf_time.tv_sec &&
		now.tv_nsec == r->conf_time.tv_nsec))
		return;
	if (channel_open(r, &fresh, NULL) != 0)
		return;
	ares_destroy(r->channel);
	r->channel = fresh;
	r->conf_time = now;
}

static void
lookup_destroy(struct lookup *l)
{
	size_t i;

	for (i = 0; i < l->answer.record_count; i++)
		free(l->answer.records[i].target);
	free(l->answer.records);
	free(l->answer.addresses);
	free(l->answer.reason);
	free(l->what);
	free(l);
}

/* The callback may free lookups, this one and others, and start new ones. */
static void
on_deliver(void *arg)
{
	struct resolver *r = arg;
	struct lookup *l;

	while ((l = TAILQ_FIRST(&r->done)) != NULL) {
		TAILQ_REMOVE(&r->done, l, link);
		l->answered = false;
		l->done(l->arg, &l->answer);
	}
}

struct resolver *
resolver_new_with(struct loop *loop, const struct resolver_options *options,
    struct err *err)
{
	struct resolver *r = mem_alloc(sizeof(*r));
	int rc;

	r->loop = loop;
	r->servers = mem_strdup(options->servers);
	r->conf = mem_strdup(options->conf ? options->conf : SYSTEM_CONF);
	r->port = options->port ? options->port : NAMESERVER_PORT;
	r->try_ms = options->try_ms ? options->try_ms : TRY_MS;
	r->tries = options->tries ? options->tries : TRIES;
	LIST_INIT(&r->wires);
	TAILQ_INIT(&r->done);
	timer_init(&r->retry, loop, on_retry, r);
	timer_init(&r->deliver, loop, on_deliver, r);
	if ((rc = ares_library_init(ARES_LIB_INIT_ALL)) != ARES_SUCCESS) {
		err_set(err, "DNS resolver: %s", ares_strerror(rc));
		goto fail;
	}
	r->conf_time = conf_time(r);
	if (channel_open(r, &r->channel, err) == 0)
		return r;
	ares_library_cleanup();
fail:
	free(r->servers);
	free(r->conf);
	free(r);
	return NULL;
}

struct resolver *
resolver_new(struct loop *loop, const char *servers, struct err *err)
{
	struct resolver_options options = { .servers = servers };

	return resolver_new_with(loop, &options, err);
}

void
resolver_free(struct resolver **holder)
{
	struct resolver *r = *holder;

	if (r == NULL)
		return;
	assert(r->owned == 0);
	ares_destroy(r->channel); /* the dropped lookups go in it */
	assert(r->asking == 0 && LIST_EMPTY(&r->wires));
	ares_library_cleanup();
	timer_stop(&r->retry);
	timer_stop(&r->deliver);
	free(r->servers);
	free(r->conf);
	free(r);
	*holder = NULL;
}

struct loop *
resolver_loop(const struct resolver *r)
{
	return r->loop;
}

/* c-ares has this for SERVFAIL and REFUSED too: "could not contact servers". */
static const char *
status_text(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "no such name";
	case ARES_ENODATA:
		return "the name has no such record";
	case ARES_ETIMEOUT:
		return "no answer from DNS in time";
	case ARES_ECONNREFUSED:
		return "DNS servers cannot be reached or say that they failed";
	default:
		return ares_strerror(status);
	}
}

static enum answer_status
answer_status(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return ANSWER_FOUND;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
		return ANSWER_NONE;
	default:
		return ANSWER_FAILED;
	}
}

/* c-ares may be inside the call that asked: the answer waits for the loop. */
static void
lookup_end(struct lookup *l, int status)
{
	struct resolver *r = l->resolver;

	r->asking--;
	l->asking = false;
	if (l->dropped) {
		lookup_destroy(l);
		return;
	}
	l->answer.status = answer_status(status);
	if (status != ARES_SUCCESS)
		l->answer.reason = mem_printf("%s: %s", l->what,
		    status_text(status));
	l->answered = true;
	TAILQ_INSERT_TAIL(&r->done, l, link);
	timer_set(&r->deliver, 0);
}

static void
copy_records(struct answer *answer, const struct ares_srv_reply *list)
{
	struct srv *record;

	answer->records = mem_array(RESOLVER_MAX_RECORDS,
	    sizeof(*answer->records));
	for (; list != NULL; list = list->next) {
		if (answer->record_count == RESOLVER_MAX_RECORDS)
			break;
		record = &answer->records[answer->record_count++];
		record->target = mem_strdup(list->host);
		record->priority = list->priority;
		record->weight = list->weight;
		record->port = list->port;
	}
}

static void
on_srv(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct lookup *l = arg;
	struct ares_srv_reply *list = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(bytes, len, &list);
	if (status == ARES_SUCCESS)
		copy_records(&l->answer, list);
	if (list != NULL)
		ares_free_data(list);
	lookup_end(l, status);
}

static void
add_address(struct answer *answer, const void *address, size_t len)
{
	if (answer->addresses == NULL)
		answer->addresses = mem_array(RESOLVER_MAX_ADDRESSES,
		    sizeof(*answer->addresses));
	if (answer->address_count == RESOLVER_MAX_ADDRESSES)
		return;
	memcpy(&answer->addresses[answer->address_count++], address, len);
}

static void
copy_addresses(struct answer *answer, const struct ares_addrinfo_node *node,
    int family)
{
	for (; node != NULL; node = node->ai_next)
		if (node->ai_family == family)
			add_address(answer, node->ai_addr, node->ai_addrlen);
}

static void
on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct lookup *l = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS) {
		copy_addresses(&l->answer, found->nodes, AF_INET6);
		copy_addresses(&l->answer, found->nodes, AF_INET);
		if (l->answer.address_count == 0)
			status = ARES_ENODATA;
	}
	if (found != NULL)
		ares_freeaddrinfo(found);
	lookup_end(l, status);
}

static struct lookup *
lookup_new(struct resolver *r, char *what,
    void (*done)(void *, const struct answer *), void *arg)
{
	struct lookup *l = mem_alloc(sizeof(*l));

	channel_renew(r);
	l->resolver = r;
	l->what = what;
	l->done = done;
	l->arg = arg;
	l->asking = true;
	r->asking++;
	r->owned++;
	return l;
}

struct lookup *
lookup_srv(struct resolver *r, const char *name,
    void (*done)(void *, const struct answer *), void *arg)
{
	struct lookup *l = lookup_new(r, mem_printf("SRV of %s", name), done,
	    arg);

	ares_query(r->channel, name, ns_c_in, ns_t_srv, on_srv, l);
	rearm(r);
	return l;
}

static bool
add_plain(struct answer *answer, const char *host)
{
	struct sockaddr_storage found[HOST_ADDRESSES];
	size_t i, count = host_plain(host, found);

	for (i = 0; i < count; i++)
		add_address(answer, &found[i], sizeof(found[i]));
	return count > 0;
}

struct lookup *
lookup_addresses(struct resolver *r, const char *host,
    void (*done)(void *, const struct answer *), void *arg)
{
	/* Unsorted: the order is ours, and sorting would open sockets. */
	struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT,
	};
	struct lookup *l = lookup_new(r, mem_printf("address of %s", host),
	    done, arg);

	/* c-ares 1.18 asks DNS for IPv4 literals and names below localhost. */
	if (add_plain(&l->answer, host)) {
		lookup_end(l, ARES_SUCCESS);
		return l;
	}
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_addresses, l);
	rearm(r);
	return l;
}

void
lookup_free(struct lookup **holder)
{
	struct lookup *l = *holder;

	if (l == NULL)
		return;
	*holder = NULL;
	l->resolver->owned--;
	if (l->asking) {
		l->dropped = true;
		return;
	}
	if (l->answered)
		TAILQ_REMOVE(&l->resolver->done, l, link);
	lookup_destroy(l);
}
