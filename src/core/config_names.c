#include "core/config_names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { LETTERS_MAX = 40 };

/*
 * How many letters to add, drop or change to make one from the other: one row
 * of the usual table at a time.
 */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[LETTERS_MAX + 1], corner, above, i, j;
	size_t la = strlen(a), lb = strlen(b);

	if (la > LETTERS_MAX || lb > LETTERS_MAX)
		return LETTERS_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = corner + (a[i - 1] != b[j - 1]);
			if (row[j] > above + 1)
				row[j] = above + 1;
			if (row[j] > row[j - 1] + 1)
				row[j] = row[j - 1] + 1;
			corner = above;
		}
	}
	return row[lb];
}

static bool
is_near(const char *written, const char *known)
{
	size_t len = strlen(written);

	if (len >= 3 && strstr(known, written) != NULL)
		return true;
	return distance(written, known) <= 1 + len / 4;
}

void
config_names_add(struct config_names *names, const char *name)
{
	assert(names->count < CONFIG_NAMES_MAX);
	names->name[names->count++] = name;
}

void
config_names_narrow(struct config_names *names, const char *written)
{
	struct config_names near = { 0 };
	size_t i;

	for (i = 0; i < names->count; i++)
		if (is_near(written, names->name[i]))
			config_names_add(&near, names->name[i]);
	if (near.count > 0)
		*names = near;
}

void
config_names_join(struct buf *out, const struct config_names *names,
    const char *before, const char *after)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (i > 0)
			buf_puts(out, i + 1 < names->count ? ", " : " or ");
		buf_printf(out, "%s%s%s", before, names->name[i], after);
	}
}
