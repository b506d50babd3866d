#include "core/render.h"

#include <stdint.h>

#include "base/random.h"
#include "core/account.h"
#include "core/archive.h"
#include "core/frame.h"
#include "core/proxy.h"
#include "core/quiet.h"
#include "core/read_state.h"
#include "core/sent.h"
#include "core/session.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

#define CARBON_OPEN(name) \
	"<" name " xmlns='" NS_CARBONS "'><forwarded xmlns='" NS_FORWARD "'>"
#define NOTE_MARK "\302\273 " /* U+00BB and a space */

struct rendering {
	struct session *session;
	struct account *account;
	struct entry *entry;
	struct arena *arena;
	struct buf *head;
	bool late;
};

const char *
render_form_name(enum form form)
{
	static const char *const names[] = { "nothing", "plain", "sent",
		"received", "note" };

	return names[form];
}

static const char *
view_of(struct rendering *r, const char *jid)
{
	return session_view_of(r->session, r->account, r->arena, jid);
}

/* Who the user is in it, where it is not to the session itself. */
static const char *
own_jid(struct rendering *r)
{
	const struct session *s = r->session;
	const char *local = r->entry->local;

	if (local == NULL)
		return s->bare;
	if (s->account != NULL || jid_is_bare(local))
		return view_of(r, local);
	return jid_with_resource(r->arena, s->bare, jid_resource(local));
}

/* The same bytes do for all of a view, or for all. */
static bool
is_shared(const struct rendering *r)
{
	const struct entry *e = r->entry;

	return e->addresses == 0 ||
	    (e->addresses == ADDRESS_BARE && r->session->account != NULL);
}

/* The body as this view shows it: shared, unless own JIDs or ids stand in it. */
static struct blob *
body_of(struct rendering *r)
{
	struct entry *e = r->entry;
	struct address_map map;
	struct elem *stanza;

	if (is_shared(r))
		return blob_ref(e->body);
	stanza = frame_parse(r->arena, e->body);
	/* The bytes are our own writer's: they parse. */
	if (stanza == NULL)
		return blob_ref(e->body);
	if (e->addresses & ADDRESS_IDS)
		read_state_down(r->session, r->account,
		    read_state_event(stanza));
	map = account_map_down(r->account, r->session);
	/* In what was sent the own full JID is the sender's. */
	if (e->direction == DIR_OUT)
		map.full_to = own_jid(r);
	address_rewrite(stanza, &map);
	return frame_body(stanza);
}

static void
put_delay(struct rendering *r, bool wanted)
{
	if (wanted)
		frame_delay(r->head, r->session->bare, r->entry->time);
}

/* Ours, or the server's where the archive is (XEP-0313 3.5). */
static void
put_stanza_id(struct rendering *r)
{
	const struct session *s = r->session;
	char ours[ARCHIVE_ID_SIZE];
	const char *id = NULL;

	if (archive_serves(s, r->entry))
		id = archive_id_of(s, r->entry, ours);
	else if (archive_is_servers(s))
		id = r->entry->stanza_id;
	if (id == NULL)
		return;
	buf_puts(r->head, "<stanza-id xmlns='" NS_SID "'");
	frame_attr(r->head, "by", s->bare);
	frame_attr(r->head, "id", id);
	buf_puts(r->head, "/>");
}

/* from and to of the message itself, as this view shows them. */
static void
put_message(struct rendering *r, const char *xmlns)
{
	struct entry *e = r->entry;
	struct frame_head h = { .name = "message",
		.xmlns = xmlns,
		.type = frame_type(e->type),
		.id = e->id,
		.lang = e->lang };

	if (e->direction == DIR_OUT) {
		h.from = own_jid(r);
		h.to = view_of(r, e->peer);
	} else {
		h.from = view_of(r, e->peer);
		h.to = own_jid(r);
		/* Also where the upstream has another full JID by now. */
		if (e->direction == DIR_IN && e->local != NULL)
			h.to = r->session->full;
	}
	frame_head(r->head, &h);
	buf_putc(r->head, '>');
}

