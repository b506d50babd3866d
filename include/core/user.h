/* A user: a person with accounts, sessions and one log. */
#ifndef CORE_USER_H
#define CORE_USER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/table.h"
#include "core/answered.h"
#include "core/archive_prefs.h"
#include "core/batch.h"
#include "core/blocklist.h"
#include "core/config.h"
#include "core/device.h"
#include "core/ended.h"
#include "core/history.h"
#include "core/reached.h"
#include "core/recent.h"
#include "xmpp/stanza.h"

struct account;
struct events;
struct known_features;
struct proxy;
struct roster;
struct session;

struct user {
	UT_hash_handle hh; /* proxy->users */
	struct proxy *proxy;
	const struct user_config *config; /* the proxy's */
	uint64_t id;       /* the store's: the same after a restart */
	char *name, *bare; /* bare: name@node */
	uint64_t group;    /* its place in the loop's round robin */
	LIST_HEAD(, account) accounts; /* in the configuration's order */
	LIST_HEAD(, session) sessions;
	unsigned session_count;
	struct roster *roster; /* of node view, or NULL: node_roster.h */
	struct history *history;
	struct reached reached; /* which of its entries some session has got */
	struct devices devices;
	unsigned device_count;
	uint64_t last_device;
	struct ended_streams ended;
	unsigned ended_count;
	uint64_t last_ended;
	struct known_features *known_features; /* features_kept.h */
	uint64_t features_version; /* goes up when some session's change */
	struct events *events;     /* events.h */
	bool is_changed;           /* proxy->changed_users */
	LIST_ENTRY(user) changed_next;
	struct archive_prefs archive_prefs; /* of node view */
	struct blocklist *blocks;           /* the union of the accounts' */
	/* Of a plain password in node view, once asked for. */
	struct scram_keys derived[SCRAM_HASHES];
	struct answered *answered; /* receipts, markers and the like */
	struct recent *notes;      /* ids of notes that we made up */
	/* user_conversation_account(); 0: the log has none. */
	struct recent *carriers;
	struct recent *sent; /* ids of messages to oneself, to their session */
	struct recent *live; /* the same of what is not in the log */
	/* Resources that had gone when the proxy was started, to their view. */
	struct recent *departed;
};

struct user *user_new(struct proxy *, const struct user_config *);
void user_free(struct user **); /* sessions are gone already */
/* Something of the user itself is to be saved in the next commit. */
void user_touch(struct user *);
/* The log could not be read just now: as proxy_store_failed(); else false. */
bool user_log_failed(struct user *);
void user_save(struct user *); /* into the batch */
/* Some session has got that entry, or nobody needs to. */
void user_reached(struct user *, uint64_t seq);
/* store_each(); a store that cannot be read ends the process. */
void user_load_state(struct user *, enum state_kind, uint64_t owner,
    void (*fn)(void *arg, const void *key, size_t key_len, const void *value,
	size_t len),
    void *arg);
/* What is kept of the log, of limits.h and the clock. */
struct history_limits user_history_limits(const struct user *);
/*
 * The configuration is replaced by another one: only what differs is touched. Those
 * of the old one are not used after it. Upstreams that have to be made anew are off.
 */
void user_reload(struct user *, const struct user_config *);

struct account *user_default_account(const struct user *);
struct account *user_find_account(const struct user *, uint64_t id);
struct account *user_find_account_by_jid(const struct user *, const char *bare);
/* NULL where no session of the user has that resource. */
struct session *user_find_resource(const struct user *, const char *resource);
/*
 * The one that last exchanged a message with that peer, prepared; NULL: none. After a
 * restart the log says.
 */
struct account *user_conversation_account(struct user *, const char *bare);
/* Whether a session of the user is in the room of that JID. */
bool user_is_in_room(const struct user *, const char *jid);
unsigned user_open_sessions(const struct user *); /* that are not closing */

#endif
