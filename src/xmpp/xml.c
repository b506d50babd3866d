#include "xmpp/xml.h"

#include <assert.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/random.h"
#include "xmpp/ns.h"

/* Between namespace and local name: no XML can contain it. */
#define SEPARATOR '\x1f'

enum {
	/* What expat is given at once: its buffer never shrinks, so it stays small. */
	SLICE = 2048,
	/* A text larger than that gives its memory back. */
	TEXT_KEPT = 4096,
	/* A stream whose start tag is longer keeps its parser. */
	ROOT_KEPT = 1024,
	/*
	 * expat reads an unfinished token again from its start with each slice. A
	 * token may cost so many times the stanza's limit, or a peer that sends
	 * byte by byte makes us work in squares.
	 */
	RESCANS = 256,
	RESCAN_LEAST = 65536,
};

/*
 * Debian's expat puts off the end of a token that came in pieces until more
 * bytes follow; the function against that is not in every expat.
 */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool)
    __attribute__((weak));

struct xml {
	XML_Parser parser; /* NULL while it rests */
	struct xml_limits limits;
	const struct xml_events *events;
	void *arg;
	struct err *err; /* of the xml_feed() that runs */

	struct arena *arena; /* NULL between stanzas and reads */
	struct elem *now;    /* innermost open element of the stanza */
	struct buf text;     /* inside `now`, not yet a node */
	const char *root_ns; /* default namespace that the root declares */
	struct buf root;     /* its start tag as it came; empty: too long */
	unsigned depth, elems, decls;
	bool has_section; /* CDATA since the last stanza, outside of any */

	const char *next; /* fed, expat has not got it yet */
	size_t left;
	struct buf held;  /* where `next` points while suspended */
	size_t fed;       /* bytes of this document that expat has got */
	size_t mark;      /* all before that byte is done with */
	size_t pending;   /* bytes that expat holds for want of more */
	size_t rescanned; /* the sum of `pending` over one long token */

	unsigned budget, handled;
	bool inside; /* xml_feed() runs */
	bool suspended, restart;
	enum xml_result verdict; /* XML_OK as long as it goes on */
};

static bool
is_over(const struct xml *x)
{
	return x->verdict != XML_OK || x->restart;
}

/* --- ending it --- */

static void
end(struct xml *x, enum xml_result verdict)
{
	x->verdict = verdict;
	if (x->inside)
		XML_StopParser(x->parser, XML_FALSE);
}

/* The byte behind what expat reports now. */
static size_t
event_end(const struct xml *x)
{
	XML_Index at = XML_GetCurrentByteIndex(x->parser);

	return (size_t)(at > 0 ? at : 0) +
	    (size_t)XML_GetCurrentByteCount(x->parser);
}

static void
fail(struct xml *x, enum xml_result verdict, const char *text)
{
	if (is_over(x))
		return;
	err_set(x->err, "%s", text);
	end(x, verdict);
}

static void
fail_expat(struct xml *x)
{
	enum XML_Error code = XML_GetErrorCode(x->parser);

	switch (code) {
	case XML_ERROR_UNDEFINED_ENTITY:
		fail(x, XML_RESTRICTED, "entity reference");
		break;
	case XML_ERROR_UNKNOWN_ENCODING:
	case XML_ERROR_INCORRECT_ENCODING:
		fail(x, XML_BAD_ENCODING, "encoding other than UTF-8");
		break;
	default:
		fail(x, XML_NOT_WELL_FORMED, XML_ErrorString(code));
	}
}

/* --- building the tree --- */

/* "namespace SEPARATOR name" or "name", as expat has it. */
struct name {
	const char *ns, *local;
	size_t ns_len, len;
};

static struct name
split_name(const char *s)
{
	const char *at = strchr(s, SEPARATOR);

	if (at == NULL)
		return (struct name){ NULL, s, 0, strlen(s) };
	return (struct name){ s, at + 1, (size_t)(at - s), strlen(at + 1) };
}

static void
flush_text(struct xml *x)
{
	if (x->text.len == 0)
		return;
	elem_add_text_len(x->now, x->text.data, x->text.len);
	if (x->text.cap > TEXT_KEPT)
		buf_free(&x->text);
	else
		buf_clear(&x->text);
}

