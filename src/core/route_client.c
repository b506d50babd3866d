/* What a client sends (stanzas.md: Messages going out, IQ). */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/device.h"
#include "core/directed.h"
#include "core/exchange.h"
#include "core/fanout.h"
#include "core/frame.h"
#include "core/incoming.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/sent.h"
#include "core/session.h"
#include "core/upstream.h"
#include "xmpp/jid.h"

#define END_TAGS strlen("></message>")

void
route_bounce(struct session *s, const struct route *r, enum error_cond cond,
    const char *text)
{
	if (!stanza_may_fail(r->stanza))
		return;
	if (r->kind == STANZA_MESSAGE)
		session_refuse(s, r, cond, text);
	else
		session_reply_error(s, r, cond, text);
}

static void
log_decision(struct session *s, const struct route *r, const char *reason)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, s->log_id, "routed",
		    "stanza=%s to=%s id=%s reason=\"%s\"", r->stanza->name,
		    LOG_Q(r->to), LOG_Q(r->id), reason);
}

/* --- messages --- */

/* The message as the log has it; takes nothing. */
static struct entry *
outgoing_entry(struct session *s, struct account *a, const struct route *r)
{
	struct entry *e = entry_new();
	const char *text = elem_child_text(r->stanza, NS_CLIENT, "body");
	uint64_t stamp = stanza_delay(r->stanza);

	e->account = a->id;
	e->class = message_class(r->stanza, NULL);
	e->direction = DIR_OUT;
	e->type = r->type;
	e->has_delay = stamp != 0;
	e->time = stamp != 0 ? stamp : clock_wall();
	e->peer = mem_strdup(r->to);
	e->local = mem_printf("%s/%s", a->jid, s->resource);
	e->id = mem_strdup(elem_attr(r->stanza, "id"));
	e->lang = mem_strdup(elem_lang(r->stanza));
	e->origin = s->id;
	e->device = s->device != NULL ? s->device->id : 0;
	e->is_encrypted = message_is_encrypted(r->stanza);
	e->is_chat_state = message_lone_chat_state(r->stanza) != NULL;
	e->has_body = text != NULL && *text != '\0';
	e->is_eligible = message_is_eligible(r->stanza, true);
	e->is_room_private = incoming_is_room_private(s->user, r, r->to);
	e->unserved = archive_unserved(a, e, r->stanza);
	e->addresses = address_scan(r->stanza, a->jid, a->full);
	e->body = frame_body(r->stanza);
	return e;
}

static void
write_head(struct buf *head, const struct route *r, const struct entry *e)
{
	frame_head(head,
	    &(struct frame_head){ .name = "message",
		.to = r->to,
		.type = elem_attr(r->stanza, "type"),
		.id = e->id,
		.lang = e->lang });
}

/* Up through the outbox, in its order. */
static void
send_up(struct account *a, struct entry *e)
{
	bool keep = e->has_body || e->is_encrypted || e->class != CLASS_LIVE;

	outbox_add(a->outbox, e, keep);
	account_pump(a);
}

/* Why it cannot go up now, or NULL. */
static const char *
refuse_message(struct session *s, struct account *a, const struct route *r,
    enum error_cond *cond)
{
	const struct directed *d;

	*cond = ERR_NOT_ACCEPTABLE;
	if (r->type == TYPE_GROUPCHAT) {
		d = directed_find_bare(s->directed, r->to);
		if (d == NULL || !d->is_room)
			return "not in that room";
	}
	*cond = ERR_REMOTE_SERVER_TIMEOUT;
	if (!account_is_up(a) &&
	    ((r->type != TYPE_CHAT && r->type != TYPE_NORMAL) ||
		message_class(r->stanza, NULL) != CLASS_ARCHIVE))
		return "the account's server is not connected";
	return NULL;
}

/* Not of one that is there already. */
static const char *
lacks_room(const struct session *s, const struct account *a)
{
	if (s->proxy->is_full)
		return "the proxy's disk is full";
	if (outbox_is_full(a->outbox))
		return "too many messages wait for the account's server";
	return NULL;
}

/* Clients send receipts and errors by themselves: nobody need be there. */
static bool
is_automatic(const struct route *r)
{
	return r->type == TYPE_ERROR ||
	    (message_receipt_id(r->stanza) != NULL &&
		!message_has_body(r->stanza));
}

static void
note_exchange(struct session *s, struct account *a, const struct route *r)
{
	const char *bare = jid_bare(r->stanza->arena, r->to);

	if (is_automatic(r))
		return;
	recent_set(s->user->carriers, bare, a->id);
	sent_remember_active(a, r->to, s->id);
	exchange_touch(a, s, r->to);
	exchange_note(a, s, r->to, r->stanza);
}

