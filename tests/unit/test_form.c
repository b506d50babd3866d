#include "support_talk.h"

#include "core/device.h"
#include "core/directed.h"
#include "core/form.h"
#include "core/reached.h"

struct form_case {
	const char *name;
	/* The session. */
	bool available, carbons, in_room;
	int priority;
	/* The entry. */
	enum direction direction;
	enum stanza_type type;
	bool eligible, body, encrypted, event, room_private, own, to_other;
	enum form form;
};

#define YES true
static const struct form_case forms[] = {
	/* Messages coming in. */
	{ "chat", .available = YES, .type = TYPE_CHAT, .eligible = YES,
	    .body = YES, .form = FORM_PLAIN },
	{ "chat, carbons are on", .available = YES, .carbons = YES,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_PLAIN },
	{ "not eligible, but available", .available = YES, .type = TYPE_NORMAL,
	    .form = FORM_PLAIN },
	{ "negative priority", .available = YES, .priority = -1,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_NOTHING },
	{ "negative priority, carbons", .available = YES, .priority = -1,
	    .carbons = YES, .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_RECEIVED },
	{ "negative priority, carbons, not eligible", .available = YES,
	    .priority = -1, .carbons = YES, .type = TYPE_NORMAL,
	    .form = FORM_NOTHING },
	{ "no presence", .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_NOTHING },
	{ "no presence, carbons", .carbons = YES, .type = TYPE_CHAT,
	    .eligible = YES, .form = FORM_RECEIVED },
	{ "private, to another session", .available = YES, .type = TYPE_CHAT,
	    .to_other = YES, .form = FORM_NOTHING },
	{ "headline", .available = YES, .type = TYPE_HEADLINE,
	    .form = FORM_PLAIN },
	{ "headline, negative priority", .available = YES, .priority = -1,
	    .carbons = YES, .type = TYPE_HEADLINE, .eligible = YES,
	    .form = FORM_NOTHING },
	{ "event, negative priority", .available = YES, .priority = -1,
	    .type = TYPE_HEADLINE, .event = YES, .form = FORM_PLAIN },
	{ "event, no presence", .carbons = YES, .type = TYPE_NORMAL,
	    .event = YES, .eligible = YES, .form = FORM_NOTHING },
	{ "groupchat, in the room", .in_room = YES, .type = TYPE_GROUPCHAT,
	    .form = FORM_PLAIN },
	{ "groupchat, not in it", .available = YES, .carbons = YES,
	    .type = TYPE_GROUPCHAT, .form = FORM_NOTHING },
	{ "room's private message, in the room", .available = YES,
	    .in_room = YES, .type = TYPE_CHAT, .room_private = YES,
	    .form = FORM_PLAIN },
	{ "of a room that nobody is in", .available = YES, .type = TYPE_CHAT,
	    .room_private = YES, .form = FORM_PLAIN },
	{ "error, it sent the message", .own = YES, .type = TYPE_ERROR,
	    .form = FORM_PLAIN },
	{ "error, it had a copy", .available = YES, .carbons = YES,
	    .type = TYPE_ERROR, .eligible = YES, .form = FORM_RECEIVED },
	{ "error, of what is not copied", .available = YES, .carbons = YES,
	    .type = TYPE_ERROR, .form = FORM_NOTHING },
	{ "error, it had a note", .available = YES, .type = TYPE_ERROR,
	    .eligible = YES, .form = FORM_NOTHING },
	/* What another device directly on the server got. */
	{ "beside, carbons", .available = YES, .carbons = YES,
	    .direction = DIR_BESIDE, .type = TYPE_CHAT, .eligible = YES,
	    .form = FORM_RECEIVED },
	{ "beside, no carbons", .available = YES, .direction = DIR_BESIDE,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_PLAIN },
	/* Messages going out. */
	{ "own", .available = YES, .carbons = YES, .own = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .eligible = YES,
	    .body = YES, .form = FORM_NOTHING },
	{ "sent, carbons", .carbons = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_SENT },
	{ "sent, not eligible", .available = YES, .carbons = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .body = YES,
	    .form = FORM_NOTHING },
	{ "sent, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .body = YES,
	    .form = FORM_NOTE },
	{ "sent, encrypted, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .encrypted = YES,
	    .form = FORM_NOTE },
	{ "sent, no body, no carbons", .available = YES, .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .form = FORM_NOTHING },
	{ "sent, not available, no carbons", .direction = DIR_OUT,
	    .type = TYPE_CHAT, .eligible = YES, .body = YES,
	    .form = FORM_NOTHING },
	{ "sent to a room", .available = YES, .carbons = YES, .in_room = YES,
	    .direction = DIR_OUT, .type = TYPE_GROUPCHAT, .eligible = YES,
	    .body = YES, .form = FORM_NOTHING },
	{ "sent to an occupant, in the room", .available = YES, .in_room = YES,
	    .direction = DIR_OUT, .type = TYPE_CHAT, .room_private = YES,
	    .eligible = YES, .body = YES, .form = FORM_NOTE },
};

