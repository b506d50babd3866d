/* The proxy: what there is one of. Owns users, sessions, logins, listeners. */
#ifndef CORE_PROXY_H
#define CORE_PROXY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "core/batch.h"
#include "core/config.h"
#include "core/hooks.h"
#include "core/throttle.h"
#include "io/dial.h"
#include "io/listen.h"
#include "io/timer.h"
#include "io/worker.h"
#include "xmpp/accept.h"

struct account;
struct login;
struct session;
struct store;
struct upstream;
struct user;

/*
 * How upstreams are reached, and slow work is done: the real thing by run.c,
 * fakes in tests. The dialler's functions are dial.h's.
 */
struct proxy_env {
	struct dial *(*dial_new)(void *arg, const struct dial_target *,
	    const struct dial_events *, void *events_arg);
	void (*dial_next)(struct dial *, const char *reason);
	void (*dial_free)(struct dial **);
	/* As worker_start(). */
	int (*work)(void *arg, void (*work)(void *), void (*done)(void *),
	    void *job);
	void *arg;
};

LIST_HEAD(listeners, proxy_listener);

/* Work in slices, behind the flush; upkeep.c's. */
struct upkeep {
	struct timer timer;
	bool is_over;          /* some user keeps more than the limits say */
	uint64_t trim_user;    /* the next to be looked at */
	bool is_checkpointing; /* a worker is at it */
	unsigned ticks;
	unsigned freed; /* streams whose memory is free since the last trim */
};

/* How the commit of turns is doing; turn.c's. */
struct turn {
	uint64_t committed;  /* the last turn that is */
	uint64_t touched_at; /* the first change that is not saved; 0: none */
	bool urgent;
	uint64_t retry_ms, retry_at; /* after a failure; 0: there was none */
	struct timer timer;
};

struct proxy {
	struct loop *loop;
	struct config *config; /* owned; replaced by a reload */
	struct proxy_env env;
	struct store *store; /* borrowed */
	struct batch batch;  /* what the next commit takes */
	struct turn turn;
	LIST_HEAD(, session) changed_sessions;
	LIST_HEAD(, account) changed_accounts;
	LIST_HEAD(, user) changed_users;
	const struct module *const *modules; /* NULL-ended */
	struct tls_certs *certs;
	struct trusts *trusts;
	const char **stream_features; /* of the modules, NULL-ended */

	struct user *users;           /* by name */
	struct session *sessions;     /* by id */
	struct login *logins;         /* by id */
	struct listeners listeners;   /* proxy_listen.c's */
	struct upstream *upstreams;   /* by id */
	LIST_HEAD(, session) closing; /* sessions to reap */

	unsigned logins_open, sessions_open, dials_open;
	struct peers *peers;      /* connections by address */
	struct peers *checks_out; /* passwords at the workers, by address */
	struct throttle *by_address, *by_name;
	/* For the one head that is being made; empty of anything else. */
	struct buf head;
	struct arena *scratch;
	uint64_t next_id;         /* sessions, accounts, logins, upstreams */
	unsigned char secret[16]; /* made-up salts */
	/* Connections refused since that was last said, and when. */
	unsigned refused;
	uint64_t refused_at;
	bool stopping;
	bool is_full;      /* the store's disk: nothing new is taken */
	bool is_failed;    /* the store: the process ends as it is (run.h) */
	bool is_abandoned; /* nothing more is said or kept */
	struct upkeep upkeep;
};

/*
 * Takes the configuration; the store outlives it. What was there when it was last
 * used goes on. Upstreams start to connect; nobody listens before proxy_relisten()
 * (proxy_listen.h).
 */
struct proxy *proxy_new(struct loop *, struct config *, struct store *,
    const struct proxy_env *, const struct module *const *modules);
/* Not inside a turn, nor while work is out; the loop's hooks are taken back. */
void proxy_free(struct proxy **);
/*
 * The same as if the process had died: nobody is told anything, and nothing is kept
 * that was not committed. Its connections are cut.
 */
void proxy_abandon(struct proxy **);
/* The store cannot be read: logged; the process is to end. */
void proxy_store_failed(struct proxy *, const struct err *);
/*
 * Another configuration: users, accounts, listeners that did not change are not
 * touched. Takes it, except at -1, which changes nothing.
 */
int proxy_reload(struct proxy *, struct config *, struct err *);
/*
 * Closes all streams properly and takes nothing new. The loop's connections linger
 * until what was said is written (conns_are_none()).
 */
void proxy_stop(struct proxy *);

/* A connection was accepted; takes it. peer is for throttling and the log. */
void proxy_accept(struct proxy *, struct transport *, const char *peer,
    enum accept_tls);

uint64_t proxy_id(struct proxy *); /* never 0, never twice, over all runs */
/* For the log: "s3.17" is the 17th of the third run. */
void proxy_id_name(char *out, size_t size, char kind, uint64_t id);
struct user *proxy_find_user(const struct proxy *, const char *name);
struct session *proxy_find_session(const struct proxy *, uint64_t id);
bool proxy_serves(const struct proxy *, const char *domain);
/* Whether that JID is at the node: it is never to go up. */
bool proxy_is_at_node(const struct proxy *, const char *jid);
/* Who may log in as `name` at `domain`, and which account that shows (NULL: node view). */
struct user *proxy_find_login(const struct proxy *, const char *domain,
    const char *name, struct account **view);

#endif