/* To the log and the mirror, and to the server; takes the entry. */
static const char *
message_sent(struct session *s, struct account *a, struct route *r,
    struct entry *e)
{
	note_exchange(s, a, r);
	sent_remember_answers(a, r->to, r->stanza);
	if (e->class == CLASS_LIVE)
		sent_remember_live(a, e);
	if (jid_same_bare(r->to, a->jid)) {
		/* What comes back is the delivery. */
		sent_remember_self(s->user, e->id, s->id);
		send_up(a, e);
		entry_unref(&e);
		return "sent up, to oneself";
	}
	fanout(s->user, entry_ref(e));
	send_up(a, e);
	entry_unref(&e);
	return "sent up";
}

/* With its address in the account's terms. */
static const char *
message_up(struct session *s, struct account *a, struct route *r)
{
	struct address_map map = account_map_up(a, s);
	struct buf head = { 0 };
	struct entry *e;
	enum error_cond cond;
	const char *why;

	r->to = address_map(r->stanza->arena, &map, r->to);
	if ((why = refuse_message(s, a, r, &cond)) != NULL) {
		route_bounce(s, r, cond, why);
		return why;
	}
	address_rewrite(r->stanza, &map);
	message_complete(r->stanza);
	e = outgoing_entry(s, a, r);
	write_head(&head, r, e);
	if (!account_takes(a, head.len + blob_len(e->body) + END_TAGS)) {
		route_bounce(s, r, ERR_POLICY_VIOLATION, ACCOUNT_TOO_LONG);
		why = ACCOUNT_TOO_LONG;
	} else if (sent_is_repeated(s, e)) {
		why = "the same message again";
	} else if ((why = lacks_room(s, a)) != NULL) {
		route_bounce(s, r, ERR_RESOURCE_CONSTRAINT, why);
	} else {
		why = message_sent(s, a, r, entry_ref(e));
	}
	buf_free(&head);
	entry_unref(&e);
	return why;
}

/* To another session of the same user, here. */
static const char *
message_beside(struct session *s, struct session *to, struct route *r)
{
	struct arena *arena = r->stanza->arena;

	session_translate(s, to, r->stanza);
	elem_set(r->stanza, "from",
	    jid_with_resource(arena, to->bare, s->resource));
	elem_set(r->stanza, "to", to->full);
	session_send(to, r->stanza);
	return "to another session";
}

/* The session that an own full JID means; NULL where there is none. */
static struct session *
sibling(struct session *s, const char *to)
{
	struct session *other;

	if (to == NULL || jid_is_bare(to) || !jid_same_bare(to, s->bare))
		return NULL;
	other = user_find_resource(s->user, jid_resource(to));
	return other != NULL && session_is_sibling(s, other) ? other : NULL;
}

static const char no_such_address[] = "nobody has this address at the proxy";

/* The node's domain never goes up. */
static bool
is_nobody_here(struct session *s, const char *to)
{
	return to != NULL && proxy_is_at_node(s->proxy, to) &&
	    !jid_same_bare(to, s->bare);
}

/*
 * Receipts, markers and errors that answer a note end here, and errors that answer a
 * copy (XEP-0280 10.3), which came from the own bare JID.
 */
static bool
answers_mirror(struct session *s, const struct route *r)
{
	if (r->type == TYPE_ERROR)
		return sent_is_note(s->user, r->id) ||
		    strcmp(r->to, s->bare) == 0;
	if (message_has_body(r->stanza))
		return false;
	return sent_is_note(s->user, message_receipt_id(r->stanza)) ||
	    sent_is_note(s->user, message_displayed_id(r->stanza));
}

/*
 * Where what it answers is, or the exchange that it is about is open; else as the view
 * has it.
 */
static struct account *
choose_account(struct session *s, const struct route *r)
{
	const char *reason = "it has what that answers";
	struct account *a = r->account;

	if (a == NULL && r->to != NULL) {
		reason = "the exchange is open there";
		a = exchange_account(s, r->to, r->stanza);
	}
	if (a == NULL)
		return session_carrier(s, r->stanza->arena, r->to);
	session_log_carrier(s, a, r->to, reason);
	return a;
}

static const char *
route_message(struct session *s, struct route *r)
{
	struct session *other;

	if (r->to == NULL)
		r->to = s->bare;
	if (answers_mirror(s, r))
		return "it answers a copy or a note of ours";
	if ((other = sibling(s, r->to)) != NULL)
		return message_beside(s, other, r);
	if (is_nobody_here(s, r->to)) {
		route_bounce(s, r, ERR_SERVICE_UNAVAILABLE, no_such_address);
		return "no such address at the node";
	}
	return message_up(s, choose_account(s, r), r);
}

/* --- IQ --- */

/* What means the account itself, whatever the view's own names are. */
static bool
is_at_account(const struct session *s, const char *to)
{
	const struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) &&
		    (strcmp(to, a->jid) == 0 || strcmp(to, a->domain) == 0))
			return true;
	}
	return false;
}