static void
put_session(struct session *s, const struct form_case *c)
{
	s->available = c->available;
	s->carbons = c->carbons;
	s->priority = c->priority;
	directed_clear(&s->directed);
	if (c->in_room)
		assert_true(directed_add(&s->directed, "room@m.example/me",
		    LIST_FIRST(&s->user->accounts)->id, true, "<presence/>",
		    1));
}

/* As it was: a session without presence. */
static void
put_back(struct session *s)
{
	put_session(s, &(struct form_case){ 0 });
}

static struct entry *
make_entry(const struct session *s, const struct form_case *c)
{
	struct entry *e = entry_new();

	e->account = LIST_FIRST(&s->user->accounts)->id;
	e->direction = c->direction;
	e->type = c->type;
	e->peer = mem_strdup(c->room_private || c->type == TYPE_GROUPCHAT ?
		"room@m.example/bob" :
		"bob@b.example/x");
	e->is_eligible = c->eligible;
	e->has_body = c->body;
	e->is_encrypted = c->encrypted;
	e->is_event = c->event;
	e->is_room_private = c->room_private;
	e->origin = c->own ? s->id : 0;
	e->only = c->to_other ? s->id + 1000 : 0;
	return e;
}

static void
the_form_depends_on_session_and_message(void **state)
{
	const struct form_case *c;
	const char *reason;
	struct session *s;
	struct entry *e;

	TALK(state, "connect C1");
	s = talk_session(state, "C1");
	for (c = forms; c < forms + sizeof(forms) / sizeof(forms[0]); c++) {
		put_session(s, c);
		e = make_entry(s, c);
		reason = NULL;
		if (form_of(s, e, &reason) != c->form)
			fail_msg("%s: %s", c->name, reason);
		assert_non_null(reason);
		entry_unref(&e);
	}
	put_back(s);
}

/* XEP-0280 6.1: those who are not there cannot answer. */
static void
a_private_message_to_a_room_is_for_those_in_it(void **state)
{
	struct form_case c = { .available = true,
		.carbons = true,
		.direction = DIR_OUT,
		.type = TYPE_CHAT,
		.eligible = true,
		.body = true,
		.room_private = true };
	struct entry *e;
	const char *reason;

	TALK(state, "connect C1", "connect C2");
	put_session(talk_session(state, "C1"), &c);
	c.in_room = true;
	put_session(talk_session(state, "C2"), &c);
	e = make_entry(talk_session(state, "C1"), &c);
	assert_int_equal(form_of(talk_session(state, "C1"), e, &reason),
	    FORM_NOTHING);
	assert_int_equal(form_of(talk_session(state, "C2"), e, &reason),
	    FORM_SENT);
	entry_unref(&e);
	put_back(talk_session(state, "C1"));
	put_back(talk_session(state, "C2"));
}

static void
with_mirror_off_there_are_no_notes(void **state)
{
	TALK(state, "user mirror=off", "login C1", "login C2",
	    "login C3 carbons",
	    "C1> <message to='bob@b.example' type='chat' id='1'><body>x</body>"
	    "</message>",
	    "C3<~ <message ...>...</message>", "drain S", "nothing");
}

static void
another_account_is_none_of_its_business(void **state)
{
	struct form_case c = { .available = true, .type = TYPE_CHAT };
	const char *reason;
	struct entry *e;

	TALK(state, "connect C1");
	put_session(talk_session(state, "C1"), &c);
	e = make_entry(talk_session(state, "C1"), &c);
	e->account += 1000;
	assert_int_equal(form_of(talk_session(state, "C1"), e, &reason),
	    FORM_NOTHING);
	entry_unref(&e);
	put_back(talk_session(state, "C1"));
}

