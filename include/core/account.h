/*
 * One real XMPP account of a user, and what is known of it whether its upstream is
 * there or not.
 */
#ifndef CORE_ACCOUNT_H
#define CORE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/address.h"
#include "core/archive_prefs.h"
#include "core/blocklist.h"
#include "core/config.h"
#include "core/hooks.h"
#include "core/iq.h"
#include "core/outbox.h"
#include "core/presences.h"
#include "core/recent.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/user.h"
#include "io/loop.h"

struct caps;
struct directed;
struct disco_ask;
struct exchanges;
struct gap;
struct publishes;
struct upstream;

/* Whose archive clients see in account view: settled when it is first up. */
enum account_archive { ARCHIVE_UNKNOWN, ARCHIVE_SERVERS, ARCHIVE_OURS };

struct account {
	LIST_ENTRY(account) next; /* user->accounts */
	uint64_t id;              /* the store's: the same after a restart */
	unsigned changed;         /* ACCOUNT_* of account_save.h */
	LIST_ENTRY(account) changed_next;
	struct user *user;
	const struct account_config *config; /* the proxy's */
	struct upstream *upstream;           /* always there; up or not */
	const char *jid;                     /* bare, of the configuration */
	char *full; /* the JID bound; NULL: never yet */
	char *domain;
	/* As the user's, of the account's view. */
	struct scram_keys derived[SCRAM_HASHES];
	bool was_up; /* once */
	/*
	 * What came meanwhile is known: presence and the outbox may go up. Until then
	 * gap_open says that somebody is at it (mod/gap.c). It stays so while the link is
	 * lost and the stream may go on.
	 */
	bool is_ready, gap_open;
	/*
	 * What is asked at a login has its answers, or some of them are lost: then it is
	 * asked anew when the stream goes on.
	 */
	bool is_settled, has_lost;
	unsigned asked; /* account_ask() that are open */
	enum account_archive archive;
	struct archive_prefs archive_prefs; /* of the account's view */
	/* Of the server's archive: the last that we have; and when we were last up. */
	char *last_stanza_id;
	uint64_t last_time;
	uint64_t
	    last_seq; /* in the log: what the archive has behind that id is here */
	/*
	 * In the log: from there on it may also have what the server said it had handled
	 * as it resumed, before it sent again what came earlier. 0: that is over.
	 */
	uint64_t replay_seq;
	uint64_t
	    max_bytes; /* of a stanza (XEP-0478); 0: the server does not say */
	/* Its archive is read from there (NULL: from that wall ms; 0: it is not). */
	char *gap_after;
	uint64_t gap_start;
	uint64_t
	    gap_seq; /* in the log: what it has may be there from that on */
	bool has_rosterver; /* of the server's features */
	bool csi_offered;   /* client state (XEP-0352) */
	bool csi_inactive;  /* as the server was told on this stream */
	bool asks_roster;   /* it was asked for, and no answer came yet */
	struct archive_query *archive_queries; /* mod/archive.c's */
	struct gap *gap;                       /* mod/gap.c's; or NULL */

	struct roster *roster;
	struct requests *requests; /* for subscription */
	struct blocklist *blocks;
	struct presences *presences;
	struct iq_table *iqs;
	struct outbox *outbox;
	/* Full JIDs that had gone when the proxy was started; mod/presence_kept.c's. */
	struct recent *departed;
	/* A conversation to the session last active there: sent.h. */
	struct recent *active;
	struct exchanges *exchanges;
	/* "service node" to the session that subscribed: mod/pubsub.c's. */
	struct recent *subscribers;
	/* Read states on their way: mod/read_state.c's. */
	struct publishes *publishes;
	/* Domains that its server lists as its services: mod/services.c's. */
	struct recent *services;

	/* Own nodes that this process has asked for on this stream; mod/events.c's. */
	struct recent *fetched;
	bool is_fetching;     /* one of them has no answer yet */
	bool has_fetched;     /* all that clients ask for; saved */
	uint64_t fetch_began; /* the last event when the one was asked for */
	/* Of user->features_version, when there was no more to ask for. */
	uint64_t fetched_version;