static unsigned
iq_scope(struct session *s, const char *to)
{
	unsigned scope = 0;

	if (to == NULL || strcmp(to, s->bare) == 0)
		scope |= IQ_TO_SELF;
	else if (strcmp(to, session_domain(s)) == 0)
		scope |= IQ_TO_DOMAIN;
	else if (is_at_account(s, to))
		scope |= IQ_TO_ACCOUNT;
	if (to != NULL && strcmp(to, s->proxy->config->node) == 0)
		scope |= IQ_TO_NODE;
	return scope;
}

static const char *
iq_to_sibling(struct session *s, struct session *other, struct route *r)
{
	struct arena *arena = r->stanza->arena;

	session_translate(s, other, r->stanza);
	elem_set(r->stanza, "from",
	    jid_with_resource(arena, other->bare, s->resource));
	if (session_ask_for(other, s, r) == 0)
		return "to another session";
	route_bounce(s, r, ERR_RESOURCE_CONSTRAINT,
	    "too many requests wait there");
	return "too many requests wait at that session";
}

static const char *
route_request(struct session *s, struct route *r)
{
	unsigned scope = iq_scope(s, r->to);
	struct session *other;
	struct account *a;
	const char *reason;

	if (elem_first(r->stanza) == NULL ||
	    elem_next(elem_first(r->stanza)) != NULL || r->id == NULL ||
	    strlen(r->id) > STANZA_ID_MAX) {
		route_bounce(s, r, ERR_BAD_REQUEST,
		    "a request has an id and one payload (RFC 6120 8.2.3)");
		return "malformed";
	}
	if (!session_open_request(s, r))
		return "too many answers are not acknowledged";
	if (scope != 0 && (reason = hooks_client_iq(s, r, scope)) != NULL)
		return reason;
	if ((other = sibling(s, r->to)) != NULL)
		return iq_to_sibling(s, other, r);
	if (r->to != NULL && proxy_is_at_node(s->proxy, r->to)) {
		/* In node view the node stands for the default account's server. */
		if (s->account == NULL && (scope & IQ_TO_NODE)) {
			a = user_default_account(s->user);
			r->to = a->domain;
			return account_forward_iq(a, s, r);
		}
		if (!jid_same_bare(r->to, s->bare)) {
			route_bounce(s, r, ERR_SERVICE_UNAVAILABLE, NULL);
			return "no such address at the node";
		}
	}
	return account_forward_iq(choose_account(s, r), s, r);
}

static const char *
route_iq(struct session *s, struct route *r)
{
	switch (r->type) {
	case TYPE_GET:
	case TYPE_SET:
		return route_request(s, r);
	case TYPE_RESULT:
	case TYPE_ERROR:
		return session_take_reply(s, r);
	default:
		route_bounce(s, r, ERR_BAD_REQUEST, "no such type of iq");
		return "malformed";
	}
}

/* --- all --- */

/* RFC 6120 8.1.2.1: a from that is there is the session's own. */
static bool
is_from_itself(struct session *s, const struct route *r)
{
	return elem_attr(r->stanza, "from") == NULL ||
	    (r->from != NULL &&
		(strcmp(r->from, s->bare) == 0 ||
		    strcmp(r->from, s->full) == 0));
}

static void
route_nonza(struct session *s, struct elem *e)
{
	if (hooks_nonza(s, e))
		return;
	session_close(s, STREAM_UNSUPPORTED_STANZA_TYPE,
	    "neither message, presence nor iq");
}

static bool
prepare(struct session *s, struct route *r)
{
	const char *to = elem_attr(r->stanza, "to");

	r->kind = stanza_kind(r->stanza);
	r->type = stanza_type(r->stanza);
	r->id = elem_attr(r->stanza, "id");
	r->from = stanza_jid(r->stanza, "from");
	if (!is_from_itself(s, r)) {
		session_close(s, STREAM_INVALID_FROM,
		    "from is not this session's own JID");
		return false;
	}
	if (to != NULL && (r->to = stanza_jid(r->stanza, "to")) == NULL) {
		route_bounce(s, r, ERR_JID_MALFORMED, "to is no JID");
		return false;
	}
	return true;
}

void
route_client(struct session *s, struct elem *stanza)
{
	struct route r = { .stanza = stanza };
	const char *reason;

	if (stanza_kind(stanza) == STANZA_NONE) {
		route_nonza(s, stanza);
		return;
	}
	if (s->closing || !prepare(s, &r))
		return;
	if (elem_lang(stanza) == NULL && stream_lang(s->stream) != NULL)
		elem_set_lang(stanza, stream_lang(s->stream));
	if (r.kind == STANZA_PRESENCE && is_nobody_here(s, r.to)) {
		route_bounce(s, &r, ERR_SERVICE_UNAVAILABLE, no_such_address);
		return;
	}
	if (hooks_from_client(s, &r) != NULL)
		return;
	if (r.kind == STANZA_MESSAGE)
		reason = route_message(s, &r);
	else if (r.kind == STANZA_IQ)
		reason = route_iq(s, &r);
	else
		reason = "presence that nobody wants";
	log_decision(s, &r, reason);
}
