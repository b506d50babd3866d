#include "core/node_presence.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/account.h"
#include "core/node_roster.h"
#include "core/user.h"

struct node_shown
node_shown(struct user *u, struct arena *arena, const char *view)
{
	struct node_shown shown = { 0 };
	struct account *a;
	const char *jid;

	LIST_FOREACH(a, &u->accounts, next) {
		if ((jid = node_jid_up(a, arena, view)) == NULL ||
		    account_has_blocked(a, jid))
			continue;
		shown.account = a;
		shown.presence = presences_find(a->presences, jid);
		if (shown.presence != NULL)
			return shown;
	}
	return (struct node_shown){ 0 };
}

void
node_before_init(struct node_before *b, struct account *a, const char *from)
{
	struct arena *arena = arena_new();
	struct node_shown shown;

	memset(b, 0, sizeof(*b));
	b->view = mem_strdup(node_jid_down(a, arena, from));
	shown = node_shown(a->user, arena, b->view);
	if (shown.presence != NULL) {
		b->account = shown.account;
		b->lang = mem_strdup(shown.presence->lang);
		b->body = blob_ref(shown.presence->body);
	}
	arena_free(&arena);
}

void
node_before_fini(struct node_before *b)
{
	free(b->view);
	free(b->lang);
	blob_unref(&b->body);
}

static bool
is_same_body(const struct blob *a, const struct blob *b)
{
	return blob_len(a) == blob_len(b) &&
	    (blob_len(a) == 0 ||
		memcmp(blob_data(a), blob_data(b), blob_len(a)) == 0);
}

bool
node_is_news(const struct node_before *b, const struct account *a,
    const struct node_shown *now)
{
	if (b->account == now->account)
		return now->account == a || now->account == NULL;
	return b->account == NULL || now->account == NULL ||
	    !text_equals(b->lang, now->presence->lang) ||
	    !is_same_body(b->body, now->presence->body);
}