/* --- who sent it --- */

/* Its session is another by now, the device is the same. */
static void
what_the_device_sent_in_a_session_before_is_its_own(void **state)
{
	struct form_case c = { .available = true,
		.carbons = true,
		.direction = DIR_OUT,
		.type = TYPE_CHAT,
		.eligible = true,
		.body = true };
	struct session *s;
	const char *reason;
	struct entry *e;

	TALK(state, "connect C1", "connect C2 resource=");
	s = talk_session(state, "C1");
	assert_non_null(s->device);
	put_session(s, &c);
	put_session(talk_session(state, "C2"), &c);
	e = make_entry(s, &c);
	e->origin = s->id + 1000;
	e->device = s->device->id;
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	e->device = s->device->id + 1;
	assert_int_equal(form_of(s, e, &reason), FORM_SENT);
	/* One that asked for no resource is no device; 0 is none either. */
	e->device = 0;
	assert_int_equal(form_of(s, e, &reason), FORM_SENT);
	assert_int_equal(form_of(talk_session(state, "C2"), e, &reason),
	    FORM_SENT);
	entry_unref(&e);
	put_back(s);
	put_back(talk_session(state, "C2"));
}

static void
an_error_finds_the_device_that_sent_the_message(void **state)
{
	struct form_case c = { .type = TYPE_ERROR };
	struct session *s;
	const char *reason;
	struct entry *e;

	TALK(state, "connect C1");
	s = talk_session(state, "C1");
	put_session(s, &c);
	e = make_entry(s, &c);
	e->origin = s->id + 1000;
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	e->device = s->device->id;
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	entry_unref(&e);
	put_back(s);
}

/* --- what is for one session --- */

/* As long as that is there; without it, what reached nobody is for all. */
static void
a_private_message_waits_for_its_session(void **state)
{
	struct form_case c = { .available = true, .type = TYPE_CHAT };
	struct session *s, *only;
	const char *reason;
	struct entry *e;

	TALK(state, "connect C1", "connect C2");
	s = talk_session(state, "C1");
	only = talk_session(state, "C2");
	put_session(s, &c);
	e = make_entry(s, &c);
	e->only = only->id;
	e->seq = 1;
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	e->only = only->id + 1000;
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	reached_add(&s->user->reached, 1);
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	e->only = s->id;
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	/* Live ones do not wait. */
	e->seq = 0;
	e->only = only->id + 1000;
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	entry_unref(&e);
	put_back(s);
}

/* --- age --- */

/* playback-days: but what reached nobody has no age. */
static void
what_is_too_old_is_not_played_back(void **state)
{
	struct form_case c = { .available = true, .type = TYPE_CHAT };
	struct session *s;
	const char *reason;
	struct entry *e;

	TALK(state, "limits playback-days=2", "connect C1");
	s = talk_session(state, "C1");
	put_session(s, &c);
	e = make_entry(s, &c);
	e->seq = 1;
	s->live_from = 2;
	reached_add(&s->user->reached, 1);
	e->stamp = clock_wall() - UINT64_C(2) * 86400000;
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	e->stamp--;
	assert_int_equal(form_of(s, e, &reason), FORM_NOTHING);
	assert_string_equal(reason, "too old to be played back");
	/* It came while the session was there: it is behind, no more. */
	s->live_from = 1;
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	s->live_from = 2;
	reached_fini(&s->user->reached);
	assert_int_equal(form_of(s, e, &reason), FORM_PLAIN);
	entry_unref(&e);
	put_back(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(the_form_depends_on_session_and_message),
		talk_test(a_private_message_to_a_room_is_for_those_in_it),
		talk_test(with_mirror_off_there_are_no_notes),
		talk_test(another_account_is_none_of_its_business),
		talk_test(what_the_device_sent_in_a_session_before_is_its_own),
		talk_test(an_error_finds_the_device_that_sent_the_message),
		talk_test(a_private_message_waits_for_its_session),
		talk_test(what_is_too_old_is_not_played_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
