#include "rig/managed.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "rig/rig.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"
#include "xmpp/xml.h"

#define MAX_SECONDS 300 /* that a server keeps a session whose link is lost */

/* --- what is kept --- */

static void
drop_first(struct managed *m)
{
	struct kept *k = STAILQ_FIRST(&m->kept);

	STAILQ_REMOVE_HEAD(&m->kept, next);
	free(k->xml);
	free(k);
}

static void
keep(struct managed *m, const struct elem *stanza)
{
	struct kept *k = mem_alloc(sizeof(*k));
	struct buf b = { 0 };

	elem_write(&b, stanza, NS_CLIENT);
	k->xml = buf_take(&b);
	STAILQ_INSERT_TAIL(&m->kept, k, next);
	m->sm.out++;
}

unsigned
managed_kept(const struct managed *m)
{
	const struct kept *k;
	unsigned count = 0;

	STAILQ_FOREACH(k, &m->kept, next)
		count++;
	return count;
}

void
managed_init(struct managed *m)
{
	STAILQ_INIT(&m->kept);
}

void
managed_reset(struct managed *m)
{
	while (!STAILQ_EMPTY(&m->kept))
		drop_first(m);
	m->sm = (struct sm){ 0 };
	m->is_enabling = m->is_over = m->tells_h = false;
	mem_free_string(&m->id);
	mem_free_string(&m->failure);
}

/* --- sending --- */

static void
say(struct peer *p, const char *xml)
{
	rig_trace_text(p->rig, p->name, ">", xml);
	if (p->stream != NULL)
		stream_send_text(p->stream, xml);
}

static void
sayf(struct peer *p, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	say(p, b.data);
	buf_free(&b);
}

/* The stanzas among it; what is not well-formed has none. */
void
managed_sent(struct peer *p, const char *xml)
{
	struct managed *m = &p->managed;
	struct arena *arena = arena_new();
	uint64_t before = m->sm.out;
	struct buf b = { 0 };
	struct elem *all = NULL;

	buf_printf(&b, "<all>%s</all>", xml);
	if (m->sm.on)
		all = xml_parse(arena, b.data, b.len, NS_CLIENT, NULL, NULL);
	if (all != NULL) {
		ELEM_EACH(child, all) {
			if (stanza_kind(child) != STANZA_NONE)
				keep(m, child);
		}
	}
	if (m->asks && m->sm.out != before)
		say(p, "<r xmlns='" NS_SM "'/>");
	buf_free(&b);
	arena_free(&arena);
}

void
managed_send_again(struct peer *p)
{
	struct managed *m = &p->managed;
	STAILQ_HEAD(, kept) again = STAILQ_HEAD_INITIALIZER(again);
	struct kept *k;

	STAILQ_CONCAT(&again, &m->kept);
	while ((k = STAILQ_FIRST(&again)) != NULL) {
		STAILQ_REMOVE_HEAD(&again, next);
		say(p, k->xml);
		managed_sent(p, k->xml);
		free(k->xml);
		free(k);
	}
}

/* --- acknowledgement --- */

static void
acknowledge(struct peer *p, uint32_t h)
{
	struct managed *m = &p->managed;
	uint64_t before = m->sm.acked;

	if (!sm_acknowledge(&m->sm, h))
		rig_fault(p->rig, "%s: h='%u', but %u were sent", p->name,
		    (unsigned)h, (unsigned)m->sm.out);
	else if ((uint32_t)m->sm.acked != h)
		rig_fault(p->rig, "%s: h goes back from %u to %u", p->name,
		    (unsigned)m->sm.acked, (unsigned)h);
	for (; before < m->sm.acked; before++)
		drop_first(m);
}

static void
on_r(struct peer *p, const struct elem *e)
{
	(void)e;
	if (!p->managed.is_mute)
		sayf(p, "<a xmlns='" NS_SM "' h='%u'/>",
		    (unsigned)sm_h(&p->managed.sm));
}

static void
on_a(struct peer *p, const struct elem *e)
{
	uint32_t h;

	if (sm_parse_h(e, &h))
		acknowledge(p, h);
	else
		rig_fault(p->rig, "%s: <a/> without an h", p->name);
}

/* --- enabling --- */

void
managed_enable(struct peer *p)
{
	struct managed *m = &p->managed;

	sm_enable(&m->sm);
	m->is_enabling = true;
	mem_free_string(&m->id);
	mem_free_string(&m->failure);
	say(p, "<enable xmlns='" NS_SM "' resume='true'/>");
}

