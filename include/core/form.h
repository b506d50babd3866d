/* Who gets an entry of the log, and in which form: one function that says why. */
#ifndef CORE_FORM_H
#define CORE_FORM_H

#include "core/entry.h"

struct session;

enum form {
	FORM_NOTHING,
	FORM_PLAIN,
	FORM_SENT,     /* XEP-0280 <sent/> */
	FORM_RECEIVED, /* XEP-0280 <received/> */
	FORM_NOTE,     /* "Â» what I said elsewhere" */
};

/* Decides; the reason is for the log. */
enum form form_of(struct session *, const struct entry *, const char **reason);

#endif
