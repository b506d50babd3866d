#include "core/stand_in.h"

#include "core/availability.h"
#include "core/session.h"

#define STAND_IN_MS 10000 /* a client that is back sends presence at once */

void
stand_in_begin(struct session *s, const struct session *old)
{
	if (!old->available && !old->stands_in)
		return;
	s->presence = elem_copy(s->presence_arena, old->presence);
	s->priority = old->priority;
	s->show = old->show;
	s->presence_at = old->presence_at;
	s->stands_in = true;
	timer_set(&s->stand_in_timer, STAND_IN_MS);
}

void
stand_in_end(struct session *s)
{
	s->stands_in = false;
	timer_stop(&s->stand_in_timer);
}

void
stand_in_expired(void *arg)
{
	struct session *s = arg;

	stand_in_end(s);
	availability_session_changed(s);
}
