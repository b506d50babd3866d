#include "core/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/text.h"
#include "core/account.h"
#include "core/frame.h"
#include "core/history.h"
#include "core/proxy.h"
#include "core/turn.h"
#include "core/user.h"
#include "xmpp/elem.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

struct parcel {
	TAILQ_ENTRY(parcel) next;
	uint64_t id;     /* its key on disk, in order */
	uint64_t number; /* on the stream; 0: not on it yet */
	uint64_t time;   /* wall ms: when it was taken */
	bool keep;
	bool of_stream;      /* it is for this stream alone */
	bool late;           /* it goes up with a delay */
	struct entry *entry; /* of a message; NULL: another stanza */
	struct blob *bytes;  /* of that */
	/* The archive's last id when it was put on a stream; NULL: never, or none. */
	char *after;
	uint64_t after_seq; /* in the log: what the archive has behind that */
	bool was_sent;
};

struct outbox {
	TAILQ_HEAD(parcels, parcel) parcels;
	/* The first that is not on the stream; NULL: none. */
	struct parcel *next;
	struct account *account;
	size_t count, max, bytes;
	uint64_t last_id;
	bool has_stream;
};

#define BYTES_EACH 16384 /* on average, when all places are taken */
#define MIDDLE_ID  (UINT64_C(1) << 48) /* there is room in front, too */

/* --- on disk --- */

enum { FROM_LOG, IN_FULL, STANZA };
enum { FLAG_LATE = 1, FLAG_OF_STREAM = 2, FLAG_SENT = 4 };

static unsigned
flags_of(const struct parcel *p)
{
	return (p->late ? FLAG_LATE : 0) | (p->of_stream ? FLAG_OF_STREAM : 0) |
	    (p->was_sent ? FLAG_SENT : 0);
}

static struct batch *
batch_of(const struct outbox *box)
{
	return &box->account->user->proxy->batch;
}

static void
key_of(struct buf *key, uint64_t id)
{
	/* Big endian, so that the order of keys is that of numbers. */
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(key, (char)(id >> shift & 0xff));
}

/* A message that is in no log (to oneself, or not to be kept) stands here in full. */
static void
pack_message(struct buf *b, const struct entry *e)
{
	pack_uint(b, e->type);
	pack_uint(b, e->origin);
	pack_uint(b, e->device);
	pack_string(b, e->peer);
	pack_string(b, e->local);
	pack_string(b, e->id);
	pack_string(b, e->lang);
	pack_bytes(b, blob_data(e->body), blob_len(e->body));
}

static void
put(struct outbox *box, const struct parcel *p)
{
	struct buf key = { 0 }, b = { 0 };

	if (!p->keep)
		return;
	key_of(&key, p->id);
	pack_uint(&b,
	    p->entry == NULL       ? STANZA :
		p->entry->seq != 0 ? FROM_LOG :
				     IN_FULL);
	pack_uint(&b, p->number);
	pack_uint(&b, p->time);
	pack_uint(&b, flags_of(p));
	pack_string(&b, p->after);
	pack_uint(&b, p->after_seq);
	if (p->entry == NULL)
		pack_bytes(&b, blob_data(p->bytes), blob_len(p->bytes));
	else if (p->entry->seq != 0)
		pack_uint(&b, p->entry->seq);
	else
		pack_message(&b, p->entry);
	batch_put(batch_of(box), STATE_OUTBOX, box->account->id, key.data,
	    key.len, b.data, b.len);
	turn_urge(box->account->user->proxy);
	buf_free(&key);
	buf_free(&b);
}

static void
unput(struct outbox *box, const struct parcel *p)
{
	struct buf key = { 0 };

	if (!p->keep)
		return;
	key_of(&key, p->id);
	batch_delete(batch_of(box), STATE_OUTBOX, box->account->id, key.data,
	    key.len);
	turn_touch(box->account->user->proxy);
	buf_free(&key);
}

static struct entry *
unpack_message(const struct outbox *box, struct unpack *u)
{
	struct entry *e = entry_new();
	const void *body;
	size_t len;

	e->account = box->account->id;
	e->direction = DIR_OUT;
	e->type = (enum stanza_type)unpack_uint(u);
	e->origin = unpack_uint(u);
	e->device = unpack_uint(u);
	e->peer = unpack_string(u);
	e->local = unpack_string(u);
	e->id = unpack_string(u);
	e->lang = unpack_string(u);
	body = unpack_bytes(u, &len);
	e->body = blob_new(body, len);
	if (!unpack_is_good(u) || e->peer == NULL || e->type > TYPE_ERROR)
		entry_unref(&e);
	return e;
}

/* --- the queue --- */

static size_t
parcel_bytes(const struct parcel *p)
{
	return p->entry != NULL ? entry_size(p->entry) : blob_len(p->bytes);
}

