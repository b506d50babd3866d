#include "core/bounce.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/fanout.h"
#include "core/frame.h"
#include "core/outbox.h"
#include "core/upstream.h"
#include "xmpp/ns.h"

/*
 * The error that the server would have given. It is in the log: whoever wrote the
 * message may not be there now.
 */
static struct entry *
error_for(const struct account *a, const struct entry *sent)
{
	struct arena *arena = arena_new();
	struct elem *m = elem_new(arena, NS_CLIENT, "message"), *error;
	struct entry *e = entry_new();

	error = stanza_error(m, ERR_REMOTE_SERVER_TIMEOUT,
	    "the account's server was not there for too long");
	e->account = a->id;
	e->class = CLASS_PLAYBACK;
	e->direction = DIR_IN;
	e->type = TYPE_ERROR;
	e->time = e->stamp;
	e->peer = mem_strdup(sent->peer);
	e->id = mem_strdup(sent->id);
	e->origin = sent->origin;
	e->device = sent->device;
	e->is_eligible = sent->is_eligible;
	e->body = frame_body(error);
	arena_free(&arena);
	return e;
}

void
bounce_expired(struct account *a, uint64_t before)
{
	struct entry *sent;

	while ((sent = outbox_take_expired(a->outbox, before)) != NULL) {
		log_event(LEVEL_WARN, upstream_log_id(a->upstream),
		    "outbox-expired", "to=%s id=%s", LOG_Q(sent->peer),
		    LOG_Q(sent->id));
		if (sent->peer != NULL && sent->type != TYPE_ERROR)
			fanout(a->user, error_for(a, sent));
		entry_unref(&sent);
	}
}