static struct elem *
build(struct xml *x, const char *name, const char **attrs)
{
	struct name n = split_name(name);
	struct elem *e;

	e = elem_new_len(x->arena, x->now, n.ns, n.ns_len, n.local, n.len);
	for (; attrs[0] != NULL; attrs += 2) {
		n = split_name(attrs[0]);
		elem_add_attr_len(e, n.ns, n.ns_len, n.local, n.len, attrs[1]);
	}
	return e;
}

/* expat holds a whole token of what it reports. */
static void
keep_root(struct xml *x)
{
	int at = 0, size = 0, len = XML_GetCurrentByteCount(x->parser);
	const char *held = XML_GetInputContext(x->parser, &at, &size);

	buf_free(&x->root);
	if (held != NULL && len <= ROOT_KEPT && len <= size - at)
		buf_add(&x->root, held + at, (size_t)len);
}

static void
open_root(struct xml *x, const char *name, const char **attrs)
{
	struct elem *root = build(x, name, attrs);

	keep_root(x);
	elem_set(root, "xmlns", x->root_ns);
	x->root_ns = NULL;
	x->mark = event_end(x);
	x->events->open(x->arg, root);
	arena_reset(x->arena);
}

static void
finish_stanza(struct xml *x)
{
	struct elem *stanza = x->now;

	x->now = NULL;
	x->has_section = false;
	x->mark = event_end(x);
	x->handled++;
	x->events->stanza(x->arg, stanza);
	arena_reset(x->arena);
	if (x->budget > 0 && x->handled >= x->budget && !is_over(x))
		XML_StopParser(x->parser, XML_TRUE);
}

/* --- what expat tells --- */

/* Some of these may still come after XML_StopParser(). */

static void XMLCALL
on_ns(void *arg, const char *prefix, const char *uri)
{
	struct xml *x = arg;

	x->decls++;
	if (x->depth == 0 && prefix == NULL && !is_over(x))
		x->root_ns = arena_strdup(x->arena, uri);
}

static void XMLCALL
on_start(void *arg, const char *name, const char **attrs)
{
	struct xml *x = arg;
	unsigned count = x->decls;

	x->decls = 0;
	if (is_over(x))
		return;
	count += (unsigned)XML_GetSpecifiedAttributeCount(x->parser) / 2;
	if (count > x->limits.attrs) {
		fail(x, XML_TOO_LARGE, "too many attributes");
		return;
	}
	if (x->depth++ == 0) {
		open_root(x, name, attrs);
		return;
	}
	if (x->depth - 1 > x->limits.depth) {
		fail(x, XML_TOO_LARGE, "elements nested too deeply");
		return;
	}
	if (x->now == NULL) {
		x->elems = 0;
		x->mark = (size_t)XML_GetCurrentByteIndex(x->parser);
	} else {
		flush_text(x);
	}
	if (++x->elems > x->limits.elems) {
		fail(x, XML_TOO_LARGE, "too many elements");
		return;
	}
	x->now = build(x, name, attrs);
}

static void XMLCALL
on_end(void *arg, const char *name)
{
	struct xml *x = arg;

	(void)name;
	if (is_over(x))
		return;
	if (--x->depth == 0) {
		x->mark = event_end(x);
		x->events->close(x->arg);
		return;
	}
	flush_text(x);
	if (x->now->parent != NULL)
		x->now = x->now->parent;
	else
		finish_stanza(x);
}

static void XMLCALL
on_text(void *arg, const char *text, int len)
{
	struct xml *x = arg;

	if (is_over(x))
		return;
	if (x->now != NULL) {
		buf_add(&x->text, text, (size_t)len);
		return;
	}
	for (int i = 0; i < len; i++) {
		if (strchr(" \t\r\n", text[i]) == NULL) {
			fail(x, XML_BAD_FORMAT, "text between stanzas");
			return;
		}
	}
	x->mark = event_end(x);
}

static void XMLCALL
on_section(void *arg)
{
	struct xml *x = arg;

	x->has_section = x->now == NULL;
}

static void XMLCALL
on_declaration(void *arg, const char *version, const char *encoding,
    int standalone)
{
	struct xml *x = arg;

	(void)version;
	(void)standalone;
	if (encoding != NULL && strcasecmp(encoding, "UTF-8") != 0)
		fail(x, XML_BAD_ENCODING, "encoding other than UTF-8");
}

static void XMLCALL
on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
    int has_subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_subset;
	fail(arg, XML_RESTRICTED, "document type declaration");
}

