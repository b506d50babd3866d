#include "mod/info.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/version.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static bool
has_feature(const struct elem *query, const char *var)
{
	ELEM_EACH(e, query) {
		if (elem_is(e, NS_DISCO_INFO, "feature") &&
		    text_equals(elem_attr(e, "var"), var))
			return true;
	}
	return false;
}

void
info_add(struct elem *query, const char *var)
{
	if (!has_feature(query, var))
		elem_set(elem_child(query, NS_DISCO_INFO, "feature"), "var",
		    var);
}

static void
add_features(struct elem *query, const char *const *features)
{
	for (; features != NULL && *features != NULL; features++)
		info_add(query, *features);
}

struct elem *
info_new(struct arena *arena, const char *category, const char *type,
    const char *name)
{
	struct elem *query = elem_new(arena, NS_DISCO_INFO, "query");
	struct elem *identity = elem_child(query, NS_DISCO_INFO, "identity");

	elem_set(identity, "category", category);
	elem_set(identity, "type", type);
	elem_set(identity, "name", name);
	return query;
}

/* Each once, as features_new() has it: the proxy's and the clients'. */
static struct features *
merge(const struct module *const *modules, const struct features *clients)
{
	const char **all = NULL;
	struct features *merged;
	size_t n = 0;

	for (; *modules != NULL; modules++)
		for (const char *const *f = (*modules)->peer_features;
		     f != NULL && *f != NULL; f++) {
			all = mem_grow(all, (n + 1) * sizeof(*all));
			all[n++] = *f;
		}
	all = mem_grow(all, (n + features_count(clients) + 1) * sizeof(*all));
	for (size_t i = 0; i < features_count(clients); i++)
		all[n++] = features_at(clients, i);
	merged = features_new(all, n);
	free(all);
	return merged;
}

struct elem *
info_for_peers(struct arena *arena, const struct module *const *modules,
    const struct features *clients)
{
	struct elem *query = info_new(arena, "client", "pc", XMPPROXY_NAME);
	struct features *all = merge(modules, clients);

	for (size_t i = 0; i < features_count(all); i++)
		elem_set(elem_child(query, NS_DISCO_INFO, "feature"), "var",
		    features_at(all, i));
	features_unref(&all);
	return query;
}

bool
info_matches(const char *pattern, const char *var)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, var, len - 1) == 0;
	return strcmp(pattern, var) == 0;
}

void
info_remove(struct elem *query, const char *pattern)
{
	struct elem *next;

	for (struct elem *e = elem_first(query); e != NULL; e = next) {
		next = elem_next(e);
		if (elem_is(e, NS_DISCO_INFO, "feature") &&
		    elem_attr(e, "var") != NULL &&
		    info_matches(pattern, elem_attr(e, "var")))
			elem_remove(e);
	}
}

static bool
is_hidden(const struct module *const *modules, const char *var)
{
	for (; *modules != NULL; modules++)
		for (const char *const *h = (*modules)->hidden;
		     h != NULL && *h != NULL; h++)
			if (info_matches(*h, var))
				return true;
	return false;
}

static void
remove_hidden(struct elem *query, const struct module *const *modules)
{
	for (; *modules != NULL; modules++)
		for (const char *const *h = (*modules)->hidden;
		     h != NULL && *h != NULL; h++)
			info_remove(query, *h);
}

void
info_overlay(struct elem *query, const struct module *const *modules)
{
	remove_hidden(query, modules);
	for (; *modules != NULL; modules++)
		add_features(query, (*modules)->features);
}

void
info_add_node(struct elem *query, const struct module *const *modules)
{
	const struct module *const *at;

	for (at = modules; *at != NULL; at++)
		for (const struct iq_handler *h = (*at)->iqs;
		     h != NULL && h->name != NULL; h++)
			if ((h->scope & IQ_TO_NODE) &&
			    !is_hidden(modules, h->ns))
				info_add(query, h->ns);
}

static bool
says(const char *bytes, const char *name, const char *attr, const char *value,
    const char *attr2, const char *value2)
{
	struct arena *arena;
	const struct elem *query;
	bool found = false;

	if (bytes == NULL)
		return false;
	arena = arena_new();
	query = xml_parse_own(arena, bytes, strlen(bytes), NULL);
	if (query != NULL)
		ELEM_EACH(e, query) {
			if (elem_is(e, NS_DISCO_INFO, name) &&
			    text_equals(elem_attr(e, attr), value) &&
			    text_equals(elem_attr(e, attr2), value2))
				found = true;
		}
	arena_free(&arena);
	return found;
}

bool
info_says_feature(const char *query, const char *var)
{
	return says(query, "feature", "var", var, "var", var);
}

bool
info_says_identity(const char *query, const char *category, const char *type)
{
	return says(query, "identity", "category", category, "type", type);
}
