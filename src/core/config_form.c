#include "core/config_form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "core/config_names.h"
#include "core/limits.h"

enum { CHILDREN_MAX = 6, CHOICES_MAX = 3 };

/* What must be there: nothing, this attribute, exactly one of its group. */
enum need { OPTIONAL, REQUIRED, ONE_OF };

struct attr_form {
	const char *name;
	enum need need;
	const char *expected; /* free text; NULL: see choices, least */
	const char *choices[CHOICES_MAX + 1];
	uint64_t least, most; /* a number, where most is not 0 */
};

struct child_form {
	const struct elem_form *form;
	bool required, once;
};

struct elem_form {
	const char *name;
	const struct attr_form *attrs; /* NULL: the limits */
	struct child_form children[CHILDREN_MAX + 1];
};

#define ANY_PORT .least = 1, .most = 65535
#define YES_NO   .choices = { "yes", "no" }
#define TLS_KIND .choices = { "starttls", "direct", "none" }

static const struct attr_form no_attrs[] = { { 0 } };

static const struct elem_form node_form = { "node",
	(const struct attr_form[]){
	    { "name", REQUIRED,
		.expected = "a domain such as proxy.example.org" },
	    { 0 } },
	{ { 0 } } };

static const struct elem_form listen_form = { "listen",
	(const struct attr_form[]){
	    { "address", OPTIONAL,
		.expected = "an IP address such as 127.0.0.1 or ::" },
	    { "port", OPTIONAL, ANY_PORT }, { "tls", OPTIONAL, TLS_KIND },
	    { 0 } },
	{ { 0 } } };

static const struct elem_form certificate_form = { "certificate",
	(const struct attr_form[]){
	    { "chain", REQUIRED, .expected = "the path of a PEM file" },
	    { "key", REQUIRED, .expected = "the path of a PEM file" },
	    { "domain", OPTIONAL,
		.expected = "a domain such as proxy.example.org" },
	    { 0 } },
	{ { 0 } } };

static const struct elem_form store_form = { "store",
	(const struct attr_form[]){
	    { "path", REQUIRED, .expected = "a path, or :memory:" },
	    { "synchronous", OPTIONAL, .choices = { "full", "normal", "off" } },
	    { 0 } },
	{ { 0 } } };

static const struct elem_form limits_form = { "limits", NULL, { { 0 } } };

static const struct elem_form account_form = { "account",
	(const struct attr_form[]){
	    { "jid", REQUIRED, .expected = "a JID such as alice@example.org" },
	    { "passwd", ONE_OF, .expected = "a password" },
	    { "passwd-file", ONE_OF, .expected = "a path" },
	    { "resource", OPTIONAL, .expected = "a resource such as xmpproxy" },
	    { "host", OPTIONAL, .expected = "a host name or an IP address" },
	    { "port", OPTIONAL, ANY_PORT }, { "tls", OPTIONAL, TLS_KIND },
	    { "ca", OPTIONAL, .expected = "the path of a PEM file" },
	    { "default", OPTIONAL, YES_NO }, { 0 } },
	{ { 0 } } };

static const struct elem_form user_form = { "user",
	(const struct attr_form[]){
	    { "name", REQUIRED, .expected = "a name such as alice" },
	    { "passwd", ONE_OF, .expected = "a password" },
	    { "passwd-file", ONE_OF, .expected = "a path" },
	    { "resource", OPTIONAL, .expected = "a resource such as desktop" },
	    { "admin", OPTIONAL, YES_NO },
	    { "mirror", OPTIONAL, .choices = { "note", "off" } },
	    { "detached", OPTIONAL, .choices = { "xa", "disconnect" } },
	    { 0 } },
	{ { &account_form, true, false } } };

static const struct elem_form config_form = { "config", no_attrs,
	{ { &node_form, true, true }, { &listen_form, false, false },
	    { &certificate_form, false, false }, { &store_form, false, true },
	    { &limits_form, false, true }, { &user_form, false, false } } };