static void XMLCALL
on_instruction(void *arg, const char *target, const char *data)
{
	(void)target;
	(void)data;
	fail(arg, XML_RESTRICTED, "processing instruction");
}

static void XMLCALL
on_comment(void *arg, const char *text)
{
	(void)text;
	fail(arg, XML_RESTRICTED, "comment");
}

/* --- the parser --- */

static void *
allocate(size_t size)
{
	return mem_grow(NULL, size);
}

static XML_Parser
make_parser(void)
{
	static const XML_Memory_Handling_Suite memory = { allocate, mem_grow,
		free };
	const char separator[] = { SEPARATOR, '\0' };

	return XML_ParserCreate_MM("UTF-8", &memory, separator);
}

/* A new parser, and one that was reset, has none of this, nor handlers. */
static void
set_options(struct xml *x)
{
	XML_Parser p = x->parser;
	unsigned long salt;

	random_bytes(&salt, sizeof(salt));
	XML_SetHashSalt(p, salt | 1); /* 0 would mean: choose one */
	if (XML_SetReparseDeferralEnabled != NULL)
		XML_SetReparseDeferralEnabled(p, XML_FALSE);
}

static void
set_handlers(struct xml *x)
{
	XML_Parser p = x->parser;

	XML_SetUserData(p, x);
	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	XML_SetStartCdataSectionHandler(p, on_section);
	XML_SetStartNamespaceDeclHandler(p, on_ns);
	XML_SetXmlDeclHandler(p, on_declaration);
	XML_SetStartDoctypeDeclHandler(p, on_doctype);
	XML_SetProcessingInstructionHandler(p, on_instruction);
	XML_SetCommentHandler(p, on_comment);
}

struct xml *
xml_new(const struct xml_limits *limits, const struct xml_events *events,
    void *arg)
{
	struct xml *x = mem_alloc(sizeof(*x));

	x->limits = *limits;
	x->events = events;
	x->arg = arg;
	x->parser = make_parser();
	set_options(x);
	set_handlers(x);
	return x;
}

void
xml_free(struct xml **holder)
{
	struct xml *x = *holder;

	*holder = NULL;
	if (x == NULL)
		return;
	assert(!x->inside);
	XML_ParserFree(x->parser);
	arena_free(&x->arena);
	buf_free(&x->root);
	buf_free(&x->text);
	buf_free(&x->held);
	free(x);
}

void
xml_set_limits(struct xml *x, const struct xml_limits *limits)
{
	x->limits = *limits;
}

unsigned
xml_handled(const struct xml *x)
{
	return x->handled;
}

static void
drop_input(struct xml *x)
{
	x->next = NULL;
	x->left = 0;
	x->suspended = false;
	buf_free(&x->held);
}

static void
start_over(struct xml *x)
{
	drop_input(x);
	arena_free(&x->arena);
	buf_free(&x->text);
	x->now = NULL;
	x->root_ns = NULL;
	x->has_section = false;
	x->depth = x->elems = x->decls = 0;
	x->fed = x->mark = x->pending = x->rescanned = 0;
	x->restart = false;
	x->verdict = XML_OK;
	buf_free(&x->root);
	if (x->parser == NULL)
		x->parser = make_parser();
	else
		XML_ParserReset(x->parser, "UTF-8");
	set_options(x);
	set_handlers(x);
}

/* Between two stanzas a parser knows nothing but the root. */
bool
xml_rest(struct xml *x)
{
	if (x->inside || x->suspended || x->pending > 0 || x->has_section ||
	    x->now != NULL || x->depth != 1 || x->root.len == 0 || is_over(x) ||
	    x->parser == NULL)
		return false;
	XML_ParserFree(x->parser);
	x->parser = NULL;
	return true;
}

static void
wake(struct xml *x)
{
	if (x->parser != NULL)
		return;
	x->parser = make_parser();
	set_options(x);
	XML_Parse(x->parser, x->root.data, (int)x->root.len, XML_FALSE);
	set_handlers(x);
	x->fed = x->mark = x->root.len;
	x->rescanned = 0;
}

void
xml_stop(struct xml *x)
{
	x->restart = false;
	end(x, XML_STOPPED);
	if (!x->inside)
		drop_input(x);
}

void
xml_restart(struct xml *x)
{
	if (!x->inside) {
		start_over(x);
		return;
	}
	/* expat cannot be reset in its own call. */
	x->restart = true;
	XML_StopParser(x->parser, XML_FALSE);
}

