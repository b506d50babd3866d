#include "support_talk.h"

#include "core/address.h"
#include "core/fanout.h"
#include "core/frame.h"
#include "core/render.h"
#include "core/sent.h"
#include "xmpp/ns.h"

#define BODY "<body>hi &amp; ho</body>"

/* A session whose bytes the test sees as they go out. */
struct wired {
	struct session *session;
	struct transport *far;
	char out[65536];
};

static void
wire_up(void **state, struct wired *w, struct account *view)
{
	static const struct xml_limits limits = { 4096, 8, 16, 64 };
	struct loop *loop = talk_rig(state)->loop;
	struct transport *near;

	transport_memory(&near, &w->far);
	w->session = session_new(talk_user(state), view, "phone", "192.0.2.7");
	session_start(w->session,
	    stream_new(STREAM_SERVER, conn_new(loop, near, "c", NULL, NULL),
		&limits, NULL, NULL));
}

static void
wire_down(void **state, struct wired *w)
{
	session_close(w->session, -1, "the test is over");
	io_turns(talk_rig(state)->loop, 4);
	w->far->ops->free(w->far);
	rig_run(talk_rig(state));
}

static const char *
rendered(void **state, struct wired *w, struct entry *e, enum form form,
    bool late)
{
	render_send(w->session, talk_account(state), e, form, late);
	io_turns(talk_rig(state)->loop, 2);
	io_take(w->far, w->out, sizeof(w->out));
	return w->out;
}

static struct entry *
chat(void **state, enum direction direction)
{
	struct entry *e = entry_new();

	e->account = talk_account(state)->id;
	e->direction = direction;
	e->type = TYPE_CHAT;
	e->peer = mem_strdup("bob@b.example/x");
	e->id = mem_strdup("1");
	e->time = RIG_WALL;
	e->body = blob_new(BODY, strlen(BODY));
	e->has_body = true;
	if (direction == DIR_OUT)
		e->local = mem_strdup("alice@a.example/laptop");
	return e;
}

#define PHONE "alice@a.example/phone"

static const struct {
	enum direction direction;
	enum form form;
	bool late;
	const char *bytes;
} forms[] = {
	{ DIR_IN, FORM_PLAIN, false,
	    "<message from='bob@b.example/x' to='alice@a.example' type='chat' "
	    "id='1'>" BODY "</message>" },
	{ DIR_IN, FORM_PLAIN, true,
	    "<message from='bob@b.example/x' to='alice@a.example' type='chat' "
	    "id='1'><delay xmlns='urn:xmpp:delay' from='alice@a.example' "
	    "stamp='2025-01-01T00:00:00Z'/>" BODY "</message>" },
	{ DIR_IN, FORM_RECEIVED, false,
	    "<message from='alice@a.example' to='" PHONE "' type='chat'>"
	    "<received xmlns='urn:xmpp:carbons:2'>"
	    "<forwarded xmlns='urn:xmpp:forward:0'>"
	    "<message xmlns='jabber:client' from='bob@b.example/x' "
	    "to='alice@a.example' type='chat' id='1'>" BODY
	    "</message></forwarded></received></message>" },
	{ DIR_OUT, FORM_SENT, false,
	    "<message from='alice@a.example' to='" PHONE "' type='chat'>"
	    "<sent xmlns='urn:xmpp:carbons:2'>"
	    "<forwarded xmlns='urn:xmpp:forward:0'>"
	    "<message xmlns='jabber:client' from='alice@a.example/laptop' "
	    "to='bob@b.example/x' type='chat' id='1'>" BODY
	    "</message></forwarded></sent></message>" },
	/* XEP-0297: the delay is the forwarding's. */
	{ DIR_OUT, FORM_SENT, true,
	    "<message from='alice@a.example' to='" PHONE "' type='chat'>"
	    "<sent xmlns='urn:xmpp:carbons:2'>"
	    "<forwarded xmlns='urn:xmpp:forward:0'>"
	    "<delay xmlns='urn:xmpp:delay' from='alice@a.example' "
	    "stamp='2025-01-01T00:00:00Z'/>"
	    "<message xmlns='jabber:client' from='alice@a.example/laptop' "
	    "to='bob@b.example/x' type='chat' id='1'>" BODY
	    "</message></forwarded></sent></message>" },
	{ DIR_IN, FORM_NOTHING, false, "" },
};