static void
send_out(struct rendering *r, struct blob *body, const char *tail)
{
	session_send_frame(r->session, r->head->data, r->head->len, body, tail,
	    &(struct flight){ .seq = r->entry->seq });
}

static void
send_plain(struct rendering *r)
{
	struct blob *body = body_of(r);

	put_message(r, NULL);
	put_delay(r, r->late);
	put_stanza_id(r);
	send_out(r, body, "</message>");
	blob_unref(&body);
}

/* XEP-0280 7 and 8: the copy's type is the original's, from is the own bare JID. */
static void
send_carbon(struct rendering *r, const char *open, const char *tail)
{
	struct session *s = r->session;
	struct blob *body = body_of(r);

	frame_head(r->head,
	    &(struct frame_head){ .name = "message",
		.from = s->bare,
		.to = s->full,
		.type = frame_type(r->entry->type) });
	buf_putc(r->head, '>');
	buf_puts(r->head, open);
	put_delay(r, r->late);
	put_message(r, NS_CLIENT);
	put_stanza_id(r);
	send_out(r, body, tail);
	blob_unref(&body);
}

/* A new stanza that says what was said elsewhere, and to whom. */
static void
send_note(struct rendering *r)
{
	struct entry *e = r->entry;
	struct buf *b = r->head;
	char id[RANDOM_ID_SIZE];
	const char *peer = view_of(r, e->peer), *text;

	sent_remember_note(r->session->user, random_id(id));
	frame_head(b,
	    &(struct frame_head){ .name = "message",
		.type = "chat",
		.from = e->is_room_private ? peer : jid_bare(r->arena, peer),
		.to = r->session->full,
		.id = id,
		.lang = e->lang });
	buf_putc(b, '>');
	/* Of the body nothing else goes along. */
	put_delay(r, r->late || e->has_delay);
	buf_puts(b, "<body>" NOTE_MARK);
	text = e->is_encrypted ? NULL : entry_text(e, r->arena);
	elem_escape(b, text == NULL ? "[encrypted]" : text);
	send_out(r, NULL, "</body></message>");
}

void
render_result(struct session *s, struct account *a, struct entry *e,
    const struct render_result *what)
{
	struct rendering r = { .session = s,
		.account = a,
		.entry = e,
		.arena = s->proxy->scratch,
		.head = &s->proxy->head };
	char id[ARCHIVE_ID_SIZE];
	struct blob *body;

	/* Its head is this one's. */
	quiet_flush(s);
	arena_reset(r.arena);
	buf_clear(r.head);
	frame_head(r.head,
	    &(struct frame_head){ .name = "message",
		.from = what->from,
		.to = s->full });
	buf_puts(r.head, "><result xmlns='" NS_MAM "'");
	frame_attr(r.head, "queryid", what->query_id);
	frame_attr(r.head, "id", archive_id_of(s, e, id));
	buf_puts(r.head, "><forwarded xmlns='" NS_FORWARD "'>");
	frame_delay(r.head, NULL, e->time);
	put_message(&r, NS_CLIENT);
	body = body_of(&r);
	buf_add(r.head, blob_data(body), blob_len(body));
	buf_puts(r.head, "</message></forwarded></result></message>");
	session_send_bytes(s, r.head, NULL);
	blob_unref(&body);
}

void
render_send(struct session *s, struct account *a, struct entry *e,
    enum form form, bool late)
{
	struct rendering r = { .session = s,
		.account = a,
		.entry = e,
		.arena = s->proxy->scratch,
		.head = &s->proxy->head,
		.late = late };

	arena_reset(r.arena);
	buf_clear(r.head);

	switch (form) {
	case FORM_NOTHING:
		break;
	case FORM_PLAIN:
		send_plain(&r);
		break;
	case FORM_SENT:
		send_carbon(&r, CARBON_OPEN("sent"),
		    "</message></forwarded></sent></message>");
		break;
	case FORM_RECEIVED:
		send_carbon(&r, CARBON_OPEN("received"),
		    "</message></forwarded></received></message>");
		break;
	case FORM_NOTE:
		send_note(&r);
		break;
	}
}
