#include "core/form.h"

#include "base/clock.h"
#include "core/account.h"
#include "core/device.h"
#include "core/directed.h"
#include "core/proxy.h"
#include "core/reached.h"
#include "core/session.h"
#include "core/user.h"

#define DAY_MS UINT64_C(86400000)

/* The device sent it, in this session or in one before. */
static bool
is_own(const struct session *s, const struct entry *e)
{
	if (e->origin == s->id)
		return true;
	return e->device != 0 && s->device != NULL &&
	    e->device == s->device->id;
}

static enum form
form_in_room(struct session *s, const struct entry *e, const char **reason)
{
	const struct directed *d = directed_find_bare(s->directed, e->peer);

	*reason = "it is in that room";
	if (d != NULL && d->account == e->account)
		return FORM_PLAIN;
	*reason = "it is not in that room";
	return FORM_NOTHING;
}

static enum form
form_outgoing(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "its own message";
	if (is_own(s, e))
		return FORM_NOTHING;
	/* XEP-0280 6.1: only clients that are there can answer. */
	*reason = "it is not in that room";
	if (e->is_room_private && user_is_in_room(s->user, e->peer) &&
	    directed_find_bare(s->directed, e->peer) == NULL)
		return FORM_NOTHING;
	*reason = "not eligible for carbons";
	if (!e->is_eligible || e->type == TYPE_GROUPCHAT)
		return FORM_NOTHING;
	*reason = "carbons are on";
	if (s->carbons)
		return FORM_SENT;
	*reason = "no carbons, and nothing that a note could say";
	if (!s->available || (!e->has_body && !e->is_encrypted))
		return FORM_NOTHING;
	*reason = "no carbons, and mirror=\"off\"";
	if (s->user->config->mirror == MIRROR_OFF)
		return FORM_NOTHING;
	*reason = "no carbons";
	return FORM_NOTE;
}

static enum form
form_error(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "it sent what the error answers";
	if (is_own(s, e))
		return FORM_PLAIN;
	*reason = "it had a copy of what the error answers";
	if (s->carbons && e->is_eligible)
		return FORM_RECEIVED;
	*reason = "it knows nothing of what the error answers";
	return FORM_NOTHING;
}

static enum form
form_copy(struct session *s, const struct entry *e, const char **reason)
{
	*reason = "carbons are on";
	if (s->carbons && e->is_eligible)
		return FORM_RECEIVED;
	*reason = "not available, and no carbons of such a message";
	return FORM_NOTHING;
}

static enum form
form_incoming(struct session *s, const struct entry *e, const char **reason)
{
	bool takes = s->available && s->priority >= 0;

	if (e->type == TYPE_GROUPCHAT)
		return form_in_room(s, e, reason);
	if (e->type == TYPE_ERROR)
		return form_error(s, e, reason);
	if (e->is_room_private && user_is_in_room(s->user, e->peer))
		return form_in_room(s, e, reason);
	*reason = "available";
	if (takes || (e->is_event && s->available))
		return FORM_PLAIN;
	*reason = "a headline or event, and not available";
	if (e->type == TYPE_HEADLINE || e->is_event)
		return FORM_NOTHING;
	return form_copy(s, e, reason);
}

/*
 * A private message is for one session as long as that is there; if that went without
 * it, it is what reached nobody.
 */
static bool
is_for_another(const struct session *s, const struct entry *e)
{
	const struct session *only;

	if (e->only == 0 || e->only == s->id)
		return false;
	only = proxy_find_session(s->proxy, e->only);
	return e->seq == 0 || reached_has(&s->user->reached, e->seq) ||
	    (only != NULL && !only->closing);
}

/* What reached nobody has no age. */
static bool
is_too_old(const struct session *s, const struct entry *e)
{
	uint64_t age = s->proxy->config->limits.playback_days * DAY_MS;

	return e->seq != 0 && e->seq < s->live_from &&
	    clock_wall() > e->stamp + age &&
	    reached_has(&s->user->reached, e->seq);
}

enum form
form_of(struct session *s, const struct entry *e, const char **reason)
{
	const struct account *a = user_find_account(s->user, e->account);

	*reason = "not an account that it sees";
	if (a == NULL || !session_sees(s, a))
		return FORM_NOTHING;
	*reason = "for another session";
	if (is_for_another(s, e))
		return FORM_NOTHING;
	*reason = "too old to be played back";
	if (is_too_old(s, e))
		return FORM_NOTHING;
	switch (e->direction) {
	case DIR_OUT:
		return form_outgoing(s, e, reason);
	case DIR_BESIDE:
		*reason = "carbons are on";
		if (s->carbons)
			return FORM_RECEIVED;
		/* FALLTHROUGH */
	case DIR_IN:
		break;
	}
	return form_incoming(s, e, reason);
}
