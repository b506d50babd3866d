/* struct upstream, for the files upstream*.c alone. */
#ifndef CORE_UPSTREAM_IMPL_H
#define CORE_UPSTREAM_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "io/dial.h"
#include "io/loop.h"
#include "io/tls.h"
#include "xmpp/connect.h"

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
};

void upstream_set_state(struct upstream *, enum upstream_state);
void upstream_set_trouble(struct upstream *, const char *why);
/* Lets go of whatever is open, as lost; the account hears of it. */
void upstream_lose(struct upstream *);
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
