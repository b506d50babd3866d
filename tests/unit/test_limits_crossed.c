/*
 * Each limit has a test that crosses it (design.md 9): which, and that it speaks of
 * the limit by its name. Those that are nobody else's are here.
 */
#include "support_talk.h"
#include "support_tls.h"

#include <ctype.h>

#include "core/limits.h"
#include "core/presences.h"
#include "core/roster.h"
#include "core/upstream.h"

#define HERE "tests/unit/test_limits_crossed.c"

static const struct {
	const char *limit, *file;
} crossed[] = {
	{ "stanza-bytes", "tests/scripts/limit_stanza.xt" },
	{ "login-bytes", "tests/unit/test_login.c" },
	{ "upstream-stanza-bytes", HERE },
	{ "stanza-depth", "tests/scripts/limit_stanza.xt" },
	{ "stanza-attributes", "tests/scripts/limit_stanza.xt" },
	{ "stanza-elements", "tests/scripts/limit_stanza.xt" },
	{ "connections", "tests/unit/test_login.c" },
	{ "connections-per-address", "tests/scripts/limit_connections.xt" },
	{ "logins-open", "tests/unit/test_login.c" },
	{ "sessions-per-user", "tests/scripts/limit_sessions.xt" },
	{ "auth-seconds", "tests/unit/test_login.c" },
	{ "tls-seconds", HERE },
	{ "login-tries", "tests/unit/test_login.c" },
	{ "login-failures-per-address", "tests/unit/test_login.c" },
	{ "login-failures-per-user", "tests/unit/test_login.c" },
	{ "login-failure-seconds", "tests/unit/test_login.c" },
	{ "queue-frames", "tests/unit/test_fanout.c" },
	{ "queue-bytes", "tests/unit/test_fanout.c" },
	{ "queue-bytes-max", "tests/unit/test_session.c" },
	{ "upstream-queue-bytes", HERE },
	{ "read-rate", "tests/unit/test_session.c" },
	{ "read-burst", "tests/unit/test_session.c" },
	{ "log-entries", "tests/unit/test_fanout.c" },
	{ "log-bytes", "tests/unit/test_fanout.c" },
	{ "log-days", "tests/unit/test_upkeep.c" },
	{ "room-entries", "tests/unit/test_upkeep.c" },
	{ "room-days", "tests/unit/test_upkeep.c" },
	{ "playback-entries", "tests/unit/test_playback.c" },
	{ "playback-days", "tests/unit/test_playback.c" },
	{ "playback-new", "tests/unit/test_playback.c" },
	{ "devices-per-user", "tests/unit/test_device.c" },
	{ "resume-seconds", "tests/unit/test_session_sm.c" },
	{ "ack-stanzas", "tests/unit/test_session_sm.c" },
	{ "ack-seconds", "tests/unit/test_session_sm.c" },
	{ "store-reserve-bytes", "tests/unit/test_upkeep.c" },
	{ "archive-page", "tests/scripts/limit_archive.xt" },
	{ "outbox-entries", "tests/scripts/outbox_limit.xt" },
	{ "outbox-seconds", "tests/unit/test_bounce.c" },
	{ "gap-bytes", "tests/scripts/limit_gap.xt" },
	{ "gap-pages", "tests/scripts/limit_gap.xt" },
	{ "iqs-per-session", "tests/scripts/limit_iqs.xt" },
	{ "iqs-per-account", "tests/scripts/limit_iqs.xt" },
	{ "iq-seconds", "tests/unit/test_session.c" },
	{ "roster-items", HERE },
	{ "block-items", "tests/scripts/limit_blocking.xt" },
	{ "roster-removals", "tests/scripts/limit_removals.xt" },
	{ "disco-items", "tests/scripts/limit_items.xt" },
	{ "presences", HERE },
	{ "quiet-stanzas", "tests/scripts/limit_csi.xt" },
	{ "caps-hashes", "tests/scripts/limit_caps.xt" },
	{ "caps-features", "tests/scripts/limit_caps.xt" },
	{ "events", "tests/scripts/limit_events.xt" },
	{ "event-bytes", "tests/scripts/limit_events.xt" },
	{ "directed-presences", "tests/scripts/limit_directed.xt" },
	{ "receipts", "tests/unit/test_sent.c" },
	{ "exchanges", "tests/scripts/limit_exchanges.xt" },
	{ "ping-seconds", "tests/scripts/idle.xt" },
	{ "ping-timeout-seconds", "tests/unit/test_session.c" },
	{ "idle-seconds", "tests/unit/test_session.c" },
	{ "dials", "tests/unit/test_upstream.c" },
	{ "connect-seconds", HERE },
};

