/*
 * Publish-subscribe (XEP-0060): what a service that is nobody's own account (that
 * would be PEP) says of a node reaches the session that subscribed to it, else all.
 */
#include <stdio.h>

#include "base/text.h"
#include "core/account.h"
#include "core/fanout.h"
#include "core/incoming.h"
#include "core/proxy.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define KEY_SIZE 4096

static bool
make_key(char key[KEY_SIZE], const char *service, const char *node)
{
	int len;

	len = snprintf(key, KEY_SIZE, "%s %s", service,
	    node != NULL ? node : "");
	return len > 0 && len < KEY_SIZE;
}

/* The service says so in its answer (XEP-0060 6.1.2), to whoever asked. */
static void
note_subscription(struct account *a, const struct route *r)
{
	const struct elem *pubsub, *subscription = NULL;
	const struct iq *iq = iq_table_find(a->iqs, r->id);
	char key[KEY_SIZE];
	uint64_t id;

	pubsub = elem_find(r->stanza, NS_PUBSUB, "pubsub");
	if (pubsub != NULL)
		subscription = elem_find(pubsub, NS_PUBSUB, "subscription");
	if (iq == NULL || subscription == NULL ||
	    !text_equals(iq->answerer, r->from) ||
	    !make_key(key, r->from, elem_attr(subscription, "node")))
		return;
	if (text_equals(elem_attr(subscription, "subscription"), "subscribed"))
		recent_set(a->subscribers, key, iq->session);
	else if (recent_get(a->subscribers, key, &id) && id == iq->session)
		recent_remove(a->subscribers, key);
}

/* The answer to this may be empty (XEP-0060 6.2.2). */
static const char *
from_client(struct session *s, struct route *r)
{
	const struct elem *pubsub, *action = NULL;
	struct account *a;
	const char *reason;
	char key[KEY_SIZE];
	uint64_t id;

	if (r->kind != STANZA_IQ || r->type != TYPE_SET || r->to == NULL)
		return NULL;
	pubsub = elem_find(r->stanza, NS_PUBSUB, "pubsub");
	if (pubsub != NULL)
		action = elem_find(pubsub, NS_PUBSUB, "unsubscribe");
	if (action == NULL || !make_key(key, r->to, elem_attr(action, "node")))
		return NULL;
	a = session_route(s, r->stanza->arena, r->to, &reason);
	if (recent_get(a->subscribers, key, &id) && id == s->id)
		recent_remove(a->subscribers, key);
	return NULL;
}

/* The session that subscribed to what the event is about; 0: none that is there. */
static uint64_t
subscriber_of(struct account *a, const struct route *r)
{
	const struct elem *event, *about;
	char key[KEY_SIZE];
	struct session *s;
	uint64_t id;

	event = elem_find(r->stanza, NS_PUBSUB_EVENT, "event");
	about = event != NULL ? elem_first(event) : NULL;
	if (about == NULL ||
	    !make_key(key, r->from, elem_attr(about, "node")) ||
	    !recent_get(a->subscribers, key, &id))
		return 0;
	s = proxy_find_session(a->user->proxy, id);
	return s != NULL && !s->closing && s->available ? id : 0;
}

/* A bare JID of somebody's: Personal Eventing (XEP-0163). */
static bool
is_pep(const char *from)
{
	return jid_is_bare(from) && !jid_is_domain(from);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	struct entry *e;
	uint64_t id;

	if (r->kind == STANZA_IQ && r->type == TYPE_RESULT && r->id != NULL)
		note_subscription(a, r);
	if (r->kind != STANZA_MESSAGE || r->type == TYPE_ERROR ||
	    r->from == NULL || !message_is_event(r->stanza) ||
	    is_pep(r->from) || (id = subscriber_of(a, r)) == 0)
		return NULL;
	e = incoming_entry(a, r, DIR_IN);
	e->only = id;
	fanout(a->user, e);
	return "an event, to the session that subscribed";
}

const struct module mod_pubsub = {
	.name = "pubsub",
	.xep = "XEP-0060",
	.from_client = from_client,
	.from_upstream = from_upstream,
};
