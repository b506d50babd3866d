/*
 * The keys that a login is checked against. Salts are made up from the name, so that
 * a name that exists and one that does not look alike; PBKDF2 is done by a worker and
 * its result kept with the user.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/peers.h"
#include "core/user.h"
#include "login_impl.h"

#define MADE_SALT_LEN 16
/* At the workers at a time, for one address: logins upstream wait behind them. */
#define CHECKS_PER_ADDRESS 32

/* What the worker does; by ids and names, for its asker may be gone. */
struct deriving {
	struct proxy *proxy;
	uint64_t login;
	char *peer;
	atomic_bool is_cancelled; /* set by the loop, read by the worker */
	char *domain, *name; /* whose keys they are to be; NULL: nobody's */
	char *password;
	char *own; /* PLAIN: the configuration's password, where it has one */
	bool is_plain; /* a verdict is wanted: against `own` or `stored` */
	enum scram_hash hash;
	struct scram_keys keys, stored;
	int rc;
};

static void
make_salt(const struct proxy *p, const char *domain, const char *name,
    enum scram_hash hash, struct scram_keys *out)
{
	struct buf b = { 0 };
	uint32_t word;

	memset(out, 0, sizeof(*out));
	out->iterations = SCRAM_ITERATIONS;
	out->salt_len = MADE_SALT_LEN;
	for (unsigned i = 0; i < MADE_SALT_LEN / sizeof(word); i++) {
		buf_clear(&b);
		buf_add(&b, p->secret, sizeof(p->secret));
		buf_printf(&b, "%u %d %s %s", i, (int)hash, domain, name);
		word = table_hash(b.data, b.len);
		memcpy(out->salt + i * sizeof(word), &word, sizeof(word));
	}
	buf_free(&b);
}

void
login_salt(void *arg, const char *domain, const char *name,
    enum scram_hash hash, struct scram_keys *out)
{
	struct login *l = arg;
	struct account *view;
	struct user *u = proxy_find_login(l->proxy, domain, name, &view);

	if (u != NULL && u->config->password == NULL &&
	    u->config->credential.keys[hash].known) {
		*out = u->config->credential.keys[hash];
		return;
	}
	make_salt(l->proxy, domain, name, hash, out);
}

/* The keys that are kept for a view: each domain has a salt of its own. */
static struct scram_keys *
derived(struct user *u, struct account *view, enum scram_hash hash)
{
	return view != NULL ? &view->derived[hash] : &u->derived[hash];
}

static void
job_free(struct deriving *job)
{
	mem_free_secret(&job->password);
	mem_free_secret(&job->own);
	mem_wipe(&job->keys, sizeof(job->keys));
	mem_wipe(&job->stored, sizeof(job->stored));
	free(job->peer);
	free(job->domain);
	free(job->name);
	free(job);
}

static void
work(void *arg)
{
	struct deriving *job = arg;

	if (atomic_load(&job->is_cancelled))
		return;
	if (job->own != NULL) {
		job->stored = job->keys;
		job->stored.known = scram_derive(&job->stored, job->hash,
					job->own, NULL) == 0;
	}
	job->rc = scram_derive(&job->keys, job->hash, job->password, NULL);
}

static bool
is_same_keys(const struct scram_keys *a, const struct scram_keys *b,
    enum scram_hash hash)
{
	unsigned char differs = 0;

	for (size_t i = 0; i < scram_key_len(hash); i++)
		differs |= a->stored[i] ^ b->stored[i];
	return differs == 0;
}

/* What SASLprep refuses is no password, here and in the exchange. */
static bool
is_right(const struct deriving *job)
{
	return job->rc == 0 && job->stored.known &&
	    is_same_keys(&job->keys, &job->stored, job->hash);
}

/* Kept, unless the password changed meanwhile. */
static void
keep_keys(const struct deriving *job)
{
	struct account *view;
	struct user *u = proxy_find_login(job->proxy, job->domain, job->name,
	    &view);

	if (u != NULL && text_equals(u->config->password, job->password))
		*derived(u, view, job->hash) = job->keys;
}

static void
done(void *arg)
{
	struct deriving *job = arg;
	struct login *l;

	peers_remove(job->proxy->checks_out, job->peer);
	job->keys.known = job->rc == 0;
	if (job->rc == 0 && job->name != NULL)
		keep_keys(job);
	HASH_FIND(hh, job->proxy->logins, &job->login, sizeof(job->login), l);
	if (l != NULL)
		l->deriving = NULL;
	if (l != NULL && job->is_plain)
		accept_verdict(l->accept, is_right(job));
	else if (l != NULL)
		accept_keys(l->accept,
		    job->rc == 0 && job->name != NULL ? &job->keys : NULL);
	job_free(job);
}

