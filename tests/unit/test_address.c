#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"
#include "parsed.h"
#include "support_arena.h"

#define OWN  "alice@real.example"
#define FULL OWN "/up"

static const struct address_map down = { .bare_from = OWN,
	.full_from = FULL,
	.bare_to = "al@node",
	.full_to = "al@node/phone" };
static const struct address_map up = { .bare_from = "al@node",
	.full_from = "al@node/phone",
	.bare_to = OWN,
	.full_to = FULL };
/* In account view the resource alone is another. */
static const struct address_map account_down = { .bare_from = OWN,
	.full_from = FULL,
	.bare_to = OWN,
	.full_to = OWN "/phone" };
static const struct address_map account_up = { .bare_from = OWN,
	.full_from = OWN "/phone",
	.bare_to = OWN,
	.full_to = FULL };

static void
test_map(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ OWN, "al@node" },
		{ FULL, "al@node/phone" },
		{ OWN "/other", "al@node/other" },
		{ "ALICE@Real.Example", "al@node" },
		{ "Alice@real.example/up", "al@node/phone" },
		{ OWN "./up", "al@node/phone" },
		/* The resource keeps its case (RFC 7622 3.4). */
		{ OWN "/UP", "al@node/UP" },
		/* A full-width A, which nodeprep makes an ASCII one. */
		{ "\xef\xbc\xa1lice@real.example", "al@node" },
		{ "bob@real.example", NULL },
		{ "alice@real.example.org", NULL },
		{ "alice@real", NULL },
		{ "real.example", NULL },
		{ "xalice@real.example", NULL },
		{ "xmpp:alice@real.example", NULL },
		{ "bob@real.example/" OWN, NULL },
		{ OWN "/", NULL },
		{ "", NULL },
		{ "\xc3\xa4", NULL },
	};
	const char *to;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to = address_map(*state, &down, rows[i].from);
		if (rows[i].to == NULL)
			assert_ptr_equal(to, rows[i].from);
		else
			assert_string_equal(to, rows[i].to);
	}
}

static void
test_map_without_full(void **state)
{
	struct address_map map = down;

	map.full_from = NULL;
	assert_string_equal(address_map(*state, &map, FULL), "al@node/up");
	map = down;
	map.full_to = NULL;
	assert_string_equal(address_map(*state, &map, FULL), "al@node");
	assert_string_equal(address_map(*state, &map, OWN "/x"), "al@node/x");
}

