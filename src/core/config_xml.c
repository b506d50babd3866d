#include "core/config_xml.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/config_line.h"

/*
 * The schema is part of the program, so that no check can be skipped because a
 * file is missing. The path is relative to the top of the source tree.
 */
__asm__(".pushsection .rodata\nconfig_schema:\n.incbin \"conf/proxy.rng\"\n"
	".byte 0\n.popsection\n");
extern const char config_schema[] __attribute__((visibility("hidden")));

struct config_xml {
	char *path;
	struct buf text;
	struct arena *arena; /* of the tree */
	xmlDoc *doc;
	struct config_elem *root;
	unsigned count; /* elements so far, while the tree is made */
};

/* What is wrong in the words of a person who has never seen libxml2. */
static const struct {
	int code;
	const char *text;
} faults[] = {
	{ XML_ERR_DOCUMENT_EMPTY, "no XML; expected <config>" },
	{ XML_ERR_DOCUMENT_END,
	    "more behind the end; expected nothing after </config>" },
	{ XML_ERR_NAME_REQUIRED,
	    "'<' or '&' that begins nothing; expected "
	    "&lt; or &amp; where the character itself is meant" },
	{ XML_ERR_ENTITYREF_SEMICOL_MISSING,
	    "'&' without ';'; expected &amp; "
	    "where the character itself is meant" },
	{ XML_ERR_UNDECLARED_ENTITY,
	    "an unknown entity; expected one of "
	    "&lt; &gt; &amp; &quot; &apos;" },
	{ XML_ERR_LT_IN_ATTRIBUTE,
	    "'<' in the value of an attribute; expected "
	    "the closing quote before it, or &lt;" },
	{ XML_ERR_ATTRIBUTE_NOT_STARTED,
	    "a value without quotes; expected name=\"value\"" },
	{ XML_ERR_ATTRIBUTE_NOT_FINISHED,
	    "a value that does not end; expected the closing quote" },
	{ XML_ERR_ATTRIBUTE_WITHOUT_VALUE,
	    "an attribute without a value; expected name=\"value\"" },
	{ XML_ERR_SPACE_REQUIRED,
	    "a tag that does not end as it should; "
	    "expected name=\"value\" with space between, then > or />" },
	{ XML_ERR_GT_REQUIRED, "a tag that does not end; expected >" },
	{ XML_ERR_COMMENT_NOT_FINISHED,
	    "a comment that does not end; expected -->" },
	{ XML_ERR_HYPHEN_IN_COMMENT,
	    "-- inside a comment; expected --> or single hyphens" },
	{ XML_ERR_CDATA_NOT_FINISHED,
	    "a CDATA section that does not end; expected ]]>" },
	{ XML_ERR_INVALID_CHAR,
	    "a character that XML does not have; expected "
	    "text without control characters" },
	{ XML_ERR_RESERVED_XML_NAME,
	    "<?xml ...?> in the middle; expected it "
	    "as the very first of the file, or not at all" },
	{ XML_ERR_UNKNOWN_VERSION,
	    "an unknown version of XML; expected <?xml version=\"1.0\"?>" },
	{ XML_ERR_TAG_NOT_FINISHED, "" }, /* these three with names */
	{ XML_ERR_TAG_NAME_MISMATCH, "" },
	{ XML_ERR_ATTRIBUTE_REDEFINED, "" },
};

struct report {
	const char *path;
	struct err *err;
	bool filled; /* the first fault is the one that counts */
};

static const char *
fault_text(int code)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].code == code)
			return faults[i].text;
	return NULL;
}

static void
describe(struct err *err, const xmlError *error)
{
	const char *text = fault_text(error->code);

	if (text == NULL)
		err_set(err, "no well-formed XML (%.*s); expected XML 1.0",
		    (int)strcspn(error->message, "\n"), error->message);
	else if (*text != '\0')
		err_set(err, "%s", text);
	else if (error->code == XML_ERR_ATTRIBUTE_REDEFINED)
		err_set(err,
		    "attribute %s for the second time; expected it once",
		    error->str1);
	else if (error->code == XML_ERR_TAG_NOT_FINISHED)
		err_set(err,
		    "the file ends inside <%s> of line %d; expected </%s>",
		    error->str1, error->int1, error->str1);
	else
		err_set(err, "</%s> inside <%s> of line %d; expected </%s>",
		    error->str2, error->str1, error->int1, error->str1);
}

/* Lesser errors concern namespaces: config_form.c has better words for those. */
static void
on_xml_error(void *arg, xmlError *error)
{
	struct report *report = ((xmlParserCtxt *)arg)->_private;

	if (report->filled || error->level < XML_ERR_FATAL)
		return;
	report->filled = true;
	describe(report->err, error);
	err_prefix(report->err, "%s:%d", report->path,
	    error->line > 0 ? error->line : 1);
}

