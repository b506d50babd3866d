#include "rig/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

char *
script_word(struct arena *arena, const char **text)
{
	const char *start = *text + strspn(*text, " \t");
	size_t len = strcspn(start, " \t");

	*text = start + len;
	*text += strspn(*text, " \t");
	return len > 0 ? arena_strndup(arena, start, len) : NULL;
}

/* A line that begins with white space goes on with the one before. */
static void
join(struct buf *all, const char *line)
{
	line += strspn(line, " \t");
	if (*line == '\0')
		return;
	if (all->len > 0 && all->data[all->len - 1] != '>')
		buf_putc(all, ' ');
	buf_puts(all, line);
}

static void
add(struct script *s, unsigned number, struct buf *all)
{
	struct statement *st;
	const char *text;

	if (all->len == 0)
		return;
	st = arena_alloc(s->arena, sizeof(*st));
	text = all->data;
	st->line = number;
	st->verb = script_word(s->arena, &text);
	st->rest = arena_strdup(s->arena, text);
	STAILQ_INSERT_TAIL(&s->statements, st, next);
	buf_clear(all);
}

static void
read_lines(struct script *s, FILE *f)
{
	struct buf all = { 0 };
	unsigned number = 0, first = 0;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, f) > 0) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (line[0] != ' ' && line[0] != '\t') {
			add(s, first, &all);
			first = number;
		}
		join(&all, line);
	}
	add(s, first, &all);
	free(line);
	buf_free(&all);
}

int
script_load(struct script *s, const char *path, struct err *err)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return err_errno(err, path);
	s->path = path;
	s->arena = arena_new();
	STAILQ_INIT(&s->statements);
	read_lines(s, f);
	fclose(f);
	return 0;
}

void
script_free(struct script *s)
{
	arena_free(&s->arena);
}
