#include "core/frame.h"

#include "base/text.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

void
frame_attr(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_putc(b, ' ');
	buf_puts(b, name);
	buf_puts(b, "='");
	elem_escape(b, value);
	buf_putc(b, '\'');
}

void
frame_head(struct buf *b, const struct frame_head *h)
{
	buf_putc(b, '<');
	buf_puts(b, h->name);
	frame_attr(b, "xmlns", h->xmlns);
	frame_attr(b, "from", h->from);
	frame_attr(b, "to", h->to);
	frame_attr(b, "type", h->type);
	frame_attr(b, "id", h->id);
	frame_attr(b, "xml:lang", h->lang);
}

void
frame_delay(struct buf *b, const char *from, uint64_t wall_ms)
{
	char stamp[TEXT_STAMP_SIZE];

	buf_puts(b, "<delay xmlns='" NS_DELAY "'");
	frame_attr(b, "from", from);
	frame_attr(b, "stamp", text_stamp(stamp, wall_ms));
	buf_puts(b, "/>");
}

struct blob *
frame_body(const struct elem *stanza)
{
	struct buf b = { 0 };
	struct blob *blob;

	for (const struct elem *e = stanza->first; e != NULL; e = e->next) {
		if (e->name != NULL)
			elem_write(&b, e, NS_CLIENT);
		else
			elem_escape(&b, e->text);
	}
	blob = blob_new(b.data, b.len);
	buf_free(&b);
	return blob;
}

struct elem *
frame_parse(struct arena *arena, const struct blob *body)
{
	struct buf whole = { 0 };
	struct elem *message;

	buf_puts(&whole, "<message xmlns='" NS_CLIENT "'>");
	buf_add(&whole, blob_data(body), blob_len(body));
	buf_puts(&whole, "</message>");
	message = xml_parse_own(arena, whole.data, whole.len, NULL);
	buf_free(&whole);
	return message;
}

struct blob *
frame_body_mapped(struct arena *arena, struct blob *body,
    const struct address_map *map)
{
	struct elem *stanza = frame_parse(arena, body);

	/* The bytes are our own writer's: they parse. */
	if (stanza == NULL)
		return blob_ref(body);
	address_rewrite(stanza, map);
	return frame_body(stanza);
}

const char *
frame_type(enum stanza_type type)
{
	static const char *const names[] = {
		[TYPE_CHAT] = "chat",
		[TYPE_GROUPCHAT] = "groupchat",
		[TYPE_HEADLINE] = "headline",
		[TYPE_ERROR] = "error",
		[TYPE_UNAVAILABLE] = "unavailable",
		[TYPE_SUBSCRIBE] = "subscribe",
		[TYPE_SUBSCRIBED] = "subscribed",
		[TYPE_UNSUBSCRIBE] = "unsubscribe",
		[TYPE_UNSUBSCRIBED] = "unsubscribed",
		[TYPE_PROBE] = "probe",
		[TYPE_GET] = "get",
		[TYPE_SET] = "set",
		[TYPE_RESULT] = "result",
		[TYPE_UNKNOWN] = NULL,
	};

	return names[type];
}
