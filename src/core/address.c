#include "core/address.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

#define NS_DELAY_OLD	"jabber:x:delay"
#define NS_REPLY	"urn:xmpp:reply:0"

/* A place in payloads where a JID stands that can be an own one. */
struct place {
	const char *name, *ns;
	const char *attr;	/* NULL: the element's text */
};

/*
 * Sorted by the element's name, for a quick search. The number of the XEP and
 * what stands there come behind each row.
 */
static const struct place places[] = {
	{ "activate", NS_BYTESTREAMS, NULL },	/* 0065: target of a stream */
	{ "actor", NS_MUC_ADMIN, "jid" },	/* 0045: who kicks, bans */
	{ "actor", NS_MUC_USER, "jid" },	/* 0045: who kicked, banned */
	{ "address", NS_ADDRESS, "jid" },	/* 0033: to, cc, ofrom, replyto */
	{ "affiliation", NS_PUBSUB_OWNER, "jid" }, /* 0060 8.9: of a node */
	{ "candidate", NS_JINGLE_S5B, "jid" },	/* 0260: who hosts the stream */
	{ "decline", NS_MUC_USER, "from" },	/* 0045 7.8.2: who declined */
	{ "decline", NS_MUC_USER, "to" },	/* 0045 7.8.2: who invited */
	{ "delay", NS_DELAY, "from" },		/* 0203: who delayed it */
	{ "invite", NS_MUC_USER, "from" },	/* 0045 7.8.2: who invites */
	{ "invite", NS_MUC_USER, "to" },	/* 0045 7.8.2: who is invited */
	{ "iq", NS_CLIENT, "from" },		/* 0297: forwarded */
	{ "iq", NS_CLIENT, "to" },		/* 0297: forwarded */
	{ "item", NS_BLOCKING, "jid" },		/* 0191: who is blocked */
	{ "item", NS_DISCO_ITEMS, "jid" },	/* 0030: whose node it is */
	{ "item", NS_MUC_ADMIN, "jid" },	/* 0045: lists of the room */
	{ "item", NS_MUC_USER, "jid" },		/* 0045: an occupant's real JID */
	{ "item", NS_PUBSUB, "publisher" },	/* 0060 7.1.2.3 */
	{ "item", NS_PUBSUB_EVENT, "publisher" }, /* 0060 7.1.2.3 */
	{ "item", NS_ROSTER, "jid" },		/* RFC 6121: oneself as a contact */
	{ "jid", NS_MAM, NULL },		/* 0441: always, never */
	{ "jingle", NS_JINGLE, "initiator" },	/* 0166 */
	{ "jingle", NS_JINGLE, "responder" },	/* 0166 */
	{ "keys", NS_OMEMO, "jid" },		/* 0384: whose devices' keys */
	{ "message", NS_CLIENT, "from" },	/* 0297, 0280, 0313 */
	{ "message", NS_CLIENT, "to" },		/* 0297, 0280, 0313 */
	{ "options", NS_PUBSUB, "jid" },	/* 0060 6.3: of a subscription */
	{ "presence", NS_CLIENT, "from" },	/* 0297: forwarded */
	{ "presence", NS_CLIENT, "to" },	/* 0297: forwarded */
	{ "referenced-stanza", NS_SID, "by" },	/* 0359 section 4 */
	{ "reply", NS_REPLY, "to" },		/* 0461: whose message it was */
	{ "stanza-id", NS_SID, "by" },		/* 0359: whose archive it is */
	{ "streamhost", NS_BYTESTREAMS, "jid" }, /* 0065: who hosts the stream */
	{ "streamhost-used", NS_BYTESTREAMS, "jid" }, /* 0065 */
	{ "subscribe", NS_PUBSUB, "jid" },	/* 0060 6.1: who subscribes */
	{ "subscription", NS_PUBSUB, "jid" },	/* 0060 6.1: who has subscribed */
	{ "subscription", NS_PUBSUB_EVENT, "jid" }, /* 0060 8.8: its approval */
	{ "subscription", NS_PUBSUB_OWNER, "jid" }, /* 0060 8.8: list of a node */
	{ "unsubscribe", NS_PUBSUB, "jid" },	/* 0060 6.2: who unsubscribes */
	{ "value", NS_DATA, NULL },		/* 0004: see is_jid_value() */
	{ "x", NS_DELAY_OLD, "from" },		/* 0091: who delayed it */
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
 * In a field for JIDs, or in one whose type is not told, as in what is submitted
 * (XEP-0004 3.2): there a value that is just an own JID means one.
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
address_map(struct arena *arena, const struct address_map *map,
    const char *raw)
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
