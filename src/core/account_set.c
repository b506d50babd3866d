#include "core/account_set.h"

#include "base/log.h"
#include "core/account.h"
#include "core/node_roster.h"
#include "core/session.h"
#include "core/user.h"

struct account_set
account_set_new(const struct user *u, struct arena *arena)
{
	const struct account *a;
	size_t count = 0;

	LIST_FOREACH(a, &u->accounts, next)
		count++;
	return (struct account_set){ .all = arena_alloc(arena,
					 count * sizeof(struct account *)) };
}

void
account_set_add(struct account_set *set, struct account *a)
{
	set->all[set->count++] = a;
}

void
account_set_add_holders(struct account_set *set, const struct user *u,
    struct arena *arena, const char *view)
{
	struct account *a;

	LIST_FOREACH(a, &u->accounts, next) {
		if (node_roster_item(a, arena, view) != NULL)
			account_set_add(set, a);
	}
}

void
account_set_log(const struct account_set *set, const struct session *s,
    const char *to, const char *reason)
{
	for (size_t i = 0; i < set->count && log_on(LEVEL_DEBUG); i++)
		log_event(LEVEL_DEBUG, s->log_id, "account-chosen",
		    "to=%s account=%s reason=\"%s\"", LOG_Q(to),
		    set->all[i]->jid, reason);
}

const char *
account_set_away(const struct account_set *set, struct arena *arena)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!account_is_up(set->all[i]))
			return arena_printf(arena,
			    "%s: the account's server is not connected",
			    set->all[i]->jid);
	}
	return NULL;
}
