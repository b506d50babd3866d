/* What a server sends (stanzas.md: Messages coming in, IQ from others). */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/availability.h"
#include "core/exchange.h"
#include "core/fanout.h"
#include "core/frame.h"
#include "core/incoming.h"
#include "core/proxy.h"
#include "core/read_state.h"
#include "core/route.h"
#include "core/sent.h"
#include "core/session.h"
#include "core/upstream.h"
#include "xmpp/jid.h"

static void
log_decision(struct account *a, const struct route *r, const char *reason)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, upstream_log_id(a->upstream), "routed",
		    "stanza=%s from=%s id=%s reason=\"%s\"", r->stanza->name,
		    LOG_Q(r->from), LOG_Q(r->id), reason);
}

/* --- messages --- */

/* What we sent and got back: from the session that sent it, else from us all. */
static char *
peer_of(struct account *a, const struct route *r)
{
	struct session *s;

	if (!text_equals(r->from, a->full))
		return mem_strdup(r->from != NULL ? r->from : a->jid);
	s = proxy_find_session(a->user->proxy, sent_find_self(a->user, r->id));
	if (s == NULL)
		return mem_strdup(a->jid);
	return mem_printf("%s/%s", a->jid, s->resource);
}

bool
incoming_is_room_private(const struct user *u, const struct route *r,
    const char *peer)
{
	if (message_is_room_private(r->stanza))
		return true;
	return (r->type == TYPE_CHAT || r->type == TYPE_NORMAL) &&
	    !jid_is_bare(peer) && user_is_in_room(u, peer);
}

struct entry *
incoming_entry(struct account *a, const struct route *r,
    enum direction direction)
{
	struct entry *e = entry_new();
	const char *text = elem_child_text(r->stanza, NS_CLIENT, "body");
	const char *reason;
	uint64_t stamp = stanza_delay(r->stanza);

	e->account = a->id;
	e->class = message_class(r->stanza, &reason);
	e->direction = direction;
	e->type = r->type;
	e->has_delay = stamp != 0;
	e->time = stamp != 0 ? stamp : clock_wall();
	if (direction == DIR_OUT)
		e->peer = mem_strdup(r->to);
	else
		e->peer = peer_of(a, r);
	if (direction == DIR_OUT)
		e->local = mem_strdup(r->from);
	else if (r->to != NULL && !jid_is_bare(r->to))
		e->local = mem_strdup(r->to);
	e->id = mem_strdup(r->id);
	e->lang = mem_strdup(elem_lang(r->stanza));
	e->is_encrypted = message_is_encrypted(r->stanza);
	e->has_body = text != NULL && *text != '\0';
	e->is_eligible = message_is_eligible(r->stanza, direction == DIR_OUT);
	e->is_room_private = incoming_is_room_private(a->user, r, e->peer);
	if (e->is_room_private && direction != DIR_OUT)
		e->is_eligible = false;
	e->is_event = message_is_event(r->stanza);
	e->is_chat_state = message_lone_chat_state(r->stanza) != NULL;
	e->unserved = archive_unserved(a, e, r->stanza);
	e->stanza_id = archive_take_stanza_id(a, r->stanza);
	e->addresses = address_scan(r->stanza, a->jid, a->full);
	/* What is in the log may not be looked up in the log while it is read. */
	if (e->class == CLASS_LIVE && read_state_is_own(a, r->from, r->stanza))
		e->addresses |= ADDRESS_IDS;
	e->body = frame_body(r->stanza);
	log_decision(a, r, reason);
	return e;
}

/* The session last active with that peer, else the best (XEP-0280, XEP-0334). */
static uint64_t
last_active(struct account *a, const char *peer)
{
	struct session *s;
	uint64_t id = 0;

	if (sent_find_active(a, peer, &id) &&
	    (s = proxy_find_session(a->user->proxy, id)) != NULL &&
	    !s->closing && s->available)
		return id;
	s = availability_best(a);
	return s != NULL ? s->id : 0;
}

/*
 * What the error answers, from the log or from what went up and was not kept: who sent
 * it, and whether others had it.
 */
struct sent {
	uint64_t session, device;
	bool is_eligible;
};

static bool
find_sent(struct account *a, const struct route *r, struct sent *out)
{
	struct entry *e;

	if (r->id == NULL || r->from == NULL)
		return false;
	e = history_search(a->user->history, a->id, DIR_OUT, r->from, r->id);
	if (e == NULL)
		return sent_find_live(a, r->from, r->id, &out->session,
		    &out->is_eligible);
	e->failed = true; /* it may be sent again */
	out->session = e->origin;
	out->device = e->device;
	out->is_eligible = e->is_eligible;
	return true;
}

static const char *
route_error(struct account *a, struct route *r)
{
	struct entry *e;
	struct sent sent = { 0 };

	if (!find_sent(a, r, &sent)) {
		log_event(LEVEL_INFO, upstream_log_id(a->upstream),
		    "error-dropped", "from=%s id=%s condition=%s",
		    LOG_Q(r->from), LOG_Q(r->id),
		    LOG_Q(stanza_error_cond(r->stanza)));
		return "an error for a message that we do not know";
	}
	e = incoming_entry(a, r, DIR_IN);
	e->origin = sent.session;
	e->device = sent.device;
	e->is_eligible = sent.is_eligible;
	fanout(a->user, e);
	return "an error, to the session that sent the message";
}

