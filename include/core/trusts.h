/*
 * Whom upstreams trust: one set of authorities a file, for all accounts that name it,
 * loaded when it is first asked for. A reload makes another table, and so reads
 * renewed files.
 */
#ifndef CORE_TRUSTS_H
#define CORE_TRUSTS_H

#include "base/err.h"
#include "io/tls.h"

struct trusts;

struct trusts *trusts_new(void);
void trusts_free(struct trusts **);
/* The caller gets a reference. ca NULL: the system's roots. NULL: err says why. */
struct tls_trust *trusts_get(struct trusts *, const char *ca, struct err *);

#endif