struct outbox *
outbox_new(struct account *a, size_t max)
{
	struct outbox *box = mem_alloc(sizeof(*box));

	TAILQ_INIT(&box->parcels);
	box->account = a;
	box->max = max;
	box->last_id = MIDDLE_ID;
	return box;
}

static void
parcel_free(struct parcel *p)
{
	entry_unref(&p->entry);
	blob_unref(&p->bytes);
	free(p->after);
	free(p);
}

void
outbox_free(struct outbox **box)
{
	struct parcel *p;

	if (*box == NULL)
		return;
	while ((p = TAILQ_FIRST(&(*box)->parcels)) != NULL) {
		TAILQ_REMOVE(&(*box)->parcels, p, next);
		parcel_free(p);
	}
	free(*box);
	*box = NULL;
}

size_t
outbox_count(const struct outbox *box)
{
	return box->count;
}

bool
outbox_is_full(const struct outbox *box)
{
	return box->count >= box->max || box->bytes >= box->max * BYTES_EACH;
}

static void
count_in(struct outbox *box, const struct parcel *p)
{
	box->count++;
	box->bytes += parcel_bytes(p);
}

static void
append(struct outbox *box, struct parcel *p)
{
	TAILQ_INSERT_TAIL(&box->parcels, p, next);
	count_in(box, p);
	if (p->id > box->last_id)
		box->last_id = p->id;
	if (box->next == NULL && p->number == 0)
		box->next = p;
}

static struct parcel *
parcel_new(struct outbox *box)
{
	struct parcel *p = mem_alloc(sizeof(*p));

	p->id = box->last_id + 1;
	p->time = clock_wall();
	p->keep = true;
	p->late = !box->has_stream;
	return p;
}

void
outbox_add(struct outbox *box, struct entry *e, bool keep)
{
	struct parcel *p = parcel_new(box);

	p->keep = keep;
	p->entry = entry_ref(e);
	append(box, p);
	put(box, p);
}

static struct parcel *
parcel_of(struct outbox *box, const struct elem *stanza, bool of_stream)
{
	struct parcel *p = parcel_new(box);
	struct buf b = { 0 };

	p->of_stream = of_stream;
	elem_write(&b, stanza, NS_CLIENT);
	p->bytes = blob_new(b.data, b.len);
	buf_free(&b);
	return p;
}

void
outbox_add_stanza(struct outbox *box, const struct elem *stanza, bool of_stream)
{
	struct parcel *p = parcel_of(box, stanza, of_stream);

	append(box, p);
	put(box, p);
}

void
outbox_add_first(struct outbox *box, const struct elem *stanza)
{
	struct parcel *first = TAILQ_FIRST(&box->parcels);
	struct parcel *p = parcel_of(box, stanza, true);

	if (first != NULL && first->number == 0) {
		p->id = first->id - 1;
		TAILQ_INSERT_HEAD(&box->parcels, p, next);
		count_in(box, p);
		box->next = p;
	} else {
		append(box, p);
	}
	put(box, p);
}

/* Out of the queue and off the disk. */
static void
take_out(struct outbox *box, struct parcel *p)
{
	if (box->next == p)
		box->next = TAILQ_NEXT(p, next);
	TAILQ_REMOVE(&box->parcels, p, next);
	box->count--;
	box->bytes -= parcel_bytes(p);
	unput(box, p);
}

/* --- up --- */

static void
send_message(const struct outbox *box, const struct parcel *p,
    struct stream *stream)
{
	const struct entry *e = p->entry;
	struct buf head = { 0 };

	frame_head(&head,
	    &(struct frame_head){ .name = "message",
		.to = e->peer,
		.type = frame_type(e->type),
		.id = e->id,
		.lang = e->lang });
	buf_putc(&head, '>');
	if (p->late && !e->has_delay)
		frame_delay(&head, box->account->jid, p->time);
	stream_send_frame(stream, head.data, head.len, e->body, "</message>");
	buf_free(&head);
}

void
outbox_pump(struct outbox *box, struct stream *stream, uint64_t *out,
    size_t max_bytes)
{
	struct conn *conn = stream_conn(stream);
	struct parcel *p;

	box->has_stream = true;
	while ((p = box->next) != NULL && conn_queued_bytes(conn) < max_bytes) {
		if (p->entry != NULL)
			send_message(box, p, stream);
		else
			stream_send_frame(stream, NULL, 0, p->bytes, NULL);
		p->number = *out;
		p->was_sent = true;
		free(p->after);
		p->after = mem_strdup(box->account->last_stanza_id);
		p->after_seq = box->account->last_seq;
		put(box, p);
		box->next = TAILQ_NEXT(p, next);
	}
}

void
outbox_acknowledge(struct outbox *box, uint64_t number)
{
	struct parcel *p;

	while ((p = TAILQ_FIRST(&box->parcels)) != NULL && p->number != 0 &&
	    p->number <= number) {
		take_out(box, p);
		parcel_free(p);
	}
}

