/* The far end of one of the proxy's streams: a fake client's, a fake server's. */
#ifndef RIG_PEER_H
#define RIG_PEER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

#include "io/transport.h"
#include "rig/managed.h"
#include "xmpp/elem.h"
#include "xmpp/stream.h"

struct rig;

struct received {
	STAILQ_ENTRY(received) next;
	struct elem *stanza;
};

struct peer {
	struct rig *rig;
	char name[16];                 /* "C1", "S" */
	struct stream *stream;         /* NULL: closed, or not there yet */
	struct transport *wire;        /* the stream's; only as long as that */
	char *full;                    /* the JID that was bound */
	struct arena *arena;           /* of what was received */
	STAILQ_HEAD(, received) queue; /* not looked at yet */
	bool was_closed;               /* by the proxy */
	char *cond, *reason; /* with which words; cond NULL: no error */
	struct managed managed;
	/* Takes care of a stanza without the script: true. */
	bool (*answer)(struct peer *, struct elem *);
};

void peer_init(struct peer *, struct rig *, const char *name);
void peer_fini(struct peer *);
/* The stream is bound; the peer's from here on. */
void peer_take_stream(struct peer *, struct stream *, const char *full);
/*
 * Bytes as they are; -1 where there is no stream, and none to wait for. Stanzas that
 * are counted have to be sent whole.
 */
int peer_send(struct peer *, const char *xml);
void peer_send_elem(struct peer *, const struct elem *);
/* Ends the stream properly, all acknowledged, or without a word. */
void peer_close(struct peer *);
void peer_close_with(struct peer *, const char *error_xml);
void peer_cut(struct peer *);
/* Stops reading, and lets so many bytes wait; 0: reads on. */
void peer_stall(struct peer *, size_t room);
/* What was received first, or NULL; lives as long as the peer. */
struct elem *peer_next(struct peer *);
void peer_drop(struct peer *, const struct elem *); /* out of the queue */
void peer_drain(struct peer *);                     /* all of it */

#endif
