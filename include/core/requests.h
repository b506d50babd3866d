/* Subscription requests of an account that nobody has answered yet (RFC 6121 3.1.3). */
#ifndef CORE_REQUESTS_H
#define CORE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "xmpp/elem.h"

struct requests;

struct requests *requests_new(size_t max);
void requests_free(struct requests **);
/* Who keeps them on disk. xml NULL: that one is settled. */
void requests_set_keeper(struct requests *,
    void (*keep)(void *arg, const char *bare, const char *xml), void *arg);
/* As it was told the keeper. */
void requests_restore(struct requests *, const char *bare, const char *xml);

/* From a bare JID; one that is known is replaced. false: over the limit. */
bool requests_add(struct requests *, const char *bare,
    const struct elem *presence);
bool requests_remove(struct requests *, const char *bare); /* false: none */
bool requests_is_open(const struct requests *, const char *bare);
/*
 * Calls for each, in order of arrival; xml as jabber:client's bytes. fn may
 * remove the one that it gets.
 */
void requests_each(const struct requests *,
    void (*fn)(void *arg, const char *bare, const char *xml), void *arg);

#endif
