/*
 * What contacts see of N clients (XEP-0115): a thousand changes, and after each the hash
 * verifies, the set is that of a model, and no presence came that no change was for.
 */
#include "support_talk.h"

#include "base/clock.h"
#include "base/text.h"
#include "mod/caps.h"
#include "mod/caps_hash.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

#define CLIENTS  6
#define FEATURES 24
#define NOTIFIES 12
#define CHANGES  1000
#define HELD_MS  600000
#define VERS     4

enum state { GONE, THERE, ASLEEP };

/* What ought to be, told of each client. */
struct model {
	void **talk;
	uint32_t seed;
	struct {
		enum state state;
		unsigned has, asks;
	} client[CLIENTS];
	unsigned known;           /* notify, of all devices */
	uint64_t until[FEATURES]; /* 0: nobody had it lately */
	unsigned announced_has, announced_asks;
	char ver[VERS][40]; /* the latest first */
	unsigned presences, changes;
};

static unsigned
draw(struct model *m, unsigned below)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return (m->seed >> 8) % below;
}

static struct peer *
server(struct model *m)
{
	return &rig_server(talk_rig(m->talk), "S")->peer;
}

static unsigned
held(const struct model *m)
{
	unsigned set = 0;

	for (int i = 0; i < CLIENTS; i++)
		set |= m->client[i].state != GONE ? m->client[i].has : 0;
	for (int f = 0; f < FEATURES; f++)
		set |= m->until[f] > clock_now() ? 1u << f : 0;
	return set;
}

/* A client's features are to change: what it had alone stays for a while. */
static void
let_go(struct model *m, int who)
{
	unsigned others = 0;

	for (int i = 0; i < CLIENTS; i++)
		others |= i != who && m->client[i].state != GONE ?
		    m->client[i].has :
		    0;
	for (int f = 0; f < FEATURES; f++) {
		if (m->client[who].has & ~others & 1u << f)
			m->until[f] = clock_now() + HELD_MS;
	}
}

static void
count_change(struct model *m)
{
	unsigned has = held(m);

	if (has == m->announced_has && m->known == m->announced_asks)
		return;
	m->announced_has = has;
	m->announced_asks = m->known;
	m->changes++;
}

static void
note_ver(struct model *m, const char *ver)
{
	/* Sent on change only. */
	assert_string_not_equal(m->ver[0], ver);
	memmove(m->ver[1], m->ver[0], sizeof(m->ver) - sizeof(m->ver[0]));
	snprintf(m->ver[0], sizeof(m->ver[0]), "%s", ver);
	m->presences++;
}

/* What came since; the answer with that id. */
static struct elem *
hear(struct model *m, const char *id)
{
	struct elem *e, *answer = NULL;
	const struct elem *c;

	rig_run(talk_rig(m->talk));
	while ((e = peer_next(server(m))) != NULL) {
		if (stanza_kind(e) == STANZA_PRESENCE) {
			assert_non_null(c = elem_find(e, NS_CAPS, "c"));
			assert_string_equal(elem_attr(c, "node"), CAPS_NODE);
			note_ver(m, elem_attr(c, "ver"));
		} else if (id != NULL && text_equals(elem_attr(e, "id"), id)) {
			answer = e;
		}
		peer_drop(server(m), e);
	}
	return answer;
}

static const struct elem *
ask(struct model *m, const char *ver)
{
	char *node = ver != NULL ? mem_printf(" node='" CAPS_NODE "#%s'", ver) :
				   mem_strdup("");
	char *xml = mem_printf("<iq type='get' id='q' from='bob@b.example/x' "
			       "to='%s'><query xmlns='" NS_DISCO_INFO
			       "'%s/></iq>",
	    server(m)->full, node);
	struct elem *answer;

	assert_int_equal(peer_send(server(m), xml), 0);
	answer = hear(m, "q");
	free(xml);
	free(node);
	assert_non_null(answer);
	assert_int_equal(stanza_type(answer), TYPE_RESULT);
	return elem_first(answer);
}

static void
verify(struct model *m, const char *ver, const struct elem *query)
{
	struct buf own = { 0 };

	(void)m;
	assert_true(caps_is_well_formed(query));
	caps_ver(&own, query);
	assert_string_equal(own.data, ver);
	buf_free(&own);
}

static bool
says(const struct elem *query, const char *var)
{
	ELEM_EACH(e, query) {
		if (text_equals(elem_attr(e, "var"), var))
			return true;
	}
	return false;
}

static void
compare(const struct model *m, const struct elem *query)
{
	char *var;

	for (int f = 0; f < FEATURES; f++) {
		var = mem_printf("urn:feature:%d", f);
		assert_int_equal(says(query, var), (m->announced_has >> f) & 1);
		free(var);
	}
	for (int n = 0; n < NOTIFIES; n++) {
		var = mem_printf("urn:node:%d+notify", n);
		assert_int_equal(says(query, var),
		    (m->announced_asks >> n) & 1);
		free(var);
	}
}

