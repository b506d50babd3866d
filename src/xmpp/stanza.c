#include "xmpp/stanza.h"

#include <string.h>

#include "base/text.h"
#include "xmpp/jid.h"

static const struct {
	const char *name, *type;
} conditions[ERR_COND_COUNT] = {
	[ERR_BAD_REQUEST] = { "bad-request", "modify" },
	[ERR_CONFLICT] = { "conflict", "cancel" },
	[ERR_FEATURE_NOT_IMPLEMENTED] = { "feature-not-implemented", "cancel" },
	[ERR_FORBIDDEN] = { "forbidden", "auth" },
	[ERR_GONE] = { "gone", "cancel" },
	[ERR_INTERNAL_SERVER_ERROR] = { "internal-server-error", "cancel" },
	[ERR_ITEM_NOT_FOUND] = { "item-not-found", "cancel" },
	[ERR_JID_MALFORMED] = { "jid-malformed", "modify" },
	[ERR_NOT_ACCEPTABLE] = { "not-acceptable", "modify" },
	[ERR_NOT_ALLOWED] = { "not-allowed", "cancel" },
	[ERR_NOT_AUTHORIZED] = { "not-authorized", "auth" },
	[ERR_POLICY_VIOLATION] = { "policy-violation", "modify" },
	[ERR_RECIPIENT_UNAVAILABLE] = { "recipient-unavailable", "wait" },
	[ERR_REDIRECT] = { "redirect", "modify" },
	[ERR_REGISTRATION_REQUIRED] = { "registration-required", "auth" },
	[ERR_REMOTE_SERVER_NOT_FOUND] = { "remote-server-not-found", "cancel" },
	[ERR_REMOTE_SERVER_TIMEOUT] = { "remote-server-timeout", "wait" },
	[ERR_RESOURCE_CONSTRAINT] = { "resource-constraint", "wait" },
	[ERR_SERVICE_UNAVAILABLE] = { "service-unavailable", "cancel" },
	[ERR_SUBSCRIPTION_REQUIRED] = { "subscription-required", "auth" },
	[ERR_UNDEFINED_CONDITION] = { "undefined-condition", "cancel" },
	[ERR_UNEXPECTED_REQUEST] = { "unexpected-request", "wait" },
};

static const struct {
	enum stanza_kind kind;
	const char *name;
	enum stanza_type type;
} types[] = {
	{ STANZA_MESSAGE, "chat", TYPE_CHAT },
	{ STANZA_MESSAGE, "groupchat", TYPE_GROUPCHAT },
	{ STANZA_MESSAGE, "headline", TYPE_HEADLINE },
	{ STANZA_MESSAGE, "error", TYPE_ERROR },
	{ STANZA_PRESENCE, "unavailable", TYPE_UNAVAILABLE },
	{ STANZA_PRESENCE, "subscribe", TYPE_SUBSCRIBE },
	{ STANZA_PRESENCE, "subscribed", TYPE_SUBSCRIBED },
	{ STANZA_PRESENCE, "unsubscribe", TYPE_UNSUBSCRIBE },
	{ STANZA_PRESENCE, "unsubscribed", TYPE_UNSUBSCRIBED },
	{ STANZA_PRESENCE, "probe", TYPE_PROBE },
	{ STANZA_PRESENCE, "error", TYPE_ERROR },
	{ STANZA_IQ, "get", TYPE_GET },
	{ STANZA_IQ, "set", TYPE_SET },
	{ STANZA_IQ, "result", TYPE_RESULT },
	{ STANZA_IQ, "error", TYPE_ERROR },
};

enum stanza_kind
stanza_kind(const struct elem *e)
{
	if (e->ns == NULL || strcmp(e->ns, NS_CLIENT) != 0)
		return STANZA_NONE;
	if (strcmp(e->name, "message") == 0)
		return STANZA_MESSAGE;
	if (strcmp(e->name, "presence") == 0)
		return STANZA_PRESENCE;
	if (strcmp(e->name, "iq") == 0)
		return STANZA_IQ;
	return STANZA_NONE;
}

enum stanza_type
stanza_type(const struct elem *e)
{
	enum stanza_kind kind = stanza_kind(e);
	const char *type = elem_attr(e, "type");

	if (kind == STANZA_PRESENCE && type == NULL)
		return TYPE_AVAILABLE;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].kind == kind && text_equals(types[i].name, type))
			return types[i].type;
	return kind == STANZA_MESSAGE ? TYPE_NORMAL : TYPE_UNKNOWN;
}

const char *
stanza_jid(const struct elem *e, const char *attr)
{
	return e != NULL ? jid_prep(e->arena, elem_attr(e, attr), NULL) : NULL;
}

bool
stanza_may_fail(const struct elem *e)
{
	enum stanza_type type = stanza_type(e);

	return stanza_kind(e) != STANZA_NONE && type != TYPE_ERROR &&
	    type != TYPE_RESULT;
}

const char *
error_cond_name(enum error_cond cond)
{
	return conditions[cond].name;
}

const char *
error_cond_type(enum error_cond cond)
{
	return conditions[cond].type;
}

static struct elem *
answer(const struct elem *e, const char *type)
{
	struct elem *a = elem_new(e->arena, e->ns, e->name);

	elem_set(a, "from", elem_attr(e, "to"));
	elem_set(a, "to", elem_attr(e, "from"));
	elem_set(a, "id", elem_attr(e, "id"));
	elem_set(a, "type", type);
	return a;
}

struct elem *
stanza_result(const struct elem *iq)
{
	return answer(iq, "result");
}

struct elem *
stanza_error(const struct elem *e, enum error_cond cond, const char *text)
{
	struct elem *a = answer(e, "error");
	struct elem *error = elem_child(a, a->ns, "error");

	elem_set(error, "type", error_cond_type(cond));
	elem_child(error, NS_STANZA_ERROR, error_cond_name(cond));
	if (text != NULL)
		elem_add_text(elem_child(error, NS_STANZA_ERROR, "text"), text);
	return a;
}

const char *
stanza_error_cond(const struct elem *e)
{
	const struct elem *error;

	if (stanza_type(e) != TYPE_ERROR)
		return NULL;
	if ((error = elem_find(e, NS_CLIENT, "error")) != NULL)
		ELEM_EACH(c, error)
			if (strcmp(c->name, "text") != 0 &&
			    text_equals(c->ns, NS_STANZA_ERROR))
				return c->name;
	return error_cond_name(ERR_UNDEFINED_CONDITION);
}

uint64_t
stanza_delay(const struct elem *e)
{
	const struct elem *delay = elem_find(e, NS_DELAY, "delay");
	uint64_t wall_ms;

	if (delay == NULL ||
	    !text_parse_stamp(elem_attr(delay, "stamp"), &wall_ms))
		return 0;
	return wall_ms;
}
