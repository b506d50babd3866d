/* struct history, for history.c and history_find.c alone. */
#ifndef CORE_HISTORY_IMPL_H
#define CORE_HISTORY_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "core/history.h"

struct kept {
	uint64_t count, bytes, from; /* none is below `from` */
};

/* A run of entries in order; all that there are from `from` to before `to`. */
struct page {
	struct entry **entries;
	size_t count, cap;
	uint64_t from, to;
};

struct history {
	struct store *store;
	struct batch *batch;
	uint64_t user, next;
	struct kept chats, rooms;
	uint64_t max_late;
	uint64_t stamp;   /* of the last: it goes forward only */
	struct page tail; /* ends at `next` */
	size_t tail_bytes;
	struct page read; /* by a follower that is behind */
	char *trouble;    /* of the last reading of a page */
	uint16_t *keys;   /* history_find.c */
};

/* Takes the reference. */
void history_page_add(struct page *, struct entry *);
void history_page_clear(struct page *);

/* The entry, which is in the tail, can be found. */
void history_note_key(struct history *, const struct entry *);

#endif