/* As a contact does it that saw the presence, or one of those before it. */
static void
check(struct model *m)
{
	const struct elem *now;

	(void)hear(m, NULL);
	for (int i = 0; i < VERS && m->ver[i][0] != '\0'; i++)
		verify(m, m->ver[i], ask(m, m->ver[i]));
	now = ask(m, NULL);
	verify(m, m->ver[0], now);
	compare(m, now);
	assert_true(m->presences <= m->changes);
}

/* --- changes --- */

static void
say(struct model *m, const char *fmt, int who)
{
	char *line = mem_printf(fmt, who + 1);

	talk(m->talk, line);
	free(line);
}

static void
send_presence(struct model *m, int who)
{
	say(m, "presence C%d priority=-1 caps", who);
}

/* So few that mostly nobody else has some of them. */
static unsigned
few(struct model *m, unsigned bits)
{
	return draw(m, 1u << bits) & draw(m, 1u << bits) & draw(m, 1u << bits);
}

static void
give_features(struct model *m, int who)
{
	struct buf b = { 0 };

	m->client[who].has = few(m, FEATURES);
	m->client[who].asks = few(m, NOTIFIES);
	buf_printf(&b, "can C%d", who + 1);
	for (int f = 0; f < FEATURES; f++) {
		if (m->client[who].has & 1u << f)
			buf_printf(&b, " urn:feature:%d", f);
	}
	for (int n = 0; n < NOTIFIES; n++) {
		if (m->client[who].asks & 1u << n)
			buf_printf(&b, " urn:node:%d+notify", n);
	}
	talk(m->talk, b.data);
	buf_free(&b);
}

/* A device asks for what it asked for last, there or not. */
static void
note_devices(struct model *m)
{
	m->known = 0;
	for (int i = 0; i < CLIENTS; i++)
		m->known |= m->client[i].asks;
}

static void
come(struct model *m, int who)
{
	give_features(m, who);
	m->client[who].state = THERE;
	note_devices(m);
	count_change(m);
	say(m, "connect C%d sm", who);
	send_presence(m, who);
}

static void
change(struct model *m, int who)
{
	let_go(m, who);
	give_features(m, who);
	note_devices(m);
	count_change(m);
	send_presence(m, who);
}

static void
go(struct model *m, int who)
{
	let_go(m, who);
	m->client[who].state = GONE;
	say(m, "close C%d", who);
}

static void
fall_asleep(struct model *m, int who)
{
	m->client[who].state = ASLEEP;
	say(m, "lose C%d", who);
}

static void
wake(struct model *m, int who)
{
	m->client[who].state = THERE;
	say(m, "resume C%d", who);
}

/* Sleepers are not away for so long that they end. */
static void
pass_time(struct model *m)
{
	unsigned seconds = draw(m, 400);

	for (int i = 0; i < CLIENTS; i++) {
		if (m->client[i].state == ASLEEP)
			wake(m, i);
	}
	for (; seconds > 0; seconds--) {
		rig_wait(talk_rig(m->talk), 1000);
		count_change(m);
	}
}

static void
restart(struct model *m)
{
	talk(m->talk, "wait 1s");
	count_change(m);
	talk(m->talk, "kill");
	for (int i = 0; i < CLIENTS; i++) {
		if (m->client[i].state != GONE)
			wake(m, i);
	}
	/* What was held is held anew. */
	for (int f = 0; f < FEATURES; f++) {
		if (m->until[f] > clock_now())
			m->until[f] = clock_now() + HELD_MS;
	}
}

static void
change_something(struct model *m)
{
	int who = (int)draw(m, CLIENTS);
	unsigned what = draw(m, 100);

	if (what < 2)
		restart(m);
	else if (what < 15)
		pass_time(m);
	else if (m->client[who].state == GONE)
		come(m, who);
	else if (m->client[who].state == ASLEEP)
		wake(m, who);
	else if (what < 45)
		change(m, who);
	else if (what < 75)
		go(m, who);
	else
		fall_asleep(m, who);
}

static void
hash_verifies_over_a_thousand_changes(void **state)
{
	struct model m = { .talk = state, .seed = 4 };

	/* One that can do nothing is always there: show and priority are its own. */
	TALK(state, "sm",
	    "info <identity category='account' type='registered'/>", "can C9",
	    "connect C9 sm", "presence C9 priority=5 caps");
	m.changes = 1;
	check(&m);
	for (unsigned i = 0; i < CHANGES; i++) {
		change_something(&m);
		if (talk_rig(state)->proxy != NULL &&
		    rig_client(talk_rig(state), "C9")->peer.stream == NULL)
			TALK(state, "resume C9");
		check(&m);
		for (int c = 0; c < CLIENTS; c++) {
			char name[8];

			snprintf(name, sizeof(name), "C%d", c + 1);
			peer_drain(&rig_client(talk_rig(state), name)->peer);
		}
		TALK(state, "drain C9");
	}
	assert_true(m.changes > CHANGES / 4);
	assert_true(m.presences > CHANGES / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		talk_test(hash_verifies_over_a_thousand_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
