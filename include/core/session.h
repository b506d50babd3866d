/* One client's bound stream: a follower of the user's history with a view. */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/blob.h"
#include "base/table.h"
#include "core/flights.h"
#include "core/hooks.h"
#include "core/iq.h"
#include "core/open_iqs.h"
#include "core/user.h"
#include "io/loop.h"
#include "xmpp/sm.h"
#include "xmpp/stream.h"

struct account;
struct archive_searches;
struct client_caps;
struct directed;
struct features;
struct proxy;

enum show { SHOW_CHAT, SHOW_NONE, SHOW_DND, SHOW_AWAY, SHOW_XA };

/* Presence that a follower missed while its queue was full. */
struct missed;
/* What waits until its client is active: quiet.c's. */
struct waiting;

/* What of a session has changed since it was last saved. */
enum {
	CHANGED_SELF = 1,     /* STATE_SESSION */
	CHANGED_COUNTERS = 2, /* STATE_COUNTERS */
	CHANGED_IQS = 4,      /* STATE_OPEN_IQS */
	CHANGED_DEVICE = 8,   /* the device's cursor */
};

/* What a client knows of something that counts its changes. */
struct heard {
	uint64_t told, got; /* the last that it was told, and has surely got */
	uint64_t number; /* of the stanza; UINT64_MAX: it is yet to be sent */
};

struct session {
	UT_hash_handle hh;        /* proxy->sessions */
	LIST_ENTRY(session) next; /* user->sessions */
	LIST_ENTRY(session) closing_next;
	struct proxy *proxy;
	struct user *user;
	uint64_t id;
	struct account *account; /* the view; NULL: node view */
	char *bare, *full;
	const char *resource;  /* in full */
	struct stream *stream; /* NULL once closed, and while asleep */
	bool closing;
	struct device *device; /* NULL: it asked for no resource */

	/* Stream management (XEP-0198); session_sm.c's. */
	struct sm sm;    /* counts what is sent, with or without it */
	char *sm_id;     /* NULL: the stream cannot be resumed */
	unsigned sm_max; /* seconds that it may be asleep */
	bool asleep;     /* the link is lost, and may come back */
	bool
	    is_restored; /* the proxy was started anew, and it did not come back yet */
	struct timer sleep_timer;
	struct flights flights;   /* not acknowledged */
	struct open_iqs open_iqs; /* requests without an answer that was got */
	struct open_iqs refused;  /* messages, the same of their errors */
	/* What acknowledges without stream management: the answer to a ping. */
	char ack_id[RANDOM_ID_SIZE]; /* "": none is out */
	uint64_t ack_upto, asked_at;
	struct timer ack_timer;
	unsigned changed; /* CHANGED_* */
	LIST_ENTRY(session) changed_next;
	char log_id[48];
	char *peer; /* address, for the log */

	bool carbons, wants_roster, wants_blocks;
	bool available;
	bool stands_in; /* with the presence of the one before it: stand_in.h */
	struct timer stand_in_timer;
	int priority;
	enum show show;
	uint64_t presence_at;  /* clock_now() */
	struct elem *presence; /* its children; in presence_arena */
	struct arena *presence_arena;
	struct directed *directed; /* by target */

	/* What the client can do; NULL: nobody knows. features_kept_set() sets it. */
	struct features *features;
	struct client_caps *client_caps; /* mod/client_caps.c's */
	/* Personal events (events.h): how far it is, and what of that it has got. */
	uint64_t events_told, events_got, events_number;
	uint64_t events_joined; /* up to there only the last of each node */
	struct features *events_had; /* and none that it asked for before ... */
	uint64_t events_had_told;    /* ... and was told of, up to there */

	bool following;
	bool held; /* until it is known what it does: playback.h */
	struct timer follow_timer; /* when it begins; once it does, goes on */
	/* Of what was there before it: a bit an entry that it is to get. */
	unsigned char *owed;
	uint64_t owed_from, owed_to;
	/* It gets of that what its archive does not have. */
	bool owed_in_archive;
	uint64_t cursor;                  /* the next entry to look at */
	size_t queue_frames, queue_bytes; /* its window, as it began */
	/* Entries before it were there already: delayed, and only what reached nobody. */
	uint64_t live_from;
	struct missed *missed; /* by full JID */
	bool inactive;         /* its client says so (XEP-0352) */
	struct waiting *quiet; /* by what it is about */
	size_t quiet_bytes;
	uint64_t quiet_events;                   /* that waited, ever */
	struct heard roster_heard, blocks_heard; /* of roster.h, blocklist.h */

	struct iq_table *asked; /* requests of peers that went to it */
	struct timer alive;
	bool paused; /* it is not read until it reads */
	bool pinged;
	uint64_t pinged_at, pinged_bytes;  /* written by then */
	struct archive_searches *searches; /* mod/archive_search.c's */
	/* A request for the roster that waits: mod/roster.c's. */
	struct timer roster_timer;
	char *roster_get_id, *roster_get_ver;
	/* The same for the block list: mod/blocking.c's. */
	struct timer blocks_timer;
	char *blocks_get_id, *blocks_get_to;
	unsigned joints; /* requests at several accounts: mod/joint.c's */
};

