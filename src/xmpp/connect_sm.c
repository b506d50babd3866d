/* Going on with a former stream, in place of binding (XEP-0198 5). */
#include "base/text.h"
#include "connect_impl.h"
#include "xmpp/ns.h"

static void
bind_instead(struct connect *c, bool has_h, uint32_t h)
{
	c->events->not_resumed(c->arg, has_h, h);
	if (c->stream != NULL)
		connect_bind(c);
}

bool
connect_begin_resume(struct connect *c)
{
	struct elem *resume;

	if (c->resume_id == NULL)
		return false;
	if (elem_find(c->features, NS_SM, "sm") == NULL) {
		bind_instead(c, false, 0);
		return true;
	}
	resume = elem_new(c->arena, NS_SM, "resume");
	elem_set(resume, "previd", c->resume_id);
	elem_setf(resume, "h", "%u", (unsigned)c->options.resume_h);
	stream_send(c->stream, resume);
	c->phase = PHASE_RESUME;
	return true;
}

static void
take_resumed(struct connect *c, const struct elem *e)
{
	uint32_t h;

	if (!text_equals(elem_attr(e, "previd"), c->resume_id))
		connect_fail(c, CONNECT_PASSING,
		    "the server resumed another stream");
	else if (!sm_parse_h(e, &h))
		connect_fail(c, CONNECT_PASSING,
		    "the server does not say what it has handled");
	else
		c->events->resumed(c->arg, connect_take_stream(c), h,
		    c->features);
}

void
connect_on_resume(struct connect *c, const struct elem *e)
{
	uint32_t h = 0;
	bool has_h;

	if (elem_is(e, NS_SM, "resumed")) {
		take_resumed(c, e);
	} else if (elem_is(e, NS_SM, "failed")) {
		has_h = sm_parse_h(e, &h);
		bind_instead(c, has_h, h);
	} else {
		connect_fail(c, CONNECT_PASSING,
		    "the server sent <%s/> out of turn", e->name);
	}
}
