#include "mod/roster_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/account_set.h"
#include "core/proxy.h"
#include "core/route.h"
#include "core/session.h"
#include "core/user.h"
#include "mod/joint.h"
#include "xmpp/jid.h"

static enum error_cond
cond_of(const struct elem *error)
{
	const char *name = stanza_error_cond(error);

	for (int c = 0; name != NULL && c < ERR_COND_COUNT; c++) {
		if (strcmp(error_cond_name((enum error_cond)c), name) == 0)
			return (enum error_cond)c;
	}
	return ERR_UNDEFINED_CONDITION;
}

static void
fail(struct joint *all, const struct account *a, enum error_cond cond,
    const char *why)
{
	char *text = mem_printf("%s: %s", a->jid, why);

	joint_fail_with(all, cond, text);
	free(text);
}

static void
got_answer(struct account *a, struct elem *answer, void *arg)
{
	struct joint *all = arg;

	if (answer == NULL)
		fail(all, a, ERR_REMOTE_SERVER_TIMEOUT,
		    "no answer came in time, or the server is away");
	else if (stanza_type(answer) != TYPE_RESULT)
		fail(all, a, cond_of(answer), "the server refuses it");
	else
		joint_done(all);
}

/* --- requests --- */

static const char *
refuse(struct session *s, const struct route *r, enum error_cond cond,
    const char *why)
{
	session_reply_error(s, r, cond, why);
	return why;
}

static void
send_one(struct joint *all, struct session *s, struct account *a,
    const struct route *r)
{
	struct arena *arena = r->stanza->arena;
	struct address_map map = account_map_up(a, s);
	struct elem *iq = elem_copy(arena, r->stanza);

	address_rewrite(iq, &map);
	elem_set(iq, "from", NULL);
	joint_open(all);
	if (account_ask(a, iq, NULL, got_answer, all) == -1)
		fail(all, a, ERR_RESOURCE_CONSTRAINT,
		    "too much waits for the account's server");
}

static const char *
send_all(struct session *s, const struct account_set *to, const struct route *r)
{
	struct joint *all = joint_new(s, r);

	if (all == NULL)
		return "too many open requests";
	for (size_t i = 0; i < to->count; i++)
		send_one(all, s, to->all[i], r);
	joint_done(all);
	return "to all accounts that have it";
}

/* What an account has nevertheless can be changed, and taken out. */
static bool
is_nobody_here(const struct session *s, struct arena *arena, const char *jid)
{
	struct account_set has = account_set_new(s->user, arena);

	if (!proxy_is_at_node(s->proxy, jid) || strcmp(jid, s->bare) == 0)
		return false;
	if (s->account != NULL)
		return roster_find(s->account->roster, jid) == NULL;
	account_set_add_holders(&has, s->user, arena, jid);
	return has.count == 0;
}

/* To those that have the item, else to the one that is to have it. */
static const char *
set_in_node(struct session *s, struct route *r, const char *jid)
{
	struct arena *arena = r->stanza->arena;
	struct account_set to = account_set_new(s->user, arena);
	const char *why;

	account_set_add_holders(&to, s->user, arena, jid);
	account_set_log(&to, s, jid, "its roster has the item");
	if (to.count == 0)
		account_set_add(&to, session_carrier(s, arena, jid));
	/* With one that is away half of it would be done. */
	if ((why = account_set_away(&to, arena)) != NULL)
		return refuse(s, r, ERR_REMOTE_SERVER_TIMEOUT, why);
	if (to.count == 1)
		return account_forward_iq(to.all[0], s, r);
	return send_all(s, &to, r);
}

const char *
roster_set(struct session *s, struct route *r)
{
	const struct elem *query = elem_first(r->stanza), *item;
	const char *jid;

	item = elem_find(query, NS_ROSTER, "item");
	jid = stanza_jid(item, "jid");
	if (jid != NULL && is_nobody_here(s, r->stanza->arena, jid))
		return refuse(s, r, ERR_NOT_ACCEPTABLE,
		    "nobody has this address at the proxy");
	if (s->account != NULL)
		return account_forward_iq(s->account, s, r);
	if (jid == NULL || elem_next(item) != NULL)
		return refuse(s, r, ERR_BAD_REQUEST,
		    "a set has one item with a JID (RFC 6121 2.1.5)");
	return set_in_node(s, r, jid);
}