struct check {
	const struct config_xml *xml;
	struct err *err;
};

static int
fault(const struct check *check, const struct config_elem *elem,
    const char *attr, const char *what, struct buf *expected)
{
	config_xml_fault(check->xml, elem, attr, check->err, "%s; expected %s",
	    what, expected->data);
	buf_free(expected);
	return -1;
}

static int
bad_value(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, struct buf *expected)
{
	char what[LOG_QUOTE_SIZE + 128];

	snprintf(what, sizeof(what), "%s=%s in <%s>", attr->name,
	    LOG_Q(attr->value), elem->name);
	return fault(check, elem, attr->name, what, expected);
}

static int
check_number(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, uint64_t least, uint64_t most)
{
	struct buf expected = { 0 };
	uint64_t number;

	if (text_to_uint(attr->value, least, most, &number))
		return 0;
	buf_printf(&expected, "a number from %" PRIu64 " to %" PRIu64, least,
	    most);
	return bad_value(check, elem, attr, &expected);
}

static int
check_choice(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, const char *const *choices)
{
	struct config_names names = { 0 };
	struct buf expected = { 0 };

	for (; *choices != NULL; choices++) {
		if (strcmp(attr->value, *choices) == 0)
			return 0;
		config_names_add(&names, *choices);
	}
	config_names_join(&expected, &names, "\"", "\"");
	return bad_value(check, elem, attr, &expected);
}

static int
check_value(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, const struct attr_form *form)
{
	struct buf expected = { 0 };

	if (form->most > 0)
		return check_number(check, elem, attr, form->least, form->most);
	if (form->choices[0] != NULL)
		return check_choice(check, elem, attr, form->choices);
	if (*attr->value != '\0')
		return 0;
	buf_puts(&expected, form->expected);
	return bad_value(check, elem, attr, &expected);
}

static int
unknown_attr(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, struct config_names *names)
{
	struct buf expected = { 0 };
	char what[LOG_QUOTE_SIZE + 128];
	size_t all = names->count;

	snprintf(what, sizeof(what), "unknown attribute %s of <%s>", attr->name,
	    elem->name);
	config_names_narrow(names, attr->name);
	if (all == 0)
		buf_puts(&expected, "no attributes");
	else if (all == names->count && strcmp(elem->name, "limits") == 0)
		buf_puts(&expected, "a limit that proxy.xml(5) lists");
	else
		config_names_join(&expected, names, "", "");
	return fault(check, elem, attr->name, what, &expected);
}

static int
check_attr(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr, const struct attr_form *forms)
{
	struct config_names names = { 0 };

	for (; forms->name != NULL; forms++) {
		if (strcmp(attr->name, forms->name) == 0)
			return check_value(check, elem, attr, forms);
		config_names_add(&names, forms->name);
	}
	return unknown_attr(check, elem, attr, &names);
}

static int
check_limit(const struct check *check, const struct config_elem *elem,
    const struct config_attr *attr)
{
	const struct limit_info *limit;
	struct config_names names = { 0 };

	for (limit = limit_table; limit->name != NULL; limit++) {
		if (strcmp(attr->name, limit->name) == 0)
			return check_number(check, elem, attr, limit->least,
			    limit->most);
		config_names_add(&names, limit->name);
	}
	return unknown_attr(check, elem, attr, &names);
}

/* Of the attributes of which exactly one is to be there. */
static int
check_group(const struct check *check, const struct config_elem *elem,
    const struct attr_form *forms)
{
	struct config_names all = { 0 }, given = { 0 };
	struct buf expected = { 0 };
	const char *what;

	for (; forms->name != NULL; forms++) {
		if (forms->need != ONE_OF)
			continue;
		config_names_add(&all, forms->name);
		if (config_elem_attr(elem, forms->name) != NULL)
			config_names_add(&given, forms->name);
	}
	if (all.count == 0 || given.count == 1)
		return 0;
	what = given.count == 0 ? "no password" : "passwords in two places";
	config_names_join(&expected, &all, "", "");
	return fault(check, elem, given.name[given.count > 0], what, &expected);
}

