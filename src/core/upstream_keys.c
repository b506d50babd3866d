/* PBKDF2 for a login upstream, done by a worker and kept. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/proxy.h"
#include "upstream_impl.h"

struct salting {
	struct proxy *proxy;
	uint64_t upstream, number;
	char *password;
	enum scram_hash hash;
	struct scram_keys salt;
	unsigned char key[SCRAM_KEY_MAX];
	int rc;
};

static bool
is_same_salt(const struct salted *have, enum scram_hash hash,
    const struct scram_keys *salt)
{
	return have->known && have->hash == hash &&
	    have->salt.iterations == salt->iterations &&
	    have->salt.salt_len == salt->salt_len &&
	    memcmp(have->salt.salt, salt->salt, salt->salt_len) == 0;
}

static void
work(void *arg)
{
	struct salting *job = arg;

	job->rc = scram_salted(job->hash, job->password, job->salt.salt,
	    job->salt.salt_len, job->salt.iterations, job->key, NULL);
}

static void
done(void *arg)
{
	struct salting *job = arg;
	struct upstream *u;

	HASH_FIND(hh, job->proxy->upstreams, &job->upstream,
	    sizeof(job->upstream), u);
	/* One of an earlier try may come late: another salt, another password. */
	if (u != NULL && job->number == u->salting) {
		u->salting = 0;
		u->salted = (struct salted){ .known = job->rc == 0,
			.hash = job->hash,
			.salt = job->salt };
		memcpy(u->salted.key, job->key, sizeof(job->key));
		if (u->connect != NULL)
			connect_salted(u->connect,
			    job->rc == 0 ? job->key : NULL);
	}
	mem_free_secret(&job->password);
	mem_wipe(job->key, sizeof(job->key));
	free(job);
}

void
upstream_want_salted(void *arg, enum scram_hash hash,
    const struct scram_keys *salt)
{
	struct upstream *u = arg;
	struct salting *job;

	if (is_same_salt(&u->salted, hash, salt)) {
		connect_salted(u->connect, u->salted.key);
		return;
	}
	job = mem_alloc(sizeof(*job));
	job->proxy = u->proxy;
	job->number = u->salting = proxy_id(u->proxy);
	job->upstream = u->id;
	job->password = mem_strdup(u->account->config->password);
	job->hash = hash;
	job->salt = *salt;
	job->rc = -1;
	if (u->proxy->env.work(u->proxy->env.arg, work, done, job) == 0)
		return;
	mem_free_secret(&job->password);
	free(job);
	log_event(LEVEL_WARN, u->log_id, "workers-busy", "%s", "");
	connect_salted(u->connect, NULL);
}
