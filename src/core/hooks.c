#include "core/hooks.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/account.h"
#include "core/proxy.h"
#include "core/session.h"
#include "core/upstream.h"

#define EACH_MODULE(m, proxy) \
	for (const struct module *const *at_ = (proxy)->modules, *m; \
	     (m = *at_) != NULL; at_++)

/* All that have that function, in the table's order. */
#define TELL(proxy, function, ...) \
	do { \
		EACH_MODULE(m, proxy) \
		{ \
			if (m->function != NULL) \
				m->function(__VA_ARGS__); \
		} \
	} while (0)

static const char *
decided(const char *id, const struct module *m, const struct route *r,
    const char *reason)
{
	if (log_on(LEVEL_DEBUG))
		log_event(LEVEL_DEBUG, id, "handled",
		    "module=%s stanza=%s id=%s reason=\"%s\"", m->name,
		    r->stanza->name, LOG_Q(r->id), reason);
	return reason;
}

const char *
hooks_from_client(struct session *s, struct route *r)
{
	const char *reason;

	EACH_MODULE(m, s->proxy)
	{
		if (m->from_client == NULL)
			continue;
		if ((reason = m->from_client(s, r)) != NULL)
			return decided(s->log_id, m, r, reason);
	}
	return NULL;
}

const char *
hooks_from_upstream(struct account *a, struct route *r)
{
	const char *reason;

	EACH_MODULE(m, a->user->proxy)
	{
		if (m->from_upstream == NULL)
			continue;
		if ((reason = m->from_upstream(a, r)) != NULL)
			return decided(upstream_log_id(a->upstream), m, r,
			    reason);
	}
	return NULL;
}

bool
hooks_nonza(struct session *s, const struct elem *e)
{
	EACH_MODULE(m, s->proxy)
	{
		if (m->nonza != NULL && m->nonza(s, e))
			return true;
	}
	return false;
}

void
hooks_info(struct session *s, struct account *a, struct elem *query)
{
	TELL(s->proxy, info, s, a, query);
}

void
hooks_session_bound(struct session *s)
{
	TELL(s->proxy, session_bound, s);
}

void
hooks_session_gone(struct session *s)
{
	TELL(s->proxy, session_gone, s);
}

void
hooks_upstream_up(struct account *a)
{
	TELL(a->user->proxy, upstream_up, a);
}

void
hooks_upstream_ready(struct account *a)
{
	TELL(a->user->proxy, upstream_ready, a);
}

void
hooks_session_resumed(struct session *s, bool restarted)
{
	TELL(s->proxy, session_resumed, s, restarted);
}

void
hooks_session_asleep(struct session *s)
{
	TELL(s->proxy, session_asleep, s);
}

void
hooks_upstream_resumed(struct account *a)
{
	TELL(a->user->proxy, upstream_resumed, a);
}

void
hooks_account_load(struct account *a)
{
	TELL(a->user->proxy, account_load, a);
}

void
hooks_upstream_down(struct account *a)
{
	TELL(a->user->proxy, upstream_down, a);
}

void
hooks_presence_sent(struct account *a)
{
	TELL(a->user->proxy, presence_sent, a);
}

void
hooks_upstream_failed(struct account *a)
{
	TELL(a->user->proxy, upstream_failed, a);
}

void
hooks_user_reloaded(struct user *u)
{
	TELL(u->proxy, user_reloaded, u);
}

void
hooks_decorate_presence(struct account *a, struct elem *presence)
{
	TELL(a->user->proxy, decorate_presence, a, presence);
}

void
hooks_session_free(struct session *s)
{
	TELL(s->proxy, session_free, s);
}

void
hooks_account_free(struct account *a)
{
	TELL(a->user->proxy, account_free, a);
}

static bool
fits(enum stanza_type type, const char *ns, const char *name,
    const struct route *r, const struct elem *payload)
{
	if (type != r->type || !text_equals(ns, payload->ns))
		return false;
	return strcmp(name, "*") == 0 || strcmp(name, payload->name) == 0;
}

const char *
hooks_client_iq(struct session *s, struct route *r, unsigned scope)
{
	const struct elem *payload = elem_first(r->stanza);
	const char *reason;

	EACH_MODULE(m, s->proxy)
	{
		for (const struct iq_handler *h = m->iqs;
		     h != NULL && h->name != NULL; h++) {
			if (!(h->scope & scope) ||
			    !fits(h->type, h->ns, h->name, r, payload))
				continue;
			if ((reason = h->handle(s, r)) != NULL)
				return decided(s->log_id, m, r, reason);
		}
	}
	return NULL;
}

/* RFC 6121 2.1.6: what the own server alone may say is nobody else's business. */
static const char *
refuse(struct account *a, struct route *r)
{
	account_answer(a,
	    stanza_error(r->stanza, ERR_SERVICE_UNAVAILABLE, NULL));
	return "only the own server may say so";
}

const char *
hooks_peer_iq(struct account *a, struct route *r, bool own)
{
	const struct elem *payload = elem_first(r->stanza);
	const char *reason;

	EACH_MODULE(m, a->user->proxy)
	{
		for (const struct peer_iq_handler *h = m->peer_iqs;
		     h != NULL && h->name != NULL; h++) {
			if (!fits(h->type, h->ns, h->name, r, payload))
				continue;
			if (h->own_only && !own)
				reason = refuse(a, r);
			else
				reason = h->handle(a, r);
			if (reason != NULL)
				return decided(upstream_log_id(a->upstream), m,
				    r, reason);
		}
	}
	return NULL;
}
