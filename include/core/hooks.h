/*
 * Modules: one XEP or family each, a static struct, registered by one line in
 * src/mod/modules.c. The functions are called in the table's order. Where one
 * returns a reason, the stanza is dealt with, goes no further, and the reason is
 * logged at DEBUG; NULL passes it on.
 */
#ifndef CORE_HOOKS_H
#define CORE_HOOKS_H

#include <stdbool.h>

#include "xmpp/stanza.h"

struct account;
struct buf;
struct proxy;
struct session;
struct user;

/* A stanza on its way; everything lives in the stanza's arena. */
struct route {
	struct elem *stanza;
	enum stanza_kind kind;
	enum stanza_type type;
	const char *from, *to; /* prepared; NULL where there is none */
	const char *id;        /* or NULL */
	/* Which one carries it, where a module knows; NULL: session_route() says. */
	struct account *account;
};

/* Where an IQ of a client must be addressed for a handler to see it. */
enum iq_scope {
	IQ_TO_SELF = 1,    /* no `to`, or the view's own bare JID */
	IQ_TO_DOMAIN = 2,  /* the view's own domain */
	IQ_TO_ACCOUNT = 8, /* an account's bare JID or domain, in node view */
	IQ_TO_NODE = 4,    /* the proxy's domain */
	IQ_TO_ANY = 7,
	/* And, in node view, the bare JIDs and domains of the accounts. */
	IQ_TO_OURS = 15,
};

/* Ends with a NULL name; name "*" is any element in that namespace. */
struct iq_handler {
	enum stanza_type type; /* TYPE_GET or TYPE_SET */
	const char *ns, *name;
	const char *(*handle)(struct session *, struct route *);
	unsigned scope;
};

/* From upstream: contacts, and the own server's pushes. */
struct peer_iq_handler {
	enum stanza_type type;
	const char *ns, *name;
	const char *(*handle)(struct account *, struct route *);
	bool own_only; /* only from the own server or the own bare JID */
};

struct module {
	const char *name, *xep;
	/* What clients see in disco#info of their own bare JID and domain. */
	const char *const *features; /* NULL-ended */
	const char *const
	    *hidden; /* taken out of what the server says; "x*" by prefix */
	/* What contacts see in ours. */
	const char *const *peer_features;
	/* Elements put into the stream features towards clients (XML). */
	const char *stream_feature;
	/*
	 * The last word on what a client sees in disco#info of its own bare JID, which
	 * the server has said of that account.
	 */
	void (*info)(struct session *, struct account *, struct elem *query);
	const struct iq_handler *iqs;
	const struct peer_iq_handler *peer_iqs;
	/* What is no stanza, and not of stream management: true, it was meant. */
	bool (*nonza)(struct session *, const struct elem *);
	const char *(*from_client)(struct session *, struct route *);
	const char *(*from_upstream)(struct account *, struct route *);
	void (*session_bound)(struct session *);
	/* It is still listed; nothing is sent to it any more. */
	void (*session_gone)(struct session *);
	/* The stream is bound; what is sent here goes in the table's order. */
	void (*upstream_up)(struct account *);
	/* What came while there was no stream is known: presence may go up. */
	void (*upstream_ready)(struct account *);
	/* The client's stream goes on; restarted: with another process of ours. */
	void (*session_resumed)(struct session *, bool restarted);
	/* Its link is lost, and its stream may go on. */
	void (*session_asleep)(struct session *);
	/* The upstream's stream goes on. */
	void (*upstream_resumed)(struct account *);
	void (*upstream_down)(struct account *);
	/* The account's own presence has gone up. */
	void (*presence_sent)(struct account *);
	/* It could not be reached; there is another try later, or none. */
	void (*upstream_failed)(struct account *);
	/* The configuration is another one: of accounts there may be more, or fewer. */
	void (*user_reloaded)(struct user *);
	/* Puts into the account's own presence what it is to carry besides. */
	void (*decorate_presence)(struct account *, struct elem *presence);
	/* What is kept on disk of it; before anything else happens. */
	void (*account_load)(struct account *);
	/* Memory of the module in the three; before they go. */
	void (*session_free)(struct session *);
	void (*account_free)(struct account *);
};

/* All dispatching, with the log of the reasons. */
const char *hooks_from_client(struct session *, struct route *);
const char *hooks_from_upstream(struct account *, struct route *);
bool hooks_nonza(struct session *, const struct elem *);
void hooks_info(struct session *, struct account *, struct elem *query);
void hooks_session_bound(struct session *);
void hooks_session_gone(struct session *);
void hooks_upstream_up(struct account *);
void hooks_upstream_ready(struct account *);
void hooks_session_resumed(struct session *, bool restarted);
void hooks_session_asleep(struct session *);
void hooks_upstream_resumed(struct account *);
void hooks_upstream_down(struct account *);
void hooks_upstream_failed(struct account *);
void hooks_user_reloaded(struct user *);
void hooks_account_load(struct account *);
void hooks_session_free(struct session *);
void hooks_account_free(struct account *);
void hooks_presence_sent(struct account *);
void hooks_decorate_presence(struct account *, struct elem *presence);
/* Handlers by (type, namespace, name). NULL: nobody handles it. */
const char *hooks_client_iq(struct session *, struct route *, unsigned scope);
const char *hooks_peer_iq(struct account *, struct route *, bool own);

#endif
