#include "core/features.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct features {
	unsigned refs;
	size_t count;
	char **vars; /* sorted */
};

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of the sorted list: each once. */
static void
take_once(struct features *f, const char *const *sorted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0)
			f->vars[f->count++] = mem_strdup(sorted[i]);
	}
}

struct features *
features_new(const char *const *vars, size_t count)
{
	struct features *f = mem_alloc(sizeof(*f));
	const char **sorted = mem_array(count, sizeof(*sorted));

	f->refs = 1;
	f->vars = mem_array(count, sizeof(*f->vars));
	if (count > 0) {
		memcpy(sorted, vars, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare);
	}
	take_once(f, sorted, count);
	free(sorted);
	return f;
}

struct features *
features_ref(struct features *f)
{
	if (f != NULL)
		f->refs++;
	return f;
}

void
features_unref(struct features **holder)
{
	struct features *f = *holder;

	*holder = NULL;
	if (f == NULL || --f->refs > 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->vars[i]);
	free(f->vars);
	free(f);
}

size_t
features_count(const struct features *f)
{
	return f != NULL ? f->count : 0;
}

const char *
features_at(const struct features *f, size_t i)
{
	return f->vars[i];
}

bool
features_has(const struct features *f, const char *var)
{
	return f != NULL && f->count > 0 &&
	    bsearch(&var, f->vars, f->count, sizeof(*f->vars), compare) != NULL;
}

/* As strcmp() of the node with "+notify" behind it. */
static int
compare_node(const void *key, const void *element)
{
	const char *node = key, *var = *(const char *const *)element;
	size_t len = strlen(node);
	int order = strncmp(node, var, len);

	return order != 0 ? order : strcmp(FEATURES_NOTIFY, var + len);
}

bool
features_wants(const struct features *f, const char *node)
{
	return f != NULL && f->count > 0 &&
	    bsearch(node, f->vars, f->count, sizeof(*f->vars), compare_node) !=
	    NULL;
}

bool
features_is_notify(const char *var)
{
	size_t len = strlen(var), end = strlen(FEATURES_NOTIFY);

	return len > end && strcmp(var + len - end, FEATURES_NOTIFY) == 0;
}

struct features *
features_of_notify(const struct features *f)
{
	size_t all = features_count(f), count = 0;
	const char **vars = mem_array(all, sizeof(*vars));
	struct features *notify = NULL;

	for (size_t i = 0; i < all; i++) {
		if (features_is_notify(f->vars[i]))
			vars[count++] = f->vars[i];
	}
	if (count > 0)
		notify = features_new(vars, count);
	free(vars);
	return notify;
}

bool
features_equal(const struct features *a, const struct features *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->vars[i], b->vars[i]) != 0)
			return false;
	}
	return true;
}

void
features_pack(const struct features *f, struct buf *b)
{
	pack_uint(b, features_count(f));
	for (size_t i = 0; i < features_count(f); i++)
		pack_string(b, f->vars[i]);
}

struct features *
features_unpack(struct unpack *u)
{
	uint64_t left = unpack_uint(u);
	char **vars = NULL, *var;
	struct features *f;
	size_t count = 0;

	for (; left > 0 && (var = unpack_string(u)) != NULL; left--) {
		vars = mem_grow(vars, (count + 1) * sizeof(*vars));
		vars[count++] = var;
	}
	f = features_new((const char *const *)vars, count);
	while (count > 0)
		free(vars[--count]);
	free(vars);
	return f;
}
