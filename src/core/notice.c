#include "core/notice.h"

#include <stdarg.h>

#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/ns.h"

static void
say(struct session *s, const char *text)
{
	struct arena *arena = arena_new();
	struct elem *m = elem_new(arena, NS_CLIENT, "message");

	elem_set(m, "from", s->proxy->config->node);
	elem_set(m, "to", s->full);
	elem_add_text(elem_child(m, NS_CLIENT, "body"), text);
	session_send(s, m);
	arena_free(&arena);
}

void
notice_user(struct user *u, const char *fmt, ...)
{
	struct buf text = { 0 };
	struct session *s;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	LIST_FOREACH(s, &u->sessions, next)
		say(s, text.data);
	buf_free(&text);
}

void
notice_session(struct session *s, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	say(s, text.data);
	buf_free(&text);
}
