/* struct upstream, for the files upstream*.c alone. */
#ifndef CORE_UPSTREAM_IMPL_H
#define CORE_UPSTREAM_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/table.h"
#include "io/dial.h"
#include "io/loop.h"
#include "io/tls.h"
#include "xmpp/connect.h"
#include "xmpp/sm.h"

enum upstream_state {
	UPSTREAM_OFF,     /* nobody wants it */
	UPSTREAM_WAITING, /* for the retry timer */
	UPSTREAM_DIALLING,
	UPSTREAM_NEGOTIATING,
	UPSTREAM_UP,
	UPSTREAM_REFUSED, /* until the configuration changes */
};

/* The last salted password: PBKDF2 is not done again while the salt is the same. */
struct salted {
	bool known;
	enum scram_hash hash;
	struct scram_keys salt;
	unsigned char key[SCRAM_KEY_MAX];
};

struct upstream {
	UT_hash_handle hh; /* proxy->upstreams */
	uint64_t id;
	struct account *account;
	struct proxy *proxy;
	uint64_t proxy_group;
	char log_id[32];
	enum upstream_state state;
	char *trouble;

	struct dial *dial;
	struct connect *connect;
	struct stream *stream;
	struct timer retry, keepalive;
	struct tls_trust *trust;
	char *domain_ascii;
	struct salted salted;
	uint64_t salting; /* what a worker is at; 0: nothing that is wanted */

	unsigned attempts, refusals, conflicts, hops;
	uint64_t first_refusal, first_conflict, up_at;
	bool server_resource; /* after a conflict */
	char *other_host;     /* see-other-host, for the next try */
	uint16_t other_port;
	bool is_secure; /* the stream that is up */
	bool pinged;
	uint64_t pinged_at;

	/* Stream management (XEP-0198); upstream_sm.c's. */
	struct sm sm;       /* counts what is sent, with or without it */
	char *sm_id;        /* NULL: the stream cannot be resumed */
	uint64_t sm_max;    /* seconds that the server keeps it */
	bool offers_sm;     /* the features of the stream */
	bool is_enabling;   /* <enable/> is out */
	bool is_suspended;  /* the link is lost, and the stream may go on */
	bool is_restored;   /* the same, by a restart of ours */
	const char *finish; /* why it stops with the acknowledgement; or NULL */
	struct timer suspended, ack_timer;
	char ack_id[RANDOM_ID_SIZE]; /* of the ping that is out; "": none */
	uint64_t ack_upto, asked_at;
};

void upstream_set_state(struct upstream *, enum upstream_state);
void upstream_set_trouble(struct upstream *, const char *why);
/* Lets go of whatever is open, as lost; the account hears of it. */
void upstream_lose(struct upstream *);
void upstream_sm_init(struct upstream *);
void upstream_sm_fini(struct upstream *);
/* A new stream is there: whether its features offer stream management. */
void upstream_sm_start(struct upstream *, const struct elem *features);
/* Asks for it where they do; the stream is the upstream's. */
void upstream_sm_enable(struct upstream *);
/* Nonzas of it, and the answer to our ping: true. */
bool upstream_sm_take(struct upstream *, struct elem *);
/* What the server sent was handled: a stanza counts. */
void upstream_sm_handled(struct upstream *, const struct elem *);
/* What is on the stream is to be acknowledged. */
void upstream_sm_want_ack(struct upstream *);
/* Asks at once: true where an answer is to come. */
bool upstream_sm_ask_now(struct upstream *);
/* The stream has ended in a way that it cannot be resumed. */
void upstream_sm_forget(struct upstream *);
/* The link is lost: true where the stream may go on. */
bool upstream_sm_suspend(struct upstream *);
/* connect_events.resumed, .not_resumed */
void upstream_sm_resumed(void *arg, struct stream *, uint32_t h,
    const struct elem *features);
void upstream_sm_not_resumed(void *arg, bool has_h, uint32_t h);
/* The stream is the upstream's from here on; upstream.c's. */
void upstream_take_stream(struct upstream *, struct stream *,
    const struct elem *features);

/* timer.due; arg is the upstream, which is up. */
void upstream_keep_alive(void *arg);

/* upstream_retry.c: it failed, in one of these ways. The text may be the stream's. */
void upstream_retry_later(struct upstream *, const char *why);
/* Wrong password and the like: three tries over an hour, then no more. */
void upstream_refused(struct upstream *, const char *why);
/* Somebody else has our resource: one made by the server, then no more. */
void upstream_conflicted(struct upstream *, const char *why);
/* see-other-host, and TLS was up. */
void upstream_sent_on(struct upstream *, const char *where);

/* connect_events.salted */
void upstream_want_salted(void *arg, enum scram_hash,
    const struct scram_keys *);

#endif