	char *presence_sent;      /* as it went up; NULL: none on this stream */
	uint64_t presence_number; /* of that, on the stream */
	/* After a restart clients get a while to come back before that changes. */
	struct timer steady;
	char *photo;       /* XEP-0153 hash; NULL: nobody said */
	char *own_info;    /* the server's last disco#info of the bare JID */
	char *domain_info; /* and of its domain; as <query/> bytes */
	struct disco_ask *disco_asks[2]; /* for the two; mod/disco.c's */
	struct caps *caps;               /* what is announced; mod/caps.c's */
	uint64_t active_at; /* the person was last there; mod/last.c's */
	struct timer iq_timer;
};

struct account *account_new(struct user *, const struct account_config *);
void account_free(struct account **);
bool account_is_up(const struct account *);
/* Stays on while nobody is there, or ends, as the configuration says. */
void account_settle(struct account *);
/* The stream is new, or what was asked on it first is lost: it is asked. */
void account_begin(struct account *);
/* The stream is new, and nothing more is to be learnt first: presence, outbox. */
void account_ready(struct account *);
/* What was told of the stream is gone with it. */
void account_lost(struct account *);
/* The stream goes on: of what was sent the server has handled `acked`. */
void account_resumed(struct account *, uint64_t acked);
/* Hands the outbox to the stream as far as that takes it. */
void account_pump(struct account *);

/* Own JIDs between the account and a session's view. */
struct address_map account_map_down(const struct account *,
    const struct session *);
struct address_map account_map_up(const struct account *,
    const struct session *);

/*
 * An IQ of our own: type and payload are the caller's, the id is set here. done()
 * gets NULL where no answer will come (deadline, link lost). Sent only while the
 * upstream is up; else done() is not called and -1 returned.
 */
int account_ask(struct account *, struct elem *iq, const char *to,
    void (*done)(struct account *, struct elem *answer, void *arg), void *arg);
/*
 * Whether the server takes a stanza that long (XEP-0478; 262,144 where it does not
 * say): one that is longer would cost the stream.
 */
bool account_takes(const struct account *, size_t bytes);
#define ACCOUNT_TOO_LONG "longer than the account's server takes"
/*
 * Sends a stanza of our own up: -1 where the upstream is away or has too much to read,
 * or it is too long.
 */
int account_send(struct account *, const struct elem *);
/*
 * What is not a message and may not be lost, through the outbox in its order; of_stream:
 * as there. -1: not up, nor on a stream that may go on, or as account_send().
 */
int account_post(struct account *, const struct elem *, bool of_stream);
/* What a new stream begins with, before the outbox: hooks' upstream_ready alone. */
void account_post_first(struct account *, const struct elem *);
/*
 * However much it has to read: for what ends something that went up before. Where the
 * link is lost and the stream may go on it waits in the outbox.
 */
int account_send_late(struct account *, const struct elem *);
/* The answer to a peer's IQ, or an error to any stanza that may fail. */
void account_answer(struct account *, struct elem *);
/*
 * The IQ of a session goes up under a fresh id; errors are answered to the session
 * here. `to` NULL: no address.
 */
const char *account_forward_iq(struct account *, struct session *,
    struct route *);
/* An IQ result or error from upstream, to whoever asked. */
const char *account_take_answer(struct account *, struct route *);
/* No answer will come: the link is lost. Whoever asked is told. */
void account_fail_iqs(struct account *);
/* Whether that JID is blocked. Never the own account and its server. */
bool account_has_blocked(const struct account *, const char *jid);
/* The same, and by us: the server does not, or has not heard of it yet. */
bool account_blocks(const struct account *, const char *jid);
/* Whether from is the own server speaking: none, own bare or full JID, own domain. */
bool account_is_own(const struct account *, const char *from);

#endif
