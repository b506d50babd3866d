/*
 * SOCKS5 bytestreams (XEP-0065, and XEP-0260 for Jingle). Whoever connects names a
 * hash over the stream's id and both full JIDs, and here those of our side are two: the
 * peer and every relay know the upstream's, the client its own. What helps is `dstaddr`,
 * in which the one who offers says which hash it expects:
 *
 * Offers of a peer rest on the upstream's JID, so that is what dstaddr is made of where
 * the peer did not say. Offers of a client to connect to itself rest on the client's own
 * JID: dstaddr is that. Its offers of a relay are taken out: it connects there by its own
 * JID, and the relay compares that with the JID that the activation comes from, which is
 * the upstream's (XEP-0065 6.3.5). So they could only fail, and late.
 */
#include <stdio.h>
#include <string.h>

#include "base/sha1.h"
#include "base/text.h"
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/jid.h"

#define HASH_SIZE (2 * SHA1_SIZE + 1)

/* XEP-0065 5.3.2: hexadecimal, of what the two are addressed by. */
static void
hash(char out[HASH_SIZE], const char *sid, const char *offers, const char *peer)
{
	unsigned char digest[SHA1_SIZE];
	struct buf text = { 0 };

	buf_printf(&text, "%s%s%s", sid, offers, peer);
	sha1(text.data, text.len, digest);
	for (size_t i = 0; i < SHA1_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	buf_free(&text);
}

/* --- offers: a <query/> (XEP-0065) or a Jingle <transport/> (XEP-0260) --- */

static bool
is_offer(const struct elem *e)
{
	return elem_is(e, NS_BYTESTREAMS, "query") ||
	    elem_is(e, NS_JINGLE_S5B, "transport");
}

static bool
is_host(const struct elem *e)
{
	return elem_is(e, NS_BYTESTREAMS, "streamhost") ||
	    elem_is(e, NS_JINGLE_S5B, "candidate");
}

static bool
has_host(const struct elem *offer)
{
	ELEM_EACH(e, offer)
		if (is_host(e))
			return true;
	return false;
}

/* Each <transport/> of a <jingle/>, or the <query/> itself; NULL: no more. */
static struct elem *
next_offer(const struct elem *payload, struct elem *last)
{
	struct elem *content, *offer;

	if (is_offer(payload))
		return last == NULL ? (struct elem *)payload : NULL;
	content = last == NULL ? elem_first(payload) : elem_next(last->parent);
	for (; content != NULL; content = elem_next(content)) {
		offer = elem_find(content, NS_JINGLE_S5B, "transport");
		if (offer != NULL)
			return offer;
	}
	return NULL;
}

/* The payload of a request that may hold offers, or NULL. */
static struct elem *
payload_of(const struct route *r)
{
	struct elem *payload = elem_first(r->stanza);

	if (r->kind != STANZA_IQ || r->type != TYPE_SET || r->id == NULL ||
	    payload == NULL || elem_next(payload) != NULL)
		return NULL;
	return is_offer(payload) || elem_is(payload, NS_JINGLE, "jingle") ?
	    payload :
	    NULL;
}

/* What the offering side expects, where it does not say. */
static void
say_hash(struct elem *offer, const char *offers, const char *peer)
{
	const char *sid = elem_attr(offer, "sid");
	char text[HASH_SIZE];

	if (sid == NULL || !has_host(offer) ||
	    elem_attr(offer, "dstaddr") != NULL)
		return;
	hash(text, sid, offers, peer);
	elem_set(offer, "dstaddr", text);
}

static const char *
from_upstream(struct account *a, struct route *r)
{
	struct elem *payload = payload_of(r), *offer = NULL;

	if (payload == NULL || r->from == NULL || a->full == NULL)
		return NULL;
	while ((offer = next_offer(payload, offer)) != NULL)
		say_hash(offer, r->from, a->full);
	return NULL;
}

/* --- of a client --- */

/* A relay has a JID of its own; with Jingle it is called so, too. */
static bool
is_relay(const struct session *s, const struct elem *host)
{
	const char *raw = elem_attr(host, "jid"), *jid;

	if (text_equals(elem_attr(host, "type"), "proxy"))
		return true;
	if (raw == NULL || elem_is(host, NS_JINGLE_S5B, "candidate"))
		return false;
	jid = jid_prep(host->arena, raw, NULL);
	return jid == NULL || !jid_same_bare(jid, s->bare);
}

static bool
remove_relays(const struct session *s, struct elem *offer)
{
	struct elem *e = elem_first(offer), *next;
	bool found = false;

	for (; e != NULL; e = next) {
		next = elem_next(e);
		if (!is_host(e) || !is_relay(s, e))
			continue;
		elem_remove(e);
		found = true;
	}
	return found;
}

/*
 * Nothing is left of it. The peer that cannot connect to any host says so (XEP-0065
 * 5.3.2), and the client takes another kind of stream; of a candidate that came alone
 * (XEP-0260 2.2) nobody needs to know, the others decide.
 */
static const char *
answer_empty(struct session *s, struct route *r, const struct elem *payload)
{
	if (!session_open_request(s, r))
		return "too many answers are not acknowledged";
	if (elem_is(payload, NS_JINGLE, "jingle"))
		session_reply(s, r, NULL);
	else
		session_reply_error(s, r, ERR_ITEM_NOT_FOUND,
		    "a relay cannot be used through the proxy");
	return "an offer of relays alone, which cannot work";
}

/* An empty <transport/> is an answer in itself, but for what only adds to another. */
static bool
needs_host(const struct elem *payload)
{
	return !elem_is(payload, NS_JINGLE, "jingle") ||
	    text_equals(elem_attr(payload, "action"), "transport-info");
}

static const char *
from_client(struct session *s, struct route *r)
{
	struct elem *payload = payload_of(r), *offer = NULL;
	bool is_empty = false;

	/* Another session of the user's is addressed by the JID that it knows. */
	if (payload == NULL || r->to == NULL || jid_same_bare(r->to, s->bare))
		return NULL;
	while ((offer = next_offer(payload, offer)) != NULL) {
		if (remove_relays(s, offer) && elem_first(offer) == NULL)
			is_empty = true;
		say_hash(offer, s->full, r->to);
	}
	return is_empty && needs_host(payload) ? answer_empty(s, r, payload) :
						 NULL;
}

const struct module mod_s5b = {
	.name = "s5b",
	.xep = "XEP-0065",
	.from_client = from_client,
	.from_upstream = from_upstream,
};
