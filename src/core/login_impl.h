/* struct login, for login.c and login_keys.c alone. */
#ifndef CORE_LOGIN_IMPL_H
#define CORE_LOGIN_IMPL_H

#include "base/table.h"
#include "core/login.h"
#include "core/proxy.h"

struct login {
	UT_hash_handle hh; /* proxy->logins */
	uint64_t id;
	struct proxy *proxy;
	struct accept *accept;
	char *peer;
	char log_id[32];
	char *domain, *name; /* of a login that was right */
	/* Whose password was checked, for the throttle: a user, or name@domain. */
	char *tried;
	struct deriving *deriving; /* out for it; the worker's */
	uint64_t session;          /* once bound, or found to be resumed */
	bool is_handed_over; /* the connection is the session's to count */
	uint32_t resume_h;
};

/* accept_host.salt and .check; arg is the login. */
void login_salt(void *arg, const char *domain, const char *name,
    enum scram_hash, struct scram_keys *out);
void login_check(void *arg, const char *domain, const char *name,
    const char *password, enum scram_hash);
/* The login goes: what is out for it is for nobody. */
void login_cancel_check(struct login *);

#endif