/* Without a DTD there is nothing to load, to expand or to default. */
static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
    const xmlChar *system)
{
	xmlParserCtxt *parser = arg;
	struct report *report = parser->_private;

	(void)name;
	(void)external;
	(void)system;
	if (!report->filled)
		err_set(report->err,
		    "%s:%d: <!DOCTYPE>; expected no document "
		    "type: nothing but the elements of proxy.xml(5)",
		    report->path, parser->input->line);
	report->filled = true;
	xmlStopParser(parser);
}

static xmlDoc *
parse(const struct buf *text, const char *path, struct err *err)
{
	struct report report = { .path = path, .err = err };
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc;

	if (parser == NULL) {
		err_set(err, "%s: libxml2 has no memory", path);
		return NULL;
	}
	parser->_private = &report;
	parser->sax->serror = on_xml_error;
	parser->sax->internalSubset = on_doctype;
	doc = xmlCtxtReadMemory(parser, text->data, (int)text->len, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NODICT);
	xmlFreeParserCtxt(parser);
	if (doc != NULL && report.filled) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	if (doc == NULL && !report.filled)
		err_set(err, "%s:1: no well-formed XML; expected XML 1.0",
		    path);
	return doc;
}

static const char *
whole_name(struct arena *arena, const xmlNs *ns, const xmlChar *name)
{
	if (ns == NULL || ns->prefix == NULL)
		return arena_strdup(arena, (const char *)name);
	return arena_printf(arena, "%s:%s", ns->prefix, name);
}

static struct config_attr **
add_attr(struct config_attr **tail, struct arena *arena, const char *name,
    const char *value)
{
	struct config_attr *attr = arena_alloc(arena, sizeof(*attr));

	attr->name = name;
	attr->value = arena_strdup(arena, value == NULL ? "" : value);
	*tail = attr;
	return &attr->next;
}

static void
copy_attrs(struct config_xml *xml, struct config_elem *elem,
    const xmlNode *node)
{
	struct config_attr **tail = &elem->attrs;
	const xmlAttr *attr;
	const xmlNs *ns;
	xmlChar *value;

	for (ns = node->nsDef; ns != NULL; ns = ns->next)
		tail = add_attr(tail, xml->arena,
		    ns->prefix == NULL ?
			"xmlns" :
			arena_printf(xml->arena, "xmlns:%s", ns->prefix),
		    (const char *)ns->href);
	for (attr = node->properties; attr != NULL; attr = attr->next) {
		value = xmlNodeListGetString(xml->doc, attr->children, 1);
		tail = add_attr(tail, xml->arena,
		    whole_name(xml->arena, attr->ns, attr->name),
		    (const char *)value);
		if (value != NULL)
			mem_wipe(value, strlen((char *)value));
		xmlFree(value);
	}
}

/* libxml2 lets no document be deeper than 256. */
static struct config_elem *
copy_elem(struct config_xml *xml, struct config_elem *parent,
    const xmlNode *node)
{
	struct config_elem *elem = arena_alloc(xml->arena, sizeof(*elem)), *new;
	const xmlNode *child;

	elem->name = whole_name(xml->arena, node->ns, node->name);
	elem->number = xml->count++;
	elem->parent = parent;
	copy_attrs(xml, elem, node);
	for (child = node->children; child != NULL; child = child->next) {
		if (child->type == XML_CDATA_SECTION_NODE ||
		    (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child)))
			elem->has_text = true;
		if (child->type != XML_ELEMENT_NODE)
			continue;
		new = copy_elem(xml, elem, child);
		if (elem->last == NULL)
			elem->first = new;
		else
			elem->last->next = new;
		elem->last = new;
	}
	return elem;
}

/* The line of the first byte that is not UTF-8, 0 where all are. */
static unsigned
bad_encoding(const char *bytes, size_t len)
{
	const char *nul = memchr(bytes, '\0', len), *line = bytes, *end;
	unsigned number = 1;

	if (nul == NULL && text_is_utf8(bytes, len))
		return 0;
	for (; (end = memchr(line, '\n', len)) != NULL; line = end + 1) {
		if ((nul != NULL && nul < end) ||
		    !text_is_utf8(line, (size_t)(end - line)))
			return number;
		len -= (size_t)(end + 1 - line);
		number++;
	}
	return number;
}

struct config_xml *
config_xml_parse(const char *bytes, size_t len, const char *path,
    struct err *err)
{
	struct config_xml *xml;
	unsigned line;