static int
check_attrs(const struct check *check, const struct config_elem *elem,
    const struct attr_form *forms)
{
	const struct config_attr *attr;
	const struct attr_form *form;

	for (attr = elem->attrs; attr != NULL; attr = attr->next)
		if ((forms == NULL ? check_limit(check, elem, attr) :
				     check_attr(check, elem, attr, forms)) < 0)
			return -1;
	if (forms == NULL)
		return 0;
	for (form = forms; form->name != NULL; form++)
		if (form->need == REQUIRED &&
		    config_elem_attr(elem, form->name) == NULL)
			return config_xml_fault(check->xml, elem, NULL,
			    check->err,
			    "<%s> without %s; expected %s=\"...\": %s",
			    elem->name, form->name, form->name, form->expected);
	return check_group(check, elem, forms);
}

static const struct child_form *
find_child(const struct elem_form *form, const char *name)
{
	const struct child_form *child;

	for (child = form->children; child->form != NULL; child++)
		if (strcmp(child->form->name, name) == 0)
			return child;
	return NULL;
}

static int
unknown_child(const struct check *check, const struct config_elem *elem,
    const struct elem_form *form)
{
	const struct child_form *child;
	struct config_names names = { 0 };
	struct buf expected = { 0 };

	for (child = form->children; child->form != NULL; child++)
		config_names_add(&names, child->form->name);
	config_names_narrow(&names, elem->name);
	if (names.count == 0)
		buf_puts(&expected, "no elements in it");
	config_names_join(&expected, &names, "<", ">");
	config_xml_fault(check->xml, elem, NULL, check->err,
	    "unknown element <%s> in <%s>; expected %s", elem->name, form->name,
	    expected.data);
	buf_free(&expected);
	return -1;
}

static int
check_once(const struct check *check, const struct config_elem *elem)
{
	const struct config_elem *first = elem->parent->first;

	while (strcmp(first->name, elem->name) != 0)
		first = first->next;
	if (first == elem)
		return 0;
	return config_xml_fault(check->xml, elem, NULL, check->err,
	    "<%s> for the second time; expected only that of line %u",
	    elem->name, config_xml_line(check->xml, first, NULL));
}

static int
check_required(const struct check *check, const struct config_elem *elem,
    const struct elem_form *form)
{
	const struct child_form *child;
	const struct config_elem *found;

	for (child = form->children; child->form != NULL; child++) {
		for (found = elem->first; found != NULL; found = found->next)
			if (strcmp(found->name, child->form->name) == 0)
				break;
		if (found == NULL && child->required)
			return config_xml_fault(check->xml, elem, NULL,
			    check->err,
			    "<%s> without <%s>; expected <%s %s="
			    "\"...\"/> in it",
			    elem->name, child->form->name, child->form->name,
			    child->form->attrs->name);
	}
	return 0;
}

static int
check_elem(const struct check *check, const struct config_elem *elem,
    const struct elem_form *form)
{
	const struct child_form *known;
	const struct config_elem *child;

	if (check_attrs(check, elem, form->attrs) < 0)
		return -1;
	if (elem->has_text)
		return config_xml_fault(check->xml, elem, NULL, check->err,
		    "text in <%s>; expected elements and comments alone",
		    elem->name);
	for (child = elem->first; child != NULL; child = child->next) {
		if ((known = find_child(form, child->name)) == NULL)
			return unknown_child(check, child, form);
		if (known->once && check_once(check, child) < 0)
			return -1;
		if (check_elem(check, child, known->form) < 0)
			return -1;
	}
	return check_required(check, elem, form);
}

int
config_form_check(const struct config_xml *xml, struct err *err)
{
	const struct config_elem *root = config_xml_root(xml);
	struct check check = { xml, err };

	if (strcmp(root->name, config_form.name) != 0)
		return config_xml_fault(xml, root, NULL, err,
		    "<%s> as the root; expected <config>", root->name);
	return check_elem(&check, root, &config_form);
}