static bool
is_true(const char *value)
{
	return text_equals(value, "true") || text_equals(value, "1");
}

static void
on_enabled(struct peer *p, const struct elem *e)
{
	struct managed *m = &p->managed;

	m->is_enabling = false;
	if (is_true(elem_attr(e, "resume")))
		m->id = mem_strdup(elem_attr(e, "id"));
}

static void
on_failed(struct peer *p, const struct elem *e)
{
	const struct elem *cond = elem_first(e);

	managed_reset(&p->managed);
	p->managed.failure = mem_strdup(cond != NULL ? cond->name : "failed");
}

static void
on_enable(struct peer *p, const struct elem *e)
{
	struct managed *m = &p->managed;
	char id[RANDOM_ID_SIZE];

	if (m->sm.on)
		rig_fault(p->rig, "%s: <enable/> twice", p->name);
	managed_reset(m);
	sm_enable(&m->sm);
	if (!is_true(elem_attr(e, "resume"))) {
		say(p, "<enabled xmlns='" NS_SM "'/>");
		return;
	}
	m->id = mem_strdup(random_id(id));
	sayf(p, "<enabled xmlns='" NS_SM "' id='%s' resume='true' max='%d'/>",
	    m->id, MAX_SECONDS);
}

bool
managed_take(struct peer *p, const struct elem *e)
{
	struct managed *m = &p->managed;

	if (stanza_kind(e) != STANZA_NONE)
		m->sm.in += m->sm.on && !m->is_enabling;
	if (m->is_offered && elem_is(e, NS_SM, "enable"))
		on_enable(p, e);
	else if (m->is_enabling && elem_is(e, NS_SM, "enabled"))
		on_enabled(p, e);
	else if (m->is_enabling && elem_is(e, NS_SM, "failed"))
		on_failed(p, e);
	else if (m->sm.on && elem_is(e, NS_SM, "r"))
		on_r(p, e);
	else if (m->sm.on && elem_is(e, NS_SM, "a"))
		on_a(p, e);
	else
		return false;
	return true;
}

/* --- a lost link --- */

void
managed_end(struct peer *p)
{
	if (p->managed.sm.on && p->stream != NULL)
		on_r(p, NULL);
	managed_lost(&p->managed, true);
}

void
managed_lost(struct managed *m, bool is_over)
{
	m->lost_at = clock_now();
	m->is_over = m->is_over || is_over;
}

void
managed_resumed(struct peer *p, uint32_t h)
{
	acknowledge(p, h);
	/* Where it is a fault the script has failed. */
	(void)sm_resume(&p->managed.sm, h, 0);
	managed_send_again(p);
}

void
managed_unresumed(struct peer *p, bool has_h, uint32_t h)
{
	if (has_h)
		acknowledge(p, h);
	p->managed.sm = (struct sm){ 0 };
}

static bool
can_resume(const struct managed *m)
{
	return m->sm.on && m->id != NULL && !m->is_over;
}

bool
managed_waits(const struct managed *m)
{
	return m->is_offered && can_resume(m) &&
	    clock_now() - m->lost_at <= MAX_SECONDS * 1000;
}

enum accept_resume
managed_may_resume(struct peer *p, const char *previd, uint32_t h,
    struct accept_refusal *refusal)
{
	struct managed *m = &p->managed;
	struct sm sm = m->sm;

	if (!m->is_offered || !text_equals(previd, m->id))
		return ACCEPT_NOT_RESUMED;
	if (p->stream != NULL ? !can_resume(m) : !managed_waits(m)) {
		refusal->has_h = m->tells_h;
		refusal->h = sm_h(&m->sm);
		return ACCEPT_NOT_RESUMED;
	}
	if (sm_resume(&sm, h, 0))
		return ACCEPT_RESUMED;
	acknowledge(p, h); /* says what is wrong */
	refusal->sent = (uint32_t)m->sm.out;
	return ACCEPT_TOO_HIGH;
}

void
managed_answer_resume(struct peer *p, uint32_t h)
{
	sayf(p, "<resumed xmlns='" NS_SM "' previd='%s' h='%u'/>",
	    p->managed.id, (unsigned)sm_h(&p->managed.sm));
	managed_resumed(p, h);
}

void
managed_forget(struct managed *m, bool tells_h)
{
	m->is_over = true;
	m->tells_h = tells_h;
}
