/* Queries of our archive (XEP-0313), among the files of mod/archive*.c. */
#ifndef MOD_ARCHIVE_H
#define MOD_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/hooks.h"
#include "core/store.h"

struct account;
struct entry;
struct session;

/*
 * Whether a request with that address is for an archive of ours, or for one of which
 * that is not known yet. Not where it names a pubsub node (XEP-0442).
 */
bool archive_is_asked(const struct session *, const struct route *);
/* Of which it is not known yet: answered with an error. */
bool archive_is_unsettled(struct session *, const struct route *);
#define ARCHIVE_UNSETTLED "it is not known yet whose archive it is"

/* --- archive_search.c --- */

/* One query on its way through the log; it owns all that it points to. */
struct archive_search {
	STAILQ_ENTRY(archive_search) next;
	char *id, *to, *query_id; /* of the request; to, query_id may be NULL */
	struct store_query left;  /* what is still to be read */
	char *bare, *resource;    /* of left */
	uint64_t *ids; /* these entries alone, the lowest first; NULL: all */
	size_t ids_count;
	uint64_t page; /* so many at most */
	bool flip;
	/* Asks for the first and the last, not for messages. */
	bool is_metadata;
	bool has_total; /* its <count/> */
	uint64_t total;
	/* What was found, in the order of reading; and that there is more. */
	struct entry **found;
	size_t count, bytes;
	bool has_more;
	struct entry *first; /* of metadata */
};

struct archive_search *archive_search_new(const struct route *);
/*
 * Takes it, and answers when it is over: at once where not much is to be read, behind
 * those of the session that are not over yet.
 */
void archive_search_start(struct session *, struct archive_search *);
void archive_search_free(struct archive_search **);
/* More would be too many at once. */
bool archive_search_is_full(const struct session *);
void archive_search_drop(struct session *); /* all of it */

#endif
