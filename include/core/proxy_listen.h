/* The proxy's listeners and certificates. */
#ifndef CORE_PROXY_LISTEN_H
#define CORE_PROXY_LISTEN_H

#include "base/err.h"

struct config;
struct proxy;

/*
 * Certificates are loaded anew and listeners opened and closed as the configuration
 * has it; those that stay are not touched. -1 changes nothing.
 */
int proxy_relisten(struct proxy *, const struct config *, struct err *);
void proxy_unlisten(struct proxy *);

#endif
