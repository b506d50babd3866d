/* What RFC 6120 section 8 says of stanzas. */
#ifndef XMPP_STANZA_H
#define XMPP_STANZA_H

#include <stdbool.h>
#include <stdint.h>

#include "xmpp/elem.h"
#include "xmpp/ns.h"

#define STANZA_ID_MAX 1024 /* bytes of a request's id that we remember */

enum stanza_kind { STANZA_NONE, STANZA_MESSAGE, STANZA_PRESENCE, STANZA_IQ };

enum stanza_type {
	/* message */
	TYPE_NORMAL,
	TYPE_CHAT,
	TYPE_GROUPCHAT,
	TYPE_HEADLINE,
	TYPE_ERROR,
	/* presence; TYPE_ERROR too */
	TYPE_AVAILABLE,
	TYPE_UNAVAILABLE,
	TYPE_SUBSCRIBE,
	TYPE_SUBSCRIBED,
	TYPE_UNSUBSCRIBE,
	TYPE_UNSUBSCRIBED,
	TYPE_PROBE,
	/* iq; TYPE_ERROR too */
	TYPE_GET,
	TYPE_SET,
	TYPE_RESULT,
	TYPE_UNKNOWN,
};

enum stanza_kind stanza_kind(const struct elem *); /* jabber:client only */
/*
 * An unknown type of a message is normal (RFC 6121 5.2.2), else TYPE_UNKNOWN, as
 * for what is no stanza.
 */
enum stanza_type stanza_type(const struct elem *);
/* Whether an answer to it may be an error: no error, no result. */
bool stanza_may_fail(const struct elem *);

/* The attribute, prepared; NULL: no element, not there, or no JID. */
const char *stanza_jid(const struct elem *, const char *attr);

/* RFC 6120 8.3.3. */
enum error_cond {
	ERR_BAD_REQUEST,
	ERR_CONFLICT,
	ERR_FEATURE_NOT_IMPLEMENTED,
	ERR_FORBIDDEN,
	ERR_GONE,
	ERR_INTERNAL_SERVER_ERROR,
	ERR_ITEM_NOT_FOUND,
	ERR_JID_MALFORMED,
	ERR_NOT_ACCEPTABLE,
	ERR_NOT_ALLOWED,
	ERR_NOT_AUTHORIZED,
	ERR_POLICY_VIOLATION,
	ERR_RECIPIENT_UNAVAILABLE,
	ERR_REDIRECT,
	ERR_REGISTRATION_REQUIRED,
	ERR_REMOTE_SERVER_NOT_FOUND,
	ERR_REMOTE_SERVER_TIMEOUT,
	ERR_RESOURCE_CONSTRAINT,
	ERR_SERVICE_UNAVAILABLE,
	ERR_SUBSCRIPTION_REQUIRED,
	ERR_UNDEFINED_CONDITION,
	ERR_UNEXPECTED_REQUEST,
	ERR_COND_COUNT
};
const char *error_cond_name(enum error_cond); /* "bad-request" */
const char *error_cond_type(enum error_cond); /* as RFC 6120 8.3.3 has it */

/*
 * An answer in the same arena: kind and id kept, to and from swapped, type set.
 * The error holds the condition and, where it is not NULL, the text. Only for
 * stanzas that may fail.
 */
struct elem *stanza_result(const struct elem *iq);
struct elem *stanza_error(const struct elem *, enum error_cond,
    const char *text);
/*
 * The condition's name inside <error/>, undefined-condition where it names none;
 * NULL where the stanza is no error.
 */
const char *stanza_error_cond(const struct elem *);

/* The urn:xmpp:delay stamp in ms since the epoch; 0 without one. */
uint64_t stanza_delay(const struct elem *);

#endif
