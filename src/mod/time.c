/* Entity time (XEP-0202): in UTC, as nobody's place is told. */
#include "base/clock.h"
#include "base/text.h"
#include "core/account.h"
#include "core/session.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

static struct elem *
utc(struct arena *arena)
{
	struct elem *time = elem_new(arena, NS_TIME, "time");
	char stamp[TEXT_STAMP_SIZE];

	elem_add_text(elem_child(time, NS_TIME, "tzo"), "Z");
	elem_add_text(elem_child(time, NS_TIME, "utc"),
	    text_stamp(stamp, clock_wall()));
	return time;
}

static const char *
on_time(struct session *s, struct route *r)
{
	session_reply(s, r, utc(r->stanza->arena));
	return "a client asked for the time";
}

static const char *
on_peer_time(struct account *a, struct route *r)
{
	struct elem *answer = stanza_result(r->stanza);

	elem_append(answer, utc(r->stanza->arena));
	account_answer(a, answer);
	return "a peer asked for the time";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_TIME, "time", on_time, IQ_TO_NODE },
	{ 0 },
};

static const struct peer_iq_handler peer_iqs[] = {
	{ TYPE_GET, NS_TIME, "time", on_peer_time, false },
	{ 0 },
};

const struct module mod_time = {
	.name = "time",
	.xep = "XEP-0202",
	.peer_features = (const char *const[]){ NS_TIME, NULL },
	.iqs = iqs,
	.peer_iqs = peer_iqs,
};
