#include "core/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "core/descriptors.h"
#include "core/proxy.h"
#include "core/proxy_listen.h"
#include "core/service.h"
#include "core/store.h"
#include "io/conn.h"
#include "io/resolver.h"

#define WORKER_THREADS 2
#define WORKER_JOBS    1000
#define LINGER_MS      5000 /* for the last words of all streams */

struct running {
	struct loop *loop;
	struct resolver *resolver;
	struct worker *worker;
	struct store *store;
	struct proxy *proxy;
	struct loop_source *signals;
	int signal_fd;
	struct timer watchdog, linger;
	bool done;
};

/* --- the real environment --- */

static struct dial *
real_dial(void *arg, const struct dial_target *target,
    const struct dial_events *events, void *events_arg)
{
	struct running *r = arg;

	return dial_new(r->resolver, target, events, events_arg);
}

static int
real_work(void *arg, void (*work)(void *), void (*done)(void *), void *job)
{
	struct running *r = arg;

	return worker_start(r->worker, work, done, job);
}

/* --- signals --- */

static void
warn(const char *text)
{
	log_event(LEVEL_WARN, "proxy", "configuration", "warning=%s",
	    LOG_Q(text));
}

static void
reload(struct running *r)
{
	struct err err;
	struct config *config;

	service_notify("RELOADING=1");
	config = config_load(r->proxy->config->path, warn, &err);
	if (config == NULL || proxy_reload(r->proxy, config, &err) == -1) {
		config_free(&config);
		log_event(LEVEL_ERROR, "proxy", "not-reloaded", "reason=%s",
		    LOG_Q(err.text));
	} else {
		log_event(LEVEL_INFO, "proxy", "reloaded", "%s", "");
	}
	service_notify("READY=1");
}

static void
lingered(void *arg)
{
	struct running *r = arg;

	r->done = true;
}

static void
terminate(struct running *r)
{
	if (r->proxy->stopping) {
		r->done = true;
		return;
	}
	log_event(LEVEL_INFO, "proxy", "stopping", "%s", "");
	service_notify("STOPPING=1");
	proxy_stop(r->proxy);
	timer_set(&r->linger, LINGER_MS);
}

/* Since it was last asked. */
static void
tell_pauses(struct running *r)
{
	struct pauses *p = loop_pauses(r->loop);

	log_event(LEVEL_INFO, "proxy", "pauses",
	    "turns=%llu p50_us=%llu p99_us=%llu p999_us=%llu max_us=%llu",
	    (unsigned long long)p->count,
	    (unsigned long long)pauses_share(p, 500),
	    (unsigned long long)pauses_share(p, 990),
	    (unsigned long long)pauses_share(p, 999),
	    (unsigned long long)p->max);
	*p = (struct pauses){ 0 };
}

static void
on_signal(void *arg, uint32_t events)
{
	struct running *r = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(r->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(r);
		else if (info.ssi_signo == SIGUSR1)
			tell_pauses(r);
		else
			terminate(r);
	}
}

static void
our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

void
run_hold_signals(void)
{
	sigset_t set;

	our_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static int
watch_signals(struct running *r, struct err *err)
{
	sigset_t set;

	our_signals(&set);
	r->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->signal_fd == -1)
		return err_errno(err, "signalfd");
	r->signals = loop_watch(r->loop, r->signal_fd, EPOLLIN, on_signal, r);
	return 0;
}

static void
feed_watchdog(void *arg)
{
	struct running *r = arg;

	service_notify("WATCHDOG=1");
	timer_set(&r->watchdog, service_watchdog_ms());
}

/* --- start and end --- */

/* Signals are blocked before threads are there, so that none of them gets one. */
static int
start(struct running *r, struct err *err)
{
	if ((r->loop = loop_new(err)) == NULL || watch_signals(r, err) == -1)
		return -1;
	timer_init(&r->watchdog, r->loop, feed_watchdog, r);
	timer_init(&r->linger, r->loop, lingered, r);
	r->resolver = resolver_new(r->loop, NULL, err);
	if (r->resolver == NULL)
		return -1;
	r->worker = worker_new(r->loop, WORKER_THREADS, WORKER_JOBS, err);
	return r->worker != NULL ? 0 : -1;
}

static int
serve(struct running *r, struct config *config,
    const struct module *const *modules, struct err *err)
{
	struct proxy_env env = { .dial_new = real_dial,
		.dial_next = dial_next,
		.dial_free = dial_free,
		.work = real_work,
		.arg = r };

	descriptors_raise(config);
	r->store = store_open(config->store, config->synchronous, err);
	if (r->store == NULL) {
		config_free(&config);
		return RUN_STORE_FAILED;
	}
	r->proxy = proxy_new(r->loop, config, r->store, &env, modules);
	if (proxy_relisten(r->proxy, config, err) == -1)
		return -1;
	service_is_up();
	log_event(LEVEL_INFO, "proxy", "ready", "node=%s config=%s",
	    config->node, config->path);
	if (service_watchdog_ms() > 0)
		feed_watchdog(r);
	while (!r->done && !r->proxy->is_failed) {
		loop_turn(r->loop, -1);
		if (r->proxy->stopping && conns_are_none(loop_conns(r->loop)))
			r->done = true;
	}
	if (!r->proxy->is_failed)
		return 0;
	err_set(err, "the store does not work: streams are left as they are");
	return RUN_STORE_FAILED;
}

static void
end(struct running *r)
{
	/* What it has done is handed over first: that needs the proxy. */
	worker_free(&r->worker);
	if (r->proxy != NULL && r->proxy->is_failed)
		proxy_abandon(&r->proxy);
	else
		proxy_free(&r->proxy);
	resolver_free(&r->resolver);
	if (r->loop != NULL) {
		timer_stop(&r->watchdog);
		timer_stop(&r->linger);
	}
	loop_unwatch(&r->signals);
	if (r->signal_fd != -1)
		close(r->signal_fd);
	loop_free(&r->loop);
	store_close(&r->store);
}

int
run(struct config *config, const struct module *const *modules, struct err *err)
{
	struct running r = { .signal_fd = -1 };
	int rc = -1;

	if (start(&r, err) == 0)
		rc = serve(&r, config, modules, err);
	else
		config_free(&config);
	end(&r);
	log_event(LEVEL_INFO, "proxy", "ended", "%s", "");
	return rc;
}
