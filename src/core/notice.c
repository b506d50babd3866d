#include "core/notice.h"

#include <stdarg.h>

#include "core/proxy.h"
#include "core/session.h"
#include "xmpp/ns.h"

void
notice_user(struct user *u, const char *fmt, ...)
{
	struct arena *arena = arena_new();
	struct buf text = { 0 };
	struct elem *m;
	struct session *s;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	LIST_FOREACH(s, &u->sessions, next) {
		m = elem_new(arena, NS_CLIENT, "message");
		elem_set(m, "from", u->proxy->config->node);
		elem_set(m, "to", s->full);
		elem_add_text(elem_child(m, NS_CLIENT, "body"), text.data);
		session_send(s, m);
	}
	buf_free(&text);
	arena_free(&arena);
}