/*
 * Makes the session of a stream that was just bound. resource: what bind settled.
 */
struct session *session_new(struct user *, struct account *view,
    const char *resource, const char *peer);
void session_start(struct session *, struct stream *);
/* The parts of that: a session without a stream; with one; without its connection. */
struct session *session_make(struct user *, uint64_t id, struct account *view,
    const char *resource);
void session_attach(struct session *, struct stream *);
void session_detach(struct session *);
/* Marks; the reap frees. cond may be -1: closed without an error. */
void session_close(struct session *, int stream_cond, const char *reason);
/* The link is lost: asleep where the stream can be resumed, else closed. */
void session_lose(struct session *, const char *reason);
/* Ends that session of the user's that has been asleep longest; false: none is. */
bool session_end_sleeper(struct user *);
/* The proxy ends: one that can be resumed is left as it is, without a word. */
void session_leave(struct session *);
void session_free(struct session **); /* the reap's */
/* It is to be saved in the next commit; what: CHANGED_*. */
void session_touch(struct session *, unsigned what);
/* It is told of all changes up to that one, with the stanza that was just sent. */
void session_told(struct session *, struct heard *, uint64_t changes);

/* What was asked of it has no answer: it cannot give one. */
void session_fail_requests(struct session *);
/*
 * It asks something: where the answer is lost with its stream, it gets an error. false:
 * it acknowledges too few answers, and is closed.
 */
bool session_open_request(struct session *, const struct route *);
/* Those past their deadline; all of them, and its own, because it goes. */
void session_expire_requests(struct session *);
void session_end_requests(struct session *);

/*
 * An answer, or what else no log holds back: a client whose window is full is not
 * read until it is below a third. Messages and presence: session_send_frame().
 */
void session_send(struct session *, const struct elem *);
/* The same of bytes; answers: the id of the request that it answers, or NULL. */
void session_send_bytes(struct session *, const struct buf *,
    const char *answers);
/*
 * An entry of the log, or presence, as `what` says, which is copied; it takes the
 * string. Not sent: it is not counted either.
 */
void session_send_frame(struct session *, const char *head, size_t len,
    struct blob *body, const char *tail, const struct flight *what);
/* Answers an IQ of this session: `from` is what it had asked. */
void session_reply(struct session *, const struct route *,
    struct elem *payload); /* payload: NULL for none */
void session_reply_error(struct session *, const struct route *,
    enum error_cond, const char *text);
/* The same to a message: where the error is lost with the process, another one comes. */
void session_refuse(struct session *, const struct route *, enum error_cond,
    const char *text);
/* The same to any stanza, with an error that the caller has made. */
void session_refuse_with(struct session *, const struct route *,
    struct elem *error);
/*
 * The answer (NULL: none will come) to what this session had asked of the account, or
 * (account NULL) of another session.
 */
void session_take_answer(struct session *, struct account *, const struct iq *,
    struct elem *answer);
/*
 * A peer's request goes to this client under a fresh id (-1: too many wait there),
 * and its answer back.
 */
int session_ask(struct session *, struct account *, struct route *);
/* The same for a request of another session of the user. */
int session_ask_for(struct session *, struct session *asker, struct route *);
/*
 * A request of our own: answered() gets NULL where no answer will come (deadline, the
 * link lost, the end). -1: too many wait there, or it is not there; then it is not called.
 */
int session_query(struct session *, struct elem *iq,
    void (*answered)(struct session *, struct elem *answer));
const char *session_take_reply(struct session *, struct route *);
/* A request of our own or of a push under a fresh id; answers are swallowed. */
void session_push(struct session *, const char *type,
    const struct elem *payload);
/* Its queue is below the window: messages and presence may be queued. */
bool session_has_room(const struct session *);
/* The account that carries a stanza of this session to that JID, and why. */
struct account *session_route(struct session *, struct arena *, const char *to,
    const char **reason);
/* The same, for what is on its way: the log says which and why. */
struct account *session_carrier(struct session *, struct arena *,
    const char *to);
void session_log_carrier(const struct session *, const struct account *,
    const char *to, const char *reason);
/* The same JID, prepared, as this session's view shows it; arena memory or the argument. */
const char *session_view_of(struct session *, struct account *, struct arena *,
    const char *jid);
/*
 * And what the account calls a JID of this session's view; NULL: nobody (node_roster.h).
 */
const char *session_name_at(const struct session *, const struct account *,
    struct arena *, const char *jid);
/* What one of the user's sessions says to another, in the other's words; in place. */
void session_translate(const struct session *from, const struct session *to,
    struct elem *stanza);
/* Whether the two, of one user, see an account in common. */
bool session_is_sibling(const struct session *, const struct session *);
/* Whether the session sees that account. */
bool session_sees(const struct session *, const struct account *);
const char *session_domain(const struct session *);

#endif