static const char *
route_message(struct account *a, struct route *r)
{
	struct entry *e;

	if (r->type == TYPE_ERROR)
		return route_error(a, r);
	e = incoming_entry(a, r, DIR_IN);
	if (message_is_private(r->stanza) && e->local != NULL)
		e->only = last_active(a, e->peer);
	if (e->class == CLASS_ARCHIVE && r->from != NULL)
		recent_set(a->user->carriers,
		    jid_bare(r->stanza->arena, r->from), a->id);
	fanout(a->user, e);
	return "delivered";
}

/* --- IQ, and messages that are none --- */

/* XEP-0050 3.1, 3.2: the nodes that clients have are those of their commands. */
static bool
is_about_commands(const struct elem *payload)
{
	return elem_attr(payload, "node") != NULL &&
	    (elem_is(payload, NS_DISCO_INFO, "query") ||
		elem_is(payload, NS_DISCO_ITEMS, "query"));
}

/* The best that says it can; else the best that says nothing of what it can. */
static struct session *
capable(const struct account *a, const struct elem *request)
{
	const char *ns = elem_first(request)->ns;
	struct session *s = NULL;

	if (is_about_commands(elem_first(request)))
		s = availability_capable(a, NS_COMMANDS);
	if (s == NULL)
		s = availability_capable(a, ns);
	return s != NULL ? s : availability_untold(a);
}

/* The session whose exchange it is, or that was last in touch, else one that can. */
static struct session *
owner_of(struct account *a, const struct route *r)
{
	struct session *s;

	if (r->from != NULL &&
	    ((s = exchange_owner(a, r->from, r->stanza)) != NULL ||
		(s = exchange_latest(a, r->from)) != NULL))
		return s;
	return capable(a, r->stanza);
}

/* XEP-0047 2.2: one that may come back says so; the peer can wait. */
static const char *
refuse(struct account *a, const struct route *r, const struct session *s)
{
	account_answer(a,
	    stanza_error(r->stanza,
		s != NULL && s->asleep ? ERR_RECIPIENT_UNAVAILABLE :
					 ERR_SERVICE_UNAVAILABLE,
		NULL));
	return "no session can take it";
}

static const char *
route_request(struct account *a, struct route *r)
{
	struct session *s;
	const char *reason;

	if (elem_first(r->stanza) == NULL ||
	    elem_next(elem_first(r->stanza)) != NULL || r->id == NULL ||
	    strlen(r->id) > STANZA_ID_MAX) {
		account_answer(a,
		    stanza_error(r->stanza, ERR_BAD_REQUEST, NULL));
		return "malformed";
	}
	reason = hooks_peer_iq(a, r, account_is_own(a, r->from));
	if (reason != NULL)
		return reason;
	s = owner_of(a, r);
	if (s == NULL || session_ask(s, a, r) == -1)
		return refuse(a, r, s);
	if (r->type == TYPE_SET && r->from != NULL)
		exchange_note(a, s, r->from, r->stanza);
	return "a request, to a session";
}

/* XEP-0047 4: part of a bytestream, which has one end here. */
static const char *
route_stream_data(struct account *a, struct route *r)
{
	struct session *s = owner_of(a, r);
	struct address_map map;

	if (s == NULL || s->asleep || r->from == NULL)
		return refuse(a, r, s);
	map = account_map_down(a, s);
	exchange_note(a, s, r->from, r->stanza);
	address_rewrite(r->stanza, &map);
	elem_set(r->stanza, "to", s->full);
	session_send(s, r->stanza);
	return "a part of a bytestream, to a session";
}

static const char *
route_iq(struct account *a, struct route *r)
{
	switch (r->type) {
	case TYPE_GET:
	case TYPE_SET:
		return route_request(a, r);
	case TYPE_RESULT:
	case TYPE_ERROR:
		return account_take_answer(a, r);
	default:
		if (stanza_may_fail(r->stanza))
			account_answer(a,
			    stanza_error(r->stanza, ERR_BAD_REQUEST, NULL));
		return "no such type of iq";
	}
}

/* --- all --- */

static bool
prepare(struct route *r)
{
	const char *from = elem_attr(r->stanza, "from");

	r->kind = stanza_kind(r->stanza);
	r->type = stanza_type(r->stanza);
	r->id = elem_attr(r->stanza, "id");
	if (from != NULL && (r->from = stanza_jid(r->stanza, "from")) == NULL)
		return false;
	r->to = stanza_jid(r->stanza, "to");
	return r->kind != STANZA_NONE;
}

void
route_upstream(struct account *a, struct elem *stanza)
{
	struct route r = { .stanza = stanza };
	const char *reason;

	if (!prepare(&r)) {
		log_event(LEVEL_INFO, upstream_log_id(a->upstream), "ignored",
		    "element=%s", LOG_Q(stanza->name));
		return;
	}
	if (hooks_from_upstream(a, &r) != NULL)
		return;
	if (r.kind == STANZA_MESSAGE && r.type != TYPE_ERROR &&
	    message_stream_data(stanza) != NULL)
		reason = route_stream_data(a, &r);
	else if (r.kind == STANZA_MESSAGE)
		reason = route_message(a, &r);
	else if (r.kind == STANZA_IQ)
		reason = route_iq(a, &r);
	else
		reason = "presence that nobody wants";
	log_decision(a, &r, reason);
}
