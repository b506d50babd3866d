/*
 * The services of an account's server, as its disco#items (XEP-0030 4) lists them: in
 * node view what goes to one of them goes through that account (session_view.c). Asked
 * at a login, where there are several accounts to choose from, and kept on disk.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pack.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "core/user.h"
#include "mod/modules.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

static const char key[] = "items";

/* The first that it lists, as many as may be. */
static void
add(struct account *a, const char *domain)
{
	if (recent_count(a->services) <
	    a->user->proxy->config->limits.disco_items)
		recent_set(a->services, domain, 0);
}

/* --- on disk --- */

static void
pack_one(void *arg, const char *domain, uint64_t value)
{
	(void)value;
	pack_string(arg, domain);
}

static void
save(struct account *a)
{
	struct batch *batch = &a->user->proxy->batch;
	struct buf b = { 0 };

	pack_uint(&b, recent_count(a->services));
	recent_each(a->services, pack_one, &b);
	batch_put(batch, STATE_INFO, a->id, key, strlen(key), b.data, b.len);
	turn_touch(a->user->proxy);
	buf_free(&b);
}

static void
load(void *arg, const void *name, size_t name_len, const void *value,
    size_t len)
{
	struct account *a = arg;
	struct unpack u;
	uint64_t count;
	char *domain;

	if (name_len != strlen(key) || memcmp(name, key, name_len) != 0)
		return;
	unpack_init(&u, value, len);
	for (count = unpack_uint(&u); count > 0; count--) {
		if ((domain = unpack_string(&u)) == NULL)
			break;
		add(a, domain);
		free(domain);
	}
}

static void
load_account(struct account *a)
{
	user_load_state(a->user, STATE_INFO, a->id, load, a);
}

/* --- from the server --- */

/* A domain of its own, not somebody there, nor a node of it. */
static void
take(struct account *a, const struct elem *item)
{
	const char *jid, *domain;
	size_t len;

	if (!elem_is(item, NS_DISCO_ITEMS, "item") ||
	    elem_attr(item, "node") != NULL ||
	    (jid = stanza_jid(item, "jid")) == NULL)
		return;
	domain = jid_domain(jid, &len);
	if (domain == jid && len == strlen(jid))
		add(a, domain);
}

static void
on_answer(struct account *a, struct elem *answer, void *arg)
{
	const struct elem *query = NULL;

	(void)arg;
	if (answer != NULL && stanza_type(answer) == TYPE_RESULT)
		query = elem_find(answer, NS_DISCO_ITEMS, "query");
	/* What is known holds until there is another answer. */
	if (query == NULL)
		return;
	recent_free(&a->services);
	a->services = recent_new(a->user->proxy->config->limits.disco_items);
	ELEM_EACH(item, query)
		take(a, item);
	save(a);
}

static void
ask(struct account *a)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	elem_set(iq, "type", "get");
	elem_child(iq, NS_DISCO_ITEMS, "query");
	(void)account_ask(a, iq, a->domain, on_answer, NULL);
	arena_free(&arena);
}

static bool
has_choice(const struct user *u)
{
	return LIST_NEXT(LIST_FIRST(&u->accounts), next) != NULL;
}

static void
upstream_up(struct account *a)
{
	if (has_choice(a->user))
		ask(a);
}

/* One that was alone did not have to be asked. */
static void
user_reloaded(struct user *u)
{
	struct account *a;

	if (!has_choice(u))
		return;
	LIST_FOREACH(a, &u->accounts, next) {
		if (account_is_up(a) && recent_count(a->services) == 0)
			ask(a);
	}
}

const struct module mod_services = {
	.name = "services",
	.xep = "XEP-0030",
	.upstream_up = upstream_up,
	.user_reloaded = user_reloaded,
	.account_load = load_account,
};
