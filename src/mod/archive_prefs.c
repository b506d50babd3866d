/* Preferences of our archive (XEP-0441): each view has its own. */
#include "core/archive_prefs.h"

#include <string.h>

#include "base/text.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/turn.h"
#include "mod/archive.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

static const char *const names[] = {
	[ARCHIVE_ALWAYS] = "always",
	[ARCHIVE_NEVER] = "never",
	[ARCHIVE_ROSTER] = "roster",
};

static struct archive_prefs *
prefs_of(const struct session *s)
{
	return s->account != NULL ? &s->account->archive_prefs :
				    &s->user->archive_prefs;
}

/* In node view the own JID stands for the default account's. */
static struct account *
account_of(const struct session *s)
{
	return s->account != NULL ? s->account : user_default_account(s->user);
}

/* --- on disk --- */

static void
save(struct session *s)
{
	struct buf key = { 0 }, value = { 0 };

	pack_uint(&key, s->account != NULL ? s->account->id : 0);
	archive_prefs_pack(prefs_of(s), &value);
	batch_put(&s->proxy->batch, STATE_PREFS, s->user->id, key.data, key.len,
	    value.data, value.len);
	/* The client is told that they hold. */
	turn_urge(s->proxy);
	buf_free(&key);
	buf_free(&value);
}

static void
load_one(void *arg, const void *key, size_t key_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	struct archive_prefs *p = NULL;
	struct unpack u;
	uint64_t view;

	unpack_init(&u, key, key_len);
	view = unpack_uint(&u);
	if (view == a->id)
		p = &a->archive_prefs;
	else if (view == 0)
		p = &a->user->archive_prefs;
	if (p == NULL)
		return;
	archive_prefs_fini(p);
	unpack_init(&u, value, len);
	archive_prefs_unpack(p, &u);
}

static void
load(struct account *a)
{
	user_load_state(a->user, STATE_PREFS, a->user->id, load_one, a);
}

/* --- what is asked --- */

static void
add_jids(struct session *s, struct elem *prefs, const char *name,
    const struct archive_jids *jids)
{
	struct elem *list = elem_child(prefs, NS_MAM, name);
	struct address_map map = account_map_down(account_of(s), s);

	for (size_t i = 0; i < jids->count; i++)
		elem_add_text(elem_child(list, NS_MAM, "jid"),
		    address_map(prefs->arena, &map, jids->list[i]));
}

static void
reply(struct session *s, const struct route *r)
{
	const struct archive_prefs *p = prefs_of(s);
	struct elem *prefs = elem_new(r->stanza->arena, NS_MAM, "prefs");

	elem_set(prefs, "default", names[p->by_default]);
	add_jids(s, prefs, "always", &p->always);
	add_jids(s, prefs, "never", &p->never);
	session_reply(s, r, prefs);
}

static const char *
on_get(struct session *s, struct route *r)
{
	if (!archive_is_asked(s, r))
		return NULL;
	if (archive_is_unsettled(s, r))
		return ARCHIVE_UNSETTLED;
	reply(s, r);
	return "what is archived";
}

/* --- what is set --- */

static int
parse_default(const struct elem *prefs, struct archive_prefs *p)
{
	const char *value = elem_attr(prefs, "default");

	for (int i = ARCHIVE_ALWAYS; i <= ARCHIVE_ROSTER; i++) {
		if (text_equals(value, names[i])) {
			p->by_default = (enum archive_default)i;
			return 0;
		}
	}
	return -1;
}

static int
parse_jids(struct session *s, const struct elem *prefs, const char *name,
    struct archive_jids *jids)
{
	const struct elem *list = elem_find(prefs, NS_MAM, name);
	struct address_map map = account_map_up(account_of(s), s);
	const char *jid;

	if (list == NULL)
		return 0;
	ELEM_EACH(e, list) {
		if (!elem_is(e, NS_MAM, "jid"))
			continue;
		jid = jid_prep(prefs->arena, elem_text(e), NULL);
		if (jid == NULL)
			return -1;
		archive_jids_add(jids, address_map(prefs->arena, &map, jid));
	}
	return 0;
}

/* Why they cannot be taken, or NULL. */
static const char *
parse(struct session *s, const struct elem *prefs, struct archive_prefs *p,
    enum error_cond *cond)
{
	*cond = ERR_BAD_REQUEST;
	if (parse_default(prefs, p) < 0)
		return "there is no such default";
	*cond = ERR_JID_MALFORMED;
	if (parse_jids(s, prefs, "always", &p->always) < 0 ||
	    parse_jids(s, prefs, "never", &p->never) < 0)
		return "one of them is no JID";
	*cond = ERR_POLICY_VIOLATION;
	if (p->always.count + p->never.count >
	    s->proxy->config->limits.roster_items)
		return "more JIDs than a roster may have";
	return NULL;
}

static const char *
on_set(struct session *s, struct route *r)
{
	struct archive_prefs p = { 0 };
	enum error_cond cond;
	const char *why;

	if (!archive_is_asked(s, r))
		return NULL;
	if (archive_is_unsettled(s, r))
		return ARCHIVE_UNSETTLED;
	if ((why = parse(s, elem_first(r->stanza), &p, &cond)) != NULL) {
		archive_prefs_fini(&p);
		session_reply_error(s, r, cond, why);
		return why;
	}
	archive_prefs_fini(prefs_of(s));
	*prefs_of(s) = p;
	save(s);
	reply(s, r);
	return "it is archived as is wished";
}

static const struct iq_handler iqs[] = {
	{ TYPE_GET, NS_MAM, "prefs", on_get, IQ_TO_SELF | IQ_TO_ACCOUNT },
	{ TYPE_SET, NS_MAM, "prefs", on_set, IQ_TO_SELF | IQ_TO_ACCOUNT },
	{ 0 },
};

const struct module mod_archive_prefs = {
	.name = "archive-prefs",
	.xep = "XEP-0441",
	.iqs = iqs,
	.account_load = load,
};