static void
each_form_has_its_bytes(void **state)
{
	struct wired w;
	struct entry *e;
	size_t i;

	TALK(state, "wait 1s");
	wire_up(state, &w, talk_account(state));
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		e = chat(state, forms[i].direction);
		assert_string_equal(rendered(state, &w, e, forms[i].form,
					forms[i].late),
		    forms[i].bytes);
		entry_unref(&e);
	}
	wire_down(state, &w);
}

/* The wrapping message has the type of what is in it. */
static void
a_copy_of_a_normal_message_has_no_type(void **state)
{
	struct wired w;
	struct entry *e;

	TALK(state, "wait 1s");
	wire_up(state, &w, talk_account(state));
	e = chat(state, DIR_OUT);
	e->type = TYPE_NORMAL;
	e->lang = mem_strdup("de");
	assert_string_equal(rendered(state, &w, e, FORM_SENT, false),
	    "<message from='alice@a.example' to='" PHONE "'>"
	    "<sent xmlns='urn:xmpp:carbons:2'>"
	    "<forwarded xmlns='urn:xmpp:forward:0'>"
	    "<message xmlns='jabber:client' from='alice@a.example/laptop' "
	    "to='bob@b.example/x' id='1' xml:lang='de'>" BODY
	    "</message></forwarded></sent></message>");
	entry_unref(&e);
	wire_down(state, &w);
}

/* --- notes --- */

/* The note with its id taken out, which is one that is remembered as a note's. */
static const char *
without_id(void **state, char *note)
{
	char *start = strstr(note, " id='"), *end, id[64] = "";

	assert_non_null(start);
	end = strchr(start + 5, '\'');
	memcpy(id, start + 5, (size_t)(end - start - 5));
	assert_true(strlen(id) >= 16);
	assert_true(sent_is_note(talk_user(state), id));
	memmove(start, end + 1, strlen(end + 1) + 1);
	return note;
}

static const struct {
	const char *name, *peer, *text;
	bool encrypted, room_private, late, has_delay;
	const char *bytes;
} notes[] = {
	{ "from the bare JID", "bob@b.example/x", "a < b",
	    .bytes = "<message from='bob@b.example' to='" PHONE "' type='chat'>"
		     "<body>\302\273 a &lt; b</body></message>" },
	{ "from the occupant", "r@m.example/bob", "x", .room_private = true,
	    .bytes = "<message from='r@m.example/bob' to='" PHONE
		     "' type='chat'><body>\302\273 x</body></message>" },
	{ "encrypted", "bob@b.example/x", "fallback", .encrypted = true,
	    .bytes =
		"<message from='bob@b.example' to='" PHONE
		"' type='chat'><body>\302\273 [encrypted]</body></message>" },
	{ "encrypted, without a fallback", "bob@b.example/x", NULL,
	    .encrypted = true,
	    .bytes =
		"<message from='bob@b.example' to='" PHONE
		"' type='chat'><body>\302\273 [encrypted]</body></message>" },
	{ "late", "bob@b.example", "x", .late = true,
	    .bytes = "<message from='bob@b.example' to='" PHONE
		     "' type='chat'><delay xmlns='urn:xmpp:delay' "
		     "from='alice@a.example' stamp='2025-01-01T00:00:00Z'/>"
		     "<body>\302\273 x</body></message>" },
	{ "of a message with a delay", "bob@b.example", "x", .has_delay = true,
	    .bytes = "<message from='bob@b.example' to='" PHONE
		     "' type='chat'><delay xmlns='urn:xmpp:delay' "
		     "from='alice@a.example' stamp='2025-01-01T00:00:00Z'/>"
		     "<body>\302\273 x</body></message>" },
};

static void
set_text(struct entry *e, const char *text)
{
	struct buf body = { 0 };

	blob_unref(&e->body);
	e->has_body = text != NULL;
	if (text != NULL) {
		buf_puts(&body, "<body>");
		elem_escape(&body, text);
		buf_puts(&body, "</body>");
	}
	e->body = blob_new(body.data, body.len);
	buf_free(&body);
}

