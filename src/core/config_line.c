#include "core/config_line.h"

#include <stdbool.h>
#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
starts(const char *p, const char *end, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(end - p) >= len && memcmp(p, with, len) == 0;
}

/* Behind the mark, or the end where it does not come. */
static const char *
behind(const char *p, const char *end, const char *mark)
{
	size_t len = strlen(mark);
	const char *found;

	found = memmem(p, (size_t)(end - p), mark, len);
	return found == NULL ? end : found + len;
}

/*
 * The next attribute's name in a start tag, its length in *len; NULL at the
 * tag's end. *p goes behind the attribute or the tag.
 */
static const char *
next_attr(const char **p, const char *end, size_t *len)
{
	const char *name, *quote;

	while (*p < end && (is_space(**p) || **p == '/'))
		++*p;
	if (*p == end || **p == '>') {
		*p += *p < end;
		return NULL;
	}
	for (name = *p; *p < end && **p != '=' && !is_space(**p);)
		++*p;
	*len = (size_t)(*p - name);
	while (*p < end && **p != '"' && **p != '\'')
		++*p;
	quote = *p;
	*p = quote == end ? end :
			    behind(quote + 1, end, *quote == '"' ? "\"" : "'");
	return name;
}

static const char *
skip_name(const char *p, const char *end)
{
	while (p < end && !is_space(*p) && *p != '/' && *p != '>')
		p++;
	return p;
}

static const char *
skip_tag(const char *p, const char *end)
{
	size_t len;

	p = skip_name(p, end);
	while (next_attr(&p, end, &len) != NULL)
		;
	return p;
}

/* The '<' of the next start tag, NULL where there is none. */
static const char *
next_tag(const char *p, const char *end)
{
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if (starts(p, end, "<!--"))
			p = behind(p + 4, end, "-->");
		else if (starts(p, end, "<![CDATA["))
			p = behind(p + 9, end, "]]>");
		else if (starts(p, end, "<?"))
			p = behind(p + 2, end, "?>");
		else if (starts(p, end, "</") || starts(p, end, "<!"))
			p = behind(p + 2, end, ">");
		else
			return p;
	}
	return NULL;
}

static const char *
find_attr(const char *tag, const char *end, const char *attr)
{
	const char *p = skip_name(tag, end), *name;
	size_t len;

	while ((name = next_attr(&p, end, &len)) != NULL)
		if (len == strlen(attr) && memcmp(name, attr, len) == 0)
			return name;
	return tag;
}

unsigned
config_line_at(const char *xml, size_t offset)
{
	const char *end = xml + offset;
	unsigned line = 1;

	while ((xml = memchr(xml, '\n', (size_t)(end - xml))) != NULL) {
		line++;
		xml++;
	}
	return line;
}

unsigned
config_line(const char *xml, size_t len, unsigned number, const char *attr)
{
	const char *end = xml + len, *tag;

	for (tag = next_tag(xml, end); tag != NULL && number > 0; number--)
		tag = next_tag(skip_tag(tag, end), end);
	if (tag == NULL)
		return 1;
	if (attr != NULL)
		tag = find_attr(tag, end, attr);
	return config_line_at(xml, (size_t)(tag - xml));
}
