/*
 * Message Carbons (XEP-0280): towards clients ours, whatever the server has; from the
 * server, copies of what other devices directly on it send and receive.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/fanout.h"
#include "core/incoming.h"
#include "core/invitation.h"
#include "core/playback.h"
#include "core/sent.h"
#include "core/session.h"
#include "core/upstream.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

static const char *
on_enable(struct session *s, struct route *r)
{
	s->carbons = true;
	session_touch(s, CHANGED_SELF);
	session_reply(s, r, NULL);
	playback_carbons(s);
	return "carbons are on";
}

static const char *
on_disable(struct session *s, struct route *r)
{
	s->carbons = false;
	session_touch(s, CHANGED_SELF);
	session_reply(s, r, NULL);
	return "carbons are off";
}

/* --- the server's own --- */

static void
enabled(struct account *a, struct elem *answer, void *arg)
{
	(void)arg;
	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "server-carbons",
	    "on=%s",
	    answer != NULL && stanza_type(answer) == TYPE_RESULT ? "yes" :
								   "no");
}

static void
upstream_up(struct account *a)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "set");
	elem_child(iq, NS_CARBONS, "enable");
	(void)account_ask(a, iq, NULL, enabled, NULL);
	arena_free(&arena);
}

/* The message inside; NULL where there is none, or an address is none. */
static struct elem *
unwrap(const struct elem *carbon, struct route *inner)
{
	struct elem *forwarded = elem_find(carbon, NS_FORWARD, "forwarded");
	struct elem *m = NULL;

	if (forwarded != NULL)
		m = elem_find(forwarded, NS_CLIENT, "message");
	if (m == NULL)
		return NULL;
	inner->stanza = m;
	inner->kind = STANZA_MESSAGE;
	inner->type = stanza_type(m);
	inner->id = elem_attr(m, "id");
	inner->from = stanza_jid(m, "from");
	inner->to = stanza_jid(m, "to");
	return inner->from != NULL && inner->to != NULL ? m : NULL;
}

/* Not what clients send by themselves. */
static bool
is_of_a_person(const struct elem *m)
{
	const char *state = message_chat_state(m);

	return message_has_body(m) || message_is_encrypted(m) ||
	    text_equals(state, "composing") || text_equals(state, "active");
}

static const char *
take_sent(struct account *a, const struct route *inner)
{
	struct entry *e;

	if (!jid_same_bare(inner->from, a->jid))
		return "a copy of what somebody else sent";
	sent_remember_answers(a, inner->to, inner->stanza);
	if (is_of_a_person(inner->stanza))
		sent_remember_active(a, inner->to, 0);
	e = incoming_entry(a, inner, DIR_OUT);
	fanout(a->user, e);
	return "what another device on the server sent";
}

static const char *
take_received(struct account *a, const struct route *inner)
{
	struct entry *e;

	if (!jid_same_bare(inner->to, a->jid))
		return "a copy of what somebody else got";
	if (account_blocks(a, inner->from))
		return "a copy of what somebody who is blocked sent";
	e = incoming_entry(a, inner, DIR_BESIDE);
	if (invitation_room(inner->stanza, inner->from) != NULL) {
		if (invitation_is_repeated(a, e)) {
			entry_unref(&e);
			return "the same invitation came already";
		}
		invitation_came(a, inner->from, inner->stanza);
	}
	fanout(a->user, e);
	return "what another device on the server got";
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	const struct elem *sent, *received;
	struct route inner;

	if (r->kind != STANZA_MESSAGE || r->type == TYPE_ERROR)
		return NULL;
	sent = elem_find(r->stanza, NS_CARBONS, "sent");
	received = elem_find(r->stanza, NS_CARBONS, "received");
	if (sent == NULL && received == NULL)
		return NULL;
	if (r->from != NULL && strcmp(r->from, a->jid) != 0) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "spoofed-carbon", "from=%s", LOG_Q(r->from));
		return "a carbon that is not from the own account";
	}
	if (unwrap(sent != NULL ? sent : received, &inner) == NULL)
		return "a carbon without a message";
	return sent != NULL ? take_sent(a, &inner) : take_received(a, &inner);
}

const struct module mod_carbons = {
	.name = "carbons",
	.xep = "XEP-0280",
	.features = (const char *const[]){ NS_CARBONS, NS_CARBON_RULES, NULL },
	.iqs = (const struct iq_handler[]){ { TYPE_SET, NS_CARBONS, "enable",
						on_enable, IQ_TO_OURS },
	    { TYPE_SET, NS_CARBONS, "disable", on_disable, IQ_TO_OURS },
	    { 0 } },
	.from_upstream = from_upstream,
	.upstream_up = upstream_up,
};