/* '~' stands for the address, of somebody or of us. */
static const char *const addressed[] = {
	"<query xmlns='http://jabber.org/protocol/bytestreams'>"
	"<activate>~</activate></query>",
	"<query xmlns='http://jabber.org/protocol/muc#admin'>"
	"<item jid='~'><actor jid='~'/></item></query>",
	"<x xmlns='http://jabber.org/protocol/muc#user'>"
	"<item jid='~'><actor jid='~'/></item>"
	"<invite from='~' to='~'/><decline from='~' to='~'/></x>",
	"<addresses xmlns='http://jabber.org/protocol/address'>"
	"<address type='to' jid='~'/></addresses>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
	"<affiliations node='n'><affiliation jid='~'/></affiliations>"
	"<subscriptions><subscription jid='~'/></subscriptions></pubsub>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
	"<subscribe node='n' jid='~'/><unsubscribe jid='~'/>"
	"<options jid='~'/><subscription jid='~'/><affiliation jid='~'/>"
	"<items node='n'><item id='1' publisher='~'/></items></pubsub>",
	"<event xmlns='http://jabber.org/protocol/pubsub#event'>"
	"<items node='n'><item publisher='~'/></items>"
	"<subscription jid='~'/></event>",
	"<jingle xmlns='urn:xmpp:jingle:1' initiator='~' responder='~'>"
	"<content><transport xmlns='urn:xmpp:jingle:transports:s5b:1'>"
	"<candidate jid='~'/></transport></content></jingle>",
	"<query xmlns='http://jabber.org/protocol/bytestreams'>"
	"<streamhost jid='~'/><streamhost-used jid='~'/></query>",
	"<delay xmlns='urn:xmpp:delay' from='~'/>",
	"<x xmlns='jabber:x:delay' from='~'/>",
	"<blocklist xmlns='urn:xmpp:blocking'><item jid='~'/></blocklist>",
	"<query xmlns='http://jabber.org/protocol/disco#items'>"
	"<item jid='~' node='n'/></query>",
	"<query xmlns='jabber:iq:roster'><item jid='~'/></query>",
	"<prefs xmlns='urn:xmpp:mam:2'><always><jid>~</jid></always></prefs>",
	"<encrypted xmlns='urn:xmpp:omemo:2'><header>"
	"<keys jid='~'/></header></encrypted>",
	"<stanza-id xmlns='urn:xmpp:sid:0' by='~'/>",
	"<referenced-stanza xmlns='urn:xmpp:sid:0' by='~'/>",
	"<vCard xmlns='vcard-temp'><JABBERID>~</JABBERID></vCard>",
	"<entry xmlns='urn:xmpp:inbox:1' jid='~' unread='0'/>",
	"<error xmlns='jabber:client' by='~' type='cancel'/>",
	"<event xmlns='http://jabber.org/protocol/pubsub#event'>"
	"<items node='urn:xmpp:mds:displayed:0'><item id='~'/>"
	"<retract id='~'/></items></event>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
	"<publish node='urn:xmpp:mds:displayed:0'><item id='~'/></publish>"
	"<items node='urn:xmpp:mds:displayed:0'><item id='~'/></items>"
	"<retract node='urn:xmpp:mds:displayed:0'><item id='~'/></retract>"
	"</pubsub>",
	"<file-sharing xmlns='urn:xmpp:sfs:0'><sources>"
	"<jinglepub xmlns='urn:xmpp:jinglepub:1' from='~' id='1'/>"
	"</sources></file-sharing>",
	"<retract xmlns='urn:xmpp:message-retract:1' id='1'>"
	"<moderated xmlns='urn:xmpp:message-moderate:1' by='~'/></retract>",
	"<query xmlns='jabber:iq:private'>"
	"<storage xmlns='storage:rosternotes'><note jid='~'>x</note>"
	"</storage></query>",
	"<reply xmlns='urn:xmpp:reply:0' to='~'/>",
	"<x xmlns='jabber:x:data' type='form'>"
	"<field var='a' type='jid-single'><value>~</value></field>"
	"<field var='b' type='jid-multi'><value>~</value><value>~</value>"
	"<option><value>~</value></option></field></x>",
	"<x xmlns='jabber:x:data' type='submit'>"
	"<field var='with'><value>~</value></field></x>",
	"<sent xmlns='urn:xmpp:carbons:2'>"
	"<forwarded xmlns='urn:xmpp:forward:0'>"
	"<message xmlns='jabber:client' from='~' to='~'><body>x</body>"
	"<stanza-id xmlns='urn:xmpp:sid:0' by='~'/>"
	"</message></forwarded></sent>",
	"<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'>"
	"<delay xmlns='urn:xmpp:delay' from='~'/>"
	"<message xmlns='jabber:client' from='~' to='~'>"
	"<x xmlns='http://jabber.org/protocol/muc#user'>"
	"<item jid='~'/></x></message></forwarded></result>",
	"<forwarded xmlns='urn:xmpp:forward:0'>"
	"<presence xmlns='jabber:client' from='~' to='~'/>"
	"<iq xmlns='jabber:client' from='~' to='~'/></forwarded>",
};

/* '~' stands for what looks like an own address, and is to stay. */
static const char *const untouched[] = {
	"<body>~</body><subject>~</subject><thread>~</thread>",
	"<origin-id xmlns='urn:xmpp:sid:0' id='~' by='~'/>",
	"<x xmlns='jabber:x:conference' jid='~'/>",
	"<item xmlns='other' jid='~' publisher='~'/>",
	"<jingle xmlns='urn:xmpp:jingle:1' sid='~'/>",
	"<x xmlns='jabber:x:data' type='form'>"
	"<field type='text-single' var='~'><value>~</value></field>"
	"<field type='hidden'><value>~</value></field>"
	"<value>~</value></x>",
	"<value xmlns='jabber:x:data'>~</value>",
	"<delay xmlns='urn:xmpp:delay' stamp='~'>~</delay>",
	"<query xmlns='jabber:iq:version'><name>~</name></query>",
	/* Rooms: an own account is none. */
	"<storage xmlns='storage:bookmarks'><conference jid='~'/></storage>",
	"<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
	"<publish node='urn:xmpp:bookmarks:1'><item id='~'/></publish>"
	"<items node='other'><item id='~'/></items></pubsub>",
	"<event xmlns='http://jabber.org/protocol/pubsub#event'>"
	"<items node='other'><item id='~'/><retract id='~'/></items></event>",
	"<x xmlns='http://jabber.org/protocol/muc#user'>"
	"<destroy jid='~'/></x>",
	/* Opaque: who made it up wants it back (XEP-0059 2.2). */
	"<set xmlns='http://jabber.org/protocol/rsm'><first>~</first>"
	"<last>~</last><after>~</after><before>~</before></set>",
	"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='~'/>",
	"<vCard xmlns='vcard-temp'><EMAIL><USERID>~</USERID></EMAIL></vCard>",
	"<prefs xmlns='urn:xmpp:mam:2'><jid>~<x/></jid></prefs>",
};