/* --- feeding --- */

/*
 * expat guesses UTF-16 from the first two bytes whatever it was told, and skips
 * a byte order mark, which RFC 6120 11.6 does not know. So these two come in a
 * slice's front.
 */
static void
check_first_bytes(struct xml *x)
{
	unsigned char c = (unsigned char)x->next[0];

	if (x->fed >= 2)
		return;
	if (c == 0 || c >= 0xfe)
		fail(x, XML_BAD_ENCODING, "encoding other than UTF-8");
	else if (x->fed == 0 && c == 0xef)
		fail(x, XML_NOT_WELL_FORMED, "byte order mark");
}

/* An unfinished token must not be read again without end. */
static void
check_pending(struct xml *x)
{
	XML_Index done = XML_GetCurrentByteIndex(x->parser);
	size_t least = x->limits.stanza_bytes;

	x->pending = x->fed - (size_t)(done > 0 ? done : 0);
	x->rescanned = x->pending > SLICE ? x->rescanned + x->pending : 0;
	if (least < RESCAN_LEAST)
		least = RESCAN_LEAST;
	if (x->rescanned / RESCANS > least)
		fail(x, XML_TOO_LARGE, "token in too many pieces");
}

/*
 * expat never gets a byte behind the limit, so that it makes no difference how
 * the bytes came. Else as much as it holds: or a long token is read in squares.
 */
static size_t
slice_length(const struct xml *x)
{
	size_t len = x->pending > SLICE ? x->pending : SLICE;
	size_t begun = x->fed - x->mark, limit = x->limits.stanza_bytes;
	size_t room = limit > begun ? limit - begun : 0;

	if (x->fed == 0)
		len = 1; /* check_first_bytes() */
	if (len > x->left)
		len = x->left;
	return len < room ? len : room;
}

static enum XML_Status
parse_slice(struct xml *x)
{
	size_t len = slice_length(x);
	enum XML_Status status;

	if (len == 0)
		fail(x, XML_TOO_LARGE, "stanza too large");
	else
		check_first_bytes(x);
	if (is_over(x))
		return XML_STATUS_ERROR;
	status = XML_Parse(x->parser, x->next, (int)len, XML_FALSE);
	x->next += len;
	x->left -= len;
	x->fed += len;
	return status;
}

static void
advance(struct xml *x)
{
	enum XML_Status status;

	if (x->suspended) {
		x->suspended = false;
		status = XML_ResumeParser(x->parser);
	} else {
		status = parse_slice(x);
	}
	if (is_over(x))
		return;
	if (status == XML_STATUS_SUSPENDED)
		x->suspended = true;
	else if (status == XML_STATUS_ERROR)
		fail_expat(x);
	else
		check_pending(x);
}

/* The caller's bytes are his again when xml_feed() returns. */
static void
hold_rest(struct xml *x)
{
	struct buf rest = { 0 };

	if (x->left == 0 || x->held.data != NULL)
		return;
	buf_add(&rest, x->next, x->left);
	x->held = rest;
	x->next = rest.data;
}

/* A stream that says nothing for hours needs no memory for a stanza. */
static void
release_idle(struct xml *x)
{
	if (x->now != NULL)
		return;
	arena_free(&x->arena);
	buf_free(&x->text);
}

static enum xml_result
outcome(struct xml *x)
{
	release_idle(x);
	if (x->restart) {
		start_over(x);
		return XML_STOPPED;
	}
	if (x->suspended) {
		hold_rest(x);
		return XML_MORE;
	}
	drop_input(x);
	return x->verdict;
}

enum xml_result
xml_feed(struct xml *x, const char *bytes, size_t len, unsigned budget,
    struct err *err)
{
	assert(!x->inside && (len == 0 || !x->suspended));
	x->handled = 0;
	if (x->verdict != XML_OK) {
		err_set(err, "the stream has ended");
		return x->verdict;
	}
	if (len > 0) {
		x->next = bytes;
		x->left = len;
	}
	wake(x);
	if (x->arena == NULL)
		x->arena = arena_new();
	x->budget = budget;
	x->err = err;
	x->inside = true;
	if (x->suspended)
		advance(x);
	while (x->left > 0 && !x->suspended && !is_over(x))
		advance(x);
	x->inside = false;
	x->err = NULL;
	return outcome(x);
}
