/* An entry of the log as one session gets it: the bytes of each form. */
#ifndef CORE_RENDER_H
#define CORE_RENDER_H

#include <stdbool.h>

#include "core/form.h"

struct account;

/* late: the time it was sent is told (XEP-0203). */
void render_send(struct session *, struct account *, struct entry *, enum form,
    bool late);
/* What an archive is asked for (XEP-0313 4.2); query_id may be NULL. */
struct render_result {
	const char *from, *query_id;
};
void render_result(struct session *, struct account *, struct entry *,
    const struct render_result *);
const char *render_form_name(enum form);

#endif
