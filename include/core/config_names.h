/* Lists of names in messages: which of them a person may have meant. */
#ifndef CORE_CONFIG_NAMES_H
#define CORE_CONFIG_NAMES_H

#include <stddef.h>

#include "base/buf.h"

#define CONFIG_NAMES_MAX 64

/* Ends with NULL. */
struct config_names {
	const char *name[CONFIG_NAMES_MAX + 1];
	size_t count;
};

void config_names_add(struct config_names *, const char *);
/* Only those that look like `written`; all of them where none does. */
void config_names_narrow(struct config_names *, const char *written);
/* Appends "<a>, <b> or <c>" for before "<" and after ">". */
void config_names_join(struct buf *, const struct config_names *,
    const char *before, const char *after);

#endif