	if (len > CONFIG_BYTES_MAX) {
		err_set(err, "%s:1: %zu bytes; expected %d at most", path, len,
		    CONFIG_BYTES_MAX);
		return NULL;
	}
	if (len > 0 && (line = bad_encoding(bytes, len)) != 0) {
		err_set(err,
		    "%s:%u: not UTF-8; expected the file to be saved as UTF-8",
		    path, line);
		return NULL;
	}
	xml = mem_alloc(sizeof(*xml));
	xml->path = mem_strdup(path);
	buf_add(&xml->text, bytes, len);
	buf_puts(&xml->text, "");
	xml->arena = arena_new();
	if ((xml->doc = parse(&xml->text, path, err)) == NULL)
		config_xml_free(&xml);
	else
		xml->root = copy_elem(xml, NULL,
		    xmlDocGetRootElement(xml->doc));
	return xml;
}

static void
wipe_doc(xmlNode *node)
{
	const xmlAttr *attr;
	const xmlNode *text;

	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (attr = node->properties; attr != NULL; attr = attr->next)
			for (text = attr->children; text != NULL;
			     text = text->next)
				if (text->content != NULL)
					mem_wipe(text->content,
					    strlen((char *)text->content));
		wipe_doc(node->children);
	}
}

static void
wipe_tree(struct config_elem *elem)
{
	struct config_attr *attr;

	for (; elem != NULL; elem = elem->next) {
		for (attr = elem->attrs; attr != NULL; attr = attr->next)
			mem_wipe(attr->value, strlen(attr->value));
		wipe_tree(elem->first);
	}
}

void
config_xml_free(struct config_xml **holder)
{
	struct config_xml *xml = *holder;

	*holder = NULL;
	if (xml == NULL)
		return;
	if (xml->doc != NULL) {
		wipe_doc(xmlDocGetRootElement(xml->doc));
		xmlFreeDoc(xml->doc);
	}
	wipe_tree(xml->root);
	arena_free(&xml->arena);
	mem_wipe(xml->text.data, xml->text.len);
	buf_free(&xml->text);
	mem_free_string(&xml->path);
	free(xml);
}

const struct config_elem *
config_xml_root(const struct config_xml *xml)
{
	return xml->root;
}

const char *
config_xml_schema(void)
{
	return config_schema;
}

struct schema_report {
	struct config_xml *xml;
	struct err *err;
};

/* Hardly fit for a person; config_form.c finds nearly everything before. */
static void
on_schema_error(void *arg, xmlError *error)
{
	struct schema_report *report = arg;

	err_set(report->err,
	    "%s:%d: not valid by the schema (%.*s); expected "
	    "what proxy.xml(5) says",
	    report->xml->path, error->line, (int)strcspn(error->message, "\n"),
	    error->message);
}

int
config_xml_check(struct config_xml *xml, struct err *err)
{
	struct schema_report report = { xml, err };
	xmlRelaxNGParserCtxt *parser;
	xmlRelaxNGValidCtxt *valid = NULL;
	xmlRelaxNG *schema = NULL;
	int rc = -1;

	parser = xmlRelaxNGNewMemParserCtxt(config_schema,
	    (int)strlen(config_schema));
	if (parser != NULL)
		schema = xmlRelaxNGParse(parser);
	if (schema != NULL)
		valid = xmlRelaxNGNewValidCtxt(schema);
	if (valid == NULL) {
		err_set(err, "%s: libxml2 does not take conf/proxy.rng",
		    xml->path);
		goto out;
	}
	xmlRelaxNGSetValidStructuredErrors(valid, on_schema_error, &report);
	if (xmlRelaxNGValidateDoc(valid, xml->doc) == 0)
		rc = 0;
out:
	xmlRelaxNGFreeValidCtxt(valid);
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
	return rc;
}

const char *
config_elem_attr(const struct config_elem *elem, const char *name)
{
	const struct config_attr *attr;

	for (attr = elem->attrs; attr != NULL; attr = attr->next)
		if (strcmp(attr->name, name) == 0)
			return attr->value;
	return NULL;
}

unsigned
config_xml_line(const struct config_xml *xml, const struct config_elem *elem,
    const char *attr)
{
	return config_line(xml->text.data, xml->text.len, elem->number, attr);
}

int
config_xml_fault(const struct config_xml *xml, const struct config_elem *elem,
    const char *attr, struct err *err, const char *fmt, ...)
{
	struct err what;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what.text, sizeof(what.text), fmt, ap);
	va_end(ap);
	return err_set(err, "%s:%u: %s", xml->path,
	    config_xml_line(xml, elem, attr), what.text);
}
