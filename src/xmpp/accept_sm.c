/* What a client may ask for in place of binding: its former stream. */
#include <string.h>

#include "accept_impl.h"
#include "base/mem.h"
#include "xmpp/ns.h"

/* XEP-0198 6: it may go on, with binding or another <resume/>. */
static void
refuse(struct accept *a, enum error_cond cond, const uint32_t *h)
{
	struct buf b = { 0 };

	buf_puts(&b, "<failed xmlns='" NS_SM "'");
	if (h != NULL)
		buf_printf(&b, " h='%u'", (unsigned)*h);
	buf_printf(&b, "><%s xmlns='" NS_STANZA_ERROR "'/></failed>",
	    error_cond_name(cond));
	stream_send_text(a->stream, b.data);
	buf_free(&b);
}

static void
end_too_high(struct accept *a, uint32_t h, uint32_t sent)
{
	struct buf xml = { 0 };
	char *text = mem_printf("%u stanzas acknowledged, but only %u sent",
	    (unsigned)h, (unsigned)sent);

	sm_write_too_high(&xml, h, sent);
	accept_end_with(a, STREAM_UNDEFINED_CONDITION, xml.data, text);
	buf_free(&xml);
	mem_free_string(&text);
}

static void
resume(struct accept *a, const char *previd, uint32_t h)
{
	struct accept_refusal refusal = { 0 };
	enum accept_resume result;

	result = a->host->resume(a->arg, previd, h, &refusal);
	if (a->stream == NULL)
		return;
	if (result == ACCEPT_RESUMED)
		accept_hand_over(a, a->host->resumed);
	else if (result == ACCEPT_TOO_HIGH)
		end_too_high(a, h, refusal.sent);
	else
		refuse(a, ERR_ITEM_NOT_FOUND,
		    refusal.has_h ? &refusal.h : NULL);
}

static bool
is_id(const char *id)
{
	return id != NULL && id[0] != '\0' && strlen(id) <= SM_ID_MAX;
}

bool
accept_on_sm(struct accept *a, const struct elem *e)
{
	const char *previd = elem_attr(e, "previd");
	uint32_t h;

	if (elem_is(e, NS_SM, "enable"))
		refuse(a, ERR_UNEXPECTED_REQUEST, NULL);
	else if (!elem_is(e, NS_SM, "resume"))
		return false;
	else if (a->host->resume == NULL)
		refuse(a, ERR_FEATURE_NOT_IMPLEMENTED, NULL);
	else if (!is_id(previd) || !sm_parse_h(e, &h))
		refuse(a, ERR_BAD_REQUEST, NULL);
	else
		resume(a, previd, h);
	return true;
}
