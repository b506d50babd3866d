#include "mod/archive_request.h"

#include <string.h>

#include "base/text.h"
#include "xmpp/jid.h"

/* Why it is refused; -1 so that it can be returned. */
struct refusal {
	enum error_cond *cond;
	const char **text;
};

static int
refuse(const struct refusal *r, enum error_cond cond, const char *text)
{
	*r->cond = cond;
	*r->text = text;
	return -1;
}

/* --- the fields --- */

/* Empty is the same as absent (XEP-0004 3.6). */
static int
take_with(struct archive_request *q, const struct elem *field,
    const char *value)
{
	if ((q->with = jid_prep(field->arena, value, NULL)) == NULL)
		return -1;
	return 0;
}

static int
take_start(struct archive_request *q, const struct elem *field,
    const char *value)
{
	(void)field;
	q->has_start = true;
	return text_parse_stamp(value, &q->start) ? 0 : -1;
}

static int
take_end(struct archive_request *q, const struct elem *field, const char *value)
{
	(void)field;
	q->has_end = true;
	return text_parse_stamp(value, &q->end) ? 0 : -1;
}

static int
take_before_id(struct archive_request *q, const struct elem *field,
    const char *value)
{
	(void)field;
	q->before_id = value;
	return 0;
}

static int
take_after_id(struct archive_request *q, const struct elem *field,
    const char *value)
{
	(void)field;
	q->after_id = value;
	return 0;
}

static int
take_ids(struct archive_request *q, const struct elem *field, const char *value)
{
	(void)value;
	q->ids = field;
	return 0;
}

static int
take_with_rooms(struct archive_request *q, const struct elem *field,
    const char *value)
{
	(void)field;
	q->with_rooms = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (!q->with_rooms && strcmp(value, "false") != 0 &&
	    strcmp(value, "0") != 0)
		return -1;
	return 0;
}

static int
take_form_type(struct archive_request *q, const struct elem *field,
    const char *value)
{
	(void)q;
	(void)field;
	return strcmp(value, NS_MAM) == 0 ? 0 : -1;
}

static const struct field {
	const char *var, *type;
	int (*take)(struct archive_request *, const struct elem *field,
	    const char *value);
} fields[] = {
	{ "FORM_TYPE", "hidden", take_form_type },
	{ "with", "jid-single", take_with },
	{ "start", "text-single", take_start },
	{ "end", "text-single", take_end },
	{ "before-id", "text-single", take_before_id },
	{ "after-id", "text-single", take_after_id },
	{ "ids", "list-multi", take_ids },
	{ "include-groupchat", "boolean", take_with_rooms },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static const struct field *
find_field(const char *var)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (text_equals(fields[i].var, var))
			return &fields[i];
	}
	return NULL;
}

static size_t
count_values(const struct elem *field)
{
	size_t count = 0;

	ELEM_EACH(e, field)
		count += elem_is(e, NS_DATA, "value");
	return count;
}

static int
parse_field(struct archive_request *q, const struct elem *e, unsigned *seen,
    const struct refusal *r)
{
	const struct field *f = find_field(elem_attr(e, "var"));
	const char *value = elem_child_text(e, NS_DATA, "value");
	unsigned bit;

	/* What is for the eye has no name (XEP-0004 3.2). */
	if (elem_attr(e, "var") == NULL &&
	    text_equals(elem_attr(e, "type"), "fixed"))
		return 0;
	if (f == NULL)
		return refuse(r, ERR_FEATURE_NOT_IMPLEMENTED,
		    "there is no such field");
	bit = 1U << (f - fields);
	if (*seen & bit)
		return refuse(r, ERR_BAD_REQUEST, "a field is there twice");
	*seen |= bit;
	if (value == NULL || *value == '\0')
		return 0;
	if (count_values(e) > 1 && f->take != take_ids)
		return refuse(r, ERR_BAD_REQUEST, "a field has two values");
	if (f->take(q, e, value) < 0)
		return refuse(r, ERR_BAD_REQUEST,
		    "the value of a field is malformed");
	return 0;
}

static int
parse_form(struct archive_request *q, const struct elem *form,
    const struct refusal *r)
{
	unsigned seen = 0;

	if (!text_equals(elem_attr(form, "type"), "submit"))
		return refuse(r, ERR_BAD_REQUEST, "the form is not submitted");
	ELEM_EACH(e, form) {
		if (elem_is(e, NS_DATA, "field") &&
		    parse_field(q, e, &seen, r) < 0)
			return -1;
	}
	if ((seen & 1) == 0)
		return refuse(r, ERR_BAD_REQUEST, "the form has no FORM_TYPE");
	return 0;
}

/* --- the page --- */

static int
parse_set(struct archive_request *q, const struct elem *set,
    const struct refusal *r)
{
	const char *max = elem_child_text(set, NS_RSM, "max");

	if (elem_find(set, NS_RSM, "index") != NULL)
		return refuse(r, ERR_FEATURE_NOT_IMPLEMENTED,
		    "pages have no numbers here");
	q->has_max = max != NULL;
	if (max != NULL && !text_to_uint(max, 0, UINT32_MAX, &q->max))
		return refuse(r, ERR_BAD_REQUEST, "max is no number");
	q->before = elem_child_text(set, NS_RSM, "before");
	q->after = elem_child_text(set, NS_RSM, "after");
	/* Behind nothing: from the start. */
	if (q->after != NULL && *q->after == '\0')
		q->after = NULL;
	return 0;
}

/* --- all --- */

int
archive_request_parse(struct archive_request *q, const struct elem *query,
    enum error_cond *cond, const char **text)
{
	const struct refusal r = { cond, text };
	const struct elem *form = elem_find(query, NS_DATA, "x");
	const struct elem *set = elem_find(query, NS_RSM, "set");

	*q = (struct archive_request){ 0 };
	*text = NULL;
	q->query_id = elem_attr(query, "queryid");
	q->flip = elem_find(query, NS_MAM, "flip-page") != NULL;
	if (form != NULL && parse_form(q, form, &r) < 0)
		return -1;
	if (set != NULL && parse_set(q, set, &r) < 0)
		return -1;
	return 0;
}

bool
archive_request_synchronises(const struct archive_request *q)
{
	return q->with == NULL && q->ids == NULL && (!q->has_max || q->max > 0);
}

bool
archive_request_is_filtered(const struct archive_request *q)
{
	return q->with != NULL || q->ids != NULL || q->has_start ||
	    q->has_end || q->before_id != NULL || q->after_id != NULL;
}

void
archive_request_add_form(struct elem *query)
{
	struct elem *form = elem_child(query, NS_DATA, "x"), *e;

	elem_set(form, "type", "form");
	for (size_t i = 0; i < FIELDS; i++) {
		e = elem_child(form, NS_DATA, "field");
		elem_set(e, "type", fields[i].type);
		elem_set(e, "var", fields[i].var);
		if (fields[i].take == take_form_type)
			elem_add_text(elem_child(e, NS_DATA, "value"), NS_MAM);
		if (fields[i].take != take_ids)
			continue;
		e = elem_child(e, NS_VALIDATE, "validate");
		elem_set(e, "datatype", "xs:string");
		elem_child(e, NS_VALIDATE, "open");
	}
}
