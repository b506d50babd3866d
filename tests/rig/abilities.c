/* What fake clients can do: their disco#info, and the hash of it (XEP-0115). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mod/caps_hash.h"
#include "rig/rig.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"
#include "xmpp/xml.h"

static struct elem *
query_of(const struct rig_client *c, struct arena *arena)
{
	char *xml = mem_printf("<query><identity category='client' "
			       "type='phone'/>%s</query>",
	    c->features);
	struct elem *query;

	query = xml_parse(arena, xml, strlen(xml), NS_DISCO_INFO, NULL, NULL);
	free(xml);
	return query;
}

bool
rig_client_is_about_info(const struct elem *iq)
{
	return stanza_kind(iq) == STANZA_IQ && stanza_type(iq) == TYPE_GET &&
	    elem_find(iq, NS_DISCO_INFO, "query") != NULL &&
	    elem_attr(iq, "from") != NULL &&
	    strchr(elem_attr(iq, "from"), '/') == NULL;
}

struct elem *
rig_client_info(const struct rig_client *c, const struct elem *iq)
{
	struct elem *result, *query;

	if (c->features == NULL)
		return stanza_error(iq, ERR_SERVICE_UNAVAILABLE, NULL);
	result = stanza_result(iq);
	query = query_of(c, iq->arena);
	elem_set(query, "node", elem_attr(elem_first(iq), "node"));
	elem_append(result, query);
	return result;
}

void
rig_client_write_caps(const struct rig_client *c, struct buf *b)
{
	struct arena *arena = arena_new();

	buf_puts(b,
	    "<c xmlns='" NS_CAPS "' hash='sha-1' node='urn:client' ver='");
	if (c->features != NULL)
		caps_ver(b, query_of(c, arena));
	buf_puts(b, "'/>");
	arena_free(&arena);
}

void
rig_client_can(struct rig_client *c, const char *vars)
{
	struct buf b = { 0 };
	size_t len;

	buf_puts(&b, "");
	for (; *vars != '\0'; vars += len + strspn(vars + len, " ")) {
		len = strcspn(vars, " ");
		buf_printf(&b, "<feature var='%.*s'/>", (int)len, vars);
	}
	mem_free_string(&c->features);
	c->features = buf_take(&b);
	if (c->features == NULL)
		c->features = mem_strdup("");
	buf_free(&b);
}
