#include "core/archive.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/account_save.h"
#include "core/message.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"
#include "core/user.h"
#include "xmpp/jid.h"

/* --- whose --- */

static bool
is_offered(const struct elem *info)
{
	ELEM_EACH(e, info) {
		if (elem_is(e, NS_DISCO_INFO, "feature") &&
		    text_equals(elem_attr(e, "var"), NS_MAM))
			return true;
	}
	return false;
}

void
archive_settle(struct account *a, const struct elem *info)
{
	if (a->archive != ARCHIVE_UNKNOWN)
		return;
	a->archive = info != NULL && is_offered(info) ? ARCHIVE_SERVERS :
							ARCHIVE_OURS;
	account_touch(a, ACCOUNT_SELF);
	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "archive",
	    "account=%s is=\"%s\"", a->jid,
	    a->archive == ARCHIVE_OURS ? "ours" : "the server's");
}

bool
archive_is_ours(const struct session *s)
{
	return s->account == NULL || s->account->archive == ARCHIVE_OURS;
}

bool
archive_is_servers(const struct session *s)
{
	return s->account != NULL && s->account->archive == ARCHIVE_SERVERS;
}

unsigned
archive_of(const struct session *s)
{
	return s->account != NULL ? ARCHIVE_OF_ACCOUNT : ARCHIVE_OF_NODE;
}

/* --- what it serves --- */

/* One's own JID is, and all are as long as the roster is not known. */
static bool
is_in_roster(const struct account *a, const struct entry *e)
{
	struct arena *arena;
	bool is;

	if (jid_same_bare(e->peer, a->jid) || !roster_is_known(a->roster))
		return true;
	arena = arena_new();
	is = roster_find(a->roster, jid_bare(arena, e->peer)) != NULL;
	arena_free(&arena);
	return is;
}

static bool
is_wanted(const struct account *a, const struct entry *e,
    const struct archive_prefs *p)
{
	return archive_prefs_want(p, e->peer,
	    p->by_default == ARCHIVE_ROSTER && is_in_roster(a, e));
}

unsigned
archive_unserved(const struct account *a, const struct entry *e,
    const struct elem *message)
{
	unsigned unserved = 0;

	if (message_has_hint(message, "no-permanent-store"))
		return ARCHIVE_OF_ACCOUNT | ARCHIVE_OF_NODE;
	if (!is_wanted(a, e, &a->archive_prefs))
		unserved |= ARCHIVE_OF_ACCOUNT;
	if (!is_wanted(a, e, &a->user->archive_prefs))
		unserved |= ARCHIVE_OF_NODE;
	return unserved;
}

bool
archive_serves(const struct session *s, const struct entry *e)
{
	return e->seq != 0 && archive_is_ours(s) &&
	    (e->unserved & archive_of(s)) == 0;
}

char *
archive_id_of(const struct session *s, const struct entry *e,
    char out[ARCHIVE_ID_SIZE])
{
	return archive_id(out, store_key(s->proxy->store), s->user->id, e->seq);
}

/* --- stanza-ids --- */

/* Whose it is, prepared; NULL: it is none. */
static const char *
stanza_id_by(const struct elem *e)
{
	return elem_is(e, NS_SID, "stanza-id") ? stanza_jid(e, "by") : NULL;
}

const char *
archive_stanza_id(const struct account *a, const struct elem *message)
{
	ELEM_EACH(e, message) {
		if (text_equals(stanza_id_by(e), a->jid))
			return elem_attr(e, "id");
	}
	return NULL;
}

char *
archive_take_stanza_id(const struct account *a, struct elem *message)
{
	struct elem *next;
	const char *by;
	char *id = mem_strdup(archive_stanza_id(a, message));

	for (struct elem *e = elem_first(message); e != NULL; e = next) {
		next = elem_next(e);
		by = stanza_id_by(e);
		if (by != NULL &&
		    (strcmp(by, a->jid) == 0 || strcmp(by, a->user->bare) == 0))
			elem_remove(e);
	}
	return id;
}