/* Given up before its answer it cost the same, so it counts as a wrong one. */
void
login_cancel_check(struct login *l)
{
	const struct limits *limits = &l->proxy->config->limits;
	char key[PEERS_KEY_SIZE];

	if (l->deriving == NULL)
		return;
	atomic_store(&l->deriving->is_cancelled, true);
	peers_key(l->peer, key);
	throttle_failed(l->proxy->by_address, key,
	    limits->failure_seconds * 1000);
}

/* No guess was answered, so the throttle counts none. */
static void
refuse_busy(struct login *l)
{
	log_event(LEVEL_WARN, l->log_id, "workers-busy", "peer=%s", l->peer);
	mem_free_string(&l->tried);
	accept_busy(l->accept);
}

static void
start(struct login *l, struct deriving *job)
{
	struct proxy *p = l->proxy;

	job->proxy = p;
	job->login = l->id;
	job->peer = mem_strdup(l->peer);
	job->rc = -1;
	if (p->env.work(p->env.arg, work, done, job) == 0) {
		l->deriving = job;
		peers_add(p->checks_out, l->peer);
		return;
	}
	job_free(job);
	refuse_busy(l);
}

static bool
is_throttled(struct login *l)
{
	const struct limits *limits = &l->proxy->config->limits;

	if (throttle_allows(l->proxy->by_name, l->tried,
		limits->failures_per_user, limits->failure_seconds * 1000))
		return false;
	log_event(LEVEL_WARN, l->log_id, "login-throttled", "name=%s peer=%s",
	    LOG_Q(l->tried), l->peer);
	return true;
}

/*
 * PLAIN: the password that was sent is hashed, whoever it is and however ours is
 * kept.
 */
static void
check_plain(struct login *l, struct user *u, const char *domain,
    const char *name, const char *password)
{
	struct deriving *job = mem_alloc(sizeof(*job));
	const struct scram_keys *keys;

	job->is_plain = true;
	job->hash = SCRAM_SHA256;
	job->password = mem_strdup(password);
	if (u != NULL && u->config->password == NULL) {
		keys = u->config->credential.keys;
		if (!keys[SCRAM_SHA256].known)
			job->hash = SCRAM_SHA1;
		job->stored = keys[job->hash];
	} else if (u != NULL) {
		job->own = mem_strdup(u->config->password);
	}
	login_salt(l, domain, name, job->hash, &job->keys);
	start(l, job);
}

/* The keys of a plain password, before the first check that needs them. */
static void
check_scram(struct login *l, struct user *u, struct account *view,
    const char *domain, const char *name, enum scram_hash hash)
{
	struct deriving *job;

	if (u != NULL && u->config->password == NULL) {
		accept_keys(l->accept,
		    u->config->credential.keys[hash].known ?
			&u->config->credential.keys[hash] :
			NULL);
		return;
	}
	if (u != NULL && derived(u, view, hash)->known) {
		accept_keys(l->accept, derived(u, view, hash));
		return;
	}
	job = mem_alloc(sizeof(*job));
	job->hash = hash;
	login_salt(l, domain, name, hash, &job->keys);
	if (u != NULL) {
		job->domain = mem_strdup(domain);
		job->name = mem_strdup(name);
	}
	job->password = mem_strdup(u != NULL ? u->config->password : "");
	start(l, job);
}

void
login_check(void *arg, const char *domain, const char *name,
    const char *password, enum scram_hash hash)
{
	struct login *l = arg;
	struct account *view;
	struct user *u = proxy_find_login(l->proxy, domain, name, &view);

	/* Whether this name needs a worker or not: names cannot be told by it. */
	if (peers_count(l->proxy->checks_out, l->peer) >= CHECKS_PER_ADDRESS) {
		refuse_busy(l);
		return;
	}
	free(l->tried);
	l->tried = u != NULL ? mem_strdup(u->name) :
			       mem_printf("%s@%s", name, domain);
	if (is_throttled(l))
		u = NULL;
	if (password == NULL)
		check_scram(l, u, view, domain, name, hash);
	else if (u != NULL && u->config->password != NULL &&
	    text_secret_equals(u->config->password, password))
		accept_verdict(l->accept, true);
	else
		check_plain(l, u, domain, name, password);
}
