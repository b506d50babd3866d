#include "core/address.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

#define NS_REPLY       "urn:xmpp:reply:0"
#define NS_DISPLAYED   "urn:xmpp:mds:displayed:0"
#define NS_INBOX       "urn:xmpp:inbox:1"
#define NS_JINGLE_PUB  "urn:xmpp:jinglepub:1"
#define NS_MODERATE    "urn:xmpp:message-moderate:1"
#define NS_ROSTERNOTES "storage:rosternotes"

/* A place in payloads where a JID stands that can be an own one. */
struct place {
	const char *name, *ns;
	const char *attr; /* NULL: the element's text */
};

/*
 * Sorted by the element's name, for a quick search. Above each row is where it
 * is from and what stands there. An address is looked for at any depth: what a
 * forwarded stanza holds is held by these rows too.
 */
static const struct place places[] = {
	/* XEP-0054 3.1: in a vCard, one's own */
	{ "JABBERID", NS_VCARD, NULL },
	/* XEP-0065 6.3.5: who is to be streamed to */
	{ "activate", NS_BYTESTREAMS, NULL },
	/* XEP-0045 8.2, 9.1: who kicks or bans */
	{ "actor", NS_MUC_ADMIN, "jid" },
	/* XEP-0045 8.2, 9.1: who kicked or banned */
	{ "actor", NS_MUC_USER, "jid" },
	/* XEP-0033 4.2: to, cc, bcc, replyto, replyroom, ofrom */
	{ "address", NS_ADDRESS, "jid" },
	/* XEP-0060 8.9.4: whose part in a node changed */
	{ "affiliation", NS_PUBSUB, "jid" },
	/* XEP-0060 8.9: who has what part in a node */
	{ "affiliation", NS_PUBSUB_OWNER, "jid" },
	/* XEP-0260 2.2: who listens */
	{ "candidate", NS_JINGLE_S5B, "jid" },
	/* XEP-0045 7.8.2: who declined */
	{ "decline", NS_MUC_USER, "from" },
	/* XEP-0045 7.8.2: who had invited */
	{ "decline", NS_MUC_USER, "to" },
	/* XEP-0203: who held it back */
	{ "delay", NS_DELAY, "from" },
	/* XEP-0430 3.1: whose conversation it is; one can write to oneself */
	{ "entry", NS_INBOX, "jid" },
	/* RFC 6120 8.3.1: who says so, where it is not the sender */
	{ "error", NS_CLIENT, "by" },
	/* XEP-0045 7.8.2: who invites */
	{ "invite", NS_MUC_USER, "from" },
	/* XEP-0045 7.8.2: who is invited */
	{ "invite", NS_MUC_USER, "to" },
	/* XEP-0297: a forwarded stanza */
	{ "iq", NS_CLIENT, "from" },
	/* XEP-0297: a forwarded stanza */
	{ "iq", NS_CLIENT, "to" },
	/* XEP-0191: who is blocked */
	{ "item", NS_BLOCKING, "jid" },
	/* XEP-0030 4.1: whose node it is (XEP-0163: an account's own) */
	{ "item", NS_DISCO_ITEMS, "jid" },
	/* XEP-0045 9: the lists of a room */
	{ "item", NS_MUC_ADMIN, "jid" },
	/* XEP-0045 7.2.3: the real address of an occupant */
	{ "item", NS_MUC_USER, "jid" },
	/* XEP-0490 4.1: whose conversation was read, see is_jid_id() */
	{ "item", NS_PUBSUB, "id" },
	/* XEP-0060 7.1.2.3: who published, in what is fetched */
	{ "item", NS_PUBSUB, "publisher" },
	/* XEP-0490 4.1: the same in an event */
	{ "item", NS_PUBSUB_EVENT, "id" },
	/* XEP-0060 7.1.2.3: who published, in an event */
	{ "item", NS_PUBSUB_EVENT, "publisher" },
	/* RFC 6121 2.1.2.3: the own account among the contacts */
	{ "item", NS_ROSTER, "jid" },
	/* XEP-0441: whose messages are always or never archived */
	{ "jid", NS_MAM, NULL },
	/* XEP-0166 6.2 */
	{ "jingle", NS_JINGLE, "initiator" },
	/* XEP-0166 6.2 */
	{ "jingle", NS_JINGLE, "responder" },
	/* XEP-0447 3.1: who has the file to be asked for */
	{ "jinglepub", NS_JINGLE_PUB, "from" },
	/* XEP-0384 5.5.3: whose devices the keys are for */
	{ "keys", NS_OMEMO, "jid" },
	/* XEP-0297: forwarded, by carbons (0280) and archives (0313) too */
	{ "message", NS_CLIENT, "from" },
	/* XEP-0297: forwarded, by carbons (0280) and archives (0313) too */
	{ "message", NS_CLIENT, "to" },
	/* XEP-0425 3.1: who took the message away */
	{ "moderated", NS_MODERATE, "by" },
	/* XEP-0145: whom the note is about; that can be oneself */
	{ "note", NS_ROSTERNOTES, "jid" },
	/* XEP-0060 6.3: whose subscription it is */
	{ "options", NS_PUBSUB, "jid" },
	/* XEP-0297: a forwarded stanza */
	{ "presence", NS_CLIENT, "from" },
	/* XEP-0297: a forwarded stanza */
	{ "presence", NS_CLIENT, "to" },
	/* XEP-0359 4: who gave the id; an origin-id has none */
	{ "referenced-stanza", NS_SID, "by" },
	/* XEP-0461 3: whose message it answers */
	{ "reply", NS_REPLY, "to" },
	/* XEP-0490 4.1, XEP-0060 7.2.1: of the same, that it is gone */
	{ "retract", NS_PUBSUB_EVENT, "id" },
	/* XEP-0359 2.1: who gave the id; an account for its archive */
	{ "stanza-id", NS_SID, "by" },
	/* XEP-0065: who listens */
	{ "streamhost", NS_BYTESTREAMS, "jid" },
	/* XEP-0065: whom the target connected to */
	{ "streamhost-used", NS_BYTESTREAMS, "jid" },
	/* XEP-0060 6.1: who subscribes */
	{ "subscribe", NS_PUBSUB, "jid" },
	/* XEP-0060 5.6, 6.1: who is subscribed */
	{ "subscription", NS_PUBSUB, "jid" },
	/* XEP-0060 12.14: whose subscription changed */
	{ "subscription", NS_PUBSUB_EVENT, "jid" },
	/* XEP-0060 8.8: who is subscribed to an own node */
	{ "subscription", NS_PUBSUB_OWNER, "jid" },
	/* XEP-0060 6.2: who unsubscribes */
	{ "unsubscribe", NS_PUBSUB, "jid" },
	/* XEP-0004 3.3: in fields for addresses, see is_jid_value() */
	{ "value", NS_DATA, NULL },
	/* XEP-0091, the older XEP-0203: who held it back */
	{ "x", NS_OLD_DELAY, "from" },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

/*
 * What is done with each address. It returns its argument, or what shall stand
 * there instead.
 */
struct visitor {
	const char *(*visit)(void *arg, struct arena *, const char *jid);
	void *arg;
};

/* The first row of that name or, where there is none, PLACES. */
static size_t
first_place(const char *name)
{
	size_t low = 0, high = PLACES, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(places[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * In a field for JIDs, or in one whose type is not told, as in what is
 * submitted (XEP-0004 3.2): there a value that is just an own JID means one.
 */
static bool
is_jid_value(const struct elem *value)
{
	const struct elem *field = value->parent;
	const char *type;

	if (field != NULL && elem_is(field, NS_DATA, "option"))
		field = field->parent;
	if (field == NULL || !elem_is(field, NS_DATA, "field"))
		return false;
	type = elem_attr(field, "type");
	return type == NULL || strcmp(type, "jid-single") == 0 ||
	    strcmp(type, "jid-multi") == 0;
}

/*
 * Ids of pubsub's items are the publisher's to choose, and no addresses but in
 * the node that keeps a JID's state under that JID.
 */
static bool
is_jid_id(const struct elem *item)
{
	const struct elem *items = item->parent;

	return items != NULL &&
	    text_equals(elem_attr(items, "node"), NS_DISPLAYED);
}

static void
visit_text(const struct visitor *v, struct elem *e)
{
	const char *old, *new;

	if (elem_first(e) != NULL)
		return;
	if (strcmp(e->name, "value") == 0 && !is_jid_value(e))
		return;
	old = elem_text(e);
	if ((new = v->visit(v->arg, e->arena, old)) == old)
		return;
	while (e->first != NULL)
		elem_remove(e->first);
	elem_add_text(e, new);
}

static void
visit_attr(const struct visitor *v, struct elem *e, const char *name)
{
	const char *old, *new;

	if ((old = elem_attr(e, name)) == NULL)
		return;
	if (strcmp(name, "id") == 0 && !is_jid_id(e))
		return;
	if ((new = v->visit(v->arg, e->arena, old)) != old)
		elem_set(e, name, new);
}

static void
visit_elem(const struct visitor *v, struct elem *e)
{
	const struct place *p = places + first_place(e->name);

	for (; p < places + PLACES && strcmp(p->name, e->name) == 0; p++) {
		if (!text_equals(p->ns, e->ns))
			continue;
		if (p->attr == NULL)
			visit_text(v, e);
		else
			visit_attr(v, e, p->attr);
	}
}

/* Everything below the stanza, at any depth, without recursion. */
static void
walk(const struct visitor *v, const struct elem *stanza)
{
	struct elem *e = elem_first(stanza), *next;

	while (e != NULL) {
		visit_elem(v, e);
		if ((next = elem_first(e)) == NULL) {
			while (e != stanza && (next = elem_next(e)) == NULL)
				e = e->parent;
		}
		e = next;
	}
}

/*
 * Whether the bare part of a raw address can be `bare` once it is prepared. In
 * ASCII that takes away the case, a dot at the domain's end (RFC 7622 3.2), and
 * no more; all else is left to jid_prep().
 */
static bool
may_be(const char *raw, const char *bare)
{
	size_t len = strcspn(raw, "/"), bare_len = strlen(bare), i;

	for (i = 0; i < len; i++)
		if ((unsigned char)raw[i] >= 0x80)
			return true;
	if (len > 0 && raw[len - 1] == '.')
		len--;
	return len == bare_len && strncasecmp(raw, bare, len) == 0;
}

/* The prepared form of an address that is `bare` or one of its full JIDs. */
static const char *
own_jid(struct arena *arena, const char *raw, const char *bare)
{
	const char *jid;

	if (!may_be(raw, bare))
		return NULL;
	if ((jid = jid_prep(arena, raw, NULL)) == NULL)
		return NULL;
	return jid_same_bare(jid, bare) ? jid : NULL;
}

const char *
address_map(struct arena *arena, const struct address_map *map, const char *raw)
{
	const char *jid;

	if ((jid = own_jid(arena, raw, map->bare_from)) == NULL)
		return raw;
	if (jid_is_bare(jid))
		return map->bare_to;
	if (text_equals(jid, map->full_from))
		return map->full_to == NULL ? map->bare_to : map->full_to;
	return jid_with_resource(arena, map->bare_to, jid_resource(jid));
}

static const char *
visit_to_map(void *arg, struct arena *arena, const char *jid)
{
	return address_map(arena, arg, jid);
}

void
address_rewrite(struct elem *stanza, const struct address_map *map)
{
	struct address_map copy = *map;
	const struct visitor v = { visit_to_map, &copy };

	walk(&v, stanza);
}

struct scan {
	const char *bare, *full;
	unsigned found;
};

static const char *
visit_to_scan(void *arg, struct arena *arena, const char *raw)
{
	struct scan *s = arg;
	const char *jid;

	if ((jid = own_jid(arena, raw, s->bare)) == NULL)
		return raw;
	if (s->full != NULL && strcmp(jid, s->full) == 0)
		s->found |= ADDRESS_FULL;
	else
		s->found |= ADDRESS_BARE;
	return raw;
}

unsigned
address_scan(const struct elem *stanza, const char *bare, const char *full)
{
	struct scan scan = { .bare = bare, .full = full };
	const struct visitor v = { visit_to_scan, &scan };

	walk(&v, stanza);
	return scan.found;
}
