#include "core/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/message.h"
#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

#define NS_SI "http://jabber.org/protocol/si"

/* Whoever makes up more, or longer ones, than these has to do without. */
#define SID_MAX        1024 /* bytes */
#define TRANSPORTS_MAX 16   /* of one Jingle stanza */

struct exchanges {
	struct recent *open;  /* by key_of() to a session */
	struct recent *peers; /* by full JID to a session */
};

/* A bytestream has one id, by whatever it is negotiated and carried. */
enum kind { KIND_NONE, KIND_JINGLE, KIND_STREAM, KIND_COMMAND };

/* What a stanza says of an exchange. */
struct part {
	enum kind kind;
	const char *sid;
	bool closes;
};

struct exchanges *
exchanges_new(size_t max)
{
	struct exchanges *x = mem_alloc(sizeof(*x));

	x->open = recent_new(max);
	x->peers = recent_new(max);
	return x;
}

void
exchanges_free(struct exchanges **holder)
{
	struct exchanges *x = *holder;

	*holder = NULL;
	if (x == NULL)
		return;
	recent_free(&x->open);
	recent_free(&x->peers);
	free(x);
}

/* --- what a stanza says --- */

static bool
has_value(const struct elem *e, const char *attr, const char *value)
{
	return text_equals(elem_attr(e, attr), value);
}

static struct part
part_of_jingle(const struct elem *e)
{
	return (struct part){ KIND_JINGLE, elem_attr(e, "sid"),
		has_value(e, "action", "session-terminate") };
}

/* XEP-0050 3.3: the one who executes says when it is over, or the other cancels. */
static struct part
part_of_command(const struct elem *e)
{
	return (struct part){ KIND_COMMAND, elem_attr(e, "sessionid"),
		has_value(e, "action", "cancel") ||
		    has_value(e, "status", "completed") ||
		    has_value(e, "status", "canceled") };
}

static struct part
part_of(const struct elem *e)
{
	if (elem_is(e, NS_JINGLE, "jingle"))
		return part_of_jingle(e);
	if (elem_is(e, NS_COMMANDS, "command"))
		return part_of_command(e);
	if (text_equals(e->ns, NS_IBB))
		return (struct part){ KIND_STREAM, elem_attr(e, "sid"),
			strcmp(e->name, "close") == 0 };
	if (elem_is(e, NS_BYTESTREAMS, "query"))
		return (struct part){ KIND_STREAM, elem_attr(e, "sid"), false };
	if (elem_is(e, NS_SI, "si"))
		return (struct part){ KIND_STREAM, elem_attr(e, "id"), false };
	return (struct part){ 0 };
}

static const struct elem *
payload_of(const struct elem *stanza)
{
	if (stanza_kind(stanza) == STANZA_MESSAGE)
		return message_stream_data(stanza);
	return elem_first(stanza);
}

/* --- the table --- */

/* No byte of XML is \1, so that no two are alike. */
static char *
key_of(enum kind kind, const char *sid, const char *peer)
{
	return mem_printf("%d\1%s\1%s", kind, sid, peer);
}

static void
put(struct account *a, const struct session *s, const char *peer,
    const struct part *part)
{
	char *key;

	if (part->sid == NULL || strlen(part->sid) > SID_MAX)
		return;
	key = key_of(part->kind, part->sid, peer);
	if (part->closes)
		recent_remove(a->exchanges->open, key);
	else
		recent_set(a->exchanges->open, key, s->id);
	free(key);
}

/* XEP-0261 2.2: the stream of a Jingle transport has an id of its own. */
static void
put_transports(struct account *a, const struct session *s, const char *peer,
    const struct elem *jingle)
{
	struct part part = { .kind = KIND_STREAM };
	unsigned left = TRANSPORTS_MAX;

	ELEM_EACH(content, jingle) {
		const struct elem *e = elem_find(content, NULL, "transport");

		if (e == NULL)
			continue;
		if (left-- == 0)
			return;
		part.sid = elem_attr(e, "sid");
		put(a, s, peer, &part);
	}
}

void
exchange_note(struct account *a, const struct session *s, const char *peer,
    const struct elem *stanza)
{
	const struct elem *payload = payload_of(stanza);
	struct part part;

	if (payload == NULL || stanza_type(stanza) == TYPE_ERROR)
		return;
	part = part_of(payload);
	put(a, s, peer, &part);
	if (part.kind == KIND_JINGLE && !part.closes)
		put_transports(a, s, peer, payload);
}

void
exchange_touch(struct account *a, const struct session *s, const char *peer)
{
	if (jid_is_bare(peer))
		return;
	recent_set(a->exchanges->peers, peer, s->id);
}

static struct session *
find(const struct account *a, const struct recent *table, const char *key)
{
	struct session *s;
	uint64_t id;

	if (!recent_get(table, key, &id))
		return NULL;
	s = proxy_find_session(a->user->proxy, id);
	return s != NULL && !s->closing ? s : NULL;
}

struct session *
exchange_owner(const struct account *a, const char *peer,
    const struct elem *stanza)
{
	const struct elem *payload = payload_of(stanza);
	struct part part = { 0 };
	struct session *s;
	char *key;

	if (payload != NULL)
		part = part_of(payload);
	if (part.sid == NULL)
		return NULL;
	key = key_of(part.kind, part.sid, peer);
	s = find(a, a->exchanges->open, key);
	free(key);
	return s;
}

/* One that is asleep would only refuse what it never began. */
struct session *
exchange_latest(const struct account *a, const char *peer)
{
	struct session *s = find(a, a->exchanges->peers, peer);

	return s != NULL && !s->asleep ? s : NULL;
}

struct account *
exchange_account(const struct session *s, const char *peer,
    const struct elem *stanza)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a) && exchange_owner(a, peer, stanza) == s)
			return a;
	}
	return NULL;
}
