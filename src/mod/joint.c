#include "mod/joint.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/xml.h"

struct joint {
	struct proxy *proxy;
	uint64_t session;
	char *id, *to; /* as it was asked */
	unsigned open;
	char *error; /* the first, as bytes of jabber:client; or NULL */
};

struct joint *
joint_new(struct session *s, const struct route *r)
{
	struct joint *j;

	if (s->joints >= s->proxy->config->limits.iqs_per_session) {
		session_reply_error(s, r, ERR_RESOURCE_CONSTRAINT,
		    "too many open requests");
		return NULL;
	}
	j = mem_alloc(sizeof(*j));
	j->proxy = s->proxy;
	j->session = s->id;
	j->id = mem_strdup(r->id);
	j->to = mem_strdup(elem_attr(r->stanza, "to"));
	j->open = 1;
	s->joints++;
	return j;
}

void
joint_open(struct joint *j)
{
	j->open++;
}

static void
reply(struct session *s, const struct joint *j)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq"), *error = NULL;

	if (j->error != NULL)
		error = xml_parse_own(arena, j->error, strlen(j->error),
		    NS_CLIENT);
	elem_set(iq, "type", error != NULL ? "error" : "result");
	elem_set(iq, "id", j->id);
	elem_set(iq, "from", j->to != NULL ? j->to : s->bare);
	elem_set(iq, "to", s->full);
	if (error != NULL)
		elem_append(iq, error);
	session_send(s, iq);
	arena_free(&arena);
}

void
joint_done(struct joint *j)
{
	struct session *s;

	if (--j->open > 0)
		return;
	if ((s = proxy_find_session(j->proxy, j->session)) != NULL) {
		s->joints--;
		if (!s->closing)
			reply(s, j);
	}
	free(j->id);
	free(j->to);
	free(j->error);
	free(j);
}

void
joint_fail(struct joint *j, const struct elem *error)
{
	struct buf b = { 0 };

	if (error == NULL) {
		joint_fail_with(j, ERR_UNDEFINED_CONDITION,
		    "the server refuses it");
		return;
	}
	if (j->error == NULL) {
		elem_write(&b, error, NS_CLIENT);
		j->error = buf_take(&b);
	}
	joint_done(j);
}

void
joint_fail_with(struct joint *j, enum error_cond cond, const char *text)
{
	struct arena *arena = arena_new();
	struct elem *iq = elem_new(arena, NS_CLIENT, "iq");

	joint_fail(j,
	    elem_find(stanza_error(iq, cond, text), NS_CLIENT, "error"));
	arena_free(&arena);
}
