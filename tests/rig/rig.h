/*
 * A proxy with fake servers and fake clients, all in memory, on a clock that stands
 * still. The proxy has a loop of its own; all others share a second one.
 */
#ifndef RIG_RIG_H
#define RIG_RIG_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/proxy.h"
#include "io/loop.h"
#include "rig/peer.h"
#include "xmpp/accept.h"
#include "xmpp/connect.h"
#include "xmpp/scram.h"

#define RIG_PASSWORD "secret"      /* everybody's, on both sides of the proxy */
#define RIG_WALL     1735689600000 /* 2025-01-01T00:00:00Z, where it begins */

struct attempt;
struct job;
struct rig_dial;
struct salted_cache;

/* The server of one account. */
struct rig_server {
	STAILQ_ENTRY(rig_server) next;
	struct peer peer;
	char *jid;         /* the account's */
	char *resource;    /* it gives this one, whatever is asked */
	bool is_down;      /* cannot be reached */
	bool is_manual;    /* answers nothing by itself */
	char *roster;      /* XML: <item/>s */
	char *info;        /* XML: the inside of disco#info's <query/> */
	char *domain_info; /* the same of the domain; NULL: as info */
	char *items;       /* of its disco#items; or NULL */
	bool has_carbons;
	bool has_no_blocking;
	char *blocks;  /* XML: <item/>s of the block list */
	bool rejects;  /* every password */
	char *refusal; /* of a bind: a stanza error's name, or NULL */
};

struct rig_login {
	const char *domain, *name;
	const char *resource;  /* NULL: none asked */
	const char *resume_id; /* NULL: binds at once */
	uint32_t resume_h;
};

struct rig_client {
	STAILQ_ENTRY(rig_client) next;
	struct peer peer;
	struct connect *connect; /* while it logs in */
	struct transport *wire;  /* so long; then the peer's */
	char *failure;           /* why it could not */
	bool was_resumed;
	char *
	    known_h; /* of <failed/>: a number, "none"; NULL: it did not come */
	uint32_t resume_h;
	char *features; /* XML; NULL: it knows no disco#info */
	bool is_manual; /* the script answers that */
};

struct rig {
	struct loop *loop;   /* the proxy's */
	struct loop *peers;  /* of everybody else */
	struct store *store; /* in memory; outlives the proxy */
	bool has_run;        /* the proxy, once */
	struct proxy *proxy; /* NULL: dead */
	bool is_stopped;
	char *config_xml;
	char *features;    /* XML of more stream features of the servers */
	size_t cut;        /* bytes a turn on each connection; 0: no limit */
	uint64_t activity; /* goes up with whatever happens */
	bool is_traced;    /* all stanzas to stderr */
	bool is_direct;    /* clients log in at the servers: no proxy between */
	char *fault;    /* NULL, or what the proxy did that no script allows */
	struct buf log; /* the proxy's, all levels, a line each */
	STAILQ_HEAD(, rig_server) servers; /* in the configuration's order */
	STAILQ_HEAD(, rig_client) clients;
	LIST_HEAD(, attempt) attempts; /* servers' streams that negotiate */
	LIST_HEAD(, rig_dial) dials;
	STAILQ_HEAD(, job) jobs;
	struct scram_keys keys[SCRAM_HASHES]; /* of the servers */
	struct salted_cache *salted;          /* of the clients */
};

/* Fakes the clock. Upstreams begin to dial; nothing has run yet. */
struct rig *rig_new(const char *config_xml, size_t cut, struct err *);
/* As SIGTERM does. */
void rig_stop(struct rig *);
/* The proxy dies without a word, with all that it has not committed. */
void rig_kill(struct rig *);
/* Again, after either. */
int rig_start(struct rig *, struct err *);
/* Stops, and frees everything. */
void rig_free(struct rig **);
/* Runs until nobody has anything to do at this time of the clock. */
void rig_run(struct rig *);
void rig_wait(struct rig *, uint64_t ms); /* in steps of a second at most */
/* The first one counts. */
void rig_fault(struct rig *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void rig_trace(struct rig *, const char *who, const char *arrow,
    const struct elem *);
void rig_trace_text(struct rig *, const char *who, const char *arrow,
    const char *xml);

/* "C1", made at its first use; "S" or "S1", "S2": NULL where there is no such account. */
struct rig_client *rig_client(struct rig *, const char *name);
struct rig_server *rig_server(struct rig *, const char *name);
struct rig_server *rig_server_of(struct rig *, const char *jid);

/*
 * client.c: connects, and resumes or binds; -1: failure says why not. The old stream
 * is cut before; one that is to be resumed is not read any more, and cut after.
 */
int rig_login(struct rig_client *, const struct rig_login *);
void rig_client_free(struct rig_client *);

/* abilities.c: what it answers, and announces; vars: with spaces between. */
void rig_client_can(struct rig_client *, const char *vars);
bool rig_client_is_about_info(const struct elem *iq);
struct elem *rig_client_info(const struct rig_client *, const struct elem *iq);
void rig_client_write_caps(const struct rig_client *, struct buf *);

/* server.c */
void rig_server_init(struct rig *, struct rig_server *,
    const struct account_config *, const char *name);
void rig_server_free(struct rig_server *);
/* A connection of the proxy; which server's is known when it has logged in. */
void rig_server_accept(struct rig *, struct transport *);
void rig_server_drop_attempts(struct rig *);

/* answers.c: peer.answer of servers. */
bool rig_server_answer(struct peer *, struct elem *);

/* env.c: how the proxy reaches servers and has work done. */
struct proxy_env rig_env(struct rig *);
void rig_env_run_jobs(struct rig *);

#endif