#define CROSSED (sizeof(crossed) / sizeof(crossed[0]))

static void
read_file(struct buf *b, const char *path)
{
	char piece[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		fail_msg("there is no %s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(b, piece, n);
	fclose(f);
}

static bool
is_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* As a word: "connections" does not stand in "connections-per-address". */
static bool
mentions(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *at = text;

	while ((at = strstr(at, name)) != NULL) {
		if ((at == text || !is_of_name(at[-1])) && !is_of_name(at[len]))
			return true;
		at += len;
	}
	return false;
}

/* Here the table does not count. */
static const char *
behind_table(const char *text)
{
	const char *end = strstr(text, "CROSSED (sizeof");

	return end != NULL ? end : text;
}

static void
each_limit_has_a_test_that_names_it(void **state)
{
	struct buf text = { 0 };
	unsigned missing = 0;
	size_t i;

	(void)state;
	for (i = 0; i < CROSSED; i++) {
		buf_clear(&text);
		read_file(&text, crossed[i].file);
		if (mentions(behind_table(text.data), crossed[i].limit))
			continue;
		print_error("%s says nothing of %s\n", crossed[i].file,
		    crossed[i].limit);
		missing++;
	}
	buf_free(&text);
	assert_int_equal(missing, 0);
}

static void
the_table_has_each_limit_once(void **state)
{
	const struct limit_info *info;
	size_t i = 0;

	(void)state;
	for (info = limit_table; info->name != NULL; info++, i++) {
		if (i >= CROSSED || strcmp(crossed[i].limit, info->name) != 0)
			fail_msg("no test is named for %s", info->name);
	}
	assert_int_equal(i, CROSSED);
}

/* --- crossed here --- */

/* presences: one more is passed on to who is there, and not kept for who comes. */
static void
presences_over_the_limit_are_not_kept(void **state)
{
	TALK(state, "limits presences=16",
	    "roster <item jid='bob@b.example' subscription='both'/>",
	    "login C1",
	    "repeat 17 S> <presence from='bob@b.example/{n}' to='$S'/>",
	    "repeat 17 C1< <presence from='bob@b.example/{n}' to='$C1'/>",
	    "logged event=presence-not-kept");
	assert_int_equal(presences_count(talk_account(state)->presences), 16);
	TALK(state, "connect C2", "C2> <presence/>",
	    "C2< <presence from='$C2' ...>...</presence>",
	    "C2< <presence from='$C1' ...>...</presence>",
	    "repeat 16 C2< <presence from='bob@b.example/{n}' to='$C2'/>",
	    "nothing C2", "drain",
	    "S> <presence from='bob@b.example/1' to='$S' type='unavailable'/>",
	    "S> <presence from='bob@b.example/17' to='$S'/>", "drain");
	assert_non_null(
	    presences_find(talk_account(state)->presences, "bob@b.example/17"));
}

#define ITEMS4(n) \
	"<item jid='" n "1@b.example'/><item jid='" n "2@b.example'/>" \
	"<item jid='" n "3@b.example'/><item jid='" n "4@b.example'/>"
#define ITEMS16 ITEMS4("a") ITEMS4("b") ITEMS4("c") ITEMS4("d")

/* roster-items: one more is not taken, the others stay. */
static void
a_roster_over_the_limit_stays_as_it_is(void **state)
{
	TALK(state, "limits roster-items=16", "roster " ITEMS16, "login C1");
	assert_int_equal(roster_count(talk_account(state)->roster), 16);
	TALK(state,
	    "S> <iq type='set' to='$S' id='1'><query xmlns='jabber:iq:roster'>"
	    "<item jid='more@b.example'/></query></iq>",
	    "drain");
	assert_int_equal(roster_count(talk_account(state)->roster), 16);
	TALK(state,
	    "S> <iq type='set' to='$S' id='2'><query xmlns='jabber:iq:roster'>"
	    "<item jid='a1@b.example' subscription='remove'/></query></iq>",
	    "S> <iq type='set' to='$S' id='3'><query xmlns='jabber:iq:roster'>"
	    "<item jid='more@b.example'/></query></iq>",
	    "drain");
	assert_non_null(
	    roster_find(talk_account(state)->roster, "more@b.example"));
}

static void
a_whole_roster_over_the_limit_is_none(void **state)
{
	TALK(state, "limits roster-items=16",
	    "roster " ITEMS16 "<item jid='more@b.example'/>", "connect C1");
	assert_false(roster_is_known(talk_account(state)->roster));
	assert_int_equal(roster_count(talk_account(state)->roster), 0);
	TALK(state,
	    "C1> <iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
	    "wait 31s", "C1< <iq type='error' id='1' ...>...</iq>", "drain");
}

/* upstream-stanza-bytes: the stream goes, comes again, and no client notices. */
static void
a_stanza_from_upstream_over_the_limit_ends_that_stream(void **state)
{
	TALK(state, "limits upstream-stanza-bytes=10000", "login C1",
	    "S> <message from='bob@b.example' to='$S' type='chat' id='1'>"
	    "<body>{pad:9800}</body></message>",
	    "C1< <message id='1' ...>...</message>",
	    "S> <message from='bob@b.example' to='$S' type='chat' id='2'>"
	    "<body>{pad:10000}</body></message>",
	    "closed S policy-violation", "upstream up", "drain",
	    "C1> <message to='bob@b.example' type='chat' id='3'>"
	    "<body>x</body></message>",
	    "S< <message id='3' ...>...</message>", "nothing");
}

/* upstream-queue-bytes: requests fail, messages stay in the outbox, in order. */
static void
a_full_queue_upstream_fails_requests_and_keeps_messages(void **state)
{
	struct conn *conn;

	TALK(state, "limits upstream-queue-bytes=65536", "login C1",
	    "login C2 carbons", "stall S",
	    "repeat 200 C1> <message to='bob@b.example' type='chat' "
	    "id='m{n}'><body>{pad:1000}</body></message>");
	conn = stream_conn(upstream_stream(talk_account(state)->upstream));
	assert_in_range(conn_queued_bytes(conn), 65536, 65536 + 2048);
	assert_true(outbox_count(talk_account(state)->outbox) > 100);
	TALK(state, "drain C2",
	    "C1> <iq type='get' to='bob@b.example/x' id='q'>"
	    "<query xmlns='urn:q'/></iq>",
	    "C1< <iq type='error' id='q' ...>{error resource-constraint}</iq>",
	    "unstall S", "repeat 200 S< <message id='m{n}' ...>...</message>",
	    "nothing",
	    "C1> <iq type='get' to='bob@b.example/x' id='r'>"
	    "<query xmlns='urn:q'/></iq>",
	    "S< <iq type='get' ...>...</iq>", "nothing");
}

static unsigned asked_ms;

static struct dial *
note_target(void *arg, const struct dial_target *target,
    const struct dial_events *events, void *events_arg)
{
	struct proxy_env env = rig_env(arg);

	asked_ms = target->try_ms;
	return env.dial_new(arg, target, events, events_arg);
}

/* connect-seconds: what test_dial.c crosses is what the dialler is told. */
static void
an_address_is_tried_for_so_long(void **state)
{
	TALK(state, "limits connect-seconds=7", "wait 1s");
	talk_rig(state)->proxy->env.dial_new = note_target;
	TALK(state, "upstream down", "upstream up", "drain");
	assert_int_equal(asked_ms, 7000);
}

/* tls-seconds: a handshake that never ends; the conversation beside it does not. */
static void
a_handshake_that_takes_too_long_is_ended(void **state)
{
	struct proxy *proxy;
	char byte;
	int fds[2];

	TALK(state, "limits tls-seconds=5 auth-seconds=60", "login C1");
	proxy = talk_rig(state)->proxy;
	proxy->certs = tls_certs_new(NULL);
	tls_issue(
	    &(struct tls_issue){ .name = "a.example", .subject = "a.example" });
	assert_int_equal(tls_add(proxy->certs, NULL, "a.example"), 0);
	io_pair(fds);
	proxy_accept(proxy, transport_socket(fds[0]), "192.0.2.9",
	    ACCEPT_DIRECT);
	TALK(state, "wait 4s");
	assert_int_equal(read(fds[1], &byte, 1), -1);
	TALK(state, "wait 2s");
	assert_int_equal(read(fds[1], &byte, 1), 0);
	close(fds[1]);
	TALK(state,
	    "C1> <iq type='get' id='1'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>",
	    "C1< <iq type='result' id='1' ...>...</iq>", "drain");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_each_limit_once),
		cmocka_unit_test(each_limit_has_a_test_that_names_it),
		talk_test(presences_over_the_limit_are_not_kept),
		talk_test(a_roster_over_the_limit_stays_as_it_is),
		talk_test(a_whole_roster_over_the_limit_is_none),
		talk_test(
		    a_stanza_from_upstream_over_the_limit_ends_that_stream),
		talk_test(an_address_is_tried_for_so_long),
		talk_test(a_handshake_that_takes_too_long_is_ended),
		talk_test(
		    a_full_queue_upstream_fails_requests_and_keeps_messages),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
