/* A stream that goes on (XEP-0198 5): after a cut and after a restart alike. */
#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/events.h"
#include "core/fanout.h"
#include "core/missed.h"
#include "core/playback.h"
#include "core/proxy.h"
#include "core/session_sm.h"
#include "core/turn.h"
#include "xmpp/ns.h"

enum accept_resume
session_sm_check(struct session *s, uint32_t h, struct accept_refusal *refusal)
{
	struct sm trial = s->sm;

	if (sm_resume(&trial, h, s->is_restored ? SM_SLACK : 0))
		return ACCEPT_RESUMED;
	refusal->has_h = true;
	refusal->h = h;
	refusal->sent = (uint32_t)s->sm.out;
	return ACCEPT_TOO_HIGH;
}

/* An older link that is still there goes first, with what it has not handled. */
static void
close_old(struct session *s)
{
	if (s->stream == NULL)
		return;
	stream_fail(&s->stream, STREAM_CONFLICT,
	    "the stream was resumed on another connection");
	session_detach(s);
}

static void
wake(struct session *s, struct stream *stream, const char *peer)
{
	close_old(s);
	timer_stop(&s->sleep_timer);
	s->asleep = false;
	s->paused = false;
	s->ack_id[0] = '\0';
	s->peer = mem_strdup(peer);
	s->proxy->sessions_open++;
	session_attach(s, stream);
}

static void
send_resumed(struct session *s)
{
	struct buf b = { 0 };

	buf_printf(&b,
	    "<resumed xmlns='" NS_SM "' h='%" PRIu32 "' previd='%s'/>",
	    sm_h(&s->sm), s->sm_id);
	stream_send_text(s->stream, b.data);
	buf_free(&b);
}

static void
send_bytes_again(struct session *s, const struct flight *old)
{
	struct flight f = { .bytes = blob_ref(old->bytes),
		.is_answer = old->is_answer };
	uint64_t number = old->number;

	stream_send_frame(s->stream, NULL, 0, f.bytes, NULL);
	session_sm_sent(s, &f);
	if (!old->is_answer)
		return;
	open_iqs_renumber(&s->open_iqs, number, s->sm.out);
	open_iqs_renumber(&s->refused, number, s->sm.out);
}

static void
send_one_again(struct session *s, const struct flight *f)
{
	if (f->seq != 0)
		fanout_again(s, f->seq);
	else if (f->bytes != NULL)
		send_bytes_again(s, f);
	else if (f->jid != NULL)
		missed_add(s, f->account, f->jid);
}

/*
 * In the old order under new numbers, behind what is still to be sent again; of presence
 * what is current, later. Where that closes the session, ended.h gets all of it.
 */
static void
send_again(struct session *s)
{
	struct flight f;

	for (uint32_t left = s->flights.count; left > 0; left--) {
		f = *flights_first(&s->flights);
		send_one_again(s, &f);
		if (s->closing)
			return;
		f = flights_take(&s->flights);
		flight_fini(&f);
	}
}

static void
fail_one(struct session *s, const char *name, const struct open_iq *iq,
    const char *text)
{
	struct arena *arena = arena_new();
	struct route r = { .stanza = elem_new(arena, NS_CLIENT, name) };

	elem_set(r.stanza, "type", "get");
	elem_set(r.stanza, "id", iq->id);
	elem_set(r.stanza, "to", iq->to);
	session_reply_error(s, &r, ERR_REMOTE_SERVER_TIMEOUT, text);
	arena_free(&arena);
}

/* The answers were lost with the process; the errors are got when acknowledged. */
static void
fail_open_iqs(struct session *s)
{
	struct open_iq *iq;

	TAILQ_FOREACH(iq, &s->open_iqs.all, next)
		iq->number = 0;
	TAILQ_FOREACH(iq, &s->refused.all, next)
		iq->number = 0;
	TAILQ_FOREACH(iq, &s->open_iqs.all, next) {
		if (s->closing)
			return;
		fail_one(s, "iq", iq,
		    "the proxy was started anew, and the answer is lost");
	}
	TAILQ_FOREACH(iq, &s->refused.all, next) {
		if (s->closing)
			return;
		fail_one(s, "message", iq, "it was refused");
		session_sm_refused(s, iq->id);
	}
}

void
session_sm_resume(struct session *s, struct stream *stream, uint32_t h,
    const char *peer)
{
	(void)sm_resume(&s->sm, h, s->is_restored ? SM_SLACK : 0);
	session_sm_acknowledged(s);
	wake(s, stream, peer);
	send_resumed(s);
	log_event(LEVEL_INFO, s->log_id, "session-resumed",
	    "user=%s jid=%s peer=%s again=%" PRIu32, s->user->name,
	    LOG_Q(s->full), peer, s->flights.count);
	send_again(s);
	if (s->is_restored)
		fail_open_iqs(s);
	hooks_session_resumed(s, s->is_restored);
	if (s->is_restored)
		playback_resumed(s);
	s->is_restored = false;
	session_touch(s,
	    CHANGED_SELF | CHANGED_COUNTERS | CHANGED_IQS | CHANGED_DEVICE);
	turn_urge(s->proxy);
	if (s->closing)
		return;
	missed_flush(s);
	events_follow(s);
	fanout_follow(s);
}
