/* The process's descriptors: each connection takes one. */
#ifndef CORE_DESCRIPTORS_H
#define CORE_DESCRIPTORS_H

#include "core/config.h"

/*
 * As many as the system allows (RLIMIT_NOFILE). A warning in the log where these
 * are too few for limits `connections` and a connection for each account.
 */
void descriptors_raise(const struct config *);

#endif
