/* From a stanza of upstream to an entry of the history. */
#ifndef CORE_INCOMING_H
#define CORE_INCOMING_H

#include "core/history.h"
#include "core/hooks.h"

struct account;

/* The caller hands it to fanout(). DIR_OUT: from is the own device, to the peer. */
struct entry *incoming_entry(struct account *, const struct route *,
    enum direction);

#endif
