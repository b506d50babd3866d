/* What servers answer by themselves. */
#include <string.h>

#include "base/text.h"
#include "rig/rig.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"
#include "xmpp/xml.h"

struct rule {
	const char *ns, *name;
	void (*fill)(struct rig_server *, struct elem *result);
};

static void
add_xml(struct elem *parent, const char *ns, const char *xml)
{
	struct buf b = { 0 };
	struct elem *all;

	buf_printf(&b, "<all>%s</all>", xml);
	all = xml_parse(parent->arena, b.data, b.len, ns, NULL, NULL);
	if (all != NULL) {
		ELEM_EACH(child, all)
			elem_append(parent, elem_copy(parent->arena, child));
	}
	buf_free(&b);
}

static void
fill_roster(struct rig_server *s, struct elem *result)
{
	struct elem *query = elem_child(result, NS_ROSTER, "query");

	elem_set(query, "ver", "server-1");
	add_xml(query, NS_ROSTER, s->roster);
}

static void
fill_info(struct rig_server *s, struct elem *result)
{
	struct elem *query = elem_child(result, NS_DISCO_INFO, "query");
	const char *from = elem_attr(result, "from");
	const char *info = s->info;

	if (s->domain_info != NULL && from != NULL && !strchr(from, '@'))
		info = s->domain_info;
	add_xml(query, NS_DISCO_INFO, info);
}

static void
fill_items(struct rig_server *s, struct elem *result)
{
	struct elem *query = elem_child(result, NS_DISCO_ITEMS, "query");

	if (s->items != NULL)
		add_xml(query, NS_DISCO_ITEMS, s->items);
}

static void
fill_blocks(struct rig_server *s, struct elem *result)
{
	add_xml(elem_child(result, NS_BLOCKING, "blocklist"), NS_BLOCKING,
	    s->blocks != NULL ? s->blocks : "");
}

static void
fill_nothing(struct rig_server *s, struct elem *result)
{
	(void)s;
	(void)result;
}

static const struct rule rules[] = {
	{ NS_ROSTER, "query", fill_roster },
	{ NS_DISCO_INFO, "query", fill_info },
	{ NS_DISCO_ITEMS, "query", fill_items },
	{ NS_BLOCKING, "blocklist", fill_blocks },
	{ NS_PING, "ping", fill_nothing },
};

/* To the server or the account itself. */
static bool
is_own(const struct rig_server *s, const char *to)
{
	return to == NULL || strcmp(to, s->jid) == 0 ||
	    strcmp(to, strchr(s->jid, '@') + 1) == 0;
}

static bool
answer_get(struct rig_server *s, const struct elem *iq)
{
	struct elem *result;

	if (s->has_no_blocking && elem_find(iq, NS_BLOCKING, NULL) != NULL) {
		peer_send_elem(&s->peer,
		    stanza_error(iq, ERR_SERVICE_UNAVAILABLE, NULL));
		return true;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (elem_find(iq, rules[i].ns, rules[i].name) == NULL)
			continue;
		result = stanza_result(iq);
		elem_set(result, "to", s->peer.full);
		rules[i].fill(s, result);
		peer_send_elem(&s->peer, result);
		return true;
	}
	return false;
}

/*
 * The proxy's own question for what it missed (mod/gap.c): there is no archive. What
 * clients ask is the script's to answer.
 */
static bool
is_about_gap(const struct elem *query)
{
	const struct elem *set = NULL;

	if (query != NULL)
		set = elem_find(query, NS_RSM, "set");
	return set != NULL &&
	    text_equals(elem_child_text(set, NS_RSM, "max"), "1000");
}

static bool
answer_set(struct rig_server *s, const struct elem *iq)
{
	if (is_about_gap(elem_find(iq, NS_MAM, "query"))) {
		peer_send_elem(&s->peer,
		    stanza_error(iq, ERR_SERVICE_UNAVAILABLE, NULL));
		return true;
	}
	if (elem_find(iq, NS_CARBONS, NULL) == NULL)
		return false;
	peer_send_elem(&s->peer,
	    s->has_carbons ? stanza_result(iq) :
			     stanza_error(iq, ERR_SERVICE_UNAVAILABLE, NULL));
	return true;
}

bool
rig_server_answer(struct peer *p, struct elem *iq)
{
	struct rig_server *s = rig_server(p->rig, p->name);

	if (s->is_manual || stanza_kind(iq) != STANZA_IQ ||
	    !is_own(s, elem_attr(iq, "to")))
		return false;
	if (stanza_type(iq) == TYPE_GET)
		return answer_get(s, iq);
	return stanza_type(iq) == TYPE_SET && answer_set(s, iq);
}
