/*
 * Client state (XEP-0352): a client that is inactive is told less (core/quiet.h). The
 * server is told that we are as long as none of an account's clients is active.
 */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/account.h"
#include "core/quiet.h"
#include "core/session.h"
#include "core/upstream.h"
#include "mod/modules.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

/* One that is asleep is not looked at, whatever it said last. */
static bool
is_anybody_active(const struct account *a)
{
	const struct session *s;

	LIST_FOREACH(s, &a->user->sessions, next) {
		if (!s->closing && !s->asleep && !s->inactive &&
		    session_sees(s, a))
			return true;
	}
	return false;
}

/* A stream begins as active, a resumed one too (XEP-0352 5.2). */
static void
tell_server(struct account *a)
{
	struct stream *stream = upstream_stream(a->upstream);
	bool inactive;

	if (stream == NULL || !a->csi_offered)
		return;
	inactive = !is_anybody_active(a);
	if (inactive == a->csi_inactive)
		return;
	a->csi_inactive = inactive;
	stream_send_text(stream,
	    inactive ? "<inactive xmlns='" NS_CSI "'/>" :
		       "<active xmlns='" NS_CSI "'/>");
	log_event(LEVEL_INFO, upstream_log_id(a->upstream), "server-told",
	    "account=%s active=%s", a->jid, inactive ? "no" : "yes");
}

static void
tell_servers(struct session *s)
{
	struct account *a;

	LIST_FOREACH(a, &s->user->accounts, next) {
		if (session_sees(s, a))
			tell_server(a);
	}
}

static void
become(struct session *s, bool inactive)
{
	log_event(LEVEL_DEBUG, s->log_id, "client-state", "active=%s",
	    inactive ? "no" : "yes");
	if (inactive)
		s->inactive = true;
	else
		quiet_end(s);
	tell_servers(s);
}

static bool
nonza(struct session *s, const struct elem *e)
{
	if (!text_equals(e->ns, NS_CSI))
		return false;
	if (strcmp(e->name, "inactive") == 0)
		become(s, true);
	else if (strcmp(e->name, "active") == 0)
		become(s, false);
	return true;
}

/* What waited comes behind what was sent before, which is sent again by now. */
static void
session_resumed(struct session *s, bool restarted)
{
	(void)restarted;
	quiet_end(s);
	tell_servers(s);
}

const struct module mod_csi = {
	.name = "client-state",
	.xep = "XEP-0352",
	.stream_feature = "<csi xmlns='" NS_CSI "'/>",
	.nonza = nonza,
	.session_bound = tell_servers,
	.session_gone = tell_servers,
	.session_asleep = tell_servers,
	.session_resumed = session_resumed,
	.upstream_up = tell_server,
	.upstream_resumed = tell_server,
	.session_free = quiet_clear,
};