/* The template inside a stanza, with each '~' replaced. */
static struct elem *
filled(struct arena *arena, const char *template, const char *jid)
{
	struct buf text = { 0 };
	struct elem *stanza;

	buf_printf(&text, "<message from='%s' to='%s'>", FULL, OWN);
	for (; *template != '\0'; template ++)
		if (*template == '~')
			buf_puts(&text, jid);
		else
			buf_putc(&text, *template);
	buf_puts(&text, "</message>");
	stanza = parsed(arena, text.data);
	buf_free(&text);
	return stanza;
}

static void
expect_mapped(struct elem *stanza, const struct address_map *map,
    const struct elem *expected)
{
	struct buf text = { 0 };

	address_rewrite(stanza, map);
	if (elem_equals(stanza, expected))
		return;
	elem_write(&text, stanza, NULL);
	fail_msg("to %s: %s", map->bare_to, text.data);
}

static void
expect_rewritten(struct arena *arena, const char *template, const char *from,
    const char *to, unsigned found)
{
	struct elem *stanza = filled(arena, template, from);

	if (address_scan(stanza, OWN, FULL) != found)
		fail_msg("%s in %s", from, template);
	expect_mapped(stanza, &down, filled(arena, template, to));
	expect_mapped(stanza, &up, filled(arena, template, from));
}

/* There and back. */
static void
expect_in_account_view(struct arena *arena, const char *template)
{
	struct elem *stanza = filled(arena, template, FULL);

	expect_mapped(stanza, &account_down,
	    filled(arena, template, OWN "/phone"));
	expect_mapped(stanza, &account_up, filled(arena, template, FULL));
	stanza = filled(arena, template, OWN);
	expect_mapped(stanza, &account_down, filled(arena, template, OWN));
	expect_mapped(stanza, &account_up, filled(arena, template, OWN));
}

static void
test_every_place(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(addressed) / sizeof(addressed[0]); i++) {
		expect_rewritten(*state, addressed[i], OWN, "al@node",
		    ADDRESS_BARE);
		expect_rewritten(*state, addressed[i], FULL, "al@node/phone",
		    ADDRESS_FULL);
		expect_rewritten(*state, addressed[i], OWN "/x", "al@node/x",
		    ADDRESS_BARE);
		expect_rewritten(*state, addressed[i], "bob@real.example/up",
		    "bob@real.example/up", 0);
		expect_rewritten(*state, addressed[i], "", "", 0);
		expect_in_account_view(*state, addressed[i]);
	}
}

static void
test_everything_else_stays(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++) {
		expect_rewritten(*state, untouched[i], OWN, OWN, 0);
		expect_rewritten(*state, untouched[i], FULL, FULL, 0);
	}
}

/* One place at a time: none hides behind another. */
static void
test_places_one_by_one(void **state)
{
	struct buf text = { 0 };
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(addressed) / sizeof(addressed[0]); i++) {
		at = addressed[i];
		while ((at = strchr(at, '~')) != NULL) {
			buf_clear(&text);
			buf_add(&text, addressed[i],
			    (size_t)(at - addressed[i]));
			buf_puts(&text, OWN);
			buf_puts(&text, ++at);
			if (address_scan(filled(*state, text.data, "bob"), OWN,
				FULL) != ADDRESS_BARE)
				fail_msg("%s", text.data);
		}
	}
	buf_free(&text);
}

static void
test_scan_adds_up(void **state)
{
	struct elem *stanza;

	stanza = filled(*state,
	    "<delay xmlns='urn:xmpp:delay' from='~'/>"
	    "<stanza-id xmlns='urn:xmpp:sid:0' by='Alice@real.example'/>",
	    FULL);
	assert_int_equal(address_scan(stanza, OWN, FULL),
	    ADDRESS_BARE | ADDRESS_FULL);
	assert_int_equal(address_scan(stanza, OWN, NULL), ADDRESS_BARE);
	assert_int_equal(address_scan(stanza, "bob@x", "bob@x/y"), 0);
	assert_int_equal(address_scan(parsed(*state, "<message/>"), OWN, FULL),
	    0);
}

/* A text in pieces is one address; what replaces it is one text. */
static void
test_text_in_pieces(void **state)
{
	struct elem *stanza, *jid;

	stanza = parsed(*state,
	    "<iq><prefs xmlns='urn:xmpp:mam:2'><always>"
	    "<jid>alice</jid></always></prefs></iq>");
	jid = elem_first(elem_first(elem_first(stanza)));
	elem_add_text(jid, "@real.example");
	assert_int_equal(address_scan(stanza, OWN, FULL), ADDRESS_BARE);
	address_rewrite(stanza, &down);
	assert_string_equal(elem_text(jid), "al@node");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_map),
		TEST(test_map_without_full),
		TEST(test_every_place),
		TEST(test_everything_else_stays),
		TEST(test_places_one_by_one),
		TEST(test_scan_adds_up),
		TEST(test_text_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
