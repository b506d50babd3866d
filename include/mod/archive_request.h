/*
 * What a <query/> of an archive asks for: XEP-0313 section 4, with its form (XEP-0004)
 * and page (XEP-0059). A pure function of it.
 */
#ifndef MOD_ARCHIVE_REQUEST_H
#define MOD_ARCHIVE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xmpp/elem.h"
#include "xmpp/stanza.h"

/* Strings live as long as the query; NULL where there is none. */
struct archive_request {
	const char *query_id;
	const char *with; /* prepared */
	bool has_start, has_end;
	uint64_t start, end; /* wall ms */
	const char *before_id, *after_id;
	const struct elem *ids; /* the field; NULL: not asked for */
	bool with_rooms;
	/* The page. */
	bool has_max;
	uint64_t max;
	const char *before, *after; /* before may be "": the last page */
	bool flip;
};

/* -1: *cond and *text (which may be NULL) say what is wrong. */
int archive_request_parse(struct archive_request *, const struct elem *query,
    enum error_cond *cond, const char **text);
/* Nothing narrows it down but time, place and rooms, and it is not for the count alone. */
bool archive_request_synchronises(const struct archive_request *);
bool archive_request_is_filtered(const struct archive_request *);

/* The form that a client may ask for (4.1.5), as a child of the query. */
void archive_request_add_form(struct elem *query);

#endif