static void
a_note_says_what_was_said_and_nothing_else(void **state)
{
	struct wired w;
	struct entry *e;
	size_t i;

	TALK(state, "wait 1s");
	wire_up(state, &w, talk_account(state));
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		e = chat(state, DIR_OUT);
		free(e->peer);
		e->peer = mem_strdup(notes[i].peer);
		set_text(e, notes[i].text);
		e->is_encrypted = notes[i].encrypted;
		e->is_room_private = notes[i].room_private;
		e->has_delay = notes[i].has_delay;
		(void)rendered(state, &w, e, FORM_NOTE, notes[i].late);
		assert_string_equal(without_id(state, w.out), notes[i].bytes);
		entry_unref(&e);
	}
	wire_down(state, &w);
}

/* --- own JIDs --- */

static const char own_jids[] =
    "<x xmlns='urn:x'><message xmlns='jabber:client' from='alice@a.example' "
    "to='alice@a.example/up'/><message xmlns='jabber:client' "
    "from='work@w.example/up'/></x>";

static struct entry *
with_own_jids(void **state, enum direction direction)
{
	struct entry *e = chat(state, direction);

	blob_unref(&e->body);
	e->body = blob_new(own_jids, strlen(own_jids));
	e->addresses = ADDRESS_BARE | ADDRESS_FULL;
	return e;
}

/* Another account of the same user can be a contact: it stays. */
static void
own_jids_in_the_body_are_those_of_the_view(void **state)
{
	struct wired w;
	struct entry *e;

	TALK(state, "wait 1s");
	wire_up(state, &w, NULL);
	e = with_own_jids(state, DIR_IN);
	assert_string_equal(rendered(state, &w, e, FORM_PLAIN, false),
	    "<message from='bob@b.example/x' to='alice@proxy.example' "
	    "type='chat' id='1'><x xmlns='urn:x'>"
	    "<message xmlns='jabber:client' from='alice@proxy.example' "
	    "to='alice@proxy.example/phone'/><message xmlns='jabber:client' "
	    "from='work@w.example/up'/></x></message>");
	entry_unref(&e);
	wire_down(state, &w);
}

/* What a session sent speaks of that session. */
static void
the_full_jid_in_what_was_sent_is_the_senders(void **state)
{
	struct wired w;
	struct entry *e;
	const char *bytes;

	TALK(state, "wait 1s");
	wire_up(state, &w, talk_account(state));
	e = with_own_jids(state, DIR_OUT);
	bytes = rendered(state, &w, e, FORM_SENT, false);
	assert_non_null(strstr(bytes,
	    "from='alice@a.example' "
	    "to='alice@a.example/laptop'/>"));
	entry_unref(&e);
	wire_down(state, &w);
	wire_up(state, &w, NULL);
	e = with_own_jids(state, DIR_OUT);
	bytes = rendered(state, &w, e, FORM_SENT, false);
	assert_non_null(strstr(bytes,
	    "from='alice@proxy.example/laptop' to='bob@b.example/x'"));
	assert_non_null(strstr(bytes,
	    "from='alice@proxy.example' "
	    "to='alice@proxy.example/laptop'/>"));
	entry_unref(&e);
	wire_down(state, &w);
}

/* Also where the upstream has bound another resource since. */
static void
to_the_upstream_is_to_the_session(void **state)
{
	struct wired w;
	struct entry *e;

	TALK(state, "wait 1s");
	wire_up(state, &w, talk_account(state));
	e = chat(state, DIR_IN);
	e->local = mem_strdup("alice@a.example/before");
	assert_non_null(strstr(rendered(state, &w, e, FORM_PLAIN, false),
	    " to='" PHONE "'"));
	e->direction = DIR_BESIDE;
	assert_non_null(strstr(rendered(state, &w, e, FORM_RECEIVED, false),
	    " to='alice@a.example/before'"));
	entry_unref(&e);
	wire_down(state, &w);
}

static void
forms_have_names(void **state)
{
	(void)state;
	assert_string_equal(render_form_name(FORM_NOTHING), "nothing");
	assert_string_equal(render_form_name(FORM_PLAIN), "plain");
	assert_string_equal(render_form_name(FORM_SENT), "sent");
	assert_string_equal(render_form_name(FORM_RECEIVED), "received");
	assert_string_equal(render_form_name(FORM_NOTE), "note");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(each_form_has_its_bytes),
		talk_test(a_copy_of_a_normal_message_has_no_type),
		talk_test(a_note_says_what_was_said_and_nothing_else),
		talk_test(own_jids_in_the_body_are_those_of_the_view),
		talk_test(the_full_jid_in_what_was_sent_is_the_senders),
		talk_test(to_the_upstream_is_to_the_session),
		cmocka_unit_test(forms_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