bool
outbox_first_sent(const struct outbox *box, const char **after,
    uint64_t *after_seq, uint64_t *time)
{
	const struct parcel *p;

	TAILQ_FOREACH(p, &box->parcels, next) {
		if (!p->was_sent || p->entry == NULL)
			continue;
		*after = p->after;
		*after_seq = p->after_seq;
		*time = p->time;
		return true;
	}
	return false;
}

uint64_t
outbox_first_seq(const struct outbox *box)
{
	const struct parcel *p;

	TAILQ_FOREACH(p, &box->parcels, next) {
		if (p->entry != NULL && p->entry->seq != 0)
			return p->entry->seq;
	}
	return 0;
}

size_t
outbox_unacknowledged(const struct outbox *box)
{
	const struct parcel *p;
	size_t n = 0;

	TAILQ_FOREACH(p, &box->parcels, next) {
		if (p == box->next)
			break;
		n++;
	}
	return n;
}

void
outbox_rewind(struct outbox *box, bool delay)
{
	struct parcel *p, *next;

	if (delay)
		box->has_stream = false;
	for (p = TAILQ_FIRST(&box->parcels); p != NULL; p = next) {
		next = TAILQ_NEXT(p, next);
		if (delay && (!p->keep || p->of_stream)) {
			take_out(box, p);
			parcel_free(p);
			continue;
		}
		p->number = 0;
		p->late = p->late || delay;
		put(box, p);
	}
	box->next = TAILQ_FIRST(&box->parcels);
}

void
outbox_close(struct outbox *box, const char *peer, const char *id)
{
	struct parcel *p;

	TAILQ_FOREACH(p, &box->parcels, next) {
		if (p->entry != NULL && text_equals(p->entry->id, id) &&
		    jid_same_bare(p->entry->peer, peer)) {
			take_out(box, p);
			parcel_free(p);
			return;
		}
	}
}

struct entry *
outbox_take_expired(struct outbox *box, uint64_t before_time)
{
	struct parcel *p = TAILQ_FIRST(&box->parcels);
	struct entry *e;

	if (p == NULL || p->number != 0 || p->time >= before_time)
		return NULL;
	e = p->entry != NULL ? entry_ref(p->entry) : entry_new();
	take_out(box, p);
	parcel_free(p);
	return e;
}

/* --- from the store --- */

static uint64_t
unpack_key(const unsigned char *key, size_t len)
{
	uint64_t id = 0;

	for (size_t i = 0; i < len; i++)
		id = id << 8 | key[i];
	return id;
}

/* false: it is not there any more. */
static bool
unpack_content(struct outbox *box, struct parcel *p, uint64_t kind,
    struct unpack *u)
{
	struct entry *e;
	const void *bytes;
	size_t len;

	if (kind == IN_FULL) {
		p->entry = unpack_message(box, u);
	} else if (kind == FROM_LOG) {
		e = history_at(box->account->user->history, unpack_uint(u));
		p->entry = e != NULL ? entry_ref(e) : NULL;
	} else {
		bytes = unpack_bytes(u, &len);
		p->bytes = len > 0 ? blob_new(bytes, len) : NULL;
	}
	return p->entry != NULL || p->bytes != NULL;
}

static void
load(void *arg, const void *key, size_t key_len, const void *value, size_t len)
{
	struct buf *all = arg;

	pack_bytes(all, key, key_len);
	pack_bytes(all, value, len);
}

static void
load_one(struct outbox *box, const void *key, size_t key_len, struct unpack *u)
{
	struct parcel *p = parcel_new(box);
	uint64_t kind = unpack_uint(u), flags;

	p->id = unpack_key(key, key_len);
	p->number = unpack_uint(u);
	p->time = unpack_uint(u);
	flags = unpack_uint(u);
	p->late = flags & FLAG_LATE;
	p->of_stream = (flags & FLAG_OF_STREAM) != 0;
	p->was_sent = (flags & FLAG_SENT) != 0;
	p->after = unpack_string(u);
	p->after_seq = unpack_uint(u);
	if (unpack_content(box, p, kind, u)) {
		append(box, p);
		return;
	}
	if (!user_log_failed(box->account->user)) {
		log_event(LEVEL_WARN, box->account->jid, "outbox-lost",
		    "reason=\"the log has it no more\"%s", "");
		unput(box, p);
	}
	parcel_free(p);
}

/* In two steps: the store is not read while it is read. */
void
outbox_load(struct outbox *box)
{
	struct buf all = { 0 };
	struct unpack u, value;
	const void *key, *bytes;
	size_t key_len, len;

	user_load_state(box->account->user, STATE_OUTBOX, box->account->id,
	    load, &all);
	unpack_init(&u, all.data, all.len);
	while (!unpack_is_over(&u)) {
		key = unpack_bytes(&u, &key_len);
		bytes = unpack_bytes(&u, &len);
		unpack_init(&value, bytes, len);
		load_one(box, key, key_len, &value);
	}
	buf_free(&all);
}
